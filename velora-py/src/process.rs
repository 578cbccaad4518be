//! What belongs to one process: threads and connections do not survive a fork.

use std::future::Future;
use std::pin::pin;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::errors::Result;

/// How long Ctrl-C waits at most.
const SIGNALS: Duration = Duration::from_millis(50);

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

/// Waits without holding up other threads, until it is done or a signal's handler
/// raises, as that of Ctrl-C does.
pub(crate) fn block_on<T: Send>(
    py: Python<'_>,
    work: impl Future<Output = T> + Send,
) -> PyResult<T> {
    let runtime = runtime()?;
    py.detach(|| {
        runtime.block_on(async {
            let mut work = pin!(work);
            loop {
                let tick = pin!(tokio::time::sleep(SIGNALS));
                match select(work.as_mut(), tick).await {
                    Either::Left((done, _)) => return Ok(done),
                    Either::Right(_) => Python::attach(|py| py.check_signals())?,
                }
            }
        })
    })
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
        lock(&self.slot).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
