//! The memory store: the contract, a reference model, and a crowd of threads.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use proptest::prelude::*;
use velora_core::dedupe::Epoch;
use velora_core::dedupe::conformance::{Subject, check};
use velora_core::{
    Claim, Key, ManualClock, MemoryStore, Store, StoreError, StoreOptions, UnixTime,
};

const LEASE: Duration = Duration::from_secs(10);
const RETENTION: Duration = Duration::from_secs(100);

fn options() -> StoreOptions {
    let options = StoreOptions::default().with_lease(LEASE).unwrap();
    options.dangerous_short_retention(RETENTION).unwrap()
}

fn store(capacity: usize) -> (MemoryStore, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(UnixTime::from_secs(0)));
    let store = MemoryStore::new(options(), capacity).unwrap();
    (store.with_clock(Arc::clone(&clock)), clock)
}

/// The futures of the memory store never wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the memory store waits"),
    }
}

fn key(n: usize) -> Key {
    Key::of_members("test", &[n.to_string()])
}

fn fresh(store: &MemoryStore, n: usize) -> Epoch {
    match now(store.claim(key(n))) {
        Ok(Claim::Fresh(lease)) => lease.epoch(),
        other => panic!("{other:?}"),
    }
}

fn state(store: &MemoryStore, n: usize) -> &'static str {
    match now(store.claim(key(n))) {
        Ok(Claim::Fresh(_)) => "fresh",
        Ok(Claim::InFlight { .. }) => "in_flight",
        Ok(Claim::Done) => "done",
        Err(error) => error.code().as_str(),
    }
}

#[tokio::test]
async fn keeps_the_contract() {
    check(async |options| {
        let clock = Arc::new(ManualClock::new(UnixTime::from_secs(0)));
        let store = MemoryStore::new(options, 1_000)
            .unwrap()
            .with_clock(Arc::clone(&clock));
        Subject::new(store, move |time| {
            clock.advance(time);
            ready(())
        })
    })
    .await;
}

#[tokio::test]
async fn a_lease_commits_releases_and_renews_itself() {
    let (store, clock) = store(10);
    let Ok(Claim::Fresh(lease)) = store.claim(key(1)).await else {
        panic!("not fresh");
    };
    assert_eq!((lease.key(), lease.epoch()), (&key(1), 1));
    clock.advance(LEASE - Duration::from_secs(1));
    lease.renew().await.unwrap();
    clock.advance(LEASE - Duration::from_secs(1));
    assert_eq!(state(&store, 1), "in_flight");
    lease.release().await.unwrap();
    let Ok(Claim::Fresh(lease)) = store.claim(key(1)).await else {
        panic!("not fresh");
    };
    lease.commit().await.unwrap();
    assert_eq!(state(&store, 1), "done");
}

#[test]
fn retry_after_is_what_is_left_of_the_lease() {
    let (store, clock) = store(10);
    fresh(&store, 1);
    clock.advance(Duration::from_secs(4));
    let Ok(Claim::InFlight { retry_after }) = now(store.claim(key(1))) else {
        panic!("not in flight");
    };
    assert_eq!(retry_after, Duration::from_secs(6));
}

#[test]
fn leases_and_retention_end_to_the_millisecond() {
    let (store, clock) = store(10);
    let epoch = fresh(&store, 1);
    clock.advance(LEASE - Duration::from_millis(1));
    assert_eq!(state(&store, 1), "in_flight");
    clock.advance(Duration::from_millis(1));
    assert_eq!(state(&store, 1), "fresh");
    assert_eq!(
        now(store.commit(&key(1), epoch)),
        Err(StoreError::LeaseLost)
    );
    now(store.commit(&key(1), epoch + 1)).unwrap();
    clock.advance(RETENTION - Duration::from_millis(1));
    assert_eq!(state(&store, 1), "done");
    clock.advance(Duration::from_millis(1));
    assert_eq!(state(&store, 1), "fresh");
    assert_eq!(
        store.dropped_early(),
        0,
        "what has expired was not dropped early"
    );
}

