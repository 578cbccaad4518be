//! Waiting and working on tokio.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::{BoxFuture, Runtime};
use crate::clock::{Clock, SystemClock, UnixTime};

/// The tokio runtime that the client is called on. Time stands still where tokio's
/// does (`tokio::time::pause`), but for the wall clock.
///
/// # Panics
///
/// A call panics in a runtime that was built without its drivers (`enable_all`). Outside of a
/// runtime it is `invalid_request`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioRuntime;

impl Clock for TokioRuntime {
    fn now(&self) -> UnixTime {
        SystemClock.now()
    }

    fn monotonic(&self) -> Duration {
        // Tests run many runtimes, paused ones too, whose clocks differ.
        static START: OnceLock<std::time::Instant> = OnceLock::new();
        let start = *START.get_or_init(std::time::Instant::now);
        Instant::now().into_std().saturating_duration_since(start)
    }
}

impl Runtime for TokioRuntime {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        // Outside of a runtime the work is dropped, which its waiter is told.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(work);
        }
    }

    fn is_running(&self) -> bool {
        Handle::try_current().is_ok()
    }
}
