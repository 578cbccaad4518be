//! A store in a process that may be forked: connections and threads belong to one.

use std::sync::Arc;

use velora_core::dedupe::{Epoch, InTransaction, StoreFuture};
use velora_core::{Claim, Key, Lease, Store, StoreError};

use crate::errors::Result;
use crate::process::PerProcess;

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
