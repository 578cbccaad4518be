//! Where claims are kept: in memory, or wherever the caller keeps them.

use std::rc::Rc;
use std::sync::Arc;

use velora_core::dedupe::{Epoch, StoreFuture, StoreSeconds};
use velora_core::{Claim, ConfigError, Key, Lease, MemoryStore, Store, StoreError, StoreOptions};

use crate::number::{duration, integer, whole};
use crate::task::{self, Asked, HostClock, tell};
use crate::{failure, frame, handles};

/// A store that the host holds.
pub(crate) struct Kept {
    pub(crate) store: Arc<dyn Store>,
    memory: Option<Arc<MemoryStore>>,
}

/// What a store of the caller's is asked for, and what the host asks of any store.
mod verb {
    pub(super) const CLAIM: u8 = 0;
    pub(super) const COMMIT: u8 = 1;
    pub(super) const RELEASE: u8 = 2;
    pub(super) const RENEW: u8 = 3;
}

/// What is answered; a number follows where there is one.
mod state {
    pub(super) const OK: u32 = 0;
    pub(super) const FRESH: u32 = 1;
    pub(super) const IN_FLIGHT: u32 = 2;
    pub(super) const DONE: u32 = 3;
    pub(super) const LEASE_LOST: u32 = 4;
    pub(super) const STORE_FULL: u32 = 5;
}

exports! {
    /// Makes a store in memory; times are in seconds, and what is not `given` is the core's
    /// default: bit by bit, in the order of the arguments.
    ///
    /// Errors: `invalid_lease`, `invalid_retention`, `invalid_capacity`.
    fn memory_store(given: u32, lease: f64, retention: f64, short_retention: f64, capacity: f64) -> f64 {
        let given = |at: u32, number| (given & (1 << at) != 0).then_some(number);
        let seconds = StoreSeconds {
            lease: given(0, lease),
            retention: given(1, retention),
            dangerous_short_retention: given(2, short_retention),
            timeout: None,
        };
        let store = memory(seconds, given(3, capacity));
        failure::number(store.map(|store| {
            let store = Arc::new(store.with_clock(HostClock));
            handles::put(Kept { store: store.clone(), memory: Some(store) })
        }))
    }

    /// Makes a store that asks the host, which knows it by this number.
    fn host_store(number: u32) -> f64 {
        handles::put(Kept { store: Arc::new(HostStore(number)), memory: None })
    }

    /// How many keys a store in memory holds.
    fn store_size(at: usize) -> usize {
        memory_of(at).map_or(0, |memory| memory.len())
    }

    /// How many done keys it forgot for lack of room.
    fn dropped_early(at: usize) -> f64 {
        memory_of(at).map_or(0.0, |memory| memory.dropped_early() as f64)
    }

    /// Starts to ask a store for one of its verbs, on the key in the frame. A claim ends with
    /// its state, and the number that it has, if any.
    ///
    /// Errors: `store_full`, `lease_lost`, `store_unavailable`.
    fn ask_store(at: usize, verb: u32, key: usize, epoch: f64) -> u32 {
        let kept = handles::of::<Kept>(at);
        let key = key_of(key);
        task::start(async move {
            let store = &*kept?.store;
            let lease = |key| Lease::new(store, key, epoch as Epoch);
            match verb as u8 {
                verb::CLAIM => return Ok(said(&store.claim(key).await?)),
                verb::COMMIT => lease(key).commit().await?,
                verb::RELEASE => lease(key).release().await?,
                _ => lease(key).renew().await?,
            }
            Ok(Vec::new())
        })
    }
}

/// The key in the frame.
pub(crate) fn key_of(length: usize) -> Key {
    frame::read(length, 0, |key, _| Key::from(frame::text(key)))
}

fn memory_of(at: usize) -> Option<Arc<MemoryStore>> {
    let kept: Rc<Kept> = handles::of(at).ok()?;
    kept.memory.clone()
}

fn memory(seconds: StoreSeconds, capacity: Option<f64>) -> Result<MemoryStore, ConfigError> {
    let options = StoreOptions::try_from_secs_f64(seconds)?;
    let capacity = match capacity {
        Some(keys) => whole("capacity", keys)?,
        None => MemoryStore::DEFAULT_CAPACITY,
    };
    MemoryStore::new(options, capacity)
}

/// The state, and its number.
fn said(claim: &Claim<'_>) -> Vec<u8> {
    let (state, number) = match claim {
        Claim::Fresh(lease) => (state::FRESH, lease.epoch() as f64),
        Claim::InFlight { retry_after } => (state::IN_FLIGHT, retry_after.as_secs_f64()),
        Claim::Done => (state::DONE, f64::NAN),
    };
    frame::numbers([f64::from(state), number])
}

/// A store of the caller's, by the number that the host knows it by.
struct HostStore(u32);

impl HostStore {
    fn ask(&self, verb: u8, key: &Key, epoch: Epoch) -> Asked {
        let parts = [
            &self.0.to_le_bytes()[..],
            &[verb],
            &(epoch as f64).to_le_bytes(),
            key.as_str().as_bytes(),
        ];
        task::ask(tell::STORE, &parts)
    }

    fn end(&self, verb: u8, key: &Key, epoch: Epoch) -> StoreFuture<'_, ()> {
        let asked = self.ask(verb, key, epoch);
        Box::pin(async move {
            match answered(asked).await? {
                (state::OK, _) => Ok(()),
                _ => Err(unavailable("its answer is none")),
            }
        })
    }
}

/// The state, and its number. What the caller's store threw is the caller's: it is not
/// repeated.
async fn answered(asked: Asked) -> Result<(u32, f64), StoreError> {
    let (state, number) = asked.await;
    let number = number
        .first_chunk()
        .map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes));
    match state {
        state::OK | state::FRESH | state::IN_FLIGHT | state::DONE => Ok((state, number)),
        state::LEASE_LOST => Err(StoreError::LeaseLost),
        state::STORE_FULL => Err(StoreError::StoreFull),
        _ => Err(unavailable("it failed")),
    }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable {
        reason: reason.to_owned(),
    }
}

impl Store for HostStore {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        let asked = self.ask(verb::CLAIM, &key, 0);
        Box::pin(async move {
            match answered(asked).await? {
                (state::FRESH, epoch) => match integer(epoch) {
                    Some(epoch) => Ok(Claim::Fresh(Lease::new(self, key, epoch))),
                    None => Err(unavailable("the epoch of its claim is no whole number")),
                },
                (state::IN_FLIGHT, seconds) => match duration(seconds) {
                    Some(retry_after) => Ok(Claim::InFlight { retry_after }),
                    None => Err(unavailable("the retryAfter of its claim is no time")),
                },
                (state::DONE, _) => Ok(Claim::Done),
                _ => Err(unavailable("its answer to a claim is none")),
            }
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.end(verb::COMMIT, key, epoch)
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.end(verb::RELEASE, key, epoch)
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        self.end(verb::RENEW, key, epoch)
    }
}
