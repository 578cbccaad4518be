//! `claim_in` and `commit_in` as statements, for a connection that is not ours to drive.

use std::iter;

use super::Key;
use super::claimed::{Claimed, column, epoch, held, micros, stored};
use super::store::{Epoch, StoreOptions};
use crate::error::StoreError;

/// The statements that claim and commit in a transaction of yours, for a connection of
/// another driver or of another language. [`Store::in_transaction`](super::Store::in_transaction)
/// gives it.
///
/// Run [`claim`](Self::claim). A row is the epoch: [`fresh`](Self::fresh) reads it. No
/// row: run [`standing`](Self::standing), and let [`stands`](Self::stands) read its row,
/// or that there is none. Do the work, run [`commit`](Self::commit), and give the number
/// of rows that it changed to [`committed`](Self::committed). Then commit the
/// transaction, and only then answer 2xx.
///
/// The transaction must be in the store's own database, on a connection that sees its
/// tables, and as [`SqliteStore::claim_in`](super::SqliteStore::claim_in) or
/// [`PostgresStore::claim_in`](super::PostgresStore::claim_in) want it.
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

/// A statement, and the values of its parameters in their order: `?1` or `$1` is the
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// In the words of the database.
    pub sql: &'static str,
    /// For its parameters.
    pub values: Vec<Value>,
}

/// What a parameter is.
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

    /// Whose statements they are: `sqlite` or `postgres`.
    pub fn database(&self) -> &'static str {
        self.database
    }

    /// Gives a row of one integer if the claim is fresh.
    pub fn claim(&self, key: &Key) -> Statement {
        let lease = micros(self.options.lease());
        self.of_key(self.claim, key, [lease])
    }

    /// The row of [`claim`](Self::claim).
    pub fn fresh(&self, row: i64) -> Claimed {
        Claimed::Fresh(epoch(row))
    }

    /// Gives a row of two integers, or none.
    pub fn standing(&self, key: &Key) -> Statement {
        self.of_key(self.standing, key, [])
    }

    /// The row of [`standing`](Self::standing): in flight or done.
    pub fn stands(&self, row: Option<(i64, i64)>) -> Claimed {
        Claimed::standing(row, self.options.lease())
    }

    /// Changes one row, or none. In PostgreSQL it gives that row too, for drivers that do not
    /// count at once.
    pub fn commit(&self, key: &Key, epoch: Epoch) -> Statement {
        let retention = micros(self.options.retention());
        self.of_key(self.commit, key, [column(epoch), retention])
    }

    /// How many rows [`commit`](Self::commit) has changed.
    ///
    /// Errors: `lease_lost`; roll back then.
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
