//! Every outcome of verifying, claiming, handling, committing or releasing, and replying.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use velora_core::dedupe::{Epoch, StoreFuture};
use velora_core::{
    Claim, Delivery, Key, Lease, ManualClock, MemoryStore, Receiver, Reply, Store, StoreError,
    StoreOptions, health,
};

use super::support::{NOW, SCHEMES, signed, verifier};

const EVENTS: [&str; 5] = [
    r#"{"id":"evt_1","type":"phi.read"}"#,
    r#"{"type":"dispute.sla_breached"}"#,
    r#"{"eventType":"import.completed","eventId":"evt_1","data":{}}"#,
    r#"{"id":"evt_1","type":"stream.online"}"#,
    r#"{"event":"stream.online"}"#,
];

fn receiver_with(name: &str, store: impl Store + 'static) -> Receiver {
    Receiver::new(verifier(name).with_clock(ManualClock::new(NOW)), store)
}

fn receiver(name: &str) -> Receiver {
    receiver_with(name, MemoryStore::default())
}

async fn ok(_: Delivery<'static>) -> Result<(), ()> {
    Ok(())
}

fn answer(reply: &Reply) -> (u16, &'static str, Option<u64>) {
    (
        reply.status,
        reply.outcome.as_str(),
        reply.retry_after_seconds(),
    )
}

fn reason(reply: &Reply) -> Option<&'static str> {
    reply.outcome.reason().map(|error| error.code().as_str())
}

async fn send(receiver: &Receiver, name: &str, body: impl AsRef<[u8]>) -> Reply {
    let signed = signed(name, body);
    receiver.receive(&signed.body, &signed.headers, ok).await
}

