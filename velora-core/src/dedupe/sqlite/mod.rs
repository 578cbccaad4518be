//! Claims in a file of SQLite, for the processes of one host.

mod pace;
mod sql;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use rusqlite::Transaction;
use tokio::sync::oneshot;

use pace::Pace;
pub use sql::SqliteStatements;
use writer::{Answer, Job, Verb, Writer};

use super::Key;
use super::claimed::{Claimed, stored};
use super::durable::{unavailable, within};
use super::in_transaction::InTransaction;
use super::store::{Claim, Epoch, Store, StoreFuture, StoreOptions};
use crate::error::StoreError;

/// So many calls may wait for the writer; the next one is `store_unavailable`.
const WAITING: usize = 1_024;

/// A [`Store`] in a file, for any number of processes on one host (feature `sqlite`).
///
/// # What it promises
///
/// What was committed survives a crash of the process and of the machine: the file is
/// in WAL mode with `synchronous=FULL`. Handlers run at least once, and bookkeeping is
/// fenced; with [`claim_in`](Self::claim_in), or [`commit_in`](Self::commit_in) alone,
/// what a handler writes into the same file is written exactly once.
///
/// The file must be on a disk of this host: SQLite's locks do not hold on network file
/// systems. The host's clock decides when a lease runs out.
///
/// One thread holds the one connection; calls that wait for it share a transaction, and
/// so one write to the disk. Needs a tokio runtime with time.
///
/// # Tables and privileges
///
/// Created at the first call:
///
/// | | |
/// |---|---|
/// | `velora_dedupe_claims` | `key`, `epoch`, `state` (0 free, 1 claimed, 2 done), `until` in microseconds since 1970: a row a key |
/// | `velora_dedupe_epoch` | `last`: epochs grow though rows are removed; two triggers keep it |
/// | `velora_dedupe_sweep` | `behind`, `last`: which keys were looked at last, to be cleaned up |
/// | `velora_dedupe_version` | `version`: 1; tables of another version are not touched |
///
/// The process must be able to write the file and its folder, in which SQLite keeps
/// `-wal` and `-shm` beside it. Every 256 commits of a process look at the next 1,000
/// keys, around and around, and remove those whose time is over.
///
/// ```
/// use velora_core::dedupe::SqliteStore;
/// use velora_core::{Claim, Key, Store, StoreOptions};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("claims.db");
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let store = SqliteStore::new(&path, StoreOptions::default());
/// let key = Key::of_members("tv", &["evt_abc123"]);
/// if let Claim::Fresh(lease) = store.claim(key.clone()).await? {
///     // ... the work ...
///     lease.commit().await?;
/// }
/// assert!(matches!(store.claim(key).await?, Claim::Done));
/// # Ok::<(), velora_core::StoreError>(()) }).unwrap();
/// ```
pub struct SqliteStore {
    path: PathBuf,
    options: StoreOptions,
    jobs: SyncSender<Job>,
    pace: Arc<Pace>,
}

impl SqliteStore {
    /// The statements that the verbs are, for a connection of your own.
    pub const STATEMENTS: SqliteStatements = sql::STATEMENTS;

    /// A store in this file, which is created at the first call, in a folder that
    /// must be there.
    pub fn new(path: impl AsRef<Path>, options: StoreOptions) -> Self {
        let path = path.as_ref().to_owned();
        let (jobs, waiting) = sync_channel(WAITING);
        let pace = Arc::new(Pace::default());
        let writer = Writer::new(path.clone(), options, Arc::clone(&pace));
        // Without a thread there is nobody to take a job: every call says so.
        let _ = thread::Builder::new()
            .name("velora-dedupe".to_owned())
            .spawn(move || writer.run(&waiting));
        Self {
            path,
            options,
            jobs,
            pace,
        }
    }

    /// Claims a key in a transaction of yours, on a connection to the same file. If the
    /// transaction is rolled back, nothing was claimed.
    ///
    /// Together with [`commit_in`](Self::commit_in), claim and effects are one: no
    /// crash leaves one without the other. Begin it with `BEGIN IMMEDIATE`, keep it
    /// short (SQLite has one writer), and have called [`Store::ready`] once, for the
    /// tables.
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
    /// if let Claimed::Fresh(epoch) = store.claim_in(&transaction, &key)? {
    ///     transaction.execute("INSERT INTO payments VALUES (100)", [])?;
    ///     store.commit_in(&transaction, &key, epoch)?;
    /// }
    /// transaction.commit()?; // Only now answer 2xx.
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn claim_in(
        &self,
        transaction: &Transaction<'_>,
        key: &Key,
    ) -> Result<Claimed, StoreError> {
        writer::claim(transaction, &stored(key), self.options)
    }

    /// Marks the work as done in a transaction of yours, which holds its effects.
    ///
    /// The epoch may come from [`claim_in`](Self::claim_in) in the same transaction, or
    /// from a lease that was claimed before: then the effects are written exactly once
    /// too, as a lease that was taken over ends in `lease_lost`.
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`; roll back then.
    pub fn commit_in(
        &self,
        transaction: &Transaction<'_>,
        key: &Key,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        writer::commit(transaction, &stored(key), epoch, self.options)
    }

    /// Removes of the next 1,000 keys those whose time is over, and says how many. It is
    /// done by itself, every 256 commits.
    ///
    /// Errors: `store_unavailable`.
    pub async fn clean_up(&self) -> Result<u64, StoreError> {
        match self.ask(Verb::CleanUp).await? {
            Answer::Removed(rows) => Ok(rows),
            _ => Ok(0),
        }
    }

    async fn ask(&self, verb: Verb) -> Result<Answer, StoreError> {
        let (reply, mut answer) = oneshot::channel();
        self.jobs
            .try_send(Job { verb, reply })
            .map_err(|error| match error {
                TrySendError::Full(_) => unavailable("too many calls wait for the writer"),
                TrySendError::Disconnected(_) => unavailable("the writer has ended"),
            })?;
        if let Some(answered) = self.pace.awake(|| answer.try_recv().ok()) {
            return answered;
        }
        let answered = async {
            let ended = |_| Err(unavailable("the writer has ended"));
            answer.await.unwrap_or_else(ended)
        };
        within(self.options.timeout(), answered).await
    }
}

impl Store for SqliteStore {
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.ask(Verb::Ready).await.map(drop) })
    }

    fn in_transaction(&self) -> Option<InTransaction> {
        let sql = Self::STATEMENTS;
        let statements = [sql.claim, sql.standing, sql.commit];
        Some(InTransaction::new("sqlite", statements, self.options))
    }

    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            match self.ask(Verb::Claim(stored(&key).into_owned())).await? {
                Answer::Claimed(claimed) => Ok(claimed.into_claim(self, key)),
                _ => Err(unavailable("the writer answered something else")),
            }
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let verb = Verb::Commit(stored(key).into_owned(), epoch);
        Box::pin(async move { self.ask(verb).await.map(drop) })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let verb = Verb::Release(stored(key).into_owned(), epoch);
        Box::pin(async move { self.ask(verb).await.map(drop) })
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let verb = Verb::Renew(stored(key).into_owned(), epoch);
        Box::pin(async move { self.ask(verb).await.map(drop) })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
