//! `claim_in` and `commit_in` as statements, for a connection that the caller drives.

use std::iter;

use super::Key;
use super::claimed::{Claimed, column, epoch, held, micros, stored};
use super::store::{Epoch, StoreOptions};
use crate::error::StoreError;

/// The statements that claim and commit in your own transaction, for a connection of
/// another driver or another language. Get them from
/// [`Store::in_transaction`](super::Store::in_transaction).
///
/// 1. Run [`claim`](Self::claim). If it returns a row, pass the row to
///    [`fresh`](Self::fresh). If it returns none, run [`standing`](Self::standing) and pass
///    its row, or `None`, to [`stands`](Self::stands).
/// 2. If the claim is fresh, handle the event and run [`commit`](Self::commit). Pass the
///    number of rows that it changed to [`committed`](Self::committed).
/// 3. Commit the transaction, and only then answer 2xx.
///
/// The transaction must be in the store's own database, on a connection that sees the
/// store's tables. It must also meet the requirements of
/// [`SqliteStore::claim_in`](super::SqliteStore::claim_in) or
/// [`PostgresStore::claim_in`](super::PostgresStore::claim_in).
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use velora_core::dedupe::{Claimed, SqliteStore, Value};
/// use velora_core::{Key, Store, StoreOptions};
///
/// let store = SqliteStore::new("claims.db", StoreOptions::default());
/// let statements = store.in_transaction().unwrap();
/// let claim = statements.claim(&Key::from("tv:evt_abc123"));
/// assert!(claim.sql.starts_with("INSERT INTO velora_dedupe_claims"));
/// assert_eq!(claim.values[0], Value::Text("tv:evt_abc123".to_owned()));
/// assert_eq!(statements.fresh(7), Claimed::Fresh(7));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InTransaction {
    database: &'static str,
    claim: &'static str,
    standing: &'static str,
    commit: &'static str,
    options: StoreOptions,
}

/// A statement and the values of its parameters, in order: the first is for `?1` or `$1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text, in the database's dialect.
    pub sql: &'static str,
    /// The parameters' values.
    pub values: Vec<Value>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `TEXT`
    Text(String),
    /// `INTEGER` of SQLite, `bigint` of PostgreSQL.
    Integer(i64),
}

impl InTransaction {
    #[cfg(any(feature = "sqlite-driver", feature = "postgres"))]
    pub(super) fn new(
        database: &'static str,
        [claim, standing, commit]: [&'static str; 3],
        options: StoreOptions,
    ) -> Self {
        Self {
            database,
            claim,
            standing,
            commit,
            options,
        }
    }

    /// Which database the statements are for: `sqlite` or `postgres`.
    pub fn database(&self) -> &'static str {
        self.database
    }

    /// Returns a row of one integer, the epoch, if the claim is fresh; otherwise no row.
    pub fn claim(&self, key: &Key) -> Statement {
        let lease = micros(self.options.lease());
        self.of_key(self.claim, key, [lease])
    }

    /// Reads the row of [`claim`](Self::claim).
    pub fn fresh(&self, row: i64) -> Claimed {
        Claimed::Fresh(epoch(row))
    }

    /// Returns a row of two integers (the state, and for how many microseconds), or none.
    pub fn standing(&self, key: &Key) -> Statement {
        self.of_key(self.standing, key, [])
    }

    /// Reads the row of [`standing`](Self::standing): in flight or done.
    pub fn stands(&self, row: Option<(i64, i64)>) -> Claimed {
        Claimed::standing(row, self.options.lease())
    }

    /// Changes one row, or none. In PostgreSQL it also returns the changed row, for drivers
    /// that do not report a row count at once.
    pub fn commit(&self, key: &Key, epoch: Epoch) -> Statement {
        let retention = micros(self.options.retention());
        self.of_key(self.commit, key, [column(epoch), retention])
    }

    /// Takes the number of rows that [`commit`](Self::commit) changed.
    ///
    /// Errors: `lease_lost` if it is 0; roll the transaction back then.
    pub fn committed(&self, rows: u64) -> Result<(), StoreError> {
        held(rows)
    }

    /// A statement of a key, and of numbers behind it.
    pub(super) fn of_key<const N: usize>(
        &self,
        sql: &'static str,
        key: &Key,
        numbers: [i64; N],
    ) -> Statement {
        let key = Value::Text(stored(key, &self.options).into_owned());
        Statement {
            sql,
            values: iter::once(key).chain(numbers.map(Value::Integer)).collect(),
        }
    }
}
