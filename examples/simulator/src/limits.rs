//! Limits of requests over sliding windows.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many requests in any stretch of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The requests that pass.
    pub requests: u32,
    /// The stretch of time.
    pub window: Duration,
}

impl RateLimit {
    /// So many requests a minute.
    pub const fn per_minute(requests: u32) -> Self {
        Self {
            requests,
            window: Duration::from_secs(60),
        }
    }
}

/// The limits of each key; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimits {
    /// `GET` of the health system. Documented: 1,000 a minute.
    pub health_read: Option<RateLimit>,
    /// `POST` and `DELETE` of the health system. Documented: 200 a minute.
    pub health_write: Option<RateLimit>,
    /// `GET` of the billing system. Documented: 120 a minute.
    pub billing_read: Option<RateLimit>,
    /// `POST` of the billing system. Documented: 30 a minute.
    pub billing_write: Option<RateLimit>,
    /// The whole of the curae system. Not documented; 600 a minute here.
    pub curae: Option<RateLimit>,
    /// The whole of the TV system. Not documented; 100 a minute here.
    pub tv: Option<RateLimit>,
}

impl RateLimits {
    /// As the vendors document them.
    pub const fn documented() -> Self {
        Self {
            health_read: Some(RateLimit::per_minute(1_000)),
            health_write: Some(RateLimit::per_minute(200)),
            billing_read: Some(RateLimit::per_minute(120)),
            billing_write: Some(RateLimit::per_minute(30)),
            curae: Some(RateLimit::per_minute(600)),
            tv: Some(RateLimit::per_minute(100)),
        }
    }

    /// The same number of requests in another stretch of time, for tests in a hurry.
    #[must_use]
    pub fn within(self, window: Duration) -> Self {
        let other = |limit: Option<RateLimit>| limit.map(|limit| RateLimit { window, ..limit });
        Self {
            health_read: other(self.health_read),
            health_write: other(self.health_write),
            billing_read: other(self.billing_read),
            billing_write: other(self.billing_write),
            curae: other(self.curae),
            tv: other(self.tv),
        }
    }
}

/// The state of a key's limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) allowed: bool,
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Until the next request passes, or, when one would, until the window is empty.
    pub(crate) reset_in: Duration,
}

impl Standing {
    /// At least 1: a client that comes back after it must not be early.
    pub(crate) fn retry_after_secs(&self) -> u64 {
        self.reset_in.as_secs_f64().ceil().max(1.0) as u64
    }
}

#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<HashMap<String, VecDeque<Instant>>>);

impl Limiter {
    /// Counts one request of `key`, if it passes.
    pub(crate) fn take(&self, key: &str, limit: RateLimit) -> Standing {
        let now = Instant::now();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = keys.entry(key.to_owned()).or_default();
        while passed.front().is_some_and(|at| now - *at >= limit.window) {
            passed.pop_front();
        }
        let allowed = passed.len() < limit.requests as usize;
        if allowed {
            passed.push_back(now);
        }
        let full = passed.len() >= limit.requests as usize;
        let deciding = if full { passed.front() } else { passed.back() };
        let age = deciding.map_or(limit.window, |at| now - *at);
        Standing {
            allowed,
            limit: limit.requests,
            remaining: limit.requests.saturating_sub(passed.len() as u32),
            reset_in: limit.window.saturating_sub(age),
        }
    }
}
