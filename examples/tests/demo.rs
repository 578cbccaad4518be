//! The demo succeeds, and reports it.

#![allow(clippy::unwrap_used, reason = "a test panics")]

use std::process::{Command, Output};

use velora_simulator::{HEALTH_KEY, HEALTH_NO_SCOPE_KEY, Simulator};

fn demo(variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_demo"))
        .env_remove("VELORA_API_KEY")
        .env_remove("VELORA_BASE_URL")
        .envs(variables.iter().copied())
        .args(["--since", "2026-05-01T00:00:00Z"])
        .args(["--until", "2026-05-03T00:00:00Z"])
        .output()
        .unwrap()
}

#[test]
fn the_demo_is_right() {
    let output = demo(&[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for line in [
        "44 deliveries, 44 as they must be; 12 events, 12 handled exactly once\n",
        ": 5 events in 6 deliveries, 5 handled\n",
        "exported 34567 rows, ",
        " leaves that tile the window: proven whole\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn with_a_key_it_reads_what_the_environment_names() {
    let simulator = Simulator::builder().start_blocking().unwrap();
    let url = ("VELORA_BASE_URL", simulator.base_url());
    let output = demo(&[("VELORA_API_KEY", HEALTH_KEY), url]);
    let text = String::from_utf8_lossy(&output.stdout);
    let since = "2026-05-01T00:00:00Z".parse().unwrap();
    let until = "2026-05-03T00:00:00Z".parse().unwrap();
    let rows = simulator.truth(Some(since), Some(until)).count();
    assert!(output.status.success() && rows > 0, "{text}");
    assert!(text.contains(&format!("exported {rows} rows, ")), "{text}");
    let export = "/api/v2/public/audit/export";
    assert!(
        simulator
            .requests()
            .iter()
            .all(|request| request.method == "GET" || request.path == export)
    );

    let output = demo(&[("VELORA_API_KEY", HEALTH_NO_SCOPE_KEY), url]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("forbidden"), "{errors}");
    assert!(!errors.contains(HEALTH_NO_SCOPE_KEY), "{errors}");
}
