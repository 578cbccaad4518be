//! Exports to a file: the proof, and resuming. That an export may be killed at any moment is
//! tested with the example that exports.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::sleep;

use crate::scripted::{Scripted, answer};
use crate::simulated::{builder, client, limited, sorted, truth, week, window};
use crate::wall::Wall;
use velora_core::health::{ExportQuery, Manifest};
use velora_simulator::{Fault, FaultKind, Simulator};

/// A folder of its own, removed in the end.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("events.ndjson")
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", path.display()))
}

fn rows(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

fn simulator(events: u64) -> Simulator {
    let builder = Simulator::builder().events(events).crowd(11_000);
    builder.start_blocking().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_proves_the_file() {
    let (simulator, folder) = (simulator(34_567), Folder::new());
    let (client, path) = (client(&simulator), folder.file());
    let manifest = client
        .export_to_file(ExportQuery::new(week()), &path)
        .await
        .unwrap();
    assert_eq!(sorted(rows(&path)), truth(&simulator, week()));
    assert_eq!(manifest.rows, 34_567);
    assert_eq!(manifest, Manifest::read(&path).unwrap());
    manifest.verify(&path).unwrap();
    assert!(!beside(&path, "checkpoint").exists());

    // Once more: nothing is asked for.
    simulator.clear_requests();
    let again = client
        .export_to_file(ExportQuery::new(week()), &path)
        .await
        .unwrap();
    assert_eq!((again, simulator.requests().len()), (manifest.clone(), 0));

    let mut bytes = fs::read(&path).unwrap();
    bytes.swap(20, 21);
    fs::write(&path, bytes).unwrap();
    let error = manifest.verify(&path).unwrap_err();
    assert_eq!(error.code().as_str(), "file_mismatch");
}

/// What has not ended may get events: only the rest is taken from the call before.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_has_not_ended_is_exported_anew() {
    let (simulator, folder) = (simulator(25_000), Folder::new());
    let (wall, path) = (Wall::default(), folder.file());
    let client = builder(&simulator).with_runtime(wall.clone());
    let client = client.build().unwrap();
    let query = ExportQuery::new(week()).with_concurrency(1).unwrap();
    let mut calls = Vec::new();
    let mut leaves = Vec::new();
    let (since, until) = (week().since().as_second(), week().until().as_second());
    for now in [since, until - 1, until - 1, until, until] {
        wall.set(now);
        simulator.clear_requests();
        let manifest = client.export_to_file(query.clone(), &path).await.unwrap();
        manifest.verify(&path).unwrap();
        assert_eq!(manifest, Manifest::read(&path).unwrap());
        assert_eq!(manifest.complete_until.as_second(), now);
        assert_eq!(sorted(rows(&path)), truth(&simulator, week()));
        calls.push(simulator.requests().len());
        let checkpoint = fs::read_to_string(beside(&path, "checkpoint"));
        leaves.push(checkpoint.ok().map(|text| text.lines().count() - 1));
    }
    let [whole, same, rest, last, none] = calls[..] else {
        panic!("{calls:?}");
    };
    assert!(whole > 1 && same == whole, "{calls:?}");
    assert!(rest < whole && last == rest && rest > 0, "{calls:?}");
    assert_eq!(none, 0);
    let all = Manifest::read(&path).unwrap().leaves.len();
    assert!(all > 1);
    assert_eq!(leaves, [Some(0), Some(all - 1), Some(all - 1), None, None]);
}

/// Our clock may be ahead of the system's, which decides when an event happens.
#[tokio::test(start_paused = true)]
async fn a_window_has_not_ended_before_it_has_by_the_clock_of_the_system() {
    let (folder, date) = (Folder::new(), Arc::new(Mutex::new("")));
    let dates = Arc::clone(&date);
    let server = Scripted::new(move |_, _| {
        let date = *dates.lock().unwrap();
        answer(200, &[("Date", date), ("X-Velora-Truncated", "false")], "")
    });
    let (wall, path) = (Wall::default(), folder.file());
    wall.set(week().until().as_second());
    let client = server.builder().with_runtime(wall).build().unwrap();
    let mut seen = Vec::new();
    for said in [
        "Fri, 08 May 2026 00:00:00 GMT",
        "Thu, 07 May 2026 23:59:59 GMT",
        "Thu, 07 May 2026 23:59:59 GMT",
        "today",
    ] {
        *date.lock().unwrap() = said;
        let export = client.export_to_file(ExportQuery::new(week()), &path);
        let manifest = limited(export).await.unwrap();
        assert_eq!(manifest, Manifest::read(&path).unwrap());
        let is_begun = beside(&path, "checkpoint").exists();
        let until = manifest.complete_until.to_string();
        seen.push((server.requests(), until, is_begun));
        if said.starts_with("Fri") {
            fs::remove_file(&path).unwrap();
            fs::remove_file(beside(&path, "manifest.json")).unwrap();
        }
    }
    let (ended, before) = ("2026-05-08T00:00:00Z", "2026-05-07T23:59:59Z");
    let expected = [
        (1, ended, false),
        (2, before, true),
        (3, before, true),
        (4, ended, false),
    ];
    let expected = expected.map(|(calls, until, begun)| (calls, until.to_owned(), begun));
    assert_eq!(seen, expected);
}

/// What it looked up may be as old as the question, whenever it says that it has answered.
#[tokio::test(start_paused = true)]
async fn a_window_has_not_ended_if_it_did_while_the_system_was_at_work() {
    let folder = Folder::new();
    let mut seen = Vec::new();
    for (name, took, said) in [
        ("at once", 0, "Fri, 08 May 2026 00:00:02 GMT"),
        ("slowly", 5, "Fri, 08 May 2026 00:00:02 GMT"),
        ("slowly, but later", 5, "Fri, 08 May 2026 00:00:05 GMT"),
    ] {
        let server = Scripted::slow(Duration::from_secs(took), move |_, _| {
            answer(200, &[("Date", said), ("X-Velora-Truncated", "false")], "")
        });
        let wall = Wall::default();
        wall.set(week().until().as_second());
        let client = server.builder().with_runtime(wall).build().unwrap();
        let path = folder.0.path().join(name);
        let export = client.export_to_file(ExportQuery::new(week()), &path);
        let manifest = limited(export).await.unwrap();
        let is_begun = beside(&path, "checkpoint").exists();
        seen.push((manifest.complete_until.to_string(), is_begun));
    }
    let (ended, before) = ("2026-05-08T00:00:00Z", "2026-05-07T23:59:57Z");
    let expected = [(ended, false), (before, true), (ended, false)];
    assert_eq!(
        seen,
        expected.map(|(until, begun)| (until.to_owned(), begun))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_whole_stays_so_if_our_clock_is_set_back() {
    let (simulator, folder) = (simulator(25_000), Folder::new());
    let (wall, path) = (Wall::default(), folder.file());
    let client = builder(&simulator).with_runtime(wall.clone());
    let client = client.build().unwrap();
    let mut whole = Vec::new();
    for now in [week().until().as_second() - 1, week().since().as_second()] {
        wall.set(now);
        let export = client.export_to_file(ExportQuery::new(week()), &path);
        let manifest = export.await.unwrap();
        let last = manifest.leaves.last().unwrap();
        whole.push((manifest.complete_until, last.since));
    }
    let [(_, counted), after] = whole[..] else {
        panic!("{whole:?}");
    };
    assert!(counted > week().since());
    assert_eq!(after, (counted, counted));
}

/// Such as that of another machine of the system.
#[tokio::test(start_paused = true)]
async fn what_was_whole_stays_so_if_the_clock_of_the_system_is_set_back() {
    let folder = Folder::new();
    let server = Scripted::new(|number, _| {
        let (cut, date) = match number {
            0 => ("true", "Fri, 08 May 2026 00:00:00 GMT"),
            1 => ("false", "Fri, 08 May 2026 00:00:00 GMT"),
            _ => ("false", "Fri, 01 May 2026 00:00:00 GMT"),
        };
        answer(200, &[("Date", date), ("X-Velora-Truncated", cut)], "")
    });
    let (wall, path) = (Wall::default(), folder.file());
    wall.set(week().until().as_second());
    let client = server.builder().with_runtime(wall).build().unwrap();
    let query = ExportQuery::new(week()).with_concurrency(1).unwrap();
    let manifest = limited(client.export_to_file(query, &path)).await.unwrap();
    let ends: Vec<_> = manifest.leaves.iter().map(|leaf| leaf.until).collect();
    assert_eq!((ends.len(), server.requests()), (2, 3));
    assert_eq!(manifest.complete_until, ends[0]);
    let checkpoint = fs::read_to_string(beside(&path, "checkpoint")).unwrap();
    assert_eq!(checkpoint.lines().count(), 2);
}

/// The proof says up to when it reaches, wherever it is taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_a_part_is_not_taken_for_one_of_the_whole() {
    let (simulator, folder) = (simulator(100), Folder::new());
    let (wall, path) = (Wall::default(), folder.file());
    wall.set(week().until().as_second() - 1);
    let client = builder(&simulator).with_runtime(wall.clone());
    let client = client.build().unwrap();
    let export = || client.export_to_file(ExportQuery::new(week()), &path);
    let manifest = export().await.unwrap();
    assert!(manifest.complete_until < manifest.until);
    fs::remove_file(beside(&path, "checkpoint")).unwrap();
    wall.set(week().until().as_second());
    assert_eq!(export().await.unwrap_err().code().as_str(), "file_mismatch");
    assert_eq!(manifest, Manifest::read(&path).unwrap());
    manifest.verify(&path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_got_no_rows_does_not_hinder_another_window() {
    let (simulator, folder) = (simulator(100), Folder::new());
    let (client, path) = (client(&simulator), folder.file());
    let other = window("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z");
    simulator.inject(Fault::new(FaultKind::Status(403)));
    let error = client.export_to_file(ExportQuery::new(other), &path).await;
    assert_eq!(error.unwrap_err().code().as_str(), "forbidden");
    let left = fs::read_to_string(beside(&path, "checkpoint")).unwrap();
    let export = || client.export_to_file(ExportQuery::new(week()), &path);
    fs::write(&path, "{}\n").unwrap();
    assert_eq!(export().await.unwrap_err().code().as_str(), "file_mismatch");
    fs::write(&path, "").unwrap();
    simulator.inject(Fault::new(FaultKind::Status(403)));
    assert_eq!(export().await.unwrap_err().code().as_str(), "forbidden");
    let begun = fs::read_to_string(beside(&path, "checkpoint")).unwrap();
    assert_eq!((begun.lines().count(), begun == left), (1, false));
    export().await.unwrap();
    assert_eq!(sorted(rows(&path)), truth(&simulator, week()));
    Manifest::read(&path).unwrap().verify(&path).unwrap();
}

/// That there were none is a result too.
#[tokio::test(flavor = "multi_thread")]
async fn the_proof_of_no_rows_is_left_alone() {
    let (simulator, folder) = (simulator(100), Folder::new());
    let path = folder.file();
    let client = builder(&simulator).with_runtime(Wall::default());
    let client = client.build().unwrap();
    let empty = window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
    let proof = client.export_to_file(ExportQuery::new(empty), &path).await;
    let proof = proof.unwrap();
    assert_eq!((proof.rows, proof.complete_until), (0, empty.since()));
    let left = || {
        ["checkpoint", "manifest.json"].map(|suffix| fs::read_to_string(beside(&path, suffix)).ok())
    };
    let before = left();
    assert!(before.iter().all(Option::is_some));
    let other = client.export_to_file(ExportQuery::new(week()), &path).await;
    assert_eq!(other.unwrap_err().code().as_str(), "file_mismatch");
    assert_eq!(left(), before);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_a_regular_file_is_exported_to() {
    let (simulator, folder) = (simulator(100), Folder::new());
    let (client, path) = (client(&simulator), folder.file());
    fs::create_dir(&path).unwrap();
    std::os::unix::fs::symlink("/dev/null", folder.0.path().join("null")).unwrap();
    for odd in [path, folder.0.path().join("null")] {
        let exported = client.export_to_file(ExportQuery::new(week()), &odd).await;
        assert_eq!(exported.unwrap_err().code().as_str(), "file_unusable");
        assert!(!beside(&odd, "checkpoint").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_away_keeps_its_proof() {
    let (simulator, folder) = (simulator(25_000), Folder::new());
    let (wall, path) = (Wall::default(), folder.file());
    wall.set(week().until().as_second() - 1);
    let client = builder(&simulator).with_runtime(wall);
    let client = client.build().unwrap();
    let export = || client.export_to_file(ExportQuery::new(week()), &path);
    export().await.unwrap();
    let moved = path.with_extension("moved");
    fs::rename(&path, &moved).unwrap();
    assert_eq!(export().await.unwrap_err().code().as_str(), "file_mismatch");
    Manifest::read(&path).unwrap().verify(&moved).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_exported_anew_has_no_proof_meanwhile() {
    let (simulator, folder) = (simulator(100), Folder::new());
    let path = folder.file();
    let client = builder(&simulator).with_runtime(Wall::default());
    let client = client.build().unwrap();
    let export = || client.export_to_file(ExportQuery::new(week()), &path);
    let manifest = export().await.unwrap();
    simulator.inject(Fault::new(FaultKind::Status(403)));
    assert_eq!(export().await.unwrap_err().code().as_str(), "forbidden");
    let error = Manifest::read(&path).unwrap_err();
    assert_eq!(error.code().as_str(), "file_unusable");
    assert_eq!(export().await.unwrap(), manifest);
}

/// While it runs, and in the end.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn its_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (simulator, folder) = (simulator(100), Folder::new());
    let path = folder.file();
    let check = |files: &[&Path]| {
        assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), files.len());
        for file in files {
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
    };
    let client = client(&simulator);
    let export = || client.export_to_file(ExportQuery::new(week()), &path);
    simulator.inject(Fault::new(FaultKind::Status(403)));
    export().await.unwrap_err();
    check(&[&path, &beside(&path, "checkpoint")]);
    simulator.clear_faults();
    export().await.unwrap();
    check(&[&path, &beside(&path, "manifest.json")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_after_an_error() {
    let (simulator, folder) = (simulator(34_567), Folder::new());
    let (client, path) = (client(&simulator), folder.file());
    simulator.inject(Fault::new(FaultKind::Status(403)).skip(9));
    let error = client
        .export_to_file(ExportQuery::new(week()), &path)
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "forbidden");
    let manifest = client
        .export_to_file(ExportQuery::new(week()), &path)
        .await
        .unwrap();
    manifest.verify(&path).unwrap();
    assert_eq!(sorted(rows(&path)), truth(&simulator, week()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_its_own_is_left_alone() {
    let (simulator, folder) = (simulator(20_000), Folder::new());
    let (client, path) = (client(&simulator), folder.file());
    let code = async |query| {
        let outcome = client.export_to_file(query, &path).await;
        outcome.map(|_| "").map_err(|error| error.code().as_str())
    };
    fs::write(&path, "a letter").unwrap();
    assert_eq!(code(ExportQuery::new(week())).await, Err("file_mismatch"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");
    assert!(!beside(&path, "checkpoint").exists());

    fs::remove_file(&path).unwrap();
    assert_eq!(code(ExportQuery::new(week())).await, Ok(""));
    let other = window("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z");
    assert_eq!(code(ExportQuery::new(other)).await, Err("file_mismatch"));
    fs::rename(&path, path.with_extension("moved")).unwrap();
    assert_eq!(code(ExportQuery::new(week())).await, Err("file_mismatch"));
    fs::rename(path.with_extension("moved"), &path).unwrap();
    let phi = ExportQuery::new(week()).with_phi_involved(true);
    assert_eq!(code(phi).await, Err("file_mismatch"));

    let nowhere = client
        .export_to_file(ExportQuery::new(week()), folder.0.path().join("no/where"))
        .await;
    assert_eq!(nowhere.unwrap_err().code().as_str(), "file_unusable");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_do_not_mix() {
    let (simulator, folder) = (simulator(2_000), Folder::new());
    let (client, path) = (client(&simulator), folder.file());
    let export = || client.export_to_file(ExportQuery::new(week()), &path);
    let (one, other) = tokio::join!(export(), export());
    // One exports; the other waits, and is given what the first has made.
    assert_eq!(one.unwrap().rows, other.unwrap().rows);
    assert_eq!(sorted(rows(&path)), truth(&simulator, week()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_exports_to_is_left_alone() {
    let (simulator, folder) = (simulator(100), Folder::new());
    let (client, path) = (client(&simulator), folder.file());
    let export = || client.export_to_file(ExportQuery::new(week()), &path);
    let held = File::create(beside(&path, "checkpoint")).unwrap();
    held.lock().unwrap();
    let error = export().await.unwrap_err();
    assert_eq!(error.code().as_str(), "file_unusable");
    assert_eq!((held.metadata().unwrap().len(), path.exists()), (0, false));

    let release = async {
        sleep(Duration::from_millis(200)).await;
        drop(held);
    };
    let (exported, ()) = tokio::join!(export(), release);
    assert_eq!(
        exported.unwrap().rows,
        truth(&simulator, week()).len() as u64
    );
}
