//! Claims in the memory of one process.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use rustc_hash::FxBuildHasher;

use super::store::{Claim, Epoch, Store, StoreFuture, StoreOptions};
use super::{Claimed, Key};
use crate::clock::{Clock, SystemClock};
use crate::error::{ConfigError, StoreError};

/// A [`Store`] in memory: bounded, expiring, and for one process only.
///
/// Other processes do not see it, and a restart empties it. When it is full, a claim whose
/// lease has expired makes room; to commit it is then `lease_lost`. If there is none, the
/// done key that was committed longest ago makes room, and
/// [`dropped_early`](Self::dropped_early) counts it: watch that number. A key whose lease
/// runs is never dropped. No operation waits, so each is also available as a plain
/// function, such as [`try_claim`](Self::try_claim).
///
/// One lock guards the store, held for two or three table look-ups.
///
/// ```
/// use velora_core::{Claim, Key, MemoryStore, Store};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::default();
/// let key = Key::of_members("tv", &["evt_abc123"]);
/// if let Claim::Fresh(lease) = store.claim(key.clone()).await? {
///     // ... the work ...
///     lease.commit().await?;
/// }
/// assert!(matches!(store.claim(key).await?, Claim::Done));
/// # Ok::<(), velora_core::StoreError>(()) }).unwrap();
/// ```
pub struct MemoryStore {
    options: StoreOptions,
    capacity: usize,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Lease and retention are the same for every key, so each list, ordered by last change,
/// is also ordered by expiry.
struct State {
    claimed: Keys,
    done: Keys,
    last_epoch: Epoch,
    dropped_early: u64,
}

/// Keys come from verified deliveries, so an attacker cannot choose them, and a fast hash
/// without collision resistance is enough.
type Keys = LruCache<Key, Held, FxBuildHasher>;

struct Held {
    epoch: Epoch,
    expires: Duration,
}

impl MemoryStore {
    /// Enough for a busy endpoint's retries; the vendors' pages suggest the same.
    pub const DEFAULT_CAPACITY: usize = 5_000;

    /// A store with room for `capacity` keys, claimed and done together.
    ///
    /// Errors: `invalid_capacity` if it is zero.
    pub fn new(options: StoreOptions, capacity: usize) -> Result<Self, ConfigError> {
        if capacity == 0 {
            return Err(ConfigError::InvalidCapacity);
        }
        Ok(Self::sized(options, capacity))
    }

    /// Sets the clock that leases and retention run on.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many keys are held, claimed and done together.
    pub fn len(&self) -> usize {
        self.state().len()
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many done keys were forgotten for lack of room before their retention expired.
    /// If it is not zero, events may be handled twice: raise the capacity.
    pub fn dropped_early(&self) -> u64 {
        self.state().dropped_early
    }

    fn sized(options: StoreOptions, capacity: usize) -> Self {
        Self {
            options,
            capacity,
            clock: Arc::new(SystemClock),
            state: Mutex::new(State {
                claimed: Keys::unbounded_with_hasher(FxBuildHasher),
                done: Keys::unbounded_with_hasher(FxBuildHasher),
                last_epoch: 0,
                dropped_early: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No foreign code runs under the lock, so there is no half-done change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Store::claim`] as a plain function. Errors: `store_full`.
    pub fn try_claim(&self, key: &Key) -> Result<Claimed, StoreError> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        state.forget_expired(now);
        if state.done.contains(key) {
            return Ok(Claimed::Done);
        }
        match state.claimed.peek(key) {
            Some(held) if held.expires > now => {
                return Ok(Claimed::InFlight {
                    retry_after: held.expires.saturating_sub(now),
                });
            }
            Some(_) => {}
            None => state.make_room(self.capacity, now)?,
        }
        state.last_epoch = state.last_epoch.wrapping_add(1);
        let epoch = state.last_epoch;
        let expires = now.saturating_add(self.options.lease());
        state.claimed.put(key.clone(), Held { epoch, expires });
        Ok(Claimed::Fresh(epoch))
    }

    /// [`Store::commit`] as a plain function. Errors: `lease_lost`.
    pub fn try_commit(&self, key: &Key, epoch: Epoch) -> Result<(), StoreError> {
        let now = self.clock.monotonic();
        let expires = now.saturating_add(self.options.retention());
        let mut state = self.state();
        let key = state.take_claimed(key, epoch)?;
        state.done.put(key, Held { epoch, expires });
        Ok(())
    }

    /// [`Store::release`] as a plain function. Errors: `lease_lost`.
    pub fn try_release(&self, key: &Key, epoch: Epoch) -> Result<(), StoreError> {
        self.state().take_claimed(key, epoch).map(drop)
    }

    /// [`Store::renew`] as a plain function. Errors: `lease_lost`.
    pub fn try_renew(&self, key: &Key, epoch: Epoch) -> Result<(), StoreError> {
        let now = self.clock.monotonic();
        let expires = now.saturating_add(self.options.lease());
        let mut state = self.state();
        let key = state.take_claimed(key, epoch)?;
        state.claimed.put(key, Held { epoch, expires });
        Ok(())
    }
}

impl State {
    fn len(&self) -> usize {
        self.claimed.len().saturating_add(self.done.len())
    }

    fn forget_expired(&mut self, now: Duration) {
        while has_expired(&self.done, now) {
            self.done.pop_lru();
        }
    }

    /// Forgets one key, the cheapest to lose: first a claim whose lease has expired, then
    /// a done key. A dropped claim cannot come back, because epochs are never reused.
    fn make_room(&mut self, capacity: usize, now: Duration) -> Result<(), StoreError> {
        if self.len() < capacity {
            return Ok(());
        }
        if has_expired(&self.claimed, now) {
            self.claimed.pop_lru();
        } else if self.done.pop_lru().is_some() {
            self.dropped_early = self.dropped_early.saturating_add(1);
        } else {
            return Err(StoreError::StoreFull);
        }
        Ok(())
    }

    /// Compare and take: the key, if it is claimed under exactly this epoch.
    fn take_claimed(&mut self, key: &Key, epoch: Epoch) -> Result<Key, StoreError> {
        match self.claimed.peek(key) {
            Some(held) if held.epoch == epoch => {}
            _ => return Err(StoreError::LeaseLost),
        }
        let (key, _) = self.claimed.pop_entry(key).ok_or(StoreError::LeaseLost)?;
        Ok(key)
    }
}

/// Whether the entry that expires first has expired.
fn has_expired(list: &Keys, now: Duration) -> bool {
    list.peek_lru().is_some_and(|(_, held)| held.expires <= now)
}

impl Default for MemoryStore {
    /// The default lease (60 s), retention (72 h) and capacity (5,000 keys).
    fn default() -> Self {
        Self::sized(StoreOptions::default(), Self::DEFAULT_CAPACITY)
    }
}

impl Store for MemoryStore {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        let claimed = self.try_claim(&key);
        Box::pin(ready(claimed.map(|claimed| claimed.into_claim(self, key))))
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(ready(self.try_commit(key, epoch)))
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(ready(self.try_release(key, epoch)))
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(ready(self.try_renew(key, epoch)))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .field("dropped_early", &self.dropped_early())
            .finish_non_exhaustive()
    }
}
