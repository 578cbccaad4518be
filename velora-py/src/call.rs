//! Work that a caller waits for, or awaits.
//!
//! The work runs on the runtime's threads, which do not touch Python: what it gives, and
//! what it has to report, is shown in the thread that waits or by the event loop.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::AbortHandle;

use crate::errors::{Failure, internal};
use crate::process::{attached, glance, runtime};

/// How long Ctrl-C waits at most.
const SIGNALS: Duration = Duration::from_millis(50);

/// How a result becomes a Python value.
type Answer = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// Something to tell a function of the caller's.
pub(crate) type Report = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// Why there is no result. It becomes an exception where Python is at hand.
pub(crate) enum Trouble {
    Failed(Failure),
    Raised(PyErr),
    Panicked,
}

impl<E: Into<Failure>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Trouble> for PyErr {
    fn from(trouble: Trouble) -> Self {
        Python::attach(|py| trouble.raised(py))
    }
}

impl Trouble {
    /// A new exception each time: one that is kept would keep the frames that it passed.
    pub(crate) fn raised(&self, py: Python<'_>) -> PyErr {
        match self {
            Self::Failed(failure) => failure.clone().into(),
            Self::Raised(error) => error.clone_ref(py),
            Self::Panicked => internal(py),
        }
    }

    pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Self {
        Self::Panicked
    }
}

type Outcome = Result<Answer, Trouble>;

type Job = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One piece of work, not begun yet: `wait()` for it, or await its `future()`.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Call(Mutex<Option<Work>>);

struct Work {
    job: Job,
    reports: Option<UnboundedReceiver<Report>>,
}

impl Call {
    /// Work of the core, and how to show what it gives.
    pub(crate) fn new<T, E, F>(work: F, show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>) -> Self
    where
        T: Send + 'static,
        E: Into<Failure> + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        Self::of(shown(work, show))
    }

    /// The same work, with what it has to report on the way.
    pub(crate) fn reporting<T, E, F>(
        work: F,
        reports: UnboundedReceiver<Report>,
        show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
    ) -> Self
    where
        T: Send + 'static,
        E: Into<Failure> + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        Self::made(shown(work, show), Some(reports))
    }

    pub(crate) fn of<A>(job: impl Future<Output = Result<A, Trouble>> + Send + 'static) -> Self
    where
        A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        Self::made(job, None)
    }

    fn made<A>(
        job: impl Future<Output = Result<A, Trouble>> + Send + 'static,
        reports: Option<UnboundedReceiver<Report>>,
    ) -> Self
    where
        A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let job = AssertUnwindSafe(job).catch_unwind().map(|done| {
            let answer = done.map_err(Trouble::panicked)??;
            Ok(Box::new(answer) as Answer)
        });
        Self(Mutex::new(Some(Work {
            job: Box::pin(job),
            reports,
        })))
    }

    fn take(&self) -> PyResult<Work> {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work.take()
            .ok_or_else(|| PyRuntimeError::new_err("this call was made already"))
    }
}

async fn shown<T, E>(
    work: impl Future<Output = Result<T, E>>,
    show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
) -> Result<impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send, Trouble>
where
    T: Send,
    E: Into<Failure> + 'static,
{
    let value = work.await?;
    Ok(move |py: Python<'_>| show(py, value))
}

#[pymethods]
impl Call {
    /// Does the work while this thread waits.
    pub(crate) fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut work = self.take()?;
        if let Poll::Ready(outcome) = work.look(py)? {
            return outcome?(py);
        }
        let (tell, told) = channel();
        let task = work.run(move |event| tell.send(event).is_ok())?;
        let outcome = py.detach(move || heard(told));
        // Whatever ended the waiting: the work is not wanted any more.
        task.abort();
        outcome??(py)
    }

    /// Does the work in the background; the result is an `asyncio.Future` of the loop
    /// that is running. Cancelling it ends the work.
    fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = running_loop(py)?;
        let future = event_loop.call_method0("create_future")?;
        let mut work = self.take()?;
        if let Poll::Ready(outcome) = work.look(py)? {
            resolve(&future, outcome)?;
            return Ok(future);
        }
        let (event_loop, resolving) = (event_loop.unbind(), future.clone().unbind());
        let task = work.run(move |event| {
            let told = attached(|py| {
                let step = Step {
                    future: resolving.clone_ref(py),
                    event: Mutex::new(Some(event)),
                };
                // A loop that was closed meanwhile has nobody to tell.
                event_loop.call_method1(py, "call_soon_threadsafe", (step,))
            });
            matches!(told, Some(Ok(_)))
        })?;
        future.call_method1("add_done_callback", (Stop(task),))?;
        Ok(future)
    }
}

