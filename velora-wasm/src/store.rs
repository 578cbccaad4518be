//! Stores of claims: in memory here, or the host's own, whose answers are checked in the same way.

use std::rc::Rc;

use velora_core::dedupe::{Claimed, CustomAnswer, Epoch, StoreSeconds};
use velora_core::{ConfigError, Key, MemoryStore, StoreError, StoreOptions};

use crate::clock::{self, HostClock};
use crate::number::{duration, integer, whole};
use crate::{failure, frame, handles};

/// The operations of a store.
pub(crate) mod verb {
    pub(crate) const CLAIM: u32 = 0;
    pub(crate) const COMMIT: u32 = 1;
    pub(crate) const RELEASE: u32 = 2;
    /// Sent to the store as a commit.
    pub(crate) const SECOND_COMMIT: u32 = 4;
}

/// The states that a store answers with; some come with a number.
mod state {
    pub(super) const OK: u32 = 0;
    pub(super) const FRESH: u32 = 1;
    pub(super) const IN_FLIGHT: u32 = 2;
    pub(super) const DONE: u32 = 3;
    pub(super) const LEASE_LOST: u32 = 4;
    pub(super) const STORE_FULL: u32 = 5;
    /// Any other number means the same.
    pub(super) const FAILED: u32 = 6;
}

exports! {
    /// Creates a store in memory. Times are in seconds. The bits of `given`, in the order of the
    /// arguments, tell which ones are set; the others have the core's defaults.
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
        failure::number(store.map(|store| handles::put(store.with_clock(HostClock))))
    }

    /// How many keys a store in memory holds.
    fn store_size(at: usize) -> usize {
        memory_of(at).map_or(0, |memory| memory.len())
    }

    /// How many done keys it forgot for lack of room.
    fn dropped_early(at: usize) -> f64 {
        memory_of(at).map_or(0.0, |memory| memory.dropped_early() as f64)
    }

    /// Calls a store in memory with the key in the frame and the time of a monotonic clock.
    /// Returns the state, and its number, if any.
    fn ask_store(at: usize, verb: u32, key: usize, epoch: f64, monotonic: f64) {
        clock::tick(monotonic);
        let key = frame::read(key, 0, |key, _| Key::from(frame::text(key)));
        let epoch = epoch as Epoch;
        let asked = memory_of(at).ok().map(|memory| match verb {
            verb::CLAIM => memory.try_claim(&key).map(Some),
            verb::COMMIT => memory.try_commit(&key, epoch).map(|()| None),
            verb::RELEASE => memory.try_release(&key, epoch).map(|()| None),
            _ => memory.try_renew(&key, epoch).map(|()| None),
        });
        let (state, number) = match asked {
            Some(Ok(None)) => (state::OK, f64::NAN),
            Some(Ok(Some(Claimed::Fresh(epoch)))) => (state::FRESH, epoch as f64),
            Some(Ok(Some(Claimed::InFlight { retry_after }))) => (state::IN_FLIGHT, retry_after.as_secs_f64()),
            Some(Ok(Some(Claimed::Done))) => (state::DONE, f64::NAN),
            Some(Err(StoreError::LeaseLost)) => (state::LEASE_LOST, f64::NAN),
            Some(Err(StoreError::StoreFull)) => (state::STORE_FULL, f64::NAN),
            Some(Err(_)) | None => (state::FAILED, f64::NAN),
        };
        frame::say(frame::numbers([f64::from(state), number]));
    }

    /// Checks that this is a valid answer to the operation, from any store.
    ///
    /// Errors: `store_full`, `lease_lost`, `store_unavailable`.
    fn store_answer(verb: u32, state: u32, number: f64) -> f64 {
        failure::number(match verb {
            verb::CLAIM => answered(state, number).claimed().map(|_| 0.0),
            _ => answered(state, number).ended().map(|()| 0.0),
        })
    }
}

fn memory_of(at: usize) -> Result<Rc<MemoryStore>, ConfigError> {
    handles::of(at)
}

fn memory(seconds: StoreSeconds, capacity: Option<f64>) -> Result<MemoryStore, ConfigError> {
    let options = StoreOptions::try_from_secs_f64(seconds)?;
    let capacity = match capacity {
        Some(keys) => whole("capacity", keys)?,
        None => MemoryStore::DEFAULT_CAPACITY,
    };
    MemoryStore::new(options, capacity)
}

/// The answer of a store of either kind.
pub(crate) fn answered(state: u32, number: f64) -> CustomAnswer {
    match state {
        state::OK => CustomAnswer::Ok,
        state::FRESH => CustomAnswer::Fresh(integer(number)),
        state::IN_FLIGHT => CustomAnswer::InFlight(duration(number)),
        state::DONE => CustomAnswer::Done,
        state::LEASE_LOST => CustomAnswer::Failed(StoreError::LeaseLost),
        state::STORE_FULL => CustomAnswer::Failed(StoreError::StoreFull),
        _ => CustomAnswer::failed(None, "it failed"),
    }
}
