//! Work that a caller waits for, or awaits.
//!
//! The work runs on the runtime's threads, which do not touch Python. Its result, its progress
//! reports and its calls of the caller's functions are handled by the thread that waits, or by
//! the event loop.

use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::AbortHandle;

use crate::errors::{Failure, internal};
use crate::process::{attached, glance, runtime};

/// The longest time until Ctrl-C takes effect.
const SIGNALS: Duration = Duration::from_millis(50);

/// Converts a result to a Python value.
type Answer = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// A report to a function of the caller's.
pub(crate) type Report = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// A call of one of the caller's functions. If it raises, the work ends.
type Question = Box<dyn FnOnce(Python<'_>, Caller) -> PyResult<()> + Send>;

/// Where a function of the caller's is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// In the thread that waits: nobody would await what the function returns.
    Thread,
    /// In the event loop.
    Loop,
}

thread_local! {
    /// The questions of the work that is being polled.
    static ASKED: RefCell<Vec<Question>> = const { RefCell::new(Vec::new()) };
}

/// Asks a question from within the work of a call. The answer must wake the work.
pub(crate) fn ask(question: impl FnOnce(Python<'_>, Caller) -> PyResult<()> + Send + 'static) {
    ASKED.with_borrow_mut(|asked| asked.push(Box::new(question)));
}

/// Why there is no result. It becomes an exception once a thread is attached to Python.
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
    /// A new exception each time: a kept one would keep the frames that it passed alive.
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

/// A piece of work that has not begun yet: `wait()` for it, or await its `future()`.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Call(Mutex<Option<Work>>);

struct Work {
    job: Job,
    reports: Option<UnboundedReceiver<Report>>,
}

impl Call {
    /// Work of the core, and how to convert its result.
    pub(crate) fn new<T, E, F>(work: F, show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>) -> Self
    where
        T: Send + 'static,
        E: Into<Failure> + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        Self::of(shown(work, show))
    }

    /// The same, with progress reports.
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
            .ok_or_else(|| PyRuntimeError::new_err("this call has already been made"))
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
    /// Runs the work while this thread waits.
    pub(crate) fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut work = self.take()?;
        if let Some(outcome) = work.look(py, Caller::Thread)? {
            return outcome?(py);
        }
        let (tell, told) = channel();
        let task = work.run(move |event| tell.send(event).is_ok())?;
        let outcome = py.detach(move || heard(told));
        // However the wait ended, the work is no longer wanted.
        task.abort();
        outcome??(py)
    }

    /// Runs the work in the background, and returns an `asyncio.Future` of the running loop.
    /// Cancelling it ends the work.
    fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = running_loop(py)?;
        let future = event_loop.call_method0("create_future")?;
        let mut work = self.take()?;
        if let Some(outcome) = work.look(py, Caller::Loop)? {
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
                // If the loop was closed meanwhile, there is nobody to tell.
                event_loop.call_method1(py, "call_soon_threadsafe", (step,))
            });
            matches!(told, Some(Ok(_)))
        })?;
        future.call_method1("add_done_callback", (Stop(task),))?;
        Ok(future)
    }
}

/// Work in progress.
enum Event {
    Report(Report),
    Question(Question),
    Done(Outcome),
}

impl Work {
    /// Polls once, which is enough if nothing needs to wait.
    fn look(&mut self, py: Python<'_>, caller: Caller) -> PyResult<Option<Outcome>> {
        let runtime = runtime()?;
        loop {
            let job = &mut self.job;
            let looked = py.detach(|| {
                let _entered = runtime.enter();
                polled(job, &mut Context::from_waker(Waker::noop()))
            });
            let asked = match looked {
                ControlFlow::Break(outcome) => return Ok(Some(outcome)),
                ControlFlow::Continue(asked) => asked,
            };
            if asked.is_empty() {
                return Ok(None);
            }
            for question in asked {
                question(py, caller)?;
            }
        }
    }

    /// Continues in the background. `tell` returns whether anybody still listens.
    fn run(self, tell: impl Fn(Event) -> bool + Send + Sync + 'static) -> PyResult<AbortHandle> {
        let Self {
            mut job,
            mut reports,
        } = self;
        let task = poll_fn(move |context| {
            let mut reported = || match &mut reports {
                Some(reports) => reports.poll_recv(context),
                None => Poll::Ready(None),
            };
            while let Poll::Ready(Some(report)) = reported() {
                if !tell(Event::Report(report)) {
                    return Poll::Ready(());
                }
            }
            let outcome = match polled(&mut job, context) {
                ControlFlow::Break(outcome) => outcome,
                ControlFlow::Continue(asked) => {
                    let mut asked = asked.into_iter().map(Event::Question);
                    return match asked.all(&tell) {
                        true => Poll::Pending,
                        false => Poll::Ready(()),
                    };
                }
            };
            // The last reports came with the outcome.
            while let Some(Ok(report)) = reports.as_mut().map(UnboundedReceiver::try_recv) {
                tell(Event::Report(report));
            }
            tell(Event::Done(outcome));
            Poll::Ready(())
        });
        Ok(runtime()?.spawn(task).abort_handle())
    }
}

/// The state of the work; if it waits, its questions.
fn polled(job: &mut Job, context: &mut Context<'_>) -> ControlFlow<Outcome, Vec<Question>> {
    match job.as_mut().poll(context) {
        Poll::Ready(outcome) => {
            // Questions left over from this work must not reach other work.
            ASKED.take();
            ControlFlow::Break(outcome)
        }
        Poll::Pending => ControlFlow::Continue(ASKED.take()),
    }
}

/// Waits, detached from Python, until the work is done, or until a report or a signal handler
/// (such as that of Ctrl-C) raises.
fn heard(told: Receiver<Event>) -> PyResult<Outcome> {
    loop {
        match told.recv_timeout(SIGNALS) {
            Ok(Event::Done(outcome)) => return Ok(outcome),
            Ok(Event::Report(report)) => Python::attach(report)?,
            Ok(Event::Question(question)) => Python::attach(|py| question(py, Caller::Thread))?,
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

/// Called by the event loop, in the loop's thread.
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
        // Nothing more is asked for work that was cancelled, or that a report ended.
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        let told = match event {
            Some(Event::Done(outcome)) => return resolve(future, outcome),
            Some(Event::Report(report)) => report(py),
            Some(Event::Question(question)) => question(py, Caller::Loop),
            None => return Ok(()),
        };
        told.or_else(|error| resolve(future, Err(Trouble::Raised(error))))
    }
}

/// Called when the future is done: work that is still in progress is no longer wanted.
#[pyclass(frozen)]
struct Stop(AbortHandle);

#[pymethods]
impl Stop {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        self.0.abort();
    }
}

/// Returns `None` once it is done.
pub(crate) fn show_nothing(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}
