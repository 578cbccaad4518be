//! `POST /export`: cap, header, order and windows.

use std::collections::BTreeSet;

use crate::common::{EXPORT, export, export_request, health, ids_of_rows, newest_first, sorted};
use jiff::{Timestamp, ToSpan};
use reqwest::Method;
use velora_simulator::{ExportOrder, HEALTH_READ_KEY, Resolution, Simulator};

#[tokio::test]
async fn gives_a_whole_window_in_each_order() {
    for order in [
        ExportOrder::Ascending,
        ExportOrder::Descending,
        ExportOrder::Shuffled,
    ] {
        let simulator = Simulator::builder().events(3_000).export_order(order);
        let simulator = simulator.start().await.unwrap();
        let (ids, truncated) = export(&simulator, None, None).await;
        assert_eq!(truncated.as_deref(), Some("false"));
        let newest = newest_first(&simulator);
        match order {
            ExportOrder::Ascending => assert!(ids.iter().rev().eq(&newest)),
            ExportOrder::Descending => assert_eq!(ids, newest),
            ExportOrder::Shuffled => {
                assert_ne!(ids, newest);
                assert_eq!(sorted(ids), sorted(newest));
            }
        }
    }
}

#[tokio::test]
async fn the_cap_truncates_and_says_so() {
    for (order, newest) in [
        (ExportOrder::Ascending, false),
        (ExportOrder::Descending, true),
    ] {
        let simulator = Simulator::builder().events(10_001).export_order(order);
        let simulator = simulator.start().await.unwrap();
        let (ids, truncated) = export(&simulator, None, None).await;
        assert_eq!((ids.len(), truncated.as_deref()), (10_000, Some("true")));
        let all = newest_first(&simulator);
        let missing = if newest { all.last() } else { all.first() };
        assert!(!ids.contains(missing.unwrap()));
    }
    let exactly = Simulator::builder().events(10_000).start().await.unwrap();
    let (ids, truncated) = export(&exactly, None, None).await;
    assert_eq!((ids.len(), truncated.as_deref()), (10_000, Some("false")));
}

#[tokio::test]
async fn the_header_comes_in_styles() {
    let cases = [
        (Some("1"), Some("1"), Some("0")),
        (Some("yes"), Some("yes"), Some("no")),
        (Some("TRUE"), Some("TRUE"), Some("FALSE")),
        (Some("maybe"), Some("maybe"), Some("maybe")),
        (None, None, None),
    ];
    for (style, yes, no) in cases {
        let builder = Simulator::builder().events(20).truncation_header(style);
        let whole = builder.clone().start().await.unwrap();
        let cut = builder.export_cap(10).start().await.unwrap();
        assert_eq!(export(&whole, None, None).await.1.as_deref(), no);
        assert_eq!(export(&cut, None, None).await.1.as_deref(), yes);
    }
}

#[tokio::test]
async fn windows_tile_the_truth() {
    for resolution in [
        Resolution::Second,
        Resolution::Millisecond,
        Resolution::Microsecond,
    ] {
        let simulator = Simulator::builder()
            .events(25_000)
            .crowd(3_000)
            .resolution(resolution)
            .start()
            .await
            .unwrap();
        let mut ids = BTreeSet::new();
        let mut since: Timestamp = "2026-05-01T00:00:00Z".parse().unwrap();
        for _ in 0..7 * 4 {
            let until = since + 6.hours();
            let window = (since.to_string(), until.to_string());
            let (rows, truncated) = export(&simulator, Some(&window.0), Some(&window.1)).await;
            let truth = simulator.truth(Some(since), Some(until));
            assert_eq!(truncated.as_deref(), Some("false"));
            assert_eq!(rows.len() as u64, truth.count());
            assert_eq!(sorted(rows.clone()), sorted(truth.ids().collect()));
            ids.extend(rows);
            since = until;
        }
        assert_eq!(ids.len(), 25_000);
    }
}

#[tokio::test]
async fn filters_by_phi() {
    let simulator = Simulator::builder().events(1_000).start().await.unwrap();
    let response = health(&simulator, Method::POST, &format!("{EXPORT}?format=ndjson"))
        .body(r#"{"phi_involved":true}"#)
        .send()
        .await
        .unwrap();
    let ids = ids_of_rows(&response.text().await.unwrap());
    let truth = simulator.all().phi_involved(true);
    assert_eq!(ids, truth.ids().rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn fifty_thousand_in_one_instant() {
    let simulator = Simulator::builder().events(60_000).crowd(50_000);
    let simulator = simulator.start().await.unwrap();
    let mut last = (0, 0);
    let instants: Vec<i64> = simulator.all().instants().collect();
    for run in instants.chunk_by(|a, b| a == b) {
        last = last.max((run.len(), run[0]));
    }
    assert!(last.0 >= 50_000);
    let instant = Timestamp::from_microsecond(last.1).unwrap();
    let window = (instant.to_string(), (instant + 1.second()).to_string());
    let (ids, truncated) = export(&simulator, Some(&window.0), Some(&window.1)).await;
    assert_eq!((ids.len(), truncated.as_deref()), (10_000, Some("true")));
}

#[tokio::test]
async fn rows_are_those_of_the_truth() {
    let simulator = Simulator::builder()
        .events(500)
        .export_order(ExportOrder::Ascending);
    let simulator = simulator.object_details(true).start().await.unwrap();
    let response = export_request(&simulator, None, None).send().await.unwrap();
    let text = response.text().await.unwrap();
    let truth: Vec<Vec<u8>> = simulator.all().rows().collect();
    assert!(
        text.lines()
            .map(str::as_bytes)
            .eq(truth.iter().map(Vec::as_slice))
    );
}

#[tokio::test]
async fn refuses_what_does_not_validate() {
    let simulator = Simulator::builder().events(10).start().await.unwrap();
    let ndjson = format!("{EXPORT}?format=ndjson");
    for (path, body) in [
        (EXPORT, "{}"),
        ("/api/v2/public/audit/export?format=csv", "{}"),
        (&ndjson, "since"),
        (&ndjson, "[]"),
        (&ndjson, r#"{"since":"yesterday"}"#),
        (&ndjson, r#"{"phi_involved":"yes"}"#),
    ] {
        let request = health(&simulator, Method::POST, path).body(body);
        assert_eq!(request.send().await.unwrap().status(), 422, "{path} {body}");
    }
    let request = export_request(&simulator, None, None).bearer_auth(HEALTH_READ_KEY);
    assert_eq!(
        request.send().await.unwrap().status(),
        401,
        "two authorizations"
    );
}
