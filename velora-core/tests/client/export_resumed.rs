//! Exports to a file that resume from what a kill, or someone else, left on the disk.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use crate::scripted::{Scripted, answer};
use crate::simulated::{client, limited, week, window};
use velora_core::health::{ExportQuery, Manifest, Window};
use velora_simulator::{Fault, FaultKind, Simulator};

const EVENTS: u64 = 34_567;

struct Exporting {
    simulator: Simulator,
    folder: TempDir,
}

impl Exporting {
    fn new() -> Self {
        Self {
            simulator: Simulator::builder()
                .events(EVENTS)
                .start_blocking()
                .unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// An export that was cut off after some of its leaves.
    async fn interrupted() -> Self {
        let exporting = Self::new();
        let forbidden = Fault::new(FaultKind::Status(403));
        exporting.simulator.inject(forbidden.skip(6));
        assert_eq!(exporting.run().await, Err("forbidden"));
        assert!(exporting.checkpoint().lines().count() > 1);
        exporting
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("events.ndjson")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("events.ndjson.{suffix}"))
    }

    fn checkpoint(&self) -> String {
        fs::read_to_string(self.beside("checkpoint")).unwrap()
    }

    fn leave(&self, suffix: &str, text: &str) {
        fs::write(self.beside(suffix), text).unwrap();
    }

    async fn run(&self) -> Result<u64, &'static str> {
        self.run_over(week()).await
    }

