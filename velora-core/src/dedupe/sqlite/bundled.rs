//! The built-in SQLite driver.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ErrorCode, Transaction, params_from_iter};

use super::driver::{SqliteConnection, SqliteDriver, SqliteFault};
use super::{SqliteStore, sql, writer};
use crate::dedupe::{Claimed, Epoch, Key, Statement, StoreOptions, Value};
use crate::error::StoreError;

struct Bundled;

impl SqliteDriver for Bundled {
    type Connection = Connection;

    fn version(&self) -> i32 {
        rusqlite::version_number()
    }

    fn open(&self, path: &Path, busy: Duration) -> Result<Connection, SqliteFault> {
        let connection = Connection::open(path).map_err(fault)?;
        connection.busy_timeout(busy).map_err(fault)?;
        Ok(connection)
    }
}

impl SqliteConnection for Connection {
    fn script(&self, sql: &str) -> Result<(), SqliteFault> {
        self.execute_batch(sql).map_err(fault)
    }

    fn row<const N: usize>(&self, statement: &Statement) -> Result<Option<[i64; N]>, SqliteFault> {
        let numbers = |row: &rusqlite::Row<'_>| -> rusqlite::Result<[i64; N]> {
            let mut numbers = [0; N];
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = row.get(at)?;
            }
            Ok(numbers)
        };
        self.prepare_cached(statement.sql)
            .and_then(|mut prepared| {
                let values = params_from_iter(statement.values.iter().map(parameter));
                let mut rows = prepared.query(values)?;
                let first = rows.next()?.map(numbers).transpose()?;
                // On its own, the statement is committed when it has run to its end.
                while rows.next()?.is_some() {}
                Ok(first)
            })
            .map_err(fault)
    }

    fn change(&self, statement: &Statement) -> Result<u64, SqliteFault> {
        let changed = self
            .prepare_cached(statement.sql)
            .and_then(|mut prepared| {
                prepared.execute(params_from_iter(statement.values.iter().map(parameter)))
            })
            .map_err(fault)?;
        Ok(changed as u64)
    }
}

fn parameter(value: &Value) -> ToSqlOutput<'_> {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
    }
}

fn fault(error: rusqlite::Error) -> SqliteFault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SqliteFault::Busy,
        Some(ErrorCode::DiskFull) => SqliteFault::Full,
        _ => SqliteFault::Other(error.to_string()),
    }
}

impl SqliteStore {
    /// A store in this file, which is created at the first call. Its folder must exist
    /// (feature `sqlite`).
    pub fn new(path: impl AsRef<Path>, options: StoreOptions) -> Self {
        Self::driven_by(Bundled, path, options)
    }

    /// Claims a key in your own transaction, on a connection to the same file (feature
    /// `sqlite`). If the transaction is rolled back, nothing was claimed.
    ///
    /// With [`commit_in`](Self::commit_in) in the same transaction, claim and effects are
    /// atomic: no crash leaves one without the other. Begin the transaction with
    /// `BEGIN IMMEDIATE`, keep it short (SQLite has one writer), and call
    /// [`Store::ready`](super::super::Store::ready) once beforehand, which creates the tables.
    ///
    /// Use it for an event that no [`Receiver`](crate::Receiver) has claimed. In a receiver's
    /// handler the event is already claimed, so this returns [`Claimed::InFlight`]; there
    /// you need `commit_in` only.
    ///
    /// Errors: `store_full`, `store_unavailable`; roll back then.
    ///
    /// ```
    /// use rusqlite::{Connection, TransactionBehavior};
    /// use velora_core::dedupe::{Claimed, SqliteStore};
    /// use velora_core::{Key, Store, StoreOptions};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("shop.db");
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let store = SqliteStore::new(&path, StoreOptions::default());
    /// store.ready().await?;
    /// let mut connection = Connection::open(&path)?;
    /// connection.execute_batch("CREATE TABLE payments (amount INTEGER)")?;
    ///
    /// let key = Key::of_members("tv", &["evt_abc123"]);
    /// let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    /// let claimed = store.claim_in(&transaction, &key)?;
    /// if let Claimed::Fresh(epoch) = claimed {
    ///     transaction.execute("INSERT INTO payments VALUES (100)", [])?;
    ///     store.commit_in(&transaction, &key, epoch)?;
    /// }
    /// transaction.commit()?;
    /// let status = match claimed {
    ///     // What someone else is working on may yet fail there.
    ///     Claimed::InFlight { .. } => 503,
    ///     Claimed::Fresh(_) | Claimed::Done => 200,
    /// };
    /// # assert_eq!(status, 200);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn claim_in(
        &self,
        transaction: &Transaction<'_>,
        key: &Key,
    ) -> Result<Claimed, StoreError> {
        writer::claim(&**transaction, key, &sql::in_transaction(self.options))
    }

    /// Commits the claim in your own transaction, which holds the effects (feature `sqlite`).
    ///
    /// The epoch comes from [`claim_in`](Self::claim_in) in the same transaction, or from a
    /// lease that was claimed before. Either way the effects are written exactly once,
    /// because a lease that was taken over fails with `lease_lost`.
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`; roll back then.
    pub fn commit_in(
        &self,
        transaction: &Transaction<'_>,
        key: &Key,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        writer::commit(
            &**transaction,
            key,
            epoch,
            &sql::in_transaction(self.options),
        )
    }
}
