//! The built command against every vector, and its behaviour as a program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it should be"
)]

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

/// Every code that verifying and reading a delivery can end with.
const CODES: [&str; 15] = [
    "unknown_scheme",
    "empty_secret",
    "secret_has_whitespace",
    "no_secret",
    "invalid_tolerance",
    "missing_header",
    "duplicate_header",
    "header_too_large",
    "malformed_header",
    "malformed_timestamp",
    "timestamp_too_old",
    "timestamp_in_future",
    "signature_mismatch",
    "header_body_mismatch",
    "malformed_event",
];

#[test]
fn verify_answers_every_vector_in_order() {
    let vectors = vectors("");
    assert!(vectors.len() >= 150, "{} cases", vectors.len());
    assert_answers("verify", &vectors);
}

#[test]
fn event_answers_every_vector_in_order() {
    let vectors = vectors("events");
    assert!(vectors.len() >= 30, "{} cases", vectors.len());
    assert_answers("event", &vectors);
}

#[test]
fn key_answers_every_vector_in_order() {
    let vectors = vectors("keys");
    assert!(vectors.len() >= 90, "{} cases", vectors.len());
    assert_answers("key", &vectors);
}

#[test]
fn verify_does_not_read_the_event() {
    for vector in vectors("events") {
        let code = &vector["expect"]["code"];
        if code != "malformed_event" {
            continue;
        }
        let answers = ask("verify", format!("{vector}\n").into_bytes());
        assert_eq!(answers, [json!({"id": vector["id"], "ok": true})]);
    }
}

#[test]
fn ids_are_unique_and_every_code_occurs() {
    let all: Vec<Value> = [vectors(""), vectors("events"), vectors("keys")].concat();
    let mut ids = HashSet::new();
    let mut codes = HashSet::new();
    for vector in &all {
        let id = vector["id"].as_str().unwrap();
        assert!(ids.insert(id), "{id} stands twice");
        assert!(!vector["comment"].as_str().unwrap().is_empty(), "{id}");
        codes.extend(vector["expect"]["code"].as_str());
    }
    assert_eq!(codes, HashSet::from(CODES));
}

#[test]
fn takes_100_000_lines() {
    let vectors = vectors("");
    let asked = vectors.iter().cycle().take(100_000).enumerate();
    let mut input = Vec::new();
    let mut expected = Vec::new();
    for (number, vector) in asked {
        let mut case = vector.clone();
        case["id"] = json!(number);
        serde_json::to_writer(&mut input, &case).unwrap();
        input.push(b'\n');
        expected.push(answer_to(&case));
    }
    // Compared at once: 100,000 differences would help nobody.
    assert!(ask("verify", input) == expected);
}

#[test]
fn id_is_echoed_as_it_is() {
    let vector = vectors("").swap_remove(0);
    for id in [
        json!(1),
        json!(1.5),
        json!("é\"\n"),
        json!({"a": [true]}),
        json!(null),
    ] {
        let mut case = vector.clone();
        case["id"] = id;
        let answers = ask("verify", format!("{case}\n").into_bytes());
        assert_eq!(answers, [answer_to(&case)]);
    }
}

#[test]
fn blank_lines_are_skipped_and_the_last_needs_no_end() {
    let vector = vectors("").swap_remove(0);
    let input = format!("\n  \r\n{vector}\r\n\t\n{vector}");
    let answers = ask("verify", input.into_bytes());
    assert_eq!(answers, [answer_to(&vector), answer_to(&vector)]);
    assert!(ask("verify", Vec::new()).is_empty());
}

#[test]
fn null_members_are_absent_members() {
    let mut case = vectors("").swap_remove(0);
    case["tolerance"] = json!(null);
    case["secrets_b64"] = json!(null);
    let answers = ask("verify", format!("{case}\n").into_bytes());
    assert_eq!(answers, [answer_to(&case)]);
}

#[test]
fn number_too_large_for_a_float_is_an_infinite_tolerance() {
    let mut case = vectors("").swap_remove(0);
    case["tolerance"] = json!("big");
    let line = case.to_string().replace("\"big\"", "1e999");
    let answers = ask("verify", line.into_bytes());
    assert_eq!(
        answers,
        [json!({"id": case["id"], "ok": false, "code": "invalid_tolerance"})]
    );
}

#[test]
fn what_is_no_case_is_said_to_be_none() {
    let vector = vectors("").swap_remove(0);
    let with = |member: &str, value: Value| {
        let mut case = vector.clone();
        case[member] = value;
        case.to_string()
    };
    let without = |member: &str| {
        let mut case = vector.clone();
        case.as_object_mut().unwrap().remove(member);
        case.to_string()
    };
    let identified = [
        without("scheme"),
        without("body_b64"),
        without("headers"),
        without("now"),
        with("scheme", json!(5)),
        with("secrets", json!("one")),
        with("secrets", json!([1])),
        with("secrets_b64", json!(["c2VjcmV0"])),
        with("body_b64", json!("no base64")),
        with("headers", json!({"X-Velora-Signature": "x"})),
        with("headers", json!([["X-Velora-Signature"]])),
        with("now", json!("1717423320")),
        with("now", json!(null)),
        with("tolerance", json!("300")),
        with("tolerance", json!(true)),
    ];
    let anonymous = [
        "{".to_owned(),
        "null".to_owned(),
        "no json".to_owned(),
        format!("[{vector}]"),
        format!("{vector}{vector}"),
        "{}".to_owned(),
    ];
    let mut input = [&identified[..], &anonymous[..]]
        .concat()
        .join("\n")
        .into_bytes();
    input.extend(b"\n\xff\xfe\n");

    let none = |id: &Value| json!({"id": id, "ok": false, "code": "invalid_case"});
    let mut expected = vec![none(&vector["id"]); identified.len()];
    expected.resize(identified.len() + anonymous.len() + 1, none(&Value::Null));
    assert_eq!(ask("verify", input), expected);
}

#[test]
fn committed_vectors_are_what_make_vectors_writes() {
    let made = Command::new("python3")
        .arg(conformance().join("make_vectors"))
        .arg("--check")
        .output()
        .expect("Python 3.11 or newer is installed");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

fn assert_answers(command: &str, vectors: &[Value]) {
    let input: String = vectors.iter().map(|vector| format!("{vector}\n")).collect();
    let answers = ask(command, input.into_bytes());
    for (answer, vector) in answers.iter().zip(vectors) {
        assert_eq!(answer, &answer_to(vector), "{}", vector["comment"]);
    }
    assert_eq!(answers.len(), vectors.len());
}

/// The answer a vector expects: its `expect`, under its `id`.
fn answer_to(vector: &Value) -> Value {
    let mut answer = vector["expect"].clone();
    answer["id"] = vector["id"].clone();
    answer
}

/// All cases directly in a folder of the vectors, file by file.
fn vectors(folder: &str) -> Vec<Value> {
    let folder = conformance().join("vectors").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| read_lines(&fs::read(file).unwrap()))
        .collect()
}

fn conformance() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs the command, feeds it and gives its answers.
fn ask(command: &str, input: Vec<u8>) -> Vec<Value> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_velora-conformance"))
        .arg(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Fed beside reading, or both would wait for each other.
    let feeder = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success());
    read_lines(&output.stdout)
}

fn read_lines(text: &[u8]) -> Vec<Value> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}
