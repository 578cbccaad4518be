//! State of one process: threads and connections do not survive a fork.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{mem, process};

use arc_swap::ArcSwap;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use tokio::runtime::{Builder, Runtime};

use crate::errors::Result;

/// The runtime of this process, which lives as long as the process. The runtime of the parent
/// is left alone after a fork, because its threads do not exist here.
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

/// How many of our threads are attached to Python, and whether they may attach. A thread that is
/// attached when the interpreter exits crashes the process, and one that is attaching when the
/// process forks leaves a lock of Python's held.
static VISITS: Mutex<Visits> = Mutex::new(Visits {
    inside: 0,
    short: 0,
    glances: 0,
    forks: 0,
    over: false,
});
static CHANGED: Condvar = Condvar::new();

struct Visits {
    inside: usize,
    /// Those of them that call no function of the caller's, and thus finish soon.
    short: usize,
    /// Threads of the caller's that check for signals.
    glances: usize,
    forks: usize,
    over: bool,
}

/// How long to wait for attached threads at most.
const FAREWELL: Duration = Duration::from_secs(2);

/// Attaches one of our threads to Python; `None` once the interpreter is about to exit.
pub(crate) fn attached<R>(visit: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    let _visit = Visit::begin(0)?;
    Some(Python::attach(visit))
}

/// The same if no function of the caller's is called: the interpreter's exit waits for it,
/// however long a disk takes.
pub(crate) fn attached_shortly<R>(visit: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    let _visit = Visit::begin(1)?;
    Some(Python::attach(visit))
}

/// Attaches a waiting thread of the caller's to Python for a moment, unless the interpreter is
/// about to exit. The thread may itself fork there.
pub(crate) fn glance(at: impl FnOnce(Python<'_>) -> PyResult<()>) -> PyResult<()> {
    let mut visits = lock(&VISITS);
    if visits.over {
        return Ok(());
    }
    visits.glances = visits.glances.saturating_add(1);
    drop(visits);
    let _glance = Glance;
    Python::attach(at)
}

struct Glance;

impl Drop for Glance {
    fn drop(&mut self) {
        let mut visits = lock(&VISITS);
        visits.glances = visits.glances.saturating_sub(1);
        CHANGED.notify_all();
    }
}

struct Visit {
    short: usize,
}

impl Visit {
    fn begin(short: usize) -> Option<Self> {
        let forking = |visits: &mut Visits| visits.forks > 0 && !visits.over;
        let waited = CHANGED.wait_while(lock(&VISITS), forking);
        let mut visits = waited.unwrap_or_else(PoisonError::into_inner);
        if visits.over {
            return None;
        }
        visits.inside = visits.inside.saturating_add(1);
        visits.short = visits.short.saturating_add(short);
        Some(Self { short })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut visits = lock(&VISITS);
        visits.inside = visits.inside.saturating_sub(1);
        visits.short = visits.short.saturating_sub(self.short);
        CHANGED.notify_all();
    }
}

/// For `atexit`: none of our threads attaches to Python any more.
#[pyfunction]
pub(crate) fn end_visits(py: Python<'_>) {
    py.detach(|| {
        let mut visits = lock(&VISITS);
        visits.over = true;
        let ended = CHANGED.wait_while(visits, |visits| visits.short > 0);
        let visits = ended.unwrap_or_else(PoisonError::into_inner);
        // A thread that waits for ever, in a function of the caller's, is left behind.
        let any = |visits: &mut Visits| visits.inside > 0 || visits.glances > 0;
        let _left = CHANGED.wait_timeout_while(visits, FAREWELL, any);
    });
}

/// Keeps our threads out of Python, and waits for those that are attached. The calling thread
/// must be detached, so that they can finish.
pub(crate) fn keep_out() {
    let mut visits = lock(&VISITS);
    visits.forks = visits.forks.saturating_add(1);
    let _left = CHANGED.wait_timeout_while(visits, FAREWELL, |visits| visits.inside > 0);
}

/// Proof that our threads are kept out, and that none of them has the lock.
pub(crate) struct KeptOut(MutexGuard<'static, Visits>);

impl KeptOut {
    /// After [`keep_out`].
    pub(crate) fn now(py: Python<'_>) -> Self {
        Self(patiently(py, &VISITS))
    }

    pub(crate) fn let_in(mut self) {
        self.0.forks = self.0.forks.saturating_sub(1);
        CHANGED.notify_all();
    }

    /// In a forked process, which has none of these threads.
    pub(crate) fn forget(mut self) {
        (self.0.inside, self.0.short) = (0, 0);
        (self.0.glances, self.0.forks) = (0, 0);
    }
}

/// A value that is created anew in a forked process. Nothing here waits for a lock, because a
/// thread that is missing in the new process could hold it.
pub(crate) struct PerProcess<T> {
    make: Box<dyn Fn() -> Result<T> + Send + Sync>,
    slot: ArcSwap<Slot<T>>,
}

struct Slot<T> {
    owner: u32,
    value: OnceLock<T>,
}

impl<T> Slot<T> {
    fn empty() -> Arc<Self> {
        Arc::new(Self {
            owner: process::id(),
            value: OnceLock::new(),
        })
    }
}

impl<T: Clone> PerProcess<T> {
    /// Creates the value at once, so that errors show here.
    pub(crate) fn new(make: impl Fn() -> Result<T> + Send + Sync + 'static) -> Result<Self> {
        let made = Self {
            make: Box::new(make),
            slot: ArcSwap::new(Slot::empty()),
        };
        made.get()?;
        Ok(made)
    }

    pub(crate) fn get(&self) -> Result<T> {
        let slot = self.ours();
        if let Some(value) = slot.value.get() {
            return Ok(value.clone());
        }
        // If two threads create one at the same time, the first one is used.
        let value = (self.make)()?;
        Ok(slot.value.get_or_init(|| value).clone())
    }

    fn ours(&self) -> Arc<Slot<T>> {
        let slot = self.slot.load_full();
        if slot.owner == process::id() {
            return slot;
        }
        // Its connections are still in use by the parent process.
        mem::forget(Arc::clone(&slot));
        self.slot.compare_and_swap(&slot, Slot::empty());
        self.slot.load_full()
    }

    /// Drops the value; it is created anew when it is next needed.
    pub(crate) fn close(&self) {
        self.ours();
        self.slot.store(Slot::empty());
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same for a thread that is attached to Python. It detaches while it waits, because the
/// thread that has the lock may be waiting for Python.
pub(crate) fn patiently<'m, T>(py: Python<'_>, mutex: &'m Mutex<T>) -> MutexGuard<'m, T> {
    let locked = mutex.lock_py_attached(py);
    locked.unwrap_or_else(PoisonError::into_inner)
}
