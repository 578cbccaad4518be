//! A claim as a row: what goes into its columns, and what is read from them.

use std::borrow::Cow;
use std::time::Duration;

use super::Key;
use super::store::{Claim, Epoch, Lease, Store};
use crate::error::StoreError;

/// What a claim waits for that found another one under way, whose end is not known.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// The longest text that is kept as it is: any index of any database takes it.
const MAX_BYTES: usize = 255;

const CLAIMED: i64 = 1;
const DONE: i64 = 2;

/// The answer to a claim without a lease to hold, unlike [`Claim`](super::Claim): where
/// what ends the claim is a transaction of yours, or the verb of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed<F = Epoch> {
    /// The event is yours: work, then commit under this epoch: with `commit_in`, in the
    /// same transaction, where there is one.
    Fresh(F),
    /// Someone is working on it. Ask the sender to come again; never answer 2xx.
    InFlight {
        /// When the lease runs out at the latest.
        retry_after: Duration,
    },
    /// It was handled before: answer 2xx.
    Done,
}

impl Claimed {
    pub(super) fn into_claim(self, store: &dyn Store, key: Key) -> Claim<'_> {
        match self {
            Self::Fresh(epoch) => Claim::Fresh(Lease::new(store, key, epoch)),
            Self::InFlight { retry_after } => Claim::InFlight { retry_after },
            Self::Done => Claim::Done,
        }
    }

    /// From what the row says: its state, and how many microseconds it stays so.
    /// A row that is free, or none, was changed by another between the two statements.
    pub(super) fn standing(row: Option<(i64, i64)>, lease: Duration) -> Self {
        match row {
            Some((DONE, micros)) if micros > 0 => Self::Done,
            Some((CLAIMED, micros)) if micros > 0 => Self::InFlight {
                // A lease of another process may be longer than ours.
                retry_after: Duration::from_micros(micros.unsigned_abs()),
            },
            _ => Self::under_way(lease),
        }
    }

    /// Another transaction is claiming the key right now.
    pub(super) fn under_way(lease: Duration) -> Self {
        Self::InFlight {
            retry_after: lease.min(UNDER_WAY),
        }
    }
}

/// The text under which a key is kept. Keys of deliveries stay as they are; one of
/// the caller's own making that no column would take is replaced by its digest.
pub(super) fn stored(key: &Key) -> Cow<'_, str> {
    let text = key.as_str();
    if text.len() <= MAX_BYTES && !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Key::of_body("", text.as_bytes()).as_str().to_owned())
}

/// Whole microseconds, at least one.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros())
        .unwrap_or(i64::MAX / 4)
        .max(1)
}

/// Epochs are below 2^63 in every database; another number never was one.
pub(super) fn column(epoch: Epoch) -> i64 {
    i64::try_from(epoch).unwrap_or(-1)
}

pub(super) fn epoch(column: i64) -> Epoch {
    Epoch::try_from(column).unwrap_or(0)
}

/// A compare-and-set that changed no row.
pub(super) fn held(rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::LeaseLost),
        _ => Ok(()),
    }
}
