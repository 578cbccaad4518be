//! Pauses during which the file is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

/// As long as this value exists, a [`SqliteStore`](super::SqliteStore) keeps its file closed,
/// and calls wait. See [`SqliteStore::rest`](super::SqliteStore::rest).
#[derive(Debug)]
#[must_use = "the store goes on where this is dropped"]
pub struct Resting {
    closed: Receiver<()>,
    _until: Sender<()>,
    wanted: Arc<Wanted>,
}

impl Resting {
    /// Waits until the file is closed, and returns `false` if that takes longer than `limit`.
    /// Waiting for a lock is given up at once, so only a slow disk takes long.
    #[must_use]
    pub fn is_closed_within(&self, limit: Duration) -> bool {
        // If the writer has ended, it holds nothing.
        self.closed.recv_timeout(limit) != Err(RecvTimeoutError::Timeout)
    }

    /// The caller's end and the writer's end of a pause.
    pub(super) fn wanted(wanted: &Arc<Wanted>) -> (Self, Pause) {
        let ((says, closed), (_until, over)) = (sync_channel(1), channel());
        wanted.0.fetch_add(1, Ordering::Relaxed);
        let wanted = Arc::clone(wanted);
        let resting = Self {
            closed,
            _until,
            wanted,
        };
        (resting, Pause { says, over })
    }
}

impl Drop for Resting {
    fn drop(&mut self) {
        self.wanted.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many pauses are requested.
#[derive(Debug, Default)]
pub(super) struct Wanted(AtomicUsize);

impl Wanted {
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// The writer's end of a pause.
pub(super) struct Pause {
    says: SyncSender<()>,
    over: Receiver<()>,
}

impl Pause {
    /// Reports that the file is closed, and waits until it may be opened again.
    pub(super) fn keep(self) {
        let _ = self.says.send(());
        let _ = self.over.recv();
    }
}
