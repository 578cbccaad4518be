//! A store in a process that may fork: connections and threads belong to one process.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};
use std::{fs, mem};

use pyo3::prelude::*;
use velora_core::dedupe::{Epoch, InTransaction, Resting, SqliteStore, StoreFuture};
use velora_core::{Claim, Key, Lease, Store, StoreError, StoreOptions};

use crate::errors::{Failure, Result};
use crate::process::{KeptOut, PerProcess, keep_out, lock, patiently};
use crate::sqlite::Sqlite;

/// A store that each forked process opens anew.
pub(crate) struct Forked(PerProcess<Arc<dyn Store>>);

impl Forked {
    /// Opens a store at once, without connecting yet.
    pub(crate) fn new(
        open: impl Fn() -> Result<Arc<dyn Store>> + Send + Sync + 'static,
    ) -> Result<Self> {
        PerProcess::new(open).map(Self)
    }

    fn get(&self) -> std::result::Result<Arc<dyn Store>, StoreError> {
        self.0.get().map_err(Failure::of_store)
    }
}

impl Store for Forked {
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.get()?.ready().await })
    }

    fn close(&self) {
        if let Ok(store) = self.get() {
            store.close();
        }
    }

    fn in_transaction(&self) -> Option<InTransaction> {
        self.get().ok()?.in_transaction()
    }

    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            Ok(match self.get()?.claim(key.clone()).await? {
                Claim::Fresh(lease) => Claim::Fresh(Lease::new(self, key, lease.epoch())),
                Claim::InFlight { retry_after } => Claim::InFlight { retry_after },
                Claim::Done => Claim::Done,
            })
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.get()?.commit(key, epoch).await })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.get()?.release(key, epoch).await })
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.get()?.renew(key, epoch).await })
    }
}

static FILES: Mutex<Files> = Mutex::new(Files {
    stores: Vec::new(),
    inherited: Vec::new(),
});

struct Files {
    /// The stores whose files are closed while the process forks.
    stores: Vec<Weak<SqliteStore>>,
    /// The files that were open when this process was forked. If SQLite was at work then, its
    /// memory here has locks that this process does not hold.
    inherited: Vec<Inode>,
}

/// A store in a file, by Python's own SQLite.
///
/// It may wait for a fork, so the thread must be detached from Python.
///
/// Errors: `store_unavailable` if the file was open at the fork.
pub(crate) fn in_file(
    sqlite: Sqlite,
    path: &Path,
    options: StoreOptions,
) -> Result<Arc<SqliteStore>> {
    let mut files = lock(&FILES);
    if inode(path).is_some_and(|inode| files.inherited.contains(&inode)) {
        let reason = "its file was open when this process was forked".to_owned();
        return Err(StoreError::Unavailable { reason }.into());
    }
    let store = Arc::new(SqliteStore::driven_by(sqlite, path, options));
    files.stores.retain(|store| store.strong_count() > 0);
    files.stores.push(Arc::downgrade(&store));
    Ok(store)
}

/// What is held from the beginning of a fork to its end, in one thread, so that no thread that
/// is missing in the child holds one of these locks.
struct Fork {
    resting: Vec<Resting>,
    files: MutexGuard<'static, Files>,
    kept_out: KeptOut,
}

thread_local! {
    static FORK: RefCell<Option<Fork>> = const { RefCell::new(None) };
}

/// For `os.register_at_fork`: SQLite must not be at work, and no thread may be attaching to
/// Python.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    let stores: Vec<_> = patiently(py, &FILES)
        .stores
        .iter()
        .filter_map(Weak::upgrade)
        .collect();
    let resting = py.detach(|| {
        let resting: Vec<_> = stores.iter().map(|store| store.rest()).collect();
        let end = Instant::now() + PATIENCE;
        for resting in &resting {
            // If a file was not closed in time, the child will notice.
            let _ = resting.is_closed_within(end.saturating_duration_since(Instant::now()));
        }
        keep_out();
        resting
    });
    FORK.set(Some(Fork {
        resting,
        files: patiently(py, &FILES),
        kept_out: KeptOut::now(py),
    }));
}

/// How long a slow disk may take to finish a write.
const PATIENCE: Duration = Duration::from_secs(3);

/// In the parent.
#[pyfunction]
pub(crate) fn after_fork() {
    if let Some(fork) = FORK.take() {
        fork.kept_out.let_in();
    }
}

/// In the child, which has none of the threads.
#[pyfunction]
pub(crate) fn after_fork_in_child(py: Python<'_>) {
    // Some servers fork by themselves, and tell Python only afterwards.
    let (resting, mut files, kept_out) = match FORK.take() {
        Some(fork) => (fork.resting, fork.files, fork.kept_out),
        None => (Vec::new(), patiently(py, &FILES), KeptOut::now(py)),
    };
    mem::forget(resting);
    kept_out.forget();
    files.stores.clear();
    files.inherited.extend(open_files());
}

type Inode = (u64, u64);

#[cfg(unix)]
fn inode(path: &Path) -> Option<Inode> {
    use std::os::unix::fs::MetadataExt;

    let file = fs::metadata(path).ok()?;
    file.is_file().then(|| (file.dev(), file.ino()))
}

/// There is no fork on this platform.
#[cfg(not(unix))]
fn inode(_: &Path) -> Option<Inode> {
    None
}

fn open_files() -> impl Iterator<Item = Inode> {
    let open = fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    open.filter_map(|file| inode(&file.path()))
}
