//! Items one after the other, read ahead in the background.

use std::future::{Future, ready};
use std::iter;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::future::{Either, select};
use futures_util::stream::{self, BoxStream, StreamExt};
use pyo3::prelude::*;
use tokio::sync::{Mutex, Notify, mpsc};
use velora_core::{ApiError, ApiErrorKind};

use crate::call::{Call, Report, Trouble};
use crate::errors::{Failure, Result};

/// Converts an item to a Python value. May run several times, because Python may raise.
type Item = Box<dyn Fn(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
type Read = std::result::Result<Next, Trouble>;
type Items = BoxStream<'static, Read>;

/// The next part of a stream.
enum Next {
    Item(Item),
    /// A report, due before the items that follow are returned.
    Report(Report),
}

/// Items one after the other. Once the first one is requested, they are read ahead in the
/// background.
///
/// Waiting and taking are separate steps: a caller that waits for an item may be cancelled
/// between its arrival and its receipt, and must not have taken it then. Python has only a
/// handle on the stream; a `Taker` takes the items.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Stream {
    about: Arc<About>,
    state: Arc<Mutex<State>>,
    /// Whether it never ends by itself, so that closing it is a regular end.
    endless: bool,
}

/// The state that is read without the lock.
#[derive(Default)]
struct About {
    /// The process that started it; 0 before. A process that was forked since may have
    /// inherited the lock, held by a thread that does not exist there.
    owner: AtomicU32,
    closed: AtomicBool,
    closing: Notify,
}

struct State {
    source: Source,
    /// What was read and not yet returned. An error stays here, so that a failed stream never
    /// looks as if it had ended.
    ready: Option<std::result::Result<Item, Trouble>>,
    /// A report that was read before it and not yet delivered.
    report: Option<Report>,
}

enum Source {
    Idle(Box<dyn FnOnce() -> Result<Items> + Send>),
    /// `None` is the end; a channel that is dropped is not.
    Running(mpsc::Receiver<Option<Read>>),
    Ended,
}

