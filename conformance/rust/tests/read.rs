//! The built command reads the audit API completely, or fails.

#![allow(clippy::unwrap_used, reason = "a test panics")]

use std::process::{Command, Output};

use serde_json::Value;
use velora_simulator::{Fault, FaultKind, HEALTH_KEY, HEALTH_NO_SCOPE_KEY, Simulator};

const WEEK: [&str; 2] = ["2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z"];

fn read(command: &str, simulator: &Simulator, key: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["--base-url", simulator.base_url(), "--api-key", key];
    arguments.extend(["--since", WEEK[0], "--until", WEEK[1]]);
    // Said once more, an option takes the place of the first.
    for (at, option) in more.iter().enumerate().step_by(2) {
        match arguments.iter().position(|said| said == option) {
            Some(said) => arguments[said + 1] = more[at + 1],
            None => arguments.extend(&more[at..at + 2]),
        }
    }
    Command::new(env!("CARGO_BIN_EXE_velora-conformance"))
        .arg(command)
        .args(arguments)
        .output()
        .unwrap()
}

fn simulator() -> Simulator {
    let builder = Simulator::builder().events(12_345).crowd(10_500);
    builder.start_blocking().unwrap()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort();
    lines
}

/// The rows that concern PHI, or that do not, or all.
fn truth(simulator: &Simulator, phi_involved: Option<bool>) -> Vec<String> {
    let of_interest = |row: &String| {
        let event: Value = serde_json::from_str(row).unwrap();
        phi_involved.is_none_or(|phi| event["phi_involved"] == phi)
    };
    let truth = simulator.all();
    let mut rows: Vec<_> = truth
        .rows()
        .map(|row| String::from_utf8(row).unwrap())
        .filter(of_interest)
        .collect();
    rows.sort();
    rows
}

#[test]
fn prints_each_event_as_received_once() {
    let simulator = simulator();
    for command in ["list-events", "export"] {
        for (more, phi_involved) in [
            (&[][..], None),
            (&["--phi-involved", "true"], Some(true)),
            (&["--phi-involved", "false", "--limit", "997"], Some(false)),
        ] {
            let output = read(command, &simulator, HEALTH_KEY, more);
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{command} {more:?}");
            assert_eq!(sorted(&text), truth(&simulator, phi_involved), "{command}");
            assert!(output.stderr.is_empty());
        }
    }
}

#[test]
fn says_why_it_could_not_be_read_whole() {
    let simulator = simulator();
    let failure = |command: &str, key: &str, more: &[&str]| {
        let output = read(command, &simulator, key, more);
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!errors.contains(key));
        let said: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
        assert!(!said["message"].as_str().unwrap().is_empty());
        (
            said["code"].as_str().unwrap().to_owned(),
            said["status"].as_u64(),
        )
    };
    for command in ["list-events", "export"] {
        assert_eq!(
            failure(command, HEALTH_NO_SCOPE_KEY, &[]),
            ("forbidden".to_owned(), Some(403))
        );
        assert_eq!(
            failure(command, HEALTH_KEY, &["--since", "yesterday"]),
            ("invalid_option".to_owned(), None)
        );
        assert_eq!(
            failure(
                command,
                HEALTH_KEY,
                &["--base-url", "http://velora.example"]
            ),
            ("invalid_base_url".to_owned(), None)
        );
    }
    assert_eq!(
        failure("list-events", HEALTH_KEY, &["--limit", "1001"]),
        ("invalid_option".to_owned(), None)
    );
    simulator.inject(Fault::new(FaultKind::RepeatCursor).always());
    assert_eq!(
        failure("list-events", HEALTH_KEY, &[]),
        ("cursor_loop".to_owned(), Some(200))
    );
}
