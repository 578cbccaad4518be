//! Holds the calls of a client back after a 429, for as long as the system asked.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Method;

/// No response can hold a client back for longer.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Until when the calls of a client are held back, by the monotonic clock.
///
/// The systems limit reads and writes separately, so a 429 to one kind does not hold back the
/// other. Reads are `GET`.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<Opens>);

#[derive(Debug, Default)]
struct Opens {
    reads: Duration,
    writes: Duration,
}

impl Opens {
    fn of(&mut self, method: Method) -> &mut Duration {
        match method {
            Method::Get => &mut self.reads,
            _ => &mut self.writes,
        }
    }
}

impl Gate {
    /// The system asked for this delay at `now`. A later, shorter delay does not shorten an
    /// earlier one.
    pub(crate) fn shut(&self, method: Method, now: Duration, delay: Duration) {
        let mut opens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let opens = opens.of(method);
        *opens = now.saturating_add(delay.min(DAY)).max(*opens);
    }

    /// How much longer calls are held back.
    pub(crate) fn left(&self, method: Method, now: Duration) -> Duration {
        let mut opens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opens.of(method).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_delay_counts_and_none_is_over_a_day() {
        let second = Duration::from_secs(1);
        let gate = Gate::default();
        let left = |method, at: u32| gate.left(method, second * at);
        assert_eq!(left(Method::Get, 0), Duration::ZERO);
        gate.shut(Method::Get, second, second * 5);
        gate.shut(Method::Get, second * 2, second);
        assert_eq!(
            (left(Method::Get, 2), left(Method::Get, 7)),
            (second * 4, Duration::ZERO)
        );
        for method in [Method::Post, Method::Patch, Method::Delete] {
            assert_eq!(left(method, 2), Duration::ZERO);
        }
        gate.shut(Method::Patch, second, Duration::MAX);
        assert_eq!((left(Method::Post, 1), left(Method::Delete, 1)), (DAY, DAY));
    }
}
