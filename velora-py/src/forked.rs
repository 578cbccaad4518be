//! A store in a process that may be forked: connections and threads belong to one.

use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use pyo3::prelude::*;
use velora_core::dedupe::{Epoch, InTransaction, Resting, SqliteStore, StoreFuture};
use velora_core::{Claim, Key, Lease, Store, StoreError, StoreOptions};

use crate::errors::Result;
use crate::process::{PerProcess, attached, forget_visits, lock};
use crate::sqlite::Sqlite;

/// A store that each process opens anew.
pub(crate) struct Forked(PerProcess<Arc<dyn Store>>);

impl Forked {
    /// Opens one at once, which connects to nothing yet.
    pub(crate) fn new(
        open: impl Fn() -> Result<Arc<dyn Store>> + Send + Sync + 'static,
    ) -> Result<Self> {
        PerProcess::new(open).map(Self)
    }

    fn get(&self) -> std::result::Result<Arc<dyn Store>, StoreError> {
        // What could be opened once can be opened again.
        self.0.get().map_err(|_| StoreError::Unavailable {
            reason: "it cannot be opened in a process that was forked".to_owned(),
        })
    }
}

impl Store for Forked {
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.get()?.ready().await })
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

/// The stores in files, which rest while the process forks.
static FILES: Mutex<Vec<Weak<SqliteStore>>> = Mutex::new(Vec::new());
static RESTING: Mutex<Vec<Resting>> = Mutex::new(Vec::new());

/// A store in a file, by Python's own SQLite.
pub(crate) fn in_file(sqlite: Sqlite, path: &Path, options: StoreOptions) -> Arc<SqliteStore> {
    let store = Arc::new(SqliteStore::driven_by(sqlite, path, options));
    // A fork has Python's lock too: it leaves no child with this one taken.
    attached(|_| {
        let mut files = lock(&FILES);
        files.retain(|file| file.strong_count() > 0);
        files.push(Arc::downgrade(&store));
    });
    store
}

/// For `os.register_at_fork`: SQLite must not be under way.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    let stores: Vec<_> = lock(&FILES).iter().filter_map(Weak::upgrade).collect();
    // Each closes its connection by Python.
    let resting: Vec<_> = py.detach(|| stores.iter().map(|store| store.rest()).collect());
    lock(&RESTING).extend(resting);
}

/// In the process that goes on.
#[pyfunction]
pub(crate) fn after_fork() {
    lock(&RESTING).clear();
}

/// In the new one, which has none of the threads.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    forget_visits();
    mem::forget(mem::take(&mut *lock(&RESTING)));
    lock(&FILES).clear();
}
