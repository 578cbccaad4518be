//! What belongs to one process: threads and connections do not survive a fork.

use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::errors::Result;

/// The runtime of this process. It lives as long as the process does; that of the
/// process this one was forked from is left alone, as its threads are not here.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

pub(crate) fn runtime() -> PyResult<&'static Runtime> {
    let mut slot = lock(&RUNTIME);
    if let Some((owner, runtime)) = *slot
        && owner == process::id()
    {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("velora")
        .enable_all()
        .build()
        .map_err(|error| PyOSError::new_err(error.to_string()))?;
    let runtime = Box::leak(Box::new(runtime));
    *slot = Some((process::id(), runtime));
    Ok(runtime)
}

/// How many threads of the runtime are in Python, and whether they may come in at all: a
/// thread that is in Python when the interpreter ends brings the process down.
static VISITS: Mutex<Visits> = Mutex::new(Visits {
    inside: 0,
    over: false,
});
static LEFT: Condvar = Condvar::new();

struct Visits {
    inside: usize,
    over: bool,
}

/// How long the interpreter's end waits for those that are in Python.
const FAREWELL: Duration = Duration::from_secs(2);

/// Python, for a thread of the runtime; `None` once the interpreter is about to end.
pub(crate) fn attached<R>(visit: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    let _visit = Visit::begin()?;
    Some(Python::attach(visit))
}

struct Visit;

impl Visit {
    fn begin() -> Option<Self> {
        let mut visits = lock(&VISITS);
        if visits.over {
            return None;
        }
        visits.inside = visits.inside.saturating_add(1);
        Some(Self)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut visits = lock(&VISITS);
        visits.inside = visits.inside.saturating_sub(1);
        LEFT.notify_all();
    }
}

/// For `atexit`: no thread of the runtime comes into Python any more.
#[pyfunction]
pub(crate) fn end_visits(py: Python<'_>) {
    py.detach(|| {
        let mut visits = lock(&VISITS);
        visits.over = true;
        // One that waits for ever, as a function of the caller's may, is left behind.
        let _left = LEFT.wait_timeout_while(visits, FAREWELL, |visits| visits.inside > 0);
    });
}

/// The threads that were in Python are not in this process, which was forked.
pub(crate) fn forget_visits() {
    lock(&VISITS).inside = 0;
}

/// Something that is made anew in a process that was forked.
pub(crate) struct PerProcess<T> {
    make: Box<dyn Fn() -> Result<T> + Send + Sync>,
    slot: Mutex<Option<(u32, T)>>,
}

impl<T: Clone> PerProcess<T> {
    /// Makes one at once, so that what is wrong with it shows here.
    pub(crate) fn new(make: impl Fn() -> Result<T> + Send + Sync + 'static) -> Result<Self> {
        let first = make()?;
        Ok(Self {
            make: Box::new(make),
            slot: Mutex::new(Some((process::id(), first))),
        })
    }

    pub(crate) fn get(&self) -> Result<T> {
        let mut slot = lock(&self.slot);
        match slot.take() {
            Some((owner, value)) if owner == process::id() => {
                *slot = Some((owner, value.clone()));
                Ok(value)
            }
            theirs => {
                // Its connections are still in use by the process it belongs to.
                std::mem::forget(theirs);
                let value = (self.make)()?;
                *slot = Some((process::id(), value.clone()));
                Ok(value)
            }
        }
    }

    /// Lets it go; it is made anew when it is next asked for.
    pub(crate) fn close(&self) {
        match lock(&self.slot).take() {
            Some((owner, theirs)) if owner != process::id() => std::mem::forget(theirs),
            _ => {}
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
