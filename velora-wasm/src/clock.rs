//! The host's clocks, with the times that it last passed in.

use std::cell::Cell;
use std::time::Duration;

use velora_core::{Clock, UnixTime};

use crate::verifier::instant;

thread_local! {
    static NOW: Cell<f64> = const { Cell::new(0.0) };
    static MONOTONIC: Cell<f64> = const { Cell::new(0.0) };
}

/// In milliseconds since 1970.
#[cfg(feature = "client")]
pub(crate) fn set(now: f64) {
    NOW.set(now);
}

/// In milliseconds, of a clock that never goes back.
pub(crate) fn tick(monotonic: f64) {
    MONOTONIC.set(monotonic);
}

#[derive(Clone, Copy)]
pub(crate) struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> UnixTime {
        instant(NOW.get())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros((MONOTONIC.get() * 1e3) as u64)
    }
}
