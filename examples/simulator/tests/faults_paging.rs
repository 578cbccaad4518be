//! Faults of cursors and pages.

use std::collections::BTreeSet;

use serde_json::Value;
use velora_simulator::{Fault, FaultKind, Simulator};

use crate::common::{EVENTS, get_json, newest_first, page_through};

async fn simulator() -> Simulator {
    Simulator::builder().events(300).start().await.unwrap()
}

/// The cursors of up to `count` pages that are asked for one after the other.
async fn cursors(simulator: &Simulator, count: usize) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..count {
        let cursor = seen.last().map_or("", String::as_str);
        let page = get_json(simulator, &format!("{EVENTS}?limit=50&cursor={cursor}")).await;
        assert_eq!(page["page"]["has_more"], true);
        seen.push(page["page"]["next_cursor"].as_str().unwrap().to_owned());
    }
    seen
}

#[tokio::test]
async fn cursors_repeat_and_loop() {
    let simulator = simulator().await;
    simulator.inject(Fault::new(FaultKind::RepeatCursor).path(EVENTS).always());
    let seen = cursors(&simulator, 3).await;
    assert!(seen[0] == seen[1] && seen[1] == seen[2]);
    simulator.clear_faults();

    simulator.inject(Fault::new(FaultKind::LoopCursor).path(EVENTS).always());
    let seen = cursors(&simulator, 5).await;
    assert!(seen[0] != seen[1] && seen[0] == seen[2] && seen[1] == seen[3] && seen[2] == seen[4]);
}

#[tokio::test]
async fn more_without_a_cursor() {
    let simulator = simulator().await;
    simulator.inject(Fault::new(FaultKind::NoCursor));
    let page = get_json(&simulator, &format!("{EVENTS}?limit=50")).await;
    assert_eq!(page["page"]["has_more"], true);
    assert_eq!(page["page"]["next_cursor"], Value::Null);
}

#[tokio::test]
async fn empty_pages_lose_nothing() {
    let simulator = simulator().await;
    for skip in [0, 2] {
        simulator.clear_requests();
        simulator.inject(
            Fault::new(FaultKind::EmptyPage)
                .path(EVENTS)
                .skip(skip)
                .times(3),
        );
        assert_eq!(
            page_through(&simulator, "limit=50").await,
            newest_first(&simulator)
        );
        assert_eq!(simulator.requests().len(), 6 + 3);
        simulator.clear_faults();
    }
    simulator.inject(Fault::new(FaultKind::EmptyPage).always());
    let seen = cursors(&simulator, 10).await;
    let once: BTreeSet<_> = seen.iter().collect();
    assert_eq!(once.len(), 10);
}

#[tokio::test]
async fn events_come_again_on_the_next_page() {
    let simulator = simulator().await;
    simulator.inject(Fault::new(FaultKind::DuplicateRows).path(EVENTS).always());
    let mut ids = page_through(&simulator, "limit=50").await;
    assert_eq!(ids.len(), 305);
    ids.dedup();
    assert_eq!(ids, newest_first(&simulator));
}
