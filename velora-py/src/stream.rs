//! Items one after the other, read ahead in the background.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::future::{Either, select};
use futures_util::stream::{BoxStream, StreamExt};
use pyo3::prelude::*;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, mpsc};
use velora_core::{ApiError, ApiErrorKind};

use crate::call::{Call, Outcome, Trouble};
use crate::errors::{Failure, Result};

type Items = BoxStream<'static, Outcome>;

/// Items one after the other, `None` at the end. They are read ahead in the background,
/// from the first one that is asked for on.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Stream {
    about: Arc<About>,
    state: Arc<Mutex<State>>,
}

/// What is looked at without the lock.
#[derive(Default)]
struct About {
    /// The process that began it; 0 before. One that was forked since may have inherited
    /// the lock in the hands of a thread that it does not have.
    owner: AtomicU32,
    closed: AtomicBool,
    closing: Notify,
}

struct State {
    source: Source,
    /// An item that was read and not yet given: whoever waited for it may have been
    /// cancelled meanwhile.
    ready: Option<Outcome>,
    /// What it failed with: it never looks as if it had come to its end.
    failed: Option<PyErr>,
}

enum Source {
    Idle(Box<dyn FnOnce() -> Result<Items> + Send>),
    /// `None` is the end; a channel that breaks off is none.
    Running(mpsc::Receiver<Option<Outcome>>),
    Ended,
}

impl Stream {
    /// What makes a stream of the core, and how to show each item. It is made in the
    /// process that asks for the first item.
    pub(crate) fn new<T, E, S>(
        make: impl FnOnce() -> Result<S> + Send + 'static,
        show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
    ) -> Self
    where
        T: Send + 'static,
        E: Into<Failure> + 'static,
        S: futures_util::Stream<Item = std::result::Result<T, E>> + Send + 'static,
    {
        let make = move || -> Result<Items> {
            let items = make()?.map(move |item| -> Outcome {
                let value = item?;
                Ok(Box::new(move |py: Python<'_>| show(py, value)))
            });
            let items = AssertUnwindSafe(items).catch_unwind();
            let items = items.map(|item| item.map_err(Trouble::panicked)?);
            Ok(items.boxed())
        };
        Self {
            about: Arc::default(),
            state: Arc::new(Mutex::new(State {
                source: Source::Idle(Box::new(make)),
                ready: None,
                failed: None,
            })),
        }
    }
}

#[pymethods]
impl Stream {
    /// The next item, or `None`. After an error it is that error again.
    fn next(&self) -> Call {
        let (about, state) = (Arc::clone(&self.about), Arc::clone(&self.state));
        Call::of(async move {
            about.check_owner()?;
            let mut state = about.unless_closed(made_ready(&about, state)).await?;
            // Nobody else comes in before this has been shown, or given up.
            Ok(move |py: Python<'_>| match &mut state {
                Some(state) => state.give(py),
                None => Ok(py.None()),
            })
        })
    }

    /// Ends it, and what is still being read. Whoever waits for an item gets none.
    fn close(&self) {
        self.about.closed.store(true, Ordering::SeqCst);
        self.about.closing.notify_waiters();
        if let Ok(mut state) = self.state.try_lock() {
            state.source = Source::Ended;
            state.ready = None;
        }
    }
}

impl About {
    fn check_owner(&self) -> std::result::Result<(), Trouble> {
        match self.owner.load(Ordering::SeqCst) {
            0 => Ok(()),
            owner if owner == process::id() => Ok(()),
            _ => {
                let reason = "it was begun before this process was forked";
                Err(ApiError::new(ApiErrorKind::Connection, reason).into())
            }
        }
    }

    /// The work's result; `None` where the stream is closed, or is meanwhile.
    async fn unless_closed<T, E>(
        &self,
        work: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<Option<T>, E> {
        let mut closing = pin!(self.closing.notified());
        closing.as_mut().enable();
        if self.closed.load(Ordering::SeqCst) {
            return Ok(None);
        }
        match select(pin!(work), closing).await {
            Either::Left((done, _)) => done.map(Some),
            Either::Right(_) => Ok(None),
        }
    }
}

async fn made_ready(
    about: &About,
    state: Arc<Mutex<State>>,
) -> std::result::Result<OwnedMutexGuard<State>, Trouble> {
    let mut state = state.lock_owned().await;
    if state.ready.is_none() && state.failed.is_none() {
        state.ready = state.source.next(about).await;
    }
    Ok(state)
}

impl State {
    fn give(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match (self.ready.take(), &self.failed) {
            (Some(item), _) => {
                let shown = item.map_err(PyErr::from).and_then(|item| item(py));
                self.failed = shown.as_ref().err().map(|error| error.clone_ref(py));
                shown
            }
            (None, Some(error)) => Err(error.clone_ref(py)),
            (None, None) => Ok(py.None()),
        }
    }
}

impl Source {
    async fn next(&mut self, about: &About) -> Option<Outcome> {
        if let Self::Idle(_) = self
            && let Self::Idle(make) = std::mem::replace(self, Self::Ended)
        {
            let items = match make() {
                Ok(items) => items,
                Err(failure) => return Some(Err(Trouble::Failed(failure))),
            };
            let (give, taken) = mpsc::channel(1);
            tokio::spawn(read_ahead(items, give));
            about.owner.store(process::id(), Ordering::SeqCst);
            *self = Self::Running(taken);
        }
        let Self::Running(items) = self else {
            return None;
        };
        let item = items.recv().await.unwrap_or(Some(Err(Trouble::Panicked)));
        if item.is_none() {
            *self = Self::Ended;
        }
        item
    }
}

/// Reads on while there is room, and says by `None` that the end was reached.
async fn read_ahead(mut items: Items, give: mpsc::Sender<Option<Outcome>>) {
    loop {
        // Where nobody listens any more, what is being read is given up.
        let item = match select(items.next(), pin!(give.closed())).await {
            Either::Left((item, _)) => item,
            Either::Right(_) => return,
        };
        let ended = item.is_none();
        if give.send(item).await.is_err() || ended {
            return;
        }
    }
}
