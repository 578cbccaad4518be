//! Claims in a SQLite file, for the processes of one host.

#[cfg(feature = "sqlite")]
mod bundled;
mod driver;
mod pace;
mod rest;
mod sql;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use tokio::sync::oneshot;

pub use driver::{SqliteConnection, SqliteDriver, SqliteFault};
use pace::Pace;
pub use rest::Resting;
use rest::Wanted;
pub use sql::SqliteStatements;
use writer::{Answer, Asked, Job, Verb, Writer};

use super::Key;
use super::durable::{on_tokio, unavailable, within_or};
use super::in_transaction::InTransaction;
use super::open::refused;
use super::store::{Claim, Epoch, Store, StoreFuture, StoreOptions};
use crate::error::{ConfigError, StoreError};

/// How many calls may wait for the writer; one more is `store_unavailable`.
const WAITING: usize = 1_024;

/// A [`Store`] in a SQLite file, for any number of processes on one host (feature `sqlite`,
/// or `sqlite-driver` for a copy of SQLite that your program already has).
///
/// # What it promises
///
/// What was committed survives a crash of the process and of the machine: the file is
/// in WAL mode with `synchronous=FULL`. Handlers run at least once, and bookkeeping is
/// fenced; with [`claim_in`](Self::claim_in), or [`commit_in`](Self::commit_in) alone,
/// what a handler writes into the same file is written exactly once.
///
/// The file must be on a local disk: SQLite's locks do not work on network file systems,
/// nor between two copies of SQLite within one process. If the program opens the file with
/// a copy other than `rusqlite`'s, pass that copy to the store as a [`SqliteDriver`]. Do
/// not delete or replace the file while it is in use: processes that have it open keep
/// using the old one. The host's clock decides when a lease expires.
///
/// One thread holds the only connection. Calls that wait for it share one transaction, and
/// therefore one write to the disk. Needs a tokio runtime with time.
///
/// # Tables and privileges
///
/// Created at the first call:
///
/// | | |
/// |---|---|
/// | `velora_dedupe_claims` | `key`, `epoch`, `state` (0 free, 1 claimed, 2 done), `until` in microseconds since 1970: one row per key |
/// | `velora_dedupe_epoch` | `last`: the last epoch, so that epochs keep growing when rows are removed; two triggers update it |
/// | `velora_dedupe_sweep` | `behind`, `last`: how far the clean-up has come |
/// | `velora_dedupe_version` | `version`: 1; tables of another version are not touched |
///
/// The process must be able to write to the file and to its folder, where SQLite keeps the
/// `-wal` and `-shm` files. After every 256 commits, a process checks the next 1,000 keys,
/// round and round, and removes those that have expired.
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
    rest: Arc<Wanted>,
}

impl SqliteStore {
    /// The SQL statements of the operations, for a connection of your own.
    pub const STATEMENTS: SqliteStatements = sql::STATEMENTS;

    /// A store in this file that uses your own copy of SQLite, 3.35 or newer. A relative path
    /// is resolved against the current folder now.
    pub fn driven_by(
        driver: impl SqliteDriver,
        path: impl AsRef<Path>,
        options: StoreOptions,
    ) -> Self {
        let path = absolute(path.as_ref());
        let (jobs, waiting) = sync_channel(WAITING);
        let (pace, rest) = <(Arc<Pace>, Arc<Wanted>)>::default();
        let (file, paced, rests) = (path.clone(), Arc::clone(&pace), Arc::clone(&rest));
        let write = move || Writer::new(driver, file, options, paced, rests).run(&waiting);
        // If the thread could not be started, nobody takes jobs, and every call fails.
        let _ = thread::Builder::new()
            .name("velora-dedupe".to_owned())
            .spawn(write);
        Self {
            path,
            options,
            jobs,
            pace,
            rest,
        }
    }

