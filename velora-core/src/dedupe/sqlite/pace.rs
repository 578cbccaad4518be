//! Decides when a caller and the writer wait for each other without sleeping.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// The longest time to stay awake: worth several wake-ups of a thread, but no more than a task
/// may block its thread in an asynchronous runtime.
const AWAKE: Duration = Duration::from_micros(250);

/// Whether the disk is about as fast as the wake-up of a thread. If so, two wake-ups per call
/// would cost as much as the write itself, so whoever waits stays awake for a moment.
#[derive(Default)]
pub(super) struct Pace {
    quick: AtomicBool,
}

impl Pace {
    /// Does the work of a transaction, and notes whether it was quick. If several callers wait
    /// for it, they should sleep: each would keep a thread busy.
    pub(super) fn measure(&self, alone: bool, work: impl FnOnce()) {
        let start = SystemClock.monotonic();
        work();
        let took = SystemClock.monotonic().saturating_sub(start);
        self.quick.store(alone && took < AWAKE, Ordering::Relaxed);
    }

    /// Polls for a moment; `None` if nothing comes, or nothing is expected to come that soon.
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
