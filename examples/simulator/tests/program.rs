//! The program, as tests in other languages start it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use velora_simulator::HEALTH_KEY;

use crate::common::{client, json_of};

fn start(args: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_velora-simulator"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line.strip_prefix("listening on ").unwrap().trim_end();
    let url = url.to_owned();
    (child, url)
}

#[tokio::test]
async fn prints_its_address_and_serves() {
    let args = ["--events", "123", "--seed", "5", "--until-stdin-ends"];
    let (mut child, url) = start(&args);
    assert!(url.starts_with("http://127.0.0.1:"));
    let truth = client()
        .get(format!("{url}/_sim/truth"))
        .send()
        .await
        .unwrap();
    assert_eq!(json_of(truth).await["count"], 123);
    let events = format!("{url}/api/v2/public/audit/events?limit=1");
    let page = client()
        .get(events)
        .bearer_auth(HEALTH_KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);

    drop(child.stdin.take());
    let mut rest = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(rest, "");
}

#[test]
fn refuses_flags_that_it_does_not_know() {
    let output = Command::new(env!("CARGO_BIN_EXE_velora-simulator"))
        .arg("--no-such-flag")
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}