    async fn run_over(&self, window: Window) -> Result<u64, &'static str> {
        let client = client(&self.simulator);
        // One leaf after the other, so that some are done before the fault.
        let query = ExportQuery::new(window).with_concurrency(1).unwrap();
        let exported = limited(client.export_to_file(query, self.file())).await;
        let manifest = exported.map_err(|error| error.code().as_str())?;
        manifest.verify(self.file()).unwrap();
        assert_eq!(manifest, Manifest::read(self.file()).unwrap());
        assert!(!self.beside("checkpoint").exists());
        Ok(manifest.rows)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_cut_off_does_not_count() {
    let exporting = Exporting::interrupted().await;
    let checkpoint = exporting.checkpoint();
    let torn = &checkpoint[..checkpoint.len() - 20];
    exporting.leave("checkpoint", torn);
    assert_eq!(exporting.run().await, Ok(EVENTS));

    // Not even the first line is whole.
    let exporting = Exporting::new();
    let header = checkpoint.lines().next().unwrap();
    let here = exporting.simulator.base_url();
    let there = header
        .split('"')
        .find(|part| part.starts_with("http"))
        .unwrap();
    let header = header.replace(there, here);
    for torn in ["", "{", &header[..30], &header] {
        exporting.leave("checkpoint", torn);
        assert_eq!(exporting.run().await, Ok(EVENTS), "{torn}");
        fs::remove_file(exporting.file()).unwrap();
        fs::remove_file(exporting.beside("manifest.json")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_behind_the_last_leaf_are_cut_off() {
    let exporting = Exporting::interrupted().await;
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(exporting.file())
        .unwrap();
    file.write_all(b"{\"event_id\":\"half a r").unwrap();
    assert_eq!(exporting.run().await, Ok(EVENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_gone_are_noticed() {
    let exporting = Exporting::interrupted().await;
    let length = fs::metadata(exporting.file()).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(exporting.file());
    file.unwrap().set_len(length - 1).unwrap();
    let before = exporting.checkpoint();
    assert_eq!(exporting.run().await, Err("file_mismatch"));
    assert_eq!(exporting.checkpoint(), before);

    fs::remove_file(exporting.file()).unwrap();
    assert_eq!(exporting.run().await, Err("file_mismatch"));
    assert_eq!(exporting.checkpoint(), before);
    assert!(!exporting.file().exists());
}

/// In place, so that the length stays what it was; or the leaves are no longer all there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_as_it_was_written_is_noticed() {
    let exporting = Exporting::interrupted().await;
    let (rows, checkpoint) = (fs::read(exporting.file()).unwrap(), exporting.checkpoint());
    let mut changed = rows.clone();
    changed[1_000..1_400].fill(b'#');
    let mut zeros = rows.clone();
    zeros[rows.len() / 2..].fill(0);
    for damaged in [changed, zeros] {
        fs::write(exporting.file(), &damaged).unwrap();
        assert_eq!(exporting.run().await, Err("file_mismatch"));
        assert_eq!(fs::read(exporting.file()).unwrap(), damaged);
        assert_eq!(exporting.checkpoint(), checkpoint);
    }

    let lines: Vec<&str> = checkpoint.split_inclusive('\n').collect();
    let (header, leaves) = lines.split_first().unwrap();
    assert!(leaves.len() > 1);
    let without_first = [&[*header], &leaves[1..]].concat().concat();
    let twice = [&lines[..], &leaves[leaves.len() - 1..]].concat().concat();
    let behind = header.replace("2026-05-08", "2026-05-01");
    for (rows, left, window) in [
        (&rows[..], without_first, week()),
        (&rows.repeat(2), twice, week()),
        (
            &rows,
            [&[&*behind], leaves].concat().concat(),
            window("2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        ),
    ] {
        fs::write(exporting.file(), rows).unwrap();
        exporting.leave("checkpoint", &left);
        assert_eq!(
            exporting.run_over(window).await,
            Err("file_mismatch"),
            "{left}"
        );
    }

    fs::write(exporting.file(), rows).unwrap();
    exporting.leave("checkpoint", &checkpoint);
    assert_eq!(exporting.run().await, Ok(EVENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_somebody_else_is_left_as_it_is() {
    let exporting = Exporting::new();
    for foreign in [
        "a letter",
        "a letter\nin two lines",
        "{}\n{\"half",
        "{\"format\":1}\n",
    ] {
        exporting.leave("checkpoint", foreign);
        assert_eq!(exporting.run().await, Err("file_mismatch"), "{foreign}");
        assert_eq!(exporting.checkpoint(), foreign);
    }
    assert!(exporting.simulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_systems_do_not_share_a_file() {
    let staging = Exporting::interrupted().await;
    let production = Exporting {
        simulator: Simulator::builder().events(10).start_blocking().unwrap(),
        folder: staging.folder,
    };
    assert_eq!(production.run().await, Err("file_mismatch"));
    let staging = Exporting {
        folder: production.folder,
        simulator: staging.simulator,
    };
    assert_eq!(staging.run().await, Ok(EVENTS));
    let production = Exporting {
        folder: staging.folder,
        simulator: production.simulator,
    };
    assert_eq!(production.run().await, Err("file_mismatch"));
}

/// A kill between the manifest and the end of the checkpoint; or an export that ended
/// while another one waited for its lock.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_finished_is_not_asked_for_again() {
    let exporting = Exporting::new();
    // An end within a microsecond is where an empty rest is not quite empty.
    let window = window("2026-05-01T00:00:00Z", "2026-05-08T00:00:00.0000005Z");
    exporting
        .simulator
        .inject(Fault::new(FaultKind::Status(403)).skip(6));
    assert_eq!(exporting.run_over(window).await, Err("forbidden"));
    let header = exporting.checkpoint().lines().next().unwrap().to_owned();
    assert_eq!(exporting.run_over(window).await, Ok(EVENTS));

    let manifest = Manifest::read(exporting.file()).unwrap();
    let leaves = manifest.leaves.iter();
    let leaves: Vec<_> = leaves
        .map(|leaf| serde_json::to_string(leaf).unwrap())
        .collect();
    let checkpoint = format!("{header}\n{}\n", leaves.join("\n"));
    for left in ["", &checkpoint] {
        exporting.leave("checkpoint", left);
        exporting.simulator.clear_requests();
        assert_eq!(exporting.run_over(window).await, Ok(EVENTS));
        assert!(exporting.simulator.requests().is_empty());
        assert_eq!(Manifest::read(exporting.file()).unwrap(), manifest);
    }
}

/// A row without a timestamp stands before all others, or nowhere: not in the middle, because
/// the export was begun anew there.
#[tokio::test(start_paused = true)]
async fn what_failed_fails_again_where_it_goes_on() {
    let server = Scripted::new(|_, request| {
        let body = String::from_utf8(request.body().unwrap().to_vec()).unwrap();
        let at = |name: &str| body.split(name).nth(1).unwrap()[3..13].to_owned();
        let (since, until) = (at("since"), at("until"));
        let (headers, row) = match (since.as_str(), until.as_str()) {
            ("2026-05-01", "2026-05-03") => (&[("X-Velora-Truncated", "true")][..], ""),
            ("2026-05-01", _) => (
                &[][..],
                r#"{"event_id":"1","timestamp":"2026-05-01T01:00:00Z"}"#,
            ),
            _ => (&[][..], r#"{"event_id":"2","timestamp":null}"#),
        };
        answer(200, headers, row)
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.ndjson");
    for _ in 0..2 {
        let query = ExportQuery::new(window("2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z"));
        let client = server.client();
        let exported = client.export_to_file(query.with_concurrency(1).unwrap(), &file);
        let error = limited(exported).await.unwrap_err();
        assert_eq!(error.code().as_str(), "malformed_response");
    }
    let checkpoint = fs::read_to_string(folder.path().join("events.ndjson.checkpoint")).unwrap();
    assert_eq!(checkpoint.lines().count(), 2, "{checkpoint}");
}

/// An end that is inclusive hides what lies within the last microsecond before a crowd: nothing
/// may be, as long as no stamp is finer. One that is, is told before the export is gone on with,
/// or behind.
#[tokio::test(start_paused = true)]
async fn a_gap_that_may_hide_events_is_not_forgotten_where_it_goes_on() {
    let start: jiff::Timestamp = "2026-05-01T00:00:00Z".parse().unwrap();
    let at = |nanos: i64| start + jiff::SignedDuration::from_nanos(nanos);
    const SECOND: i64 = 1_000_000_000;
    let (crowd, hidden) = (at(10 * SECOND), at(10 * SECOND - 500));
    for finer in [at(1), at(50 * SECOND + 1)] {
        let stamps = [vec![finer, hidden], vec![crowd; 10_500]].concat();
        let mut stamps: Vec<_> = stamps.into_iter().enumerate().collect();
        stamps.sort_by_key(|(_, stamp)| std::cmp::Reverse(*stamp));
        let row = |(id, stamp): &(usize, jiff::Timestamp)| {
            format!(r#"{{"event_id":"{id}","timestamp":"{stamp}","action":"phi.read"}}"#)
        };
        let (failing, fails) = (Arc::new(AtomicBool::new(true)), at(45 * SECOND));
        let passing = Arc::clone(&failing);
        let server = Scripted::new(move |_, request| {
            let Some(body) = request.body() else {
                let events: Vec<_> = stamps.iter().filter(|(_, at)| *at == crowd).collect();
                let cursor = request.url().split("cursor=").nth(1);
                let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
                let to = (from + 1_000).min(events.len());
                let rows: Vec<_> = events[from..to].iter().map(|event| row(event)).collect();
                let (more, rows) = (to < events.len(), rows.join(","));
                let page = format!(r#"{{"has_more":{more},"next_cursor":"{to}"}}"#);
                return answer(200, &[], &format!(r#"{{"events":[{rows}],"page":{page}}}"#));
            };
            let body: serde_json::Value = serde_json::from_slice(body).unwrap();
            let bound = |name: &str| body[name].as_str().unwrap().parse().unwrap();
            let (since, until): (jiff::Timestamp, jiff::Timestamp) =
                (bound("since"), bound("until"));
            if since >= fails && passing.load(Ordering::Relaxed) {
                return answer(403, &[], "");
            }
            let inside = stamps.iter().filter(|(_, at)| since <= *at && *at <= until);
            let rows: Vec<_> = inside.map(row).collect();
            let cut = if rows.len() > 10_000 { "true" } else { "false" };
            let kept = rows.len().min(10_000);
            answer(
                200,
                &[("X-Velora-Truncated", cut)],
                &rows[..kept].join("\n"),
            )
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.ndjson");
        let mut codes = Vec::new();
        for _ in 0..3 {
            let query = ExportQuery::new(window("2026-05-01T00:00:00Z", "2026-05-01T00:01:40Z"));
            let client = server.client();
            let exported = client.export_to_file(query.with_concurrency(1).unwrap(), &file);
            let exported = limited(exported).await;
            codes.push(exported.map_or_else(|error| error.code().as_str(), |_| "whole"));
            failing.store(false, Ordering::Relaxed);
        }
        assert_eq!(codes[1..], ["incomplete_window"; 2], "{codes:?}");
    }
}
