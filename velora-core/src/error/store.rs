//! Deduplication stores that refused or failed.

use super::Code;

/// A deduplication store refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// `lease_lost`
    #[error("the lease was taken over, released or already committed")]
    LeaseLost,
    /// `store_full`
    #[error("every place in the store holds a claim that is still being worked on")]
    StoreFull,
    /// `store_unavailable`
    #[error("the store cannot be reached: {reason}")]
    Unavailable {
        /// What the store's driver said, without credentials.
        reason: String,
    },
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
