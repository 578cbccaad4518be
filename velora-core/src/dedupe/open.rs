//! Opens a store by its URL.

use std::sync::Arc;

use super::{MemoryStore, Store, StoreOptions};
use crate::error::ConfigError;

/// Opens the store that this URL names:
///
/// | URL | store | feature |
/// |---|---|---|
/// | `memory:` | [`MemoryStore`] with room for 5,000 keys | |
/// | `sqlite:///var/lib/app/claims.db`, `sqlite://claims.db` | [`SqliteStore`](super::SqliteStore): an absolute path, or one relative to the current folder | `sqlite` |
/// | `postgres://user:password@host/database` | [`PostgresStore`](super::PostgresStore) | `postgres` |
/// | `redis://…`, `rediss://…` | [`RedisStore`](super::RedisStore), `rediss` over TLS | `redis` |
///
/// This does not connect: the first operation does, and so does [`Store::ready`].
///
/// Errors: `invalid_option` if the URL names no store, or one whose feature is not
/// enabled. No error shows any part of the URL, because it may hold a password. Only that of a
/// SQLite file which cannot be opened may name the file.
///
/// ```
/// use velora_core::{open_store, StoreOptions};
///
/// let store = open_store("memory:", StoreOptions::default())?;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// store.ready().await?;
/// # Ok::<(), velora_core::StoreError>(()) }).unwrap();
/// # Ok::<(), velora_core::ConfigError>(())
/// ```
pub fn open_store(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>, ConfigError> {
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::new(
            options,
            MemoryStore::DEFAULT_CAPACITY,
        )?)),
        Some(("sqlite", _)) => sqlite(url, options),
        Some(("postgres" | "postgresql", _)) => postgres(url, options),
        Some(("redis" | "rediss", _)) => redis(url, options),
        _ => Err(refused(
            "it must start with `memory:`, `sqlite://`, `postgres://`, `redis://` or `rediss://`",
        )),
    }
}

/// Why a URL names no store. Never contains a part of the URL.
pub(super) fn refused(reason: &'static str) -> ConfigError {
    ConfigError::InvalidOption {
        option: "url",
        reason,
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>, ConfigError> {
    let path = super::SqliteStore::path_of(url)?.unwrap_or_default();
    Ok(Arc::new(super::SqliteStore::new(path, options)))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str, _: StoreOptions) -> Result<Arc<dyn Store>, ConfigError> {
    Err(refused("the feature `sqlite` is not enabled"))
}

#[cfg(feature = "postgres")]
fn postgres(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>, ConfigError> {
    Ok(Arc::new(super::PostgresStore::new(url, options)?))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str, _: StoreOptions) -> Result<Arc<dyn Store>, ConfigError> {
    Err(refused("the feature `postgres` is not enabled"))
}

#[cfg(feature = "redis")]
fn redis(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>, ConfigError> {
    Ok(Arc::new(super::RedisStore::new(url, options)?))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str, _: StoreOptions) -> Result<Arc<dyn Store>, ConfigError> {
    Err(refused("the feature `redis` is not enabled"))
}
