//! Two receivers on one PostgreSQL: one is killed while it handles an event.

#![allow(clippy::unwrap_used, reason = "a test panics")]

use std::process::Command;

use velora_servers::Postgres;

#[test]
fn the_other_receiver_handles_the_event_once() {
    let server = Postgres::start();
    let output = Command::new(env!("CARGO_BIN_EXE_failover"))
        .arg(server.url())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let count = |what: &str| text.matches(what).count();
    assert_eq!(count("first:  handling"), 1, "{text}");
    assert_eq!(count("second: 200 processed"), 1, "{text}");
    assert_eq!(count("second: handled"), 1, "{text}");
    assert!(text.ends_with("second: 200 duplicate\n"), "{text}");
}
