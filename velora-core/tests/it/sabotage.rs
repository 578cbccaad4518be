//! The conformance suite finds a store that breaks the contract, and names what broke.

use std::future::ready;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use velora_core::dedupe::conformance::{Subject, check};
use velora_core::dedupe::{Epoch, StoreFuture};
use velora_core::{Claim, Key, Lease, ManualClock, MemoryStore, Store, StoreOptions, UnixTime};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    AlwaysFresh,
    NoRetryAfter,
    LongRetryAfter,
    CommitForgets,
    CommitTwice,
    DoneForEver,
    DoneTooShort,
    ReleaseDoesNothing,
    LeaseForEver,
    CommitIgnoresEpoch,
    ReleaseIgnoresEpoch,
    RenewIgnoresEpoch,
    RenewDoesNothing,
    RenewAfterLossGivesTime,
    ExpiredMayNotCommit,
    EpochsDoNotGrow,
    UnknownIsOk,
    KeysIgnoreCase,
    KeysAreCut,
}

/// The memory store with one fault.
struct Sabotaged {
    inner: MemoryStore,
    fault: Fault,
    current: Mutex<Vec<(Key, Epoch)>>,
    clock: Arc<ManualClock>,
    claimed_at: Mutex<UnixTime>,
    lease: Duration,
}

impl Sabotaged {
    fn new(fault: Fault, options: StoreOptions, clock: Arc<ManualClock>) -> Self {
        let day = Duration::from_secs(86_400);
        let broken = match fault {
            Fault::DoneForEver => options.with_retention(day).unwrap(),
            Fault::DoneTooShort => options
                .dangerous_short_retention(options.lease() + Duration::from_millis(1))
                .unwrap(),
            Fault::LeaseForEver => options
                .with_retention(2 * day)
                .unwrap()
                .with_lease(day)
                .unwrap(),
            _ => options,
        };
        let inner = MemoryStore::new(broken, 1_000)
            .unwrap()
            .with_clock(Arc::clone(&clock));
        Self {
            inner,
            fault,
            current: Mutex::default(),
            claimed_at: Mutex::new(UnixTime::from_secs(0)),
            lease: options.lease(),
            clock,
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn stored(&self, key: &Key) -> Key {
        match self.fault {
            Fault::KeysIgnoreCase => key.as_str().to_lowercase().as_str().into(),
            Fault::KeysAreCut => key.as_str()[..key.as_str().len().min(200)].into(),
            _ => key.clone(),
        }
    }

    /// The epoch that a store would use which does not compare it.
    fn current(&self, key: &Key, given: Epoch) -> Epoch {
        let current = self.current.lock().unwrap();
        current
            .iter()
            .rev()
            .find(|(of, _)| of == key)
            .map_or(given, |(_, epoch)| *epoch)
    }

    fn expired(&self) -> bool {
        use velora_core::Clock;
        let since = self.claimed_at.lock().unwrap().as_millis();
        let age = self.clock.now().as_millis() - since;
        age >= self.lease.as_millis() as i64
    }
}

impl Store for Sabotaged {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            use velora_core::Clock;
            let stored = self.stored(&key);
            let claim = self.inner.claim(stored).await?;
            Ok(match claim {
                Claim::Fresh(lease) => {
                    let epoch = lease.epoch();
                    *self.claimed_at.lock().unwrap() = self.clock.now();
                    self.current.lock().unwrap().push((key.clone(), epoch));
                    let shown = if self.is(Fault::EpochsDoNotGrow) {
                        1_000 - epoch
                    } else {
                        epoch
                    };
                    Claim::Fresh(Lease::new(self, key, shown))
                }
                Claim::InFlight { .. } if self.is(Fault::AlwaysFresh) => {
                    Claim::Fresh(Lease::new(self, key, 99))
                }
                Claim::InFlight { .. } if self.is(Fault::NoRetryAfter) => Claim::InFlight {
                    retry_after: Duration::ZERO,
                },
                Claim::InFlight { retry_after } if self.is(Fault::LongRetryAfter) => {
                    Claim::InFlight {
                        retry_after: retry_after + Duration::from_millis(1),
                    }
                }
                other => other,
            })
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let key = &self.stored(key);
            let epoch = match self.fault {
                Fault::CommitIgnoresEpoch => self.current(key, epoch),
                Fault::EpochsDoNotGrow => 1_000 - epoch,
                _ => epoch,
            };
            if self.is(Fault::CommitForgets) {
                return self.inner.release(key, epoch).await;
            }
            if self.is(Fault::ExpiredMayNotCommit) && self.expired() {
                return Err(velora_core::StoreError::LeaseLost);
            }
            match self.inner.commit(key, epoch).await {
                Err(_) if self.is(Fault::CommitTwice) && self.current(key, 0) == epoch => Ok(()),
                Err(_) if self.is(Fault::UnknownIsOk) && self.current(key, 0) == 0 => Ok(()),
                other => other,
            }
        })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let key = &self.stored(key);
            match self.fault {
                Fault::ReleaseDoesNothing => self.inner.renew(key, epoch).await,
                Fault::ReleaseIgnoresEpoch => {
                    self.inner.release(key, self.current(key, epoch)).await
                }
                Fault::EpochsDoNotGrow => self.inner.release(key, 1_000 - epoch).await,
                _ => self.inner.release(key, epoch).await,
            }
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let key = &self.stored(key);
            match self.fault {
                Fault::RenewDoesNothing => self.inner.claim(key.clone()).await.map(drop),
                Fault::RenewIgnoresEpoch => self.inner.renew(key, self.current(key, epoch)).await,
                Fault::RenewAfterLossGivesTime => {
                    let _ = self.inner.renew(key, self.current(key, epoch)).await;
                    self.inner.renew(key, epoch).await
                }
                Fault::EpochsDoNotGrow => self.inner.renew(key, 1_000 - epoch).await,
                _ => self.inner.renew(key, epoch).await,
            }
        })
    }
}

