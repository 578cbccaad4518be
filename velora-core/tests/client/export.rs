//! Exports against the simulator, with different clocks, bounds, orders and cursors.

use std::sync::{Arc, Mutex};

use crate::scripted::{Scripted, answer};
use crate::simulated::{EXPORT, client, export, sorted, truth, week, window};
use velora_core::ApiError;
use velora_core::health::{ExportQuery, NewEndpoint, Truncation};
use velora_simulator::{CursorMode, ExportOrder, Resolution, Simulator};

#[tokio::test(flavor = "multi_thread")]
async fn is_whole_for_every_kind_of_system() {
    let windows = [
        week(),
        window("2026-05-02T03:04:05.25Z", "2026-05-06T07:08:09.5Z"),
    ];
    for resolution in [
        Resolution::Second,
        Resolution::Millisecond,
        Resolution::Microsecond,
    ] {
        for order in [
            ExportOrder::Ascending,
            ExportOrder::Descending,
            ExportOrder::Shuffled,
        ] {
            for bits in 0..8_u8 {
                let simulator = Simulator::builder()
                    .events(20_000)
                    .crowd(10_500)
                    .seed(u64::from(bits))
                    .resolution(resolution)
                    .export_order(order)
                    .inclusive_until(bits & 1 > 0)
                    .exact_filters(bits & 2 > 0)
                    .truncation_header((bits & 4 > 0).then_some("true"))
                    .start_blocking()
                    .unwrap();
                for window in windows {
                    let expected = truth(&simulator, window);
                    simulator.clear_requests();
                    let rows = export(&client(&simulator), ExportQuery::new(window)).await;
                    let case = format!("{resolution:?} {order:?} {bits:03b} {window:?}");
                    let rows = sorted(rows.unwrap_or_else(|error| panic!("{case}: {error}")));
                    assert!(
                        rows == expected,
                        "{case}: {} of {}",
                        rows.len(),
                        expected.len()
                    );
                    let requests = simulator.requests().len();
                    let bound = 4 * rows.len().div_ceil(10_000) + 128;
                    assert!(requests <= bound, "{case}: {requests} requests");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_listed_whole_is_never_passed_off_as_whole() {
    for mode in [
        CursorMode::Leaky,
        CursorMode::SloppySkip,
        CursorMode::SloppyRepeat,
    ] {
        let simulator = Simulator::builder()
            .events(20_000)
            .crowd(12_000)
            .cursor_mode(mode)
            .start_blocking()
            .unwrap();
        let error = export(&client(&simulator), ExportQuery::new(week()))
            .await
            .unwrap_err();
        assert_eq!(error.code().as_str(), "incomplete_window", "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_tells_how_far_it_is() {
    let simulator = Simulator::builder()
        .events(34_567)
        .start_blocking()
        .unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let query = ExportQuery::new(week()).with_phi_involved(true);
    let query = query.on_progress(move |progress| log.lock().unwrap().push(progress));
    let rows = export(&client(&simulator), query).await.unwrap();
    let expected = simulator.all().phi_involved(true).count();
    assert_eq!(rows.len() as u64, expected);
    let seen = seen.lock().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.rows, last.done_until), (expected, week().until()));
    assert!(seen.is_sorted_by_key(|progress| progress.done_until));
    assert_eq!(last.calls, simulator.requests().len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_comes_with_its_verdict() {
    let cases = [
        (Some("true"), 10_001, Truncation::Yes),
        (Some("yes"), 9_999, Truncation::No),
        (None, 9_999, Truncation::Unknown),
        (None, 10_000, Truncation::Yes),
    ];
    for (header, events, verdict) in cases {
        let simulator = Simulator::builder()
            .events(events)
            .truncation_header(header)
            .start_blocking()
            .unwrap();
        let query = ExportQuery::new(week());
        let once = client(&simulator).export_once(query).await.unwrap();
        assert_eq!(once.truncation(), verdict, "{header:?} {events}");
        assert_eq!(once.len() as u64, events.min(10_000));
        assert_eq!(simulator.requests().len(), 1);
    }
}

/// A success that is not the rows that were asked for, such as a job that was begun, or what a
/// system writes when it fails on the way.
#[tokio::test(start_paused = true)]
async fn what_is_no_event_is_never_taken_for_one() {
    const ROW: &str = r#"{"event_id":"1","timestamp":"2026-05-02T00:00:00Z"}"#;
    const FAULT: &str = r#"{"timestamp":"2026-05-02T00:00:00Z","status":500,"path":"/export"}"#;
    for (status, body) in [
        (206, ROW.to_owned()),
        (202, String::new()),
        (204, String::new()),
        (202, r#"{"job_id":"j1","status":"pending"}"#.to_owned()),
        (200, r#"{"error":"internal"}"#.to_owned()),
        (200, r#"{"events":[],"truncated":false}"#.to_owned()),
        (200, format!("{ROW}\n{{\"error\":\"query timed out\"}}\n")),
        (200, format!("{ROW}\n{FAULT}\n")),
    ] {
        let server = Scripted::new({
            let body = body.clone();
            move |_, _| answer(status, &[("X-Velora-Truncated", "false")], &body)
        });
        let query = || ExportQuery::new(week());
        let error = export(&server.client(), query()).await.unwrap_err();
        assert_eq!(
            error.code().as_str(),
            "malformed_response",
            "{status} {body}"
        );
        let error = server.client().export_once(query()).await.unwrap_err();
        assert_eq!(
            error.code().as_str(),
            "malformed_response",
            "{status} {body}"
        );
        assert_eq!(server.requests(), 2, "{status} {body}");
    }
}

/// What stands between may answer with a page of its own, which may be empty.
#[tokio::test]
async fn an_empty_page_is_no_export() {
    const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");
    let empty = |headers: &'static [(&'static str, &'static str)], body: &'static str| async move {
        let server = Scripted::new(move |_, _| answer(200, headers, body));
        let query = || ExportQuery::new(week());
        let code = |error: ApiError| error.code().as_str();
        let whole = export(&server.client(), query()).await;
        let whole = whole.map(|rows| rows.len()).map_err(code);
        let once = server.client().export_once(query()).await;
        assert_eq!(once.map(|once| once.len()).map_err(code), whole);
        whole
    };
    for headers in [
        [HTML].as_slice(),
        &[("Content-Type", "image/gif")],
        &[HTML, ("X-Velora-Truncated", "maybe")],
    ] {
        for body in ["", "\n"] {
            assert_eq!(empty(headers, body).await, Err("malformed_response"));
        }
    }
    for headers in [
        [].as_slice(),
        &[("Content-Type", "")],
        &[("Content-Type", "application/x-ndjson; charset=utf-8")],
        &[("Content-Type", "Application/JSONL")],
        &[("Content-Type", "text/plain; charset=utf-8")],
        &[("Content-Type", "application/octet-stream")],
        &[HTML, ("X-Velora-Truncated", "false")],
    ] {
        assert_eq!(empty(headers, "").await, Ok(0), "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_hold_the_same_rows() {
    let simulator = Simulator::builder()
        .events(12_000)
        .start_blocking()
        .unwrap();
    let client = client(&simulator);
    let one_by_one = export(&client, ExportQuery::new(week())).await.unwrap();
    let mut rows = client.export(ExportQuery::new(week())).raw();
    let mut chunked = Vec::new();
    while let Some(chunk) = rows.next_chunk(700).await {
        let chunk = chunk.unwrap();
        assert!((1..=700).contains(&chunk.len()), "{}", chunk.len());
        chunked.extend(chunk.iter().map(|row| row.as_line().into_owned()));
    }
    assert!(chunked == one_by_one, "{} rows", chunked.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_for_an_empty_window() {
    let simulator = Simulator::builder().events(10).start_blocking().unwrap();
    let at = "2026-05-02T00:00:00.5Z";
    let rows = export(&client(&simulator), ExportQuery::new(window(at, at)))
        .await
        .unwrap();
    assert!(rows.is_empty() && simulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_events_have_the_keys_of_their_deliveries() {
    let simulator = Simulator::builder().events(500).start_blocking().unwrap();
    let mut events = client(&simulator).export(ExportQuery::new(week()));
    let mut keys = Vec::new();
    while let Some(event) = events.next().await {
        keys.push(event.unwrap().key().unwrap());
    }
    keys.sort();
    let key =
        |(id, action): (String, String)| velora_core::Key::of_members("health", &[id, action]);
    let mut expected: Vec<_> = simulator.all().keys().map(key).collect();
    expected.sort();
    assert_eq!(keys, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_come_and_go() {
    let simulator = Simulator::builder().start_blocking().unwrap();
    let webhooks = client(&simulator).webhooks();
    let endpoint = NewEndpoint::new("http://127.0.0.1:9/hook").with_event_filter(["phi."]);
    let registered = webhooks.create(&endpoint).await.unwrap();
    let listed = webhooks.list().await.unwrap();
    assert_eq!(
        listed.first().map(|endpoint| &endpoint.id),
        Some(&registered.endpoint.id)
    );
    webhooks.disable(&registered.endpoint.id).await.unwrap();
    assert_eq!(
        webhooks.list().await.unwrap().first().unwrap().active,
        Some(false)
    );
    webhooks.delete(&registered.endpoint.id).await.unwrap();
    assert!(webhooks.list().await.unwrap().is_empty());
    let error = webhooks.delete("wh_none").await.unwrap_err();
    assert_eq!(error.code().as_str(), "not_found");
    assert!(
        !simulator
            .requests()
            .iter()
            .any(|request| request.path == EXPORT)
    );
}
