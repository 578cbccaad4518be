//! Keeps calls within a rate limit of the system. Pure values, no I/O.

use std::collections::VecDeque;
use std::time::Duration;

/// At most `limit` sends in any period of this length.
#[derive(Debug)]
pub(super) struct Pace {
    limit: usize,
    window: Duration,
    /// The times of the latest sends, oldest first, at most `limit` of them.
    sent: VecDeque<Duration>,
}

impl Pace {
    pub(super) fn new(limit: usize, window: Duration) -> Self {
        Self {
            limit,
            window,
            sent: VecDeque::new(),
        }
    }

    /// How long to wait before the next send.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= self.limit => {
                oldest.saturating_add(self.window).saturating_sub(now)
            }
            _ => Duration::ZERO,
        }
    }

    /// Records a send that arrived at this time at the latest.
    pub(super) fn sent(&mut self, now: Duration) {
        self.sent.push_back(now);
        if self.sent.len() > self.limit {
            self.sent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_has_more_than_the_limit() {
        let (limit, window) = (30, Duration::from_secs(60));
        let mut pace = Pace::new(limit, window);
        let mut now = Duration::from_secs(1_000);
        let mut sent = Vec::new();
        for number in 0..200 {
            now += pace.wait(now);
            sent.push(now);
            now += Duration::from_millis(number % 7 * 100);
            pace.sent(now);
        }
        for (earlier, later) in sent.iter().zip(sent.iter().skip(limit)) {
            assert!(*later - *earlier >= window, "{earlier:?} {later:?}");
        }
        // No slower than necessary: six windows, and the time that the sends took.
        assert!(now - Duration::from_secs(1_000) < window * 7);
    }

    #[test]
    fn does_not_wait_below_the_limit() {
        let mut pace = Pace::new(2, Duration::from_secs(60));
        pace.sent(Duration::ZERO);
        assert_eq!(pace.wait(Duration::ZERO), Duration::ZERO);
        pace.sent(Duration::from_secs(1));
        assert_eq!(pace.wait(Duration::from_secs(2)), Duration::from_secs(58));
        assert_eq!(pace.wait(Duration::from_secs(60)), Duration::ZERO);
    }
}
