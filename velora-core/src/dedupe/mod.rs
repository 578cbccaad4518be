//! Deduplication: claims that survive a crash of the process that handles an event.
//!
//! "Mark, then do" loses an event if the process dies in between; "do, then mark"
//! handles it twice. A [`Store`] therefore hands out a *claim* with a lease: whoever
//! holds it handles the event, then commits. A lease that is neither committed nor
//! released expires, and the next delivery of the event takes it over. A crash costs a
//! repeat, never an event.

#[cfg(feature = "receiver")]
mod claimed;
#[cfg(feature = "store-conformance")]
pub mod conformance;
#[cfg(feature = "receiver")]
mod custom;
#[cfg(any(feature = "sqlite-driver", feature = "postgres", feature = "redis"))]
mod durable;
#[cfg(feature = "receiver")]
mod in_transaction;
mod key;
#[cfg(feature = "receiver")]
mod memory;
#[cfg(feature = "receiver")]
mod namespace;
#[cfg(feature = "receiver")]
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite-driver")]
mod sqlite;
#[cfg(feature = "receiver")]
mod store;

#[cfg(feature = "receiver")]
pub use claimed::Claimed;
#[cfg(feature = "receiver")]
pub use custom::{CustomAnswer, CustomStore, CustomVerbs};
#[cfg(feature = "receiver")]
pub use in_transaction::{InTransaction, Statement, Value};
pub use key::Key;
pub(crate) use key::{Members, text_of_body};
#[cfg(feature = "receiver")]
pub use memory::MemoryStore;
#[cfg(feature = "receiver")]
pub use open::open_store;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresStatements, PostgresStore};
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "sqlite-driver")]
pub use sqlite::{
    Resting, SqliteConnection, SqliteDriver, SqliteFault, SqliteStatements, SqliteStore,
};
#[cfg(feature = "receiver")]
pub use store::{Claim, Epoch, Lease, Store, StoreFuture, StoreOptions, StoreSeconds};