#[tokio::test]
async fn each_system_gets_its_answers() {
    for (name, body) in SCHEMES.into_iter().zip(EVENTS) {
        let receiver = receiver(name);
        assert_eq!(
            answer(&send(&receiver, name, body).await),
            (200, "processed", None)
        );
        assert_eq!(
            answer(&send(&receiver, name, body).await),
            (200, "duplicate", None)
        );

        let mut signed = signed(name, body);
        signed.body.push(b' ');
        let refused = if name == "curae" { 400 } else { 401 };
        let reply = receiver.receive(&signed.body, &signed.headers, ok).await;
        assert_eq!(
            answer(&reply),
            (refused, "signature_mismatch", None),
            "{name}"
        );
        assert_eq!(reason(&reply), None, "{name}");
        let reply = receiver.receive(&signed.body, &[("a", "b")], ok).await;
        assert_eq!(answer(&reply), (refused, "missing_header", None), "{name}");
        assert_eq!(reason(&reply), None, "{name}");

        let too_large = if name == "curae" { 500 } else { 413 };
        let reply = send(&receiver, name, vec![b' '; 1024 * 1024 + 1]).await;
        assert_eq!(
            answer(&reply),
            (too_large, "body_too_large", None),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_body_limit_is_the_callers_and_counts_in_bytes() {
    let receiver = receiver("health").with_body_limit(EVENTS[0].len());
    assert_eq!(receiver.body_limit(), EVENTS[0].len());
    assert_eq!(send(&receiver, "health", EVENTS[0]).await.status, 200);
    assert_eq!(
        send(&receiver, "health", format!("{} ", EVENTS[0]))
            .await
            .status,
        413
    );
    assert_eq!(self::receiver("health").body_limit(), 1024 * 1024);
}

#[tokio::test]
async fn a_genuine_body_that_is_no_event_may_come_again() {
    for body in ["no json", "{}", r#"{"id":"1"}"#] {
        let reply = send(&receiver("health"), "health", body).await;
        assert_eq!(answer(&reply), (500, "malformed_event", None), "{body}");
        assert_eq!(reason(&reply), Some("malformed_event"), "{body}");
    }
    // Its identity is known, but it cannot be read: it is not claimed.
    let receiver = receiver("curae");
    let signed = signed("curae", r#"{"eventId":"evt_1"}"#);
    for _ in 0..2 {
        let handler = async |_: velora_core::curae::Event| Ok::<(), ()>(());
        let reply = receiver
            .receive(&signed.body, &signed.headers, handler)
            .await;
        assert_eq!(answer(&reply), (500, "malformed_event", None));
    }
}

#[tokio::test]
async fn a_contradicting_header_is_refused() {
    let mut signed = signed("curae", EVENTS[2]);
    for (name, value) in &mut signed.headers {
        if name == "CuraeAI-Event-Id" {
            *value = "evt_2".into();
        }
    }
    let reply = receiver("curae")
        .receive(&signed.body, &signed.headers, ok)
        .await;
    assert_eq!(answer(&reply), (400, "header_body_mismatch", None));
    assert_eq!(reason(&reply), Some("header_body_mismatch"));
}

#[tokio::test]
async fn a_replay_with_rewritten_unsigned_headers_is_a_duplicate() {
    let receiver = receiver("billing");
    let mut signed = signed("billing", EVENTS[1]);
    let first = receiver.receive(&signed.body, &signed.headers, ok).await;
    for (name, value) in &mut signed.headers {
        match name.as_str() {
            "X-Webhook-Timestamp" => *value = (NOW.as_secs() + 5).to_string(),
            "X-Webhook-Delivery" => *value = "del_new".into(),
            _ => {}
        }
    }
    let replayed = receiver.receive(&signed.body, &signed.headers, ok).await;
    assert_eq!(
        (first.outcome.as_str(), replayed.outcome.as_str()),
        ("processed", "duplicate")
    );
}

#[tokio::test]
async fn a_failed_event_comes_again_and_is_handled() {
    let receiver = receiver("tv");
    let signed = signed("tv", EVENTS[3]);
    let calls = Cell::new(0);
    let failing = async |_: Delivery<'static>| {
        calls.set(calls.get() + 1);
        Err(())
    };
    let reply = receiver
        .receive(&signed.body, &signed.headers, failing)
        .await;
    assert_eq!(answer(&reply), (500, "handler_failed", None));
    let reply = receiver
        .receive(&signed.body, &signed.headers, failing)
        .await;
    assert_eq!(
        (answer(&reply), calls.get()),
        ((500, "handler_failed", None), 2)
    );
    assert_eq!(
        send(&receiver, "tv", EVENTS[3]).await.outcome.as_str(),
        "processed"
    );
}

#[tokio::test]
async fn a_panic_releases_the_claim() {
    let receiver = receiver("tv");
    let signed = signed("tv", EVENTS[3]);
    let panics_at_once =
        |_: Delivery<'static>| -> std::future::Ready<Result<(), ()>> { panic!("at once") };
    let reply = receiver
        .receive(&signed.body, &signed.headers, panics_at_once)
        .await;
    assert_eq!(answer(&reply), (500, "handler_panicked", None));
    let panics_later = async |_: Delivery<'static>| -> Result<(), ()> {
        tokio::task::yield_now().await;
        panic!("later")
    };
    let reply = receiver
        .receive(&signed.body, &signed.headers, panics_later)
        .await;
    assert_eq!(answer(&reply), (500, "handler_panicked", None));
    assert_eq!(
        send(&receiver, "tv", EVENTS[3]).await.outcome.as_str(),
        "processed"
    );
}

#[tokio::test]
async fn while_one_works_the_other_is_told_to_come_again() {
    let clock = Arc::new(ManualClock::new(NOW));
    let store = Arc::new(MemoryStore::default().with_clock(Arc::clone(&clock)));
    let receiver = receiver_with("health", Arc::clone(&store));
    let signed = signed("health", EVENTS[0]);
    let work = receiver.begin(&signed.body, &signed.headers).await.unwrap();
    assert_eq!(work.delivery().body(), signed.body);
    assert_eq!(work.key().as_str(), "health:evt_1:phi.read");

    clock.advance(Duration::from_millis(100));
    let reply = send(&receiver, "health", EVENTS[0]).await;
    assert_eq!(
        answer(&reply),
        (503, "in_flight", Some(60)),
        "59.9 s, rounded up"
    );
    clock.advance(Duration::from_millis(59_800));
    let reply = send(&receiver, "health", EVENTS[0]).await;
    assert_eq!(answer(&reply), (503, "in_flight", Some(1)));
    work.renew().await.unwrap();
    let reply = send(&receiver, "health", EVENTS[0]).await;
    assert_eq!(answer(&reply), (503, "in_flight", Some(60)));

    assert_eq!(answer(&work.done().await), (200, "processed", None));
    assert_eq!(
        answer(&send(&receiver, "health", EVENTS[0]).await),
        (200, "duplicate", None)
    );
}

#[tokio::test]
async fn work_that_is_released_comes_again() {
    let receiver = receiver("health");
    let signed = signed("health", EVENTS[0]);
    let work = receiver.begin(&signed.body, &signed.headers).await.unwrap();
    assert_eq!(answer(&work.release().await), (500, "handler_failed", None));
    assert_eq!(
        send(&receiver, "health", EVENTS[0]).await.outcome.as_str(),
        "processed"
    );
}

/// As a binding holds it, from one call of its host to the next.
#[tokio::test]
async fn work_outlives_what_it_was_begun_with() {
    let work = {
        let receiver = receiver("health");
        let signed = signed("health", EVENTS[0]);
        let begun = receiver.begin_event::<_, health::Event>(&signed.body, &signed.headers);
        let (work, event) = begun.await.unwrap();
        assert_eq!(event.id, "evt_1");
        work.into_owned()
    };
    assert_eq!(work.delivery().body(), EVENTS[0].as_bytes());
    assert_eq!(answer(&work.done().await), (200, "processed", None));
}

#[tokio::test]
async fn what_cannot_be_read_is_not_claimed() {
    let receiver = receiver("health");
    let signed = signed("health", r#"{"id":"evt_1","type":7}"#);
    let begun = receiver.begin_event::<_, health::Event>(&signed.body, &signed.headers);
    assert_eq!(
        answer(&begun.await.unwrap_err()),
        (500, "malformed_event", None)
    );
}

/// The process "dies" between the claim and the commit: the future is dropped.
#[tokio::test]
async fn a_crash_costs_a_repeat_never_an_event() {
    let clock = Arc::new(ManualClock::new(NOW));
    let store = MemoryStore::default().with_clock(Arc::clone(&clock));
    let receiver = receiver_with("health", store);
    let signed = signed("health", EVENTS[0]);
    let never = |_: health::Event| std::future::pending::<Result<(), ()>>();
    let crashed = receiver.receive(&signed.body, &signed.headers, never);
    assert!(
        tokio::time::timeout(Duration::from_millis(1), crashed)
            .await
            .is_err()
    );

    assert_eq!(
        send(&receiver, "health", EVENTS[0]).await.outcome.as_str(),
        "in_flight"
    );
    clock.advance(Duration::from_secs(60));
    assert_eq!(
        send(&receiver, "health", EVENTS[0]).await.outcome.as_str(),
        "processed"
    );
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_is_not_acknowledged_and_releases_nothing() {
    for failed in [false, true] {
        let clock = Arc::new(ManualClock::new(NOW));
        let store = MemoryStore::default().with_clock(Arc::clone(&clock));
        let receiver = receiver_with("health", store);
        let signed = signed("health", EVENTS[0]);
        let slow = receiver.begin(&signed.body, &signed.headers).await.unwrap();
        clock.advance(Duration::from_secs(60));
        let other = receiver.begin(&signed.body, &signed.headers).await.unwrap();
        let late = match failed {
            false => slow.done().await,
            true => slow.release().await,
        };
        assert_eq!(answer(&late), (503, "lease_lost", Some(5)));
        assert_eq!(answer(&other.done().await), (200, "processed", None));
    }
}

#[tokio::test]
async fn a_full_store_asks_for_patience() {
    let store = MemoryStore::new(StoreOptions::default(), 1).unwrap();
    let receiver = receiver_with("health", store);
    let signed = signed("health", EVENTS[0]);
    let _work = receiver.begin(&signed.body, &signed.headers).await.unwrap();
    let reply = send(&receiver, "health", r#"{"id":"evt_2","type":"phi.read"}"#).await;
    assert_eq!(answer(&reply), (503, "store_full", Some(5)));
}

/// A store whose server is gone, from the claim or from the commit on.
struct Broken {
    claims: bool,
}

fn gone<'a, T: Send + 'a>() -> StoreFuture<'a, T> {
    let error = StoreError::Unavailable {
        reason: "connection refused".into(),
    };
    Box::pin(std::future::ready(Err(error)))
}

impl Store for Broken {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        if self.claims {
            return Box::pin(std::future::ready(Ok(Claim::Fresh(Lease::new(
                self, key, 1,
            )))));
        }
        gone()
    }

    fn commit<'a>(&'a self, _: &'a Key, _: Epoch) -> StoreFuture<'a, ()> {
        gone()
    }

    fn release<'a>(&'a self, _: &'a Key, _: Epoch) -> StoreFuture<'a, ()> {
        gone()
    }

    fn renew<'a>(&'a self, _: &'a Key, _: Epoch) -> StoreFuture<'a, ()> {
        gone()
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_that_the_store_did_not_take() {
    let unavailable = (503, "store_unavailable", Some(5));
    let no_claim = receiver_with("health", Broken { claims: false });
    let signed = signed("health", EVENTS[0]);
    let unreachable = async |_: health::Event| -> Result<(), ()> { panic!("handled unclaimed") };
    let reply = no_claim
        .receive(&signed.body, &signed.headers, unreachable)
        .await;
    assert_eq!(answer(&reply), unavailable);

    let no_commit = receiver_with("health", Broken { claims: true });
    assert_eq!(
        answer(&send(&no_commit, "health", EVENTS[0]).await),
        unavailable
    );
    let failing = async |_: health::Event| Err(());
    let reply = no_commit
        .receive(&signed.body, &signed.headers, failing)
        .await;
    assert_eq!(
        answer(&reply),
        (500, "handler_failed", None),
        "the release failed too"
    );
}

/// A store whose connection breaks at each first commit: before it was made, or just behind.
struct Faltering {
    store: MemoryStore,
    commits: AtomicUsize,
    made: bool,
}

impl Store for Faltering {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            Ok(match self.store.claim(key).await? {
                Claim::Fresh(lease) => {
                    Claim::Fresh(Lease::new(self, lease.key().clone(), lease.epoch()))
                }
                other => other,
            })
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        if self
            .commits
            .fetch_add(1, Ordering::SeqCst)
            .is_multiple_of(2)
        {
            if self.made {
                self.store.try_commit(key, epoch).unwrap();
            }
            return gone();
        }
        self.store.commit(key, epoch)
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.store.release(key, epoch)
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.store.renew(key, epoch)
    }
}

#[tokio::test]
async fn what_was_handled_is_not_handled_again_for_a_connection_that_broke() {
    for (made, first) in [
        (false, (200, "processed", None)),
        (true, (503, "store_unavailable", Some(5))),
    ] {
        let store = Faltering {
            store: MemoryStore::default(),
            commits: AtomicUsize::new(0),
            made,
        };
        let receiver = receiver_with("health", store);
        let replies = [
            send(&receiver, "health", EVENTS[0]).await,
            send(&receiver, "health", EVENTS[0]).await,
        ];
        assert_eq!(answer(&replies[0]), first);
        assert_eq!(answer(&replies[1]), (200, "duplicate", None));
    }
}

/// A store that keeps its keys under names of its own.
struct Renaming(MemoryStore);

impl Store for Renaming {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        self.0.claim(Key::from(format!("eu:{key}").as_str()))
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.0.commit(key, epoch)
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.0.release(key, epoch)
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.0.renew(key, epoch)
    }
}

#[tokio::test]
async fn a_claim_ends_under_the_lease_that_the_store_gave() {
    let receiver = receiver_with("health", Renaming(MemoryStore::default()));
    let signed = signed("health", EVENTS[0]);
    let failing = async |_: health::Event| Err(());
    let reply = receiver
        .receive(&signed.body, &signed.headers, failing)
        .await;
    assert_eq!(answer(&reply), (500, "handler_failed", None));
    let processed = send(&receiver, "health", EVENTS[0]).await;
    assert_eq!(
        answer(&processed),
        (200, "processed", None),
        "it was given back"
    );
    let again = send(&receiver, "health", EVENTS[0]).await;
    assert_eq!(answer(&again), (200, "duplicate", None));
}
