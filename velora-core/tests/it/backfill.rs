//! Listed events and delivered events go through the same store: each event counts once.

use std::cell::Cell;
use std::sync::Arc;

use velora_core::health::AuditEvent;
use velora_core::{Claim, Delivery, Key, ManualClock, MemoryStore, Outcome, Receiver, Store};

use super::support::{NOW, signed, verifier};

fn listed(id: &str) -> Key {
    let text = format!(r#"{{"event_id":"{id}","action":"phi.read"}}"#);
    AuditEvent::from_json(text).unwrap().key().unwrap()
}

fn delivered(id: &str) -> String {
    format!(r#"{{"id":"{id}","type":"phi.read"}}"#)
}

async fn ok() -> Result<(), ()> {
    Ok(())
}

#[tokio::test]
async fn what_is_listed_and_delivered_counts_once() {
    let verifier = verifier("health").with_clock(ManualClock::new(NOW));
    let receiver = Receiver::new(verifier, MemoryStore::default());
    let counted = Cell::new(0);
    let deliver = async |id| {
        let signed = signed("health", delivered(id));
        let count = async |_: Delivery<'static>| {
            counted.set(counted.get() + 1);
            Ok::<(), ()>(())
        };
        let reply = receiver.receive(&signed.body, &signed.headers, count).await;
        reply.outcome
    };
    let backfill = async |id| {
        let count = async || {
            counted.set(counted.get() + 1);
            Ok::<(), ()>(())
        };
        receiver.backfill(listed(id), count).await
    };
    assert_eq!(deliver("before").await, Outcome::Processed);
    assert_eq!(backfill("before").await, Outcome::Duplicate);
    assert_eq!(backfill("missed").await, Outcome::Processed);
    assert_eq!(backfill("missed").await, Outcome::Duplicate);
    // The last rung of the ladder comes late.
    assert_eq!(deliver("missed").await, Outcome::Duplicate);
    assert_eq!(counted.get(), 2);
}

#[tokio::test]
async fn a_back_fill_that_fails_may_be_asked_for_again() {
    let receiver = Receiver::new(verifier("health"), MemoryStore::default());
    let fails = async || Err::<(), ()>(());
    let panics = async || -> Result<(), ()> { panic!("halfway") };
    let key = || listed("evt_1");
    assert_eq!(
        receiver.backfill(key(), fails).await,
        Outcome::HandlerFailed
    );
    assert_eq!(
        receiver.backfill(key(), panics).await,
        Outcome::HandlerPanicked
    );
    assert_eq!(receiver.backfill(key(), ok).await, Outcome::Processed);
}

#[tokio::test]
async fn a_back_fill_waits_for_the_one_at_work() {
    let store = Arc::new(MemoryStore::default());
    let receiver = Receiver::new(verifier("health"), Arc::clone(&store));
    let Ok(Claim::Fresh(lease)) = store.claim(listed("evt_1")).await else {
        panic!("nobody else claims");
    };
    let outcome = receiver.backfill(listed("evt_1"), ok).await;
    assert_eq!(outcome.as_str(), "in_flight");
    lease.release().await.unwrap();
    assert_eq!(
        receiver.backfill(listed("evt_1"), ok).await,
        Outcome::Processed
    );
}