    /// The file that a URL of [`open_store`](crate::open_store) names, as an absolute path;
    /// `None` if the URL is for another kind of store.
    ///
    /// Errors: `invalid_option`.
    ///
    /// ```
    /// use std::path::PathBuf;
    /// use velora_core::dedupe::SqliteStore;
    ///
    /// let path = SqliteStore::path_of("sqlite:///var/lib/app/claims.db")?;
    /// assert_eq!(path, Some(PathBuf::from("/var/lib/app/claims.db")));
    /// assert_eq!(SqliteStore::path_of("memory:")?, None);
    /// # Ok::<(), velora_core::ConfigError>(())
    /// ```
    pub fn path_of(url: &str) -> Result<Option<PathBuf>, ConfigError> {
        let Some(rest) = url.strip_prefix("sqlite:") else {
            return Ok(None);
        };
        match rest.strip_prefix("//") {
            Some(":memory:") => Err(refused("use `memory:` for a store in memory")),
            // A trailing line break would name another file, with other claims.
            Some(path) if path.trim() != path => Err(refused(
                "percent-encode the white space at the ends of the path",
            )),
            Some(path) if !path.is_empty() && !path.contains('?') => {
                let path = percent_encoding::percent_decode_str(path)
                    .decode_utf8()
                    .map_err(|_| refused("the path is not UTF-8"))?;
                Ok(Some(absolute(path.as_ref().as_ref())))
            }
            _ => Err(refused("it must be `sqlite:///path/to/file`")),
        }
    }

    /// Closes the file, and makes calls wait until the returned value is dropped. SQLite must
    /// not be in use while a process forks, because the child would inherit locks that it
    /// does not hold.
    pub fn rest(&self) -> Resting {
        let (resting, pause) = Resting::wanted(&self.rest);
        // If the writer has ended, it holds nothing, and the pause is dropped.
        let _ = self.jobs.send(Job::Rest(pause));
        resting
    }

    /// Checks the next 1,000 keys, removes those that have expired, and returns how many. The
    /// store does this by itself after every 256 commits.
    ///
    /// Errors: `store_full`, `store_unavailable`.
    pub async fn clean_up(&self) -> Result<u64, StoreError> {
        match self.ask(Verb::CleanUp).await? {
            Answer::Removed(rows) => Ok(rows),
            _ => Ok(0),
        }
    }

    async fn ask(&self, verb: Verb) -> Result<Answer, StoreError> {
        on_tokio()?;
        let (reply, mut answer) = oneshot::channel();
        self.jobs
            .try_send(Job::Ask(Asked { verb, reply }))
            .map_err(|error| match error {
                TrySendError::Full(_) => unavailable("too many calls are waiting"),
                TrySendError::Disconnected(_) => unavailable("the writer has ended"),
            })?;
        if let Some(answered) = self.pace.awake(|| answer.try_recv().ok()) {
            return answered;
        }
        let answered = async {
            let ended = |_| Err(unavailable("the writer has ended"));
            answer.await.unwrap_or_else(ended)
        };
        // Whoever waits gives up before the writer, which would know that the file is locked.
        let late = "it did not answer in time; another connection may keep the file locked";
        within_or(self.options.timeout(), late, answered).await
    }
}

impl Store for SqliteStore {
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.ask(Verb::Ready).await.map(drop) })
    }

    fn close(&self) {
        let (_resting, pause) = Resting::wanted(&self.rest);
        // If the queue is full, the store is in use.
        let _ = self.jobs.try_send(Job::Rest(pause));
    }

    fn in_transaction(&self) -> Option<InTransaction> {
        Some(sql::in_transaction(self.options))
    }

    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            match self.ask(Verb::Claim(key.clone())).await? {
                Answer::Claimed(claimed) => Ok(claimed.into_claim(self, key)),
                _ => Err(unavailable("unexpected answer from the writer")),
            }
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let verb = Verb::Commit(key.clone(), epoch);
        Box::pin(async move { self.ask(verb).await.map(drop) })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let verb = Verb::Release(key.clone(), epoch);
        Box::pin(async move { self.ask(verb).await.map(drop) })
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let verb = Verb::Renew(key.clone(), epoch);
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

/// Makes a path absolute: the current folder may change before the file is opened again.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
