//! What every [`Store`] must do, as checks that panic where one does not.
//!
//! Run it from a test of your store:
//!
//! ```
//! use std::sync::Arc;
//! use velora_core::dedupe::conformance::{check, Subject};
//! use velora_core::{ManualClock, MemoryStore, StoreOptions, UnixTime};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! check(async |options: StoreOptions| {
//!     let clock = Arc::new(ManualClock::new(UnixTime::from_secs(0)));
//!     let store = MemoryStore::new(options, 1_000).unwrap().with_clock(Arc::clone(&clock));
//!     Subject::new(store, move |time| {
//!         clock.advance(time);
//!         std::future::ready(())
//!     })
//! })
//! .await;
//! # });
//! ```

#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a failed check panics, as a test does"
)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Claim, Epoch, Key, Store, StoreOptions};
use crate::error::StoreError;

/// Long enough that no pause of a busy machine makes a check fail.
const LEASE: Duration = Duration::from_secs(5);
const RETENTION: Duration = Duration::from_secs(15);
const MOMENT: Duration = Duration::from_millis(200);

type Pass = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// A store that is empty, and a way to let time pass for it.
pub struct Subject {
    store: Arc<dyn Store>,
    pass: Box<Pass>,
}

impl Subject {
    /// `pass` returns when so much time has passed for the store: it moves its
    /// clock, or sleeps.
    pub fn new<P, Fut>(store: impl Store + 'static, pass: P) -> Self
    where
        P: Fn(Duration) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self {
            store: Arc::new(store),
            pass: Box::new(move |time| Box::pin(pass(time))),
        }
    }

    async fn claim(&self, key: &Key) -> Claim<'_> {
        self.store.claim(key.clone()).await.expect("claim")
    }

    async fn fresh(&self, key: &Key) -> Epoch {
        match self.claim(key).await {
            Claim::Fresh(lease) => lease.epoch(),
            other => panic!("expected a fresh claim of {key}, got {other:?}"),
        }
    }

    async fn in_flight(&self, key: &Key) -> Duration {
        match self.claim(key).await {
            Claim::InFlight { retry_after } => retry_after,
            other => panic!("expected {key} in flight, got {other:?}"),
        }
    }

    async fn done(&self, key: &Key) {
        match self.claim(key).await {
            Claim::Done => {}
            other => panic!("expected {key} done, got {other:?}"),
        }
    }

    async fn pass(&self, time: Duration) {
        (self.pass)(time).await;
    }

    /// None of the three verbs may act under this epoch.
    async fn lost(&self, key: &Key, epoch: Epoch) {
        let lost = Err(StoreError::LeaseLost);
        assert_eq!(self.store.renew(key, epoch).await, lost, "renew of {key}");
        assert_eq!(
            self.store.release(key, epoch).await,
            lost,
            "release of {key}"
        );
        assert_eq!(self.store.commit(key, epoch).await, lost, "commit of {key}");
    }
}

/// Runs all checks at the same time, each on a store that `open` makes with these
/// options: a lease of 5 s and a retention of 15 s. A store that cannot pass its time
/// takes about 20 s.
pub async fn check<O: AsyncFn(StoreOptions) -> Subject>(open: O) {
    let options = StoreOptions::default()
        .with_lease(LEASE)
        .and_then(|options| options.dangerous_short_retention(RETENTION))
        .expect("valid options");
    let open = &async || open(options).await;
    // Each in a box of its own: together they are large.
    let checks: [Pin<Box<dyn Future<Output = ()> + '_>>; 13] = [
        Box::pin(async { claim_is_fresh_once(open().await).await }),
        Box::pin(async { commit_is_done(open().await).await }),
        Box::pin(async { done_is_forgotten_after_the_retention(open().await).await }),
        Box::pin(async { release_is_free_again(open().await).await }),
        Box::pin(async { a_close_forgets_nothing(open().await).await }),
        Box::pin(async { expired_lease_is_taken_over(open().await).await }),
        Box::pin(async { expired_lease_may_commit_while_nobody_took_it(open().await).await }),
        Box::pin(async { renew_starts_the_lease_anew(open().await).await }),
        Box::pin(async { lost_lease_changes_nothing(open().await).await }),
        Box::pin(async { epochs_grow_over_release_and_take_over(open().await).await }),
        Box::pin(async { unknown_key_has_no_lease(open().await).await }),
        Box::pin(async { keys_do_not_touch_each_other(open().await).await }),
        Box::pin(async { concurrent_claims_are_fresh_once(open().await).await }),
    ];
    futures_util::future::join_all(checks).await;
}

fn key(text: &str) -> Key {
    Key::of_members("conformance", &[text])
}

async fn claim_is_fresh_once(subject: Subject) {
    let key = key("once");
    subject.fresh(&key).await;
    let retry_after = subject.in_flight(&key).await;
    assert!(
        retry_after > Duration::ZERO && retry_after <= LEASE,
        "retry_after is what is left of the lease, got {retry_after:?}"
    );
}

