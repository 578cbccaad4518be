//! The built command claims on every store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test panics")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use velora_servers::{Postgres, Redis};

fn claim(store: &str, trusted: Option<&Path>, lines: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_velora-conformance"));
    command.args(["claim", "--store", store, "--lease", "60"]);
    if let Some(trusted) = trusted {
        command.env("SSL_CERT_FILE", trusted);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // A command that ends at once reads nothing.
    let _ = input.write_all(lines.join("\n").as_bytes());
    drop(input);
    child.wait_with_output().unwrap()
}

fn answers(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let lines = text.lines().map(serde_json::from_str::<Value>);
    lines.map(Result::unwrap).collect()
}

const CLAIM: &str = r#"{"op":"claim","key":"k"}"#;
const COMMIT: &str = r#"{"op":"commit","key":"k"}"#;
const RELEASE: &str = r#"{"op":"release","key":"k"}"#;
const RENEW: &str = r#"{"op":"renew","key":"k"}"#;

#[test]
fn answers_each_verb_on_every_store() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("claims.db");
    for store in [
        "memory:".to_owned(),
        format!("sqlite://{}", file.display()),
        Postgres::shared().new_url(),
        Redis::shared().new_url(),
    ] {
        let lines = [
            COMMIT,
            CLAIM,
            CLAIM,
            RENEW,
            RELEASE,
            RELEASE,
            CLAIM,
            COMMIT,
            CLAIM,
            r#"["claim","k"]"#,
            "no case",
            "",
        ];
        let output = claim(&store, None, &lines);
        assert!(output.status.success(), "{store}: {output:?}");
        let answers = answers(&output);
        let states: Vec<_> = answers
            .iter()
            .map(|answer| answer["state"].as_str())
            .collect();
        let expected = [
            "lease_lost",
            "fresh",
            "in_flight",
            "ok",
            "ok",
            "lease_lost",
            "fresh",
            "ok",
            "done",
            "error",
            "error",
        ];
        assert_eq!(states, expected.map(Some), "{store}");
        let epoch = |at: usize| answers[at]["epoch"].as_u64();
        assert!(epoch(1) < epoch(6), "{store}: {answers:?}");
        assert_eq!(
            answers[9],
            json!({"state": "error", "code": "invalid_case"})
        );
    }
}

#[test]
fn says_that_the_store_is_out_of_reach() {
    for store in [
        "postgres://user:hunter2@127.0.0.1:1/shop",
        "redis://user:hunter2@127.0.0.1:1",
        "sqlite:///nowhere/claims.db",
    ] {
        let output = claim(store, None, &[CLAIM]);
        assert_eq!(
            answers(&output),
            [json!({"state": "error", "code": "store_unavailable"})]
        );
    }
}

#[test]
fn refuses_what_names_no_store() {
    for store in ["mysql://user:hunter2@host/shop", "redis://:hunter2@[", ""] {
        let output = claim(store, None, &[CLAIM]);
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        let last: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
        assert_eq!(last["code"], "invalid_option", "{store}");
        assert!(!errors.contains("hunter2"), "{errors}");
    }
}

/// Whether a claim came through.
fn reaches(store: &str, trusted: Option<&Path>) -> bool {
    let answers = answers(&claim(store, trusted, &[CLAIM]));
    match answers[0]["state"].as_str() {
        Some("fresh" | "in_flight") => true,
        _ => {
            assert_eq!(answers[0]["code"], "store_unavailable", "{store}");
            false
        }
    }
}

#[test]
fn postgres_over_tls_is_verified() {
    let server = Postgres::start_with_tls();
    let url = |parameters: &str| format!("{}?{parameters}", server.url());
    let authority = Some(server.authority());
    for verified in ["sslmode=require", "sslmode=verify-full", "sslmode=prefer"] {
        assert!(reaches(&url(verified), authority), "{verified}");
        assert!(!reaches(&url(verified), None), "{verified}");
    }
    assert!(reaches(&url("sslmode=disable"), None));
    // A machine without certificates may do without.
    let none = Some(Path::new("/nowhere/certificates.pem"));
    assert!(reaches(&url("sslmode=disable"), none));
    let plain = Postgres::shared().url();
    assert!(!reaches(&format!("{plain}?sslmode=require"), authority));
}

#[test]
fn redis_over_tls_is_verified() {
    let server = Redis::start_with_tls();
    assert!(reaches(&server.tls_url(), Some(server.authority())));
    assert!(!reaches(&server.tls_url(), None));
    // What is unverified cannot be asked for.
    let output = claim(&format!("{}/#insecure", server.tls_url()), None, &[CLAIM]);
    assert_eq!(output.status.code(), Some(1));
}
