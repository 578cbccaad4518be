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

/// How an item becomes a Python value: as often as it takes, for Python may raise meanwhile.
type Item = Box<dyn Fn(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
type Read = std::result::Result<Next, Trouble>;
type Items = BoxStream<'static, Read>;

/// What comes next.
enum Next {
    Item(Item),
    /// Something to tell before the items that follow are given.
    Report(Report),
}

/// Items one after the other. They are read ahead in the background, from the first one
/// that is asked for on.
///
/// To wait and to take are two steps: whoever waits for an item may be cancelled between its
/// arrival and its receipt, and must not have taken it then. Python has a handle on it alone;
/// a `Taker` takes.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Stream {
    about: Arc<About>,
    state: Arc<Mutex<State>>,
    /// Whether it has no end of its own, so that closing it is one.
    endless: bool,
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
    /// What was read and not yet given. An error stays here: a stream that failed never
    /// looks as if it had come to its end.
    ready: Option<std::result::Result<Item, Trouble>>,
    /// What was read before it and not yet told.
    report: Option<Report>,
}

enum Source {
    Idle(Box<dyn FnOnce() -> Result<Items> + Send>),
    /// `None` is the end; a channel that breaks off is none.
    Running(mpsc::Receiver<Option<Read>>),
    Ended,
}

impl Stream {
    /// What makes a stream of the core that has an end, and how to show each item. It is made
    /// in the process that asks for the first item.
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

    /// The same of one that has something to report while it gives items: who takes them is
    /// told, and what that raises ends it.
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
            // The last report may come when there is no item left.
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

    /// The same of one that goes on until it is closed.
    pub(crate) fn endless(self) -> Self {
        Self {
            endless: true,
            ..self
        }
    }
}

/// What taking an item has come to.
pub(crate) enum Taken {
    /// Something was handed over, or told: there may be more.
    One,
    End,
    /// Worth asking again once this is over.
    Later(Call),
}

impl Stream {
    /// Hands the next item over to what keeps it. After an error it is that error again. What
    /// was closed before its end is no whole list: `connection`.
    pub(crate) fn take(
        &self,
        py: Python<'_>,
        keep: impl FnOnce(Py<PyAny>) -> PyResult<()>,
    ) -> PyResult<Taken> {
        self.about.check_owner()?;
        // What a handler raises costs no item.
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
            // A function of the caller's may ask for the next item.
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

    /// Ends it, and what is still being read.
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

    /// Does the work, until the stream is closed.
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

/// Why the rest of it does not come.
fn cut(reason: &'static str) -> ApiError {
    ApiError::new(ApiErrorKind::Connection, reason)
}

impl State {
    fn is_ready(&self) -> bool {
        self.ready.is_some() || self.report.is_some() || matches!(self.source, Source::Ended)
    }

    /// An item is taken only once somebody has it.
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
            // Whoever closes it ends the reading, too.
            None if about.closed.load(Ordering::SeqCst) => return None,
            None => Some(Err(Trouble::Panicked)),
        };
        if item.is_none() {
            *self = Self::Ended;
        }
        item
    }
}

/// Reads on while there is room, and says by `None` that the end was reached.
async fn read_ahead(mut items: Items, give: mpsc::Sender<Option<Read>>) {
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