/// What happens to work under way.
enum Event {
    Report(Report),
    Done(Outcome),
}

impl Work {
    /// A first look, which settles whatever needs no waiting.
    fn look(&mut self, py: Python<'_>) -> PyResult<Poll<Outcome>> {
        let runtime = runtime()?;
        let job = &mut self.job;
        Ok(py.detach(|| {
            let _entered = runtime.enter();
            job.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        }))
    }

    /// Goes on in the background. `tell` says whether anybody still listens.
    fn run(self, tell: impl Fn(Event) -> bool + Send + Sync + 'static) -> PyResult<AbortHandle> {
        let Self { mut job, reports } = self;
        let task = async move {
            let Some(mut reports) = reports else {
                tell(Event::Done(job.await));
                return;
            };
            let outcome = loop {
                match select(Box::pin(reports.recv()), job.as_mut()).await {
                    Either::Left((Some(report), _)) => {
                        if !tell(Event::Report(report)) {
                            return;
                        }
                    }
                    Either::Left((None, job)) => break job.await,
                    Either::Right((outcome, _)) => break outcome,
                }
            };
            while let Ok(report) = reports.try_recv() {
                tell(Event::Report(report));
            }
            tell(Event::Done(outcome));
        };
        Ok(runtime()?.spawn(task).abort_handle())
    }
}

/// Listens, without Python, until the work is done, or a report or a signal's handler
/// raises, as that of Ctrl-C does.
fn heard(told: Receiver<Event>) -> PyResult<Outcome> {
    loop {
        match told.recv_timeout(SIGNALS) {
            Ok(Event::Done(outcome)) => return Ok(outcome),
            Ok(Event::Report(report)) => Python::attach(report)?,
            Err(RecvTimeoutError::Timeout) => glance(|py| py.check_signals())?,
            Err(RecvTimeoutError::Disconnected) => return Ok(Err(Trouble::Panicked)),
        }
    }
}

fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RUNNING.import(py, "asyncio", "get_running_loop")?.call0()
}

fn resolve(future: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
    let py = future.py();
    if future.call_method0("done")?.is_truthy()? {
        return Ok(());
    }
    match outcome.map_err(PyErr::from).and_then(|answer| answer(py)) {
        Ok(value) => future.call_method1("set_result", (value,))?,
        Err(error) => future.call_method1("set_exception", (error.into_value(py),))?,
    };
    Ok(())
}

/// Called by the event loop, in its own thread.
#[pyclass(frozen)]
struct Step {
    future: Py<PyAny>,
    event: Mutex<Option<Event>>,
}

#[pymethods]
impl Step {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let event = self
            .event
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let future = self.future.bind(py);
        match event {
            Some(Event::Done(outcome)) => resolve(future, outcome),
            Some(Event::Report(report)) => match report(py) {
                Ok(()) => Ok(()),
                Err(error) => resolve(future, Err(Trouble::Raised(error))),
            },
            None => Ok(()),
        }
    }
}

/// Called when the future is done: whatever is still under way is not wanted any more.
#[pyclass(frozen)]
struct Stop(AbortHandle);

#[pymethods]
impl Stop {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        self.0.abort();
    }
}

/// Shows nothing but that it is done.
pub(crate) fn show_nothing(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}
