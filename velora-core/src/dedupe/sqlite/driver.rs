//! What runs the statements: the SQLite that is built in, or that of a host language.

use std::path::Path;
use std::time::Duration;

use crate::dedupe::Statement;
use crate::dedupe::durable::unavailable;
use crate::error::StoreError;

/// A copy of SQLite, for [`SqliteStore::driven_by`](super::SqliteStore::driven_by).
///
/// Within one process the locks of a file hold between the connections of one copy of
/// SQLite, and not between those of two. Where the program has a copy of its own, as in a
/// host language, the store must use that one.
///
/// Its methods are called by one thread of the store's, which may wait.
pub trait SqliteDriver: Send + 'static {
    /// A connection.
    type Connection: SqliteConnection;

    /// The version of the library, as `sqlite3_libversion_number` gives it: 3.35.0 is
    /// 3035000.
    fn version(&self) -> i32;

    /// Opens this file, and creates it if it is not there. A statement that finds it
    /// locked waits for so long, and is [`SqliteFault::Busy`] then. No transaction is
    /// begun by itself.
    fn open(&self, path: &Path, busy: Duration) -> Result<Self::Connection, SqliteFault>;
}

/// A connection of a [`SqliteDriver`]. It is closed where it is dropped.
pub trait SqliteConnection {
    /// Runs statements that stand one behind the other; their rows are nobody's.
    fn script(&self, sql: &str) -> Result<(), SqliteFault>;

    /// Runs a statement to its end, and gives the integers of its first row, if there is
    /// one.
    fn row<const N: usize>(&self, statement: &Statement) -> Result<Option<[i64; N]>, SqliteFault>;

    /// Runs a statement, and gives how many rows it has changed.
    fn change(&self, statement: &Statement) -> Result<u64, SqliteFault>;
}

/// Why a statement has failed.
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