#[test]
fn a_full_store_drops_the_oldest_done_key_and_counts_it() {
    let (store, _clock) = store(3);
    assert!(store.is_empty());
    for n in [1, 2, 3] {
        let epoch = fresh(&store, n);
        now(store.commit(&key(n), epoch)).unwrap();
    }
    assert_eq!((store.len(), store.dropped_early()), (3, 0));
    // Asking for a done key does not make it younger.
    assert_eq!(state(&store, 1), "done");
    fresh(&store, 4);
    assert_eq!((store.len(), store.dropped_early()), (3, 1));
    assert_eq!([2, 3].map(|n| state(&store, n)), ["done", "done"]);
    assert_eq!(state(&store, 1), "fresh", "1 was the oldest");
    assert_eq!((store.len(), store.dropped_early()), (3, 2));
    assert!(!store.is_empty());
}

#[test]
fn a_key_in_work_is_never_dropped() {
    let (store, clock) = store(2);
    fresh(&store, 1);
    clock.advance(Duration::from_secs(1));
    fresh(&store, 2);
    assert_eq!(state(&store, 3), "store_full");
    assert_eq!([1, 2].map(|n| state(&store, n)), ["in_flight", "in_flight"]);
    // An abandoned claim makes room, and is not counted: nothing was forgotten.
    clock.advance(LEASE - Duration::from_secs(1));
    assert_eq!(state(&store, 3), "fresh");
    assert_eq!(state(&store, 2), "in_flight");
    assert_eq!((store.len(), store.dropped_early()), (2, 0));
}

#[test]
fn a_full_store_still_takes_over_a_lease_that_ran_out() {
    let (store, clock) = store(1);
    let first = fresh(&store, 1);
    clock.advance(LEASE);
    assert!(fresh(&store, 1) > first);
    assert_eq!((store.len(), store.dropped_early()), (1, 0));
}

#[test]
fn the_default_holds_5000_keys() {
    let store = MemoryStore::default();
    for n in 0..5_001 {
        let epoch = fresh(&store, n);
        now(store.commit(&key(n), epoch)).unwrap();
    }
    assert_eq!((store.len(), store.dropped_early()), (5_000, 1));
    assert!(format!("{store:?}").contains("dropped_early: 1"));
}

#[test]
fn of_64_threads_exactly_one_is_fresh() {
    let store = MemoryStore::default();
    for round in 0..50 {
        let (fresh, in_flight) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let barrier = Barrier::new(64);
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    barrier.wait();
                    match state(&store, round) {
                        "fresh" => fresh.fetch_add(1, Ordering::Relaxed),
                        "in_flight" => in_flight.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other}"),
                    };
                });
            }
        });
        assert_eq!((fresh.into_inner(), in_flight.into_inner()), (1, 63));
    }
}

#[test]
fn of_64_threads_each_key_is_worked_on_once() {
    let store = MemoryStore::default();
    let worked: Vec<AtomicUsize> = (0..200).map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for (n, count) in worked.iter().enumerate() {
                    if let Ok(Claim::Fresh(lease)) = now(store.claim(key(n))) {
                        count.fetch_add(1, Ordering::Relaxed);
                        now(lease.commit()).unwrap();
                    }
                }
            });
        }
    });
    assert!(
        worked
            .iter()
            .all(|count| count.load(Ordering::Relaxed) == 1)
    );
}

/// What the store must do, written as simply as can be: no order, no capacity.
#[derive(Default)]
struct Model {
    now: Duration,
    last_epoch: Epoch,
    keys: BTreeMap<usize, Record>,
}

enum Record {
    Claimed { epoch: Epoch, expires: Duration },
    Done { expires: Duration },
}

impl Model {
    fn claim(&mut self, n: usize) -> Result<Epoch, Option<Duration>> {
        match self.keys.get(&n) {
            Some(Record::Done { expires }) if *expires > self.now => return Err(None),
            Some(Record::Claimed { expires, .. }) if *expires > self.now => {
                return Err(Some(*expires - self.now));
            }
            _ => {}
        }
        self.last_epoch += 1;
        let (epoch, expires) = (self.last_epoch, self.now + LEASE);
        self.keys.insert(n, Record::Claimed { epoch, expires });
        Ok(epoch)
    }

