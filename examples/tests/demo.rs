//! The demo ends well, and says so.

#![allow(clippy::unwrap_used, reason = "a test panics")]

use std::process::Command;

#[test]
fn the_demo_is_right() {
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let summary = "44 deliveries, 44 as they must be; 12 events, 12 handled exactly once";
    assert!(text.ends_with(&format!("{summary}\n")), "{text}");
}
