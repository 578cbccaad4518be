//! Work that a caller waits for, or awaits; and streams of it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::future::{Either, select};
use futures_util::stream::{BoxStream, StreamExt};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::sync::mpsc;
use velora_core::{ApiError, ApiErrorKind};

use crate::errors::Failure;
use crate::process::{block_on, runtime};

/// How a result becomes a Python value, once Python can be asked for one.
type Answer = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

type Job = Pin<Box<dyn Future<Output = PyResult<Answer>> + Send>>;

/// One piece of work, not begun yet: `wait()` for it, or await its `future()`.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Call(Mutex<Option<Job>>);

impl Call {
    /// Work of the core, and how to show what it gives.
    pub(crate) fn new<T, E, F>(work: F, show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>) -> Self
    where
        T: Send + 'static,
        E: Into<Failure>,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        Self::of(async move {
            let value = work.await.map_err(|error| PyErr::from(error.into()))?;
            Ok(move |py: Python<'_>| show(py, value))
        })
    }

    /// Work that calls back into Python, and fails with what is raised there.
    pub(crate) fn of<A>(job: impl Future<Output = PyResult<A>> + Send + 'static) -> Self
    where
        A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let job = async move { Ok(Box::new(job.await?) as Answer) };
        Self(Mutex::new(Some(Box::pin(job))))
    }

    fn take(&self) -> PyResult<Job> {
        let mut job = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        job.take()
            .ok_or_else(|| PyRuntimeError::new_err("this call was made already"))
    }
}

#[pymethods]
impl Call {
    /// Does the work while this thread waits.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut job = self.take()?;
        match begun(py, &mut job)? {
            Poll::Ready(answer) => answer?(py),
            Poll::Pending => block_on(py, job)??(py),
        }
    }

    /// Does the work in the background; the result is an `asyncio.Future` of the loop
    /// that is running. Cancelling it ends the work.
    fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = running_loop(py)?;
        let future = event_loop.call_method0("create_future")?;
        let mut job = self.take()?;
        if let Poll::Ready(answer) = begun(py, &mut job)? {
            resolve(&future, answer)?;
            return Ok(future);
        }
        let (event_loop, resolving) = (event_loop.unbind(), future.clone().unbind());
        let task = runtime()?.spawn(async move {
            let answer = job.await;
            Python::attach(|py| {
                let done = Resolve(Mutex::new(Some((resolving, answer))));
                // A loop that was closed meanwhile has nobody to tell.
                let _ = event_loop.call_method1(py, "call_soon_threadsafe", (done,));
            });
        });
        let stop = Stop(task.abort_handle());
        future.call_method1("add_done_callback", (stop,))?;
        Ok(future)
    }
}

/// A first look, which settles whatever needs no waiting.
fn begun(py: Python<'_>, job: &mut Job) -> PyResult<Poll<PyResult<Answer>>> {
    let runtime = runtime()?;
    Ok(py.detach(|| {
        let _entered = runtime.enter();
        job.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }))
}

fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RUNNING.import(py, "asyncio", "get_running_loop")?.call0()
}

fn resolve(future: &Bound<'_, PyAny>, answer: PyResult<Answer>) -> PyResult<()> {
    let py = future.py();
    if future.call_method0("done")?.is_truthy()? {
        return Ok(());
    }
    match answer.and_then(|answer| answer(py)) {
        Ok(value) => future.call_method1("set_result", (value,))?,
        Err(error) => future.call_method1("set_exception", (error.into_value(py),))?,
    };
    Ok(())
}

/// Called by the event loop, in its own thread.
#[pyclass(frozen)]
struct Resolve(Mutex<Option<(Py<PyAny>, PyResult<Answer>)>>);

#[pymethods]
impl Resolve {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match taken {
            Some((future, answer)) => resolve(future.bind(py), answer),
            None => Ok(()),
        }
    }
}

/// Called when the future is done: if it was cancelled, the work is not wanted any more.
#[pyclass(frozen)]
struct Stop(tokio::task::AbortHandle);

#[pymethods]
impl Stop {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        self.0.abort();
    }
}

/// Items one after the other, `None` at the end. They are read ahead in the background,
/// from the first one that is asked for on.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Stream(Arc<tokio::sync::Mutex<State>>);

enum State {
    Idle(BoxStream<'static, PyResult<Answer>>),
    Running {
        owner: u32,
        items: mpsc::Receiver<PyResult<Answer>>,
    },
    Ended,
}

impl Stream {
    /// A stream of the core, and how to show each item.
    pub(crate) fn new<T, E, S>(items: S, show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>) -> Self
    where
        T: Send + 'static,
        E: Into<Failure>,
        S: futures_util::Stream<Item = Result<T, E>> + Send + 'static,
    {
        let items = items.map(move |item| {
            let value = item.map_err(|error| PyErr::from(error.into()))?;
            Ok(Box::new(move |py: Python<'_>| show(py, value)) as Answer)
        });
        Self(Arc::new(tokio::sync::Mutex::new(State::Idle(
            items.boxed(),
        ))))
    }
}

#[pymethods]
impl Stream {
    /// The next item, or `None`. After an error it is `None`.
    fn next(&self) -> Call {
        let state = Arc::clone(&self.0);
        Call::of(async move {
            let item = state.lock().await.next().await?;
            Ok(item.unwrap_or_else(|| Box::new(|py: Python<'_>| Ok(py.None()))))
        })
    }

    /// Ends it, and what is still being read.
    fn close(&self) {
        if let Ok(mut state) = self.0.try_lock() {
            *state = State::Ended;
        }
    }
}

impl State {
    async fn next(&mut self) -> PyResult<Option<Answer>> {
        if let Self::Idle(_) = self
            && let Self::Idle(items) = std::mem::replace(self, Self::Ended)
        {
            *self = Self::begin(items);
        }
        match self {
            Self::Running { owner, .. } if *owner != process::id() => Err(forked()),
            Self::Running { items, .. } => items.recv().await.transpose(),
            Self::Idle(_) | Self::Ended => Ok(None),
        }
    }

    fn begin(mut items: BoxStream<'static, PyResult<Answer>>) -> Self {
        let (give, taken) = mpsc::channel(1);
        tokio::spawn(async move {
            // Where nobody listens any more, what is being read is given up.
            while let Either::Left((Some(item), _)) =
                select(items.next(), pin!(give.closed())).await
                && give.send(item).await.is_ok()
            {}
        });
        Self::Running {
            owner: process::id(),
            items: taken,
        }
    }
}

fn forked() -> PyErr {
    let reason = "it was begun before this process was forked";
    Failure::from(ApiError::new(ApiErrorKind::Connection, reason)).into()
}

/// Shows nothing but that it is done.
pub(crate) fn show_nothing(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}