async fn commit_is_done(subject: Subject) {
    let key = key("commit");
    let epoch = subject.fresh(&key).await;
    subject.store.commit(&key, epoch).await.expect("commit");
    subject.done(&key).await;
    subject.lost(&key, epoch).await;
    subject.pass(LEASE + MOMENT).await;
    subject.done(&key).await;
}

async fn done_is_forgotten_after_the_retention(subject: Subject) {
    let key = key("retention");
    let epoch = subject.fresh(&key).await;
    subject.store.commit(&key, epoch).await.expect("commit");
    subject.pass(RETENTION - LEASE).await;
    subject.done(&key).await;
    subject.pass(LEASE + MOMENT).await;
    let later = subject.fresh(&key).await;
    assert_ne!(later, epoch, "an epoch is never given out twice");
    subject.lost(&key, epoch).await;
}

async fn a_close_forgets_nothing(subject: Subject) {
    let (done, held) = (key("closed-done"), key("closed-held"));
    let epochs = (subject.fresh(&done).await, subject.fresh(&held).await);
    subject.store.commit(&done, epochs.0).await.expect("commit");
    subject.store.close();
    subject.done(&done).await;
    subject.in_flight(&held).await;
    subject.store.close();
    subject.store.commit(&held, epochs.1).await.expect("commit");
    subject.done(&held).await;
}

async fn release_is_free_again(subject: Subject) {
    let key = key("release");
    let epoch = subject.fresh(&key).await;
    subject.store.release(&key, epoch).await.expect("release");
    subject.lost(&key, epoch).await;
    subject.fresh(&key).await;
    subject.lost(&key, epoch).await;
}

async fn expired_lease_is_taken_over(subject: Subject) {
    let key = key("take-over");
    let first = subject.fresh(&key).await;
    subject.pass(LEASE + MOMENT).await;
    let second = subject.fresh(&key).await;
    subject.lost(&key, first).await;
    subject.in_flight(&key).await;
    subject.store.commit(&key, second).await.expect("commit");
    subject.lost(&key, first).await;
    subject.done(&key).await;
}

async fn expired_lease_may_commit_while_nobody_took_it(subject: Subject) {
    let key = key("late");
    let epoch = subject.fresh(&key).await;
    subject.pass(LEASE + MOMENT).await;
    subject
        .store
        .commit(&key, epoch)
        .await
        .expect("late commit");
    subject.done(&key).await;
}

async fn renew_starts_the_lease_anew(subject: Subject) {
    let key = key("renew");
    let epoch = subject.fresh(&key).await;
    for _ in 0..3 {
        subject.pass(LEASE - MOMENT * 3).await;
        subject.store.renew(&key, epoch).await.expect("renew");
    }
    subject.in_flight(&key).await;
    subject.store.commit(&key, epoch).await.expect("commit");
}

async fn lost_lease_changes_nothing(subject: Subject) {
    let key = key("lost");
    let first = subject.fresh(&key).await;
    subject.store.release(&key, first).await.expect("release");
    let second = subject.fresh(&key).await;
    subject.pass(LEASE / 5).await;
    subject.lost(&key, first).await;
    let left = subject.in_flight(&key).await;
    assert!(
        left <= LEASE - LEASE / 5,
        "a lost renew gave more time: {left:?}"
    );
    subject.store.commit(&key, second).await.expect("commit");
}

async fn epochs_grow_over_release_and_take_over(subject: Subject) {
    let key = key("epochs");
    let mut last = subject.fresh(&key).await;
    for round in 0..4 {
        if round % 2 == 0 {
            subject.store.release(&key, last).await.expect("release");
        } else {
            subject.pass(LEASE + MOMENT).await;
        }
        let next = subject.fresh(&key).await;
        assert!(next > last, "epoch {next} after {last}");
        last = next;
    }
}

async fn unknown_key_has_no_lease(subject: Subject) {
    subject.lost(&key("unknown"), 1).await;
    subject.fresh(&key("unknown")).await;
}

async fn keys_do_not_touch_each_other(subject: Subject) {
    let (long, longer) = ("k".repeat(230), "k".repeat(231));
    let keys = ["", "a", "A", "a ", "ä", "%", "_", "'", "\0", &long, &longer].map(key);
    // At once, so that the first lease runs when the last key is claimed.
    let fresh = keys.iter().map(|key| subject.fresh(key));
    futures_util::future::join_all(fresh).await;
    let in_flight = keys.iter().map(|key| subject.in_flight(key));
    futures_util::future::join_all(in_flight).await;
}

async fn concurrent_claims_are_fresh_once(subject: Subject) {
    let key = key("crowd");
    let claims = (0..16).map(|_| subject.claim(&key));
    let claims = futures_util::future::join_all(claims).await;
    let fresh = claims
        .iter()
        .filter(|claim| matches!(claim, Claim::Fresh(_)));
    assert_eq!(
        fresh.count(),
        1,
        "of concurrent claims exactly one is fresh"
    );
}
