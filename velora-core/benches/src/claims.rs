//! A memory store in the state it has at its busiest: full.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use velora_core::{Claim, Key, MemoryStore, Store, StoreOptions};

use crate::Failure;

/// How many keys the store holds, and has room for.
pub const LIVE_KEYS: usize = 100_000;

/// Keys are made outside the measured time, a few at a time: a receiver comes with a
/// key that it has just read, which is in the cache, while the oldest is not.
const BATCH: usize = 1_000;

/// A full store: every new key pushes out the oldest, whose retention still runs.
pub struct Claims {
    store: MemoryStore,
    last_key: u64,
}

impl Claims {
    /// Fills a store with [`LIVE_KEYS`] committed keys.
    pub fn new() -> Result<Self, Failure> {
        let retention = Duration::from_secs(30 * 24 * 60 * 60);
        let options = StoreOptions::default().with_retention(retention)?;
        let mut this = Self {
            store: MemoryStore::new(options, LIVE_KEYS)?,
            last_key: 0,
        };
        this.run(LIVE_KEYS as u64);
        Ok(this)
    }

    /// The time that it takes to claim and commit so many new keys, one by one.
    ///
    /// # Panics
    ///
    /// If the store does anything but claim and commit them.
    pub fn run(&mut self, keys: u64) -> Duration {
        let mut elapsed = Duration::ZERO;
        let mut all_done = true;
        let end = self.last_key + keys;
        while self.last_key < end {
            let batch: Vec<_> = (self.last_key..end).take(BATCH).map(key).collect();
            self.last_key += batch.len() as u64;
            let start = Instant::now();
            for key in batch {
                all_done &= claim_and_commit(&self.store, key);
            }
            elapsed += start.elapsed();
        }
        assert!(all_done, "a new key is not fresh, or its lease is lost");
        elapsed
    }
}

fn claim_and_commit(store: &dyn Store, key: Key) -> bool {
    match ready(store.claim(key)) {
        Some(Ok(Claim::Fresh(lease))) => matches!(ready(lease.commit()), Some(Ok(()))),
        _ => false,
    }
}

/// A key as Velora Health's deliveries have it.
fn key(number: u64) -> Key {
    let id = format!("8b2e5c11-1234-4abc-89de-{number:012x}");
    Key::of_members("health", &[id.as_str(), "phi.read"])
}

/// What a future of the memory store gives; it never waits, so no runtime is needed.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_key_pushes_out_the_oldest() -> Result<(), Failure> {
        let mut claims = Claims::new()?;
        assert_eq!(
            (claims.store.len(), claims.store.dropped_early()),
            (LIVE_KEYS, 0)
        );
        claims.run(1_500);
        assert_eq!(
            (claims.store.len(), claims.store.dropped_early()),
            (LIVE_KEYS, 1_500)
        );
        let claim = |number| ready(claims.store.claim(key(number)));
        assert!(matches!(claim(1_500), Some(Ok(Claim::Done))));
        assert!(matches!(claim(1_499), Some(Ok(Claim::Fresh(_)))));
        Ok(())
    }
}