impl Stream {
    /// A function that creates a stream of the core that has an end, and how to convert each
    /// item. The stream is created in the process that requests the first item.
    pub(crate) fn new<T, E, S>(
        make: impl FnOnce() -> Result<S> + Send + 'static,
        show: fn(Python<'_>, &T) -> PyResult<Py<PyAny>>,
    ) -> Self
    where
        T: Send + 'static,
        E: Into<Failure> + 'static,
        S: futures_util::Stream<Item = std::result::Result<T, E>> + Send + 'static,
    {
        let (_, nothing) = mpsc::unbounded_channel();
        Self::reporting(make, nothing, show)
    }

    /// The same for a stream with progress reports. Whoever takes the items receives them; if
    /// that raises, the stream ends.
    pub(crate) fn reporting<T, E, S>(
        make: impl FnOnce() -> Result<S> + Send + 'static,
        mut reports: mpsc::UnboundedReceiver<Report>,
        show: fn(Python<'_>, &T) -> PyResult<Py<PyAny>>,
    ) -> Self
    where
        T: Send + 'static,
        E: Into<Failure> + 'static,
        S: futures_util::Stream<Item = std::result::Result<T, E>> + Send + 'static,
    {
        let make = move || -> Result<Items> {
            let items = make()?.map(move |item| -> Read {
                let value = item?;
                Ok(Next::Item(Box::new(move |py| show(py, &value))))
            });
            let items = AssertUnwindSafe(items).catch_unwind();
            let items = items.map(|item| item.map_err(Trouble::panicked)?);
            // The last report may come after the last item.
            let items = items.map(Some).chain(stream::once(ready(None)));
            let items = items.flat_map(move |item| {
                let told = iter::from_fn(|| reports.try_recv().ok());
                let told: Vec<_> = told.map(|report| Ok(Next::Report(report))).collect();
                stream::iter(told.into_iter().chain(item))
            });
            Ok(items.boxed())
        };
        Self {
            about: Arc::default(),
            state: Arc::new(Mutex::new(State {
                source: Source::Idle(Box::new(make)),
                ready: None,
                report: None,
            })),
            endless: false,
        }
    }

    /// The same for a stream that goes on until it is closed.
    pub(crate) fn endless(self) -> Self {
        Self {
            endless: true,
            ..self
        }
    }
}

/// The result of taking an item.
pub(crate) enum Taken {
    /// An item was handed over, or a report delivered: there may be more.
    One,
    End,
    /// Try again once this call is done.
    Later(Call),
}

impl Stream {
    /// Hands the next item over to `keep`. After an error it returns the same error again. A
    /// stream that was closed before its end is incomplete: `connection`.
    pub(crate) fn take(
        &self,
        py: Python<'_>,
        keep: impl FnOnce(Py<PyAny>) -> PyResult<()>,
    ) -> PyResult<Taken> {
        self.about.check_owner()?;
        // If a handler raises, no item is lost.
        py.check_signals()?;
        if self.about.closed.load(Ordering::SeqCst) {
            return self.end_of_closed(py);
        }
        if let Ok(mut state) = self.state.try_lock()
            && state.is_ready()
        {
            let Some(report) = state.report.take() else {
                return state.give(py, keep);
            };
            // A function of the caller's may request the next item.
            drop(state);
            report(py).inspect_err(|_| self.close())?;
            return Ok(Taken::One);
        }
        let (about, state) = (Arc::clone(&self.about), Arc::clone(&self.state));
        let waiting = async move {
            about.unless_closed(made_ready(&about, state)).await;
            Ok(|py: Python<'_>| Ok(py.None()))
        };
        Ok(Taken::Later(Call::of(waiting)))
    }

    /// Closes the stream, and stops reading.
    pub(crate) fn close(&self) {
        self.about.closed.store(true, Ordering::SeqCst);
        self.about.closing.notify_waiters();
    }

    fn end_of_closed(&self, py: Python<'_>) -> PyResult<Taken> {
        let state = self.state.try_lock();
        let (failed, ended) = match state.as_deref() {
            Ok(State {
                ready,
                report,
                source,
            }) => match ready {
                Some(Err(trouble)) => (Some(trouble.raised(py)), false),
                Some(Ok(_)) => (None, false),
                None => (None, report.is_none() && matches!(source, Source::Ended)),
            },
            Err(_) => (None, false),
        };
        match failed {
            Some(error) => Err(error),
            None if self.endless || ended => Ok(Taken::End),
            None => Err(Failure::from(cut("it was closed before its end")).into()),
        }
    }
}

impl About {
    fn check_owner(&self) -> Result<()> {
        match self.owner.load(Ordering::SeqCst) {
            0 => Ok(()),
            owner if owner == process::id() => Ok(()),
            _ => Err(cut("it was started before this process was forked").into()),
        }
    }

    /// Runs the work until the stream is closed.
    async fn unless_closed(&self, work: impl Future<Output = ()>) {
        let mut closing = pin!(self.closing.notified());
        closing.as_mut().enable();
        if !self.closed.load(Ordering::SeqCst) {
            select(pin!(work), closing).await;
        }
    }
}

async fn made_ready(about: &Arc<About>, state: Arc<Mutex<State>>) {
    let mut state = state.lock().await;
    if !state.is_ready() {
        match state.source.next(about).await {
            Some(Ok(Next::Item(item))) => state.ready = Some(Ok(item)),
            Some(Ok(Next::Report(report))) => state.report = Some(report),
            Some(Err(trouble)) => state.ready = Some(Err(trouble)),
            None => {}
        }
    }
}

/// Why the rest of the stream is missing.
fn cut(reason: &'static str) -> ApiError {
    ApiError::new(ApiErrorKind::Connection, reason)
}

impl State {
    fn is_ready(&self) -> bool {
        self.ready.is_some() || self.report.is_some() || matches!(self.source, Source::Ended)
    }

    /// An item is removed only once somebody has it.
    fn give(
        &mut self,
        py: Python<'_>,
        keep: impl FnOnce(Py<PyAny>) -> PyResult<()>,
    ) -> PyResult<Taken> {
        match &self.ready {
            Some(Ok(item)) => keep(item(py)?)?,
            Some(Err(trouble)) => return Err(trouble.raised(py)),
            None => return Ok(Taken::End),
        }
        self.ready = None;
        Ok(Taken::One)
    }
}

impl Source {
    async fn next(&mut self, about: &Arc<About>) -> Option<Read> {
        if let Self::Idle(_) = self
            && let Self::Idle(make) = std::mem::replace(self, Self::Ended)
        {
            let items = match make() {
                Ok(items) => items,
                Err(failure) => return Some(Err(Trouble::Failed(failure))),
            };
            let (give, taken) = mpsc::channel(1);
            let reading = Arc::clone(about);
            tokio::spawn(async move { reading.unless_closed(read_ahead(items, give)).await });
            about.owner.store(process::id(), Ordering::SeqCst);
            *self = Self::Running(taken);
        }
        let Self::Running(items) = self else {
            return None;
        };
        let item = match items.recv().await {
            Some(item) => item,
            // Closing the stream stops reading, too.
            None if about.closed.load(Ordering::SeqCst) => return None,
            None => Some(Err(Trouble::Panicked)),
        };
        if item.is_none() {
            *self = Self::Ended;
        }
        item
    }
}

/// Reads ahead while there is room, and sends `None` at the end.
async fn read_ahead(mut items: Items, give: mpsc::Sender<Option<Read>>) {
    loop {
        // If nobody listens any more, reading stops.
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
