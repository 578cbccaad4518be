//! The export example as a separate process: killed at any moment, it resumes.

#![allow(clippy::unwrap_used, reason = "a test panics")]

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;
use velora_core::health::{AuditEvent, Manifest};
use velora_simulator::{HEALTH_KEY, HEALTH_READ_KEY, Simulator};

const EVENTS: u64 = 60_000;

/// Those of them that one instant has: more than one call of the export gives.
const CROWD: u64 = 11_000;

struct Exporting {
    simulator: Simulator,
    folder: TempDir,
}

impl Exporting {
    fn start() -> Self {
        let builder = Simulator::builder().events(EVENTS).crowd(CROWD);
        Self {
            simulator: builder.start_blocking().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, key: &str, file: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_export"));
        command
            .args(["2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z"])
            .arg(file)
            .env("VELORA_API_KEY", key)
            .env("VELORA_BASE_URL", self.simulator.base_url());
        command
    }

    fn spawn(&self, file: &Path) -> Child {
        let mut command = self.command(HEALTH_KEY, file);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Runs it to its end.
    fn finish(&self, file: &Path) {
        assert!(self.spawn(file).wait().unwrap().success());
        Manifest::read(file).unwrap().verify(file).unwrap();
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", file.display()))
}

/// A number in 0..1.
fn random() -> f64 {
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

#[test]
fn exports_every_event_once() {
    let exporting = Exporting::start();
    let file = exporting.file("events.ndjson");
    let output = exporting.command(HEALTH_KEY, &file).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("60000 rows in ") && text.ends_with(" leaves: proven whole\n"));

    let rows = fs::read_to_string(&file).unwrap();
    let id = |row: &[u8]| {
        let event = AuditEvent::from_json(str::from_utf8(row).unwrap()).unwrap();
        event.event_id().unwrap().into_owned()
    };
    let mut exported: Vec<_> = rows.lines().map(|row| id(row.as_bytes())).collect();
    let mut truth: Vec<_> = exporting
        .simulator
        .all()
        .rows()
        .map(|row| id(&row))
        .collect();
    exported.sort();
    truth.sort();
    assert_eq!(exported, truth);
}

#[test]
fn says_what_is_wrong() {
    let exporting = Exporting::start();
    let file = exporting.file("events.ndjson");
    let output = exporting.command(HEALTH_READ_KEY, &file).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(errors.contains("forbidden"), "{errors}");
    assert!(!errors.contains(HEALTH_READ_KEY), "{errors}");
}

/// 12 kills, or `VELORA_SOAK_KILLS`: each at a random moment of an export that has come
/// as far as the kills before let it. In the end the bytes are those of an export that
/// was never killed.
#[test]
fn killed_at_any_moment_it_goes_on() {
    let kills = std::env::var("VELORA_SOAK_KILLS").ok();
    let kills: u32 = kills.and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let exporting = Exporting::start();
    let (whole, file) = (exporting.file("whole"), exporting.file("killed"));
    let started = Instant::now();
    exporting.finish(&whole);
    let longest = started.elapsed();
    let whole = fs::read(whole).unwrap();

    let (mut killed, mut finished) = (0, 0);
    while killed < kills || finished == 0 {
        let mut child = exporting.spawn(&file);
        if killed < kills {
            std::thread::sleep(longest.mul_f64(random()));
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                killed += 1;
            }
        }
        child.wait().unwrap();
        if beside(&file, "manifest.json").exists() {
            // A kill behind the manifest leaves the checkpoint: go on once more.
            exporting.finish(&file);
            assert!(!beside(&file, "checkpoint").exists());
            assert!(fs::read(&file).unwrap() == whole);
            fs::remove_file(beside(&file, "manifest.json")).unwrap();
            fs::remove_file(&file).unwrap();
            finished += 1;
        }
    }
    println!("{killed} kills; {finished} exports finished between them");
}