    fn change(&mut self, n: usize, epoch: Epoch, to: Option<Record>) -> Result<(), StoreError> {
        match self.keys.get(&n) {
            Some(Record::Claimed { epoch: current, .. }) if *current == epoch => {}
            _ => return Err(StoreError::LeaseLost),
        }
        match to {
            Some(record) => self.keys.insert(n, record),
            None => self.keys.remove(&n),
        };
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Claim(usize),
    Commit(usize, usize),
    Release(usize, usize),
    Renew(usize, usize),
    Pass(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = 0..4_usize;
    let back = 0..4_usize;
    prop_oneof![
        4 => key.clone().prop_map(Step::Claim),
        2 => (key.clone(), back.clone()).prop_map(|(n, back)| Step::Commit(n, back)),
        2 => (key.clone(), back.clone()).prop_map(|(n, back)| Step::Release(n, back)),
        2 => (key, back).prop_map(|(n, back)| Step::Renew(n, back)),
        3 => prop_oneof![1..12_u64, 90..110_u64].prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(steps in prop::collection::vec(any_step(), 1..80)) {
        let (store, clock) = store(100);
        let mut model = Model::default();
        // Epochs handed out so far; a step goes `back` into the past of its key.
        let mut epochs: Vec<Vec<Epoch>> = vec![vec![0]; 4];
        let epoch_of = |epochs: &Vec<Vec<Epoch>>, n: usize, back: usize| {
            let given = &epochs[n];
            given[given.len().saturating_sub(1 + back)]
        };
        for step in steps {
            match step {
                Step::Claim(n) => {
                    let expected = model.claim(n);
                    let got = match now(store.claim(key(n))).unwrap() {
                        Claim::Fresh(lease) => Ok(lease.epoch()),
                        Claim::InFlight { retry_after } => Err(Some(retry_after)),
                        Claim::Done => Err(None),
                    };
                    prop_assert_eq!(got, expected);
                    epochs[n].extend(got);
                }
                Step::Commit(n, back) => {
                    let epoch = epoch_of(&epochs, n, back);
                    let done = Record::Done { expires: model.now + RETENTION };
                    let expected = model.change(n, epoch, Some(done));
                    prop_assert_eq!(now(store.commit(&key(n), epoch)), expected);
                }
                Step::Release(n, back) => {
                    let epoch = epoch_of(&epochs, n, back);
                    let expected = model.change(n, epoch, None);
                    prop_assert_eq!(now(store.release(&key(n), epoch)), expected);
                }
                Step::Renew(n, back) => {
                    let epoch = epoch_of(&epochs, n, back);
                    let renewed = Record::Claimed { epoch, expires: model.now + LEASE };
                    let expected = model.change(n, epoch, Some(renewed));
                    prop_assert_eq!(now(store.renew(&key(n), epoch)), expected);
                }
                Step::Pass(seconds) => {
                    clock.advance(Duration::from_secs(seconds));
                    model.now += Duration::from_secs(seconds);
                }
            }
        }
        prop_assert_eq!(store.dropped_early(), 0);
    }
}

#[test]
fn keys_tell_events_apart() {
    let members = |members: &[&str]| Key::of_members("health", members);
    assert_ne!(members(&["a", "b"]), members(&["a:b"]));
    assert_ne!(members(&["a", "b"]), members(&["b", "a"]));
    assert_ne!(members(&["a"]), Key::of_members("curae", &["a"]));
    assert_ne!(members(&["sha256=x"]).as_str(), "health:sha256=x");
    let long = members(&["k".repeat(249).as_str()]);
    let longer = members(&["k".repeat(248).as_str()]);
    assert_eq!(
        (longer.as_str().len(), &longer.as_str()[..8]),
        (255, "health:k")
    );
    assert_eq!(&long.as_str()[..14], "health:sha256=");
    assert_ne!(long, members(&["k".repeat(250).as_str()]));
    assert_eq!(Key::from(longer.as_str()), longer);
    assert_eq!(
        format!("{longer} {:?}", members(&["a"])),
        format!("{} Key(health:a)", longer.as_str())
    );
}
