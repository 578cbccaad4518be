//! The one connection that all calls share, until it shows a fault.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::connection::{Address, Connection};
use super::fault;
use crate::error::StoreError;

pub(super) struct Shared {
    address: Address,
    current: Mutex<Arc<Slot>>,
}

/// One connection, as soon as a call needs it.
#[derive(Default)]
pub(super) struct Slot {
    connection: OnceCell<Connection>,
    before: Mutex<Option<Connection>>,
}

impl Shared {
    pub(super) fn new(address: Address) -> Self {
        let current = Mutex::default();
        Self { address, current }
    }

    pub(super) fn current(&self) -> Arc<Slot> {
        Arc::clone(&lock(&self.current))
    }

    /// The connection in this slot. Of those who need it at once, one opens it.
    pub(super) async fn connect<'s>(&self, slot: &'s Slot) -> Result<&'s Connection, StoreError> {
        let open = async || {
            let opened = match self.address.open().await {
                Ok(opened) => opened,
                Err(error) => return lock(&slot.before).take().ok_or_else(|| fault(error)),
            };
            opened.check().await?;
            *lock(&slot.before) = None;
            Ok(opened)
        };
        slot.connection.get_or_try_init(open).await
    }

    /// The next call opens a new one: what calls of this slot met with is no answer, and
    /// what is at the other end may never give one again. Whoever comes later with the same
    /// fault finds the new one, and leaves it alone.
    pub(super) fn replace(&self, faulty: &Arc<Slot>) {
        let mut current = lock(&self.current);
        if Arc::ptr_eq(&current, faulty) {
            // Of a cluster the old one still serves the nodes that are well, should the one
            // that the URL names be the one that is not.
            let before = match faulty.connection.get() {
                Some(cluster @ Connection::Cluster(_)) => Some(cluster.clone()),
                _ => None,
            };
            *current = Arc::new(Slot {
                before: Mutex::new(before),
                ..Slot::default()
            });
        }
    }

    pub(super) fn close(&self) {
        *lock(&self.current) = Arc::default();
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
