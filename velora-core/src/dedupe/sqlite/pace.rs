//! When a caller and the writer wait for each other awake.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// Several wake-ups of a thread, and no more than a task of an asynchronous runtime may
/// keep its thread from others.
const AWAKE: Duration = Duration::from_micros(250);

/// Whether the disk answers about as fast as a thread wakes up. Then two wake-ups a call
/// would cost as much as the write itself, and whoever waits stays awake for a moment.
#[derive(Default)]
pub(super) struct Pace {
    quick: AtomicBool,
}

impl Pace {
    /// Does the work of a transaction, with one caller who waits for it or with more. Of
    /// more each would keep a thread from its work.
    pub(super) fn measure(&self, alone: bool, work: impl FnOnce()) {
        let start = SystemClock.monotonic();
        work();
        let took = SystemClock.monotonic().saturating_sub(start);
        self.quick.store(alone && took < AWAKE, Ordering::Relaxed);
    }

    /// What comes in a moment; `None` if it does not, or is not expected to.
    pub(super) fn awake<T>(&self, mut poll: impl FnMut() -> Option<T>) -> Option<T> {
        if !self.quick.load(Ordering::Relaxed) {
            return None;
        }
        let end = SystemClock.monotonic().saturating_add(AWAKE);
        while SystemClock.monotonic() < end {
            let polled = poll();
            if polled.is_some() {
                return polled;
            }
            thread::yield_now();
        }
        None
    }
}
