//! The events that are streamed, and the tokens that open a stream.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::TV_TOKEN;

/// An event as it goes over a stream.
#[derive(Clone, Debug)]
pub(crate) struct Streamed {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) data: String,
}

/// How open streams are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    End,
    Reset,
}

#[derive(Debug)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
    /// Raised by each event and each cut.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    /// The latest events; older ones cannot be resumed from.
    kept: VecDeque<Arc<Streamed>>,
    capacity: usize,
    pushed: u64,
    cuts: u64,
    last_cut: Cut,
    open: usize,
    /// Until when each token is valid; `None` means for ever.
    tokens: HashMap<String, Option<Instant>>,
}

impl Hub {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                kept: VecDeque::new(),
                capacity,
                pushed: 0,
                cuts: 0,
                last_cut: Cut::End,
                open: 0,
                tokens: HashMap::from([(TV_TOKEN.to_owned(), None)]),
            }),
            changes: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, event_type: &str, id: &str, envelope: &Value) {
        let mut inner = self.lock();
        let event = Streamed {
            number: inner.pushed,
            id: id.to_owned(),
            event_type: event_type.to_owned(),
            data: envelope.to_string(),
        };
        inner.pushed += 1;
        inner.kept.push_back(Arc::new(event));
        if inner.kept.len() > inner.capacity {
            inner.kept.pop_front();
        }
        drop(inner);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Ends all streams that are open now.
    pub(crate) fn cut(&self, how: Cut) {
        let mut inner = self.lock();
        inner.cuts += 1;
        inner.last_cut = how;
        drop(inner);
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(crate) fn add_token(&self, token: String, lifetime: Duration) {
        let until = Instant::now() + lifetime;
        self.lock().tokens.insert(token, Some(until));
    }

    pub(crate) fn expire(&self, token: &str) {
        self.lock().tokens.remove(token);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Whether it was issued and has not expired.
    pub(crate) fn is_good(&self, token: &str) -> bool {
        let until = self.lock().tokens.get(token).copied();
        until.is_some_and(|until| until.is_none_or(|until| Instant::now() < until))
    }

    pub(crate) fn open_streams(&self) -> usize {
        self.lock().open
    }

    /// A reader that starts after the event with this id; without an id, or if the event
    /// is no longer kept, after the latest.
    pub(crate) fn subscribe(self: &Arc<Self>, after: Option<&str>) -> Subscription {
        let mut inner = self.lock();
        inner.open += 1;
        let known = after.and_then(|after| inner.kept.iter().find(|event| event.id == after));
        Subscription {
            next: known.map_or(inner.pushed, |event| event.number + 1),
            cuts: inner.cuts,
            changes: self.changes.subscribe(),
            hub: Arc::clone(self),
        }
    }
}

/// What one stream reads from.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    changes: watch::Receiver<u64>,
    next: u64,
    cuts: u64,
}

impl Subscription {
    /// The events since the last call, or how the stream ends.
    pub(crate) fn take(&mut self) -> Result<Vec<Arc<Streamed>>, Cut> {
        let inner = self.hub.lock();
        if inner.cuts != self.cuts {
            return Err(inner.last_cut);
        }
        let new = inner.kept.iter().filter(|event| event.number >= self.next);
        let new: Vec<_> = new.cloned().collect();
        self.next = inner.pushed;
        Ok(new)
    }

    pub(crate) async fn changed(&mut self) {
        // Fails only if the hub is dropped, but `self` holds it.
        let _ = self.changes.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.lock().open -= 1;
    }
}
