//! What the durable stores share.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::error::StoreError;

/// The version of the tables that this SDK reads and writes.
#[cfg(any(feature = "sqlite-driver", feature = "postgres"))]
pub(super) const SCHEMA_VERSION: i32 = 1;

/// How many rows one statement cleans up.
#[cfg(any(feature = "sqlite-driver", feature = "postgres"))]
pub(super) const BATCH: i64 = 1_000;

/// One batch is cleaned up after this many commits, which keeps pace with them.
#[cfg(any(feature = "sqlite-driver", feature = "postgres"))]
pub(super) const COMMITS_PER_BATCH: u64 = 256;

#[cfg(any(feature = "sqlite-driver", feature = "postgres"))]
pub(super) fn foreign_schema(found: i64) -> StoreError {
    unavailable(format_args!(
        "its tables have version {found}, this SDK needs {SCHEMA_VERSION}"
    ))
}

pub(super) fn unavailable(reason: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable {
        reason: reason.to_string(),
    }
}

/// What waits needs tokio, whose functions would panic elsewhere.
pub(super) fn on_tokio() -> Result<(), StoreError> {
    match Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(unavailable("it was called outside of a tokio runtime")),
    }
}

/// Fails after this time, whatever the driver does.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    within_or(limit, "it did not answer in time", work).await
}

/// The same, and says this then.
pub(super) async fn within_or<T>(
    limit: Duration,
    late: &str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(unavailable(late)),
    }
}
