//! The interface to a copy of SQLite: the built-in one, or that of a host language.

use std::path::Path;
use std::time::Duration;

use crate::dedupe::Statement;
use crate::dedupe::durable::unavailable;
use crate::error::StoreError;

/// A copy of SQLite, for [`SqliteStore::driven_by`](super::SqliteStore::driven_by).
///
/// Within one process, file locks work only between the connections of one copy of SQLite,
/// not between two copies. If the program already has a copy, as in a host language, the store
/// must use that one.
///
/// The methods are called from a single thread of the store's own, which may block.
pub trait SqliteDriver: Send + 'static {
    /// A connection.
    type Connection: SqliteConnection;

    /// The version of the library, as `sqlite3_libversion_number` returns it: 3.35.0 is
    /// 3035000.
    fn version(&self) -> i32;

    /// Opens this file, and creates it if it does not exist. A statement that finds it locked
    /// waits for up to `busy`, and then fails with [`SqliteFault::Busy`]. The connection must
    /// not begin transactions by itself.
    fn open(&self, path: &Path, busy: Duration) -> Result<Self::Connection, SqliteFault>;
}

/// A connection of a [`SqliteDriver`]. Dropping it closes it.
pub trait SqliteConnection {
    /// Runs several statements in a row, and ignores the rows that they return.
    fn script(&self, sql: &str) -> Result<(), SqliteFault>;

    /// Runs a statement to its end, and returns the integers of its first row, if there is
    /// one.
    fn row<const N: usize>(&self, statement: &Statement) -> Result<Option<[i64; N]>, SqliteFault>;

    /// Runs a statement, and returns how many rows it changed.
    fn change(&self, statement: &Statement) -> Result<u64, SqliteFault>;
}

/// Why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqliteFault {
    /// Another connection keeps the file locked: `SQLITE_BUSY`, `SQLITE_LOCKED`.
    Busy,
    /// The disk is full: `SQLITE_FULL`.
    Full,
    /// Anything else, in SQLite's words.
    Other(String),
}

impl From<SqliteFault> for StoreError {
    fn from(fault: SqliteFault) -> Self {
        match fault {
            SqliteFault::Busy => unavailable("another connection keeps the file locked"),
            SqliteFault::Full => Self::StoreFull,
            SqliteFault::Other(reason) => Self::Unavailable { reason },
        }
    }
}