async fn verdict(fault: Fault) -> String {
    let suite = check(async |options| {
        let clock = Arc::new(ManualClock::new(UnixTime::from_secs(0)));
        let store = Sabotaged::new(fault, options, Arc::clone(&clock));
        Subject::new(store, move |time| {
            clock.advance(time);
            ready(())
        })
    });
    match AssertUnwindSafe(suite).catch_unwind().await {
        Ok(()) => "passed".to_owned(),
        Err(panic) => match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => panic
                .downcast_ref::<&str>()
                .copied()
                .unwrap_or_default()
                .to_owned(),
        },
    }
}

#[tokio::test]
async fn every_breach_is_found_and_named() {
    let cases = [
        (Fault::AlwaysFresh, "expected conformance:once in flight"),
        (Fault::NoRetryAfter, "what is left of the lease, got 0ns"),
        (
            Fault::LongRetryAfter,
            "what is left of the lease, got 5.001s",
        ),
        (Fault::CommitForgets, "expected conformance:commit done"),
        (Fault::CommitTwice, "commit of conformance:commit"),
        (Fault::DoneTooShort, "expected conformance:commit done"),
        (
            Fault::DoneForEver,
            "expected a fresh claim of conformance:retention",
        ),
        (Fault::ReleaseDoesNothing, "renew of conformance:release"),
        (Fault::LeaseForEver, "what is left of the lease"),
        (Fault::CommitIgnoresEpoch, "commit of conformance:retention"),
        (
            Fault::ReleaseIgnoresEpoch,
            "release of conformance:retention",
        ),
        (Fault::RenewIgnoresEpoch, "renew of conformance:retention"),
        (Fault::RenewDoesNothing, "renew of conformance:commit"),
        (Fault::ExpiredMayNotCommit, "late commit"),
        (
            Fault::RenewAfterLossGivesTime,
            "a lost renew gave more time",
        ),
        (Fault::EpochsDoNotGrow, "epoch 998 after 999"),
        (Fault::UnknownIsOk, "commit of conformance:unknown"),
        (
            Fault::KeysIgnoreCase,
            "expected a fresh claim of conformance:A",
        ),
        (
            Fault::KeysAreCut,
            "expected a fresh claim of conformance:kkk",
        ),
    ];
    let mut missed = Vec::new();
    for (fault, expected) in cases {
        let verdict = verdict(fault).await;
        if !verdict.contains(expected) {
            missed.push((fault, verdict));
        }
    }
    assert_eq!(missed, []);
}
