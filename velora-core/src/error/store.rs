//! Deduplication stores that refused or failed.

use super::Code;
use super::text::says;

/// A deduplication store refused or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// `lease_lost`
    LeaseLost,
    /// `store_full`
    StoreFull,
    /// `store_unavailable`
    Unavailable {
        /// What the store's driver said, without credentials.
        reason: String,
    },
}

says! { StoreError:
    Self::LeaseLost => ["the lease was taken over, released or already committed"],
    Self::StoreFull => ["the store has no room: claims in progress hold every place, or its disk or memory is full"],
    Self::Unavailable { reason } => ["the store is unavailable: ", reason],
}

impl StoreError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::LeaseLost => Code::LeaseLost,
            Self::StoreFull => Code::StoreFull,
            Self::Unavailable { .. } => Code::StoreUnavailable,
        }
    }
}
