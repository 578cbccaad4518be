//! The allowed directions of imports between modules and packages, checked in the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below a folder, or the one file, with their texts.
fn sources(path: &str) -> Vec<(PathBuf, String)> {
    rust_files(workspace().join("velora-core/src").join(path))
}

fn rust_files(root: PathBuf) -> Vec<(PathBuf, String)> {
    let mut pending = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    assert!(!found.is_empty(), "nothing at {}", root.display());
    found
}

/// The code without comments, in which names of others may stand; behind it each path that is
/// imported, as `use a::{b, c}` names neither `a::b` nor `a::c`.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut code = lines.collect::<Vec<_>>().join("\n");
    let mut imported = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let tree = code[at + 4..].split(';').next().unwrap();
        flatten("", tree, &mut imported);
    }
    imported.insert(0, String::new());
    code.push_str(&imported.join("\n"));
    code
}

/// The paths of a tree of imports.
fn flatten(before: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, inner)) = tree.split_once('{') else {
        paths.push(format!("{before}{tree}"));
        return;
    };
    let before = format!("{before}{}", head.trim());
    let (mut depth, mut start) = (0_u32, 0);
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                flatten(&before, &inner[start..at], paths);
                start = at + 1;
            }
            _ => {}
        }
    }
    flatten(&before, &inner[start..], paths);
}

#[test]
fn what_is_imported_is_seen_in_whatever_form() {
    let text = "// use crate::a;\nuse crate::{self as here, b::{c, d as e},\n    f};\nfn g() {}";
    let paths: Vec<_> = code(text).lines().skip(3).map(str::to_owned).collect();
    assert_eq!(
        paths,
        [
            "crate::self as here",
            "crate::b::c",
            "crate::b::d as e",
            "crate::f"
        ]
    );
}

fn assert_does_not_know(path: &str, others: &[&str]) {
    for (file, text) in sources(path) {
        for other in others {
            assert!(
                !code(&text).contains(other),
                "{} knows {other}",
                file.display()
            );
        }
    }
}

const SYSTEMS: [&str; 4] = ["health", "billing", "curae", "tv"];

#[test]
fn no_system_knows_another() {
    for system in SYSTEMS {
        for other in SYSTEMS.into_iter().filter(|other| *other != system) {
            assert_does_not_know(
                system,
                &[&format!("crate::{other}"), &format!("super::{other}")],
            );
        }
    }
}

#[test]
fn the_shared_rules_know_no_system() {
    for shared in ["webhook", "dedupe", "api", "secret.rs", "clock.rs", "error"] {
        assert_does_not_know(
            shared,
            &SYSTEMS
                .map(|system| format!("crate::{system}"))
                .each_ref()
                .map(String::as_str),
        );
        assert_does_not_know(shared, &["crate::systems", "crate::axum"]);
    }
}

#[test]
fn the_foundation_knows_nobody() {
    for foundation in ["secret.rs", "clock.rs", "error"] {
        assert_does_not_know(
            foundation,
            &["crate::webhook", "crate::dedupe", "crate::api"],
        );
    }
    assert_does_not_know("dedupe", &["crate::webhook", "crate::api"]);
    assert_does_not_know("api", &["crate::webhook", "crate::dedupe"]);
}

#[test]
fn the_webhook_rules_do_no_io_and_have_no_clock_of_their_own() {
    let io = [
        "std::net",
        "std::fs",
        "std::io",
        "tokio",
        "reqwest",
        "crate::api",
    ];
    let clocks = ["SystemTime", "Instant"];
    assert_does_not_know("webhook", &io);
    assert_does_not_know("webhook", &clocks);
    assert_does_not_know("dedupe", &clocks);
}

#[test]
fn one_file_alone_sends() {
    for (file, text) in sources("") {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let sends = code(&text).contains("reqwest::") && code(&text).contains("Client::builder()");
        assert!(!sends || name == "reqwest.rs", "{}", file.display());
    }
}

#[test]
fn only_the_secret_is_wiped_memory_with_one_way_out() {
    let exposing: Vec<_> = sources("")
        .into_iter()
        .filter(|(_, text)| {
            code(text).contains(".expose()") || code(text).contains(".expose_secret()")
        })
        .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut sorted = exposing.clone();
    sorted.sort();
    assert_eq!(sorted, ["auth.rs", "mac.rs"]);
}

#[test]
fn bindings_name_no_library_that_decides() {
    for binding in ["velora-py", "velora-node", "velora-wasm"] {
        let manifest = workspace().join(binding).join("Cargo.toml");
        let text = fs::read_to_string(manifest).unwrap();
        for library in [
            "hmac",
            "sha2",
            "subtle",
            "reqwest",
            "rusqlite",
            "redis",
            "tokio-postgres",
        ] {
            assert!(
                !text.lines().any(|line| line.starts_with(library)),
                "{binding} names {library}"
            );
        }
    }
}

#[test]
fn one_file_of_a_binding_alone_is_unchecked() {
    let binding = fs::read_to_string(workspace().join("velora-py/src/lib.rs")).unwrap();
    assert!(binding.contains("#![deny(unsafe_code)]"));
    for (file, text) in rust_files(workspace().join("velora-py/src")) {
        let text = code(&text);
        let lifts = text.contains("allow(unsafe_code") || text.contains("expect(unsafe_code");
        let may = file.ends_with("unchecked.rs");
        assert_eq!(lifts, may, "{}", file.display());
    }
}

#[test]
fn the_core_knows_no_binding() {
    let manifest = fs::read_to_string(workspace().join("velora-core/Cargo.toml")).unwrap();
    for binding in [
        "pyo3",
        "napi",
        "wasm-bindgen",
        "velora-py",
        "velora-node",
        "velora-wasm",
    ] {
        assert!(!manifest.contains(binding), "the core names {binding}");
    }
}

#[test]
fn the_core_has_no_unsafe_code() {
    let manifest = fs::read_to_string(workspace().join("velora-core/src/lib.rs")).unwrap();
    assert!(manifest.contains("#![forbid(unsafe_code)]"));
}
