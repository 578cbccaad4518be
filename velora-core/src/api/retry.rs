//! Whether to send again, and when: pure decisions over values.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use super::Response;
use crate::clock::UnixTime;
use crate::error::{ApiError, ConfigError};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often, and after what delay, a call is retried.
///
/// Defaults: 5 attempts; exponential backoff with full jitter, below 0.5 s, 1 s, 2 s and
/// 4 s (never above 20 s); a `Retry-After` of up to 60 s is honoured. After a 429, all calls
/// of the same kind wait for its `Retry-After`: all reads (`GET`) of the client if it
/// answered a read, otherwise all writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    attempts: u32,
    base: Duration,
    max_backoff: Duration,
    max_retry_delay: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(500),
            max_backoff: Duration::from_secs(20),
            max_retry_delay: Duration::from_secs(60),
        }
    }
}

impl RetryOptions {
    /// Sets how many requests a call may send, including the first.
    ///
    /// Errors: `invalid_option` if it is 0.
    pub fn with_attempts(self, attempts: u32) -> Result<Self, ConfigError> {
        if attempts == 0 {
            return Err(ConfigError::InvalidOption {
                option: "attempts",
                reason: "it must be at least 1",
            });
        }
        Ok(Self { attempts, ..self })
    }

    /// Sets the upper bound of the first wait, `base`. It doubles with each further wait, up
    /// to `max`, which is at most a day.
    #[must_use]
    pub fn with_backoff(self, base: Duration, max: Duration) -> Self {
        Self {
            base,
            max_backoff: max.min(DAY),
            ..self
        }
    }

    /// Sets the longest `Retry-After` that is waited for. If the system asks for more, a call
    /// that could be repeated fails at once with `rate_limited` and the delay in the error.
    /// After a 429, later calls of the same kind fail in the same way, without being sent,
    /// until the rest of the delay is short enough.
    #[must_use]
    pub fn with_max_retry_delay(self, max: Duration) -> Self {
        Self {
            max_retry_delay: max,
            ..self
        }
    }

    /// Whether the system asks for more patience than the caller has.
    pub(crate) fn is_too_long(&self, retry_after: Option<Duration>) -> bool {
        retry_after.is_some_and(|delay| delay > self.max_retry_delay)
    }

    /// A delay, limited to the longest wait.
    pub(crate) fn within_patience(&self, delay: Duration) -> Duration {
        delay.min(self.max_retry_delay)
    }

    /// The wait before the next attempt; `None` if there must be none. `random` decides the
    /// jitter.
    pub(crate) fn next_delay(
        &self,
        error: &ApiError,
        idempotent: bool,
        random: u64,
    ) -> Option<Duration> {
        let may_try = idempotent && error.is_retryable() && error.attempts() < self.attempts;
        if !may_try || self.is_too_long(error.retry_after()) {
            return None;
        }
        let backoff = self.backoff(error.attempts(), random);
        Some(backoff.max(error.retry_after().unwrap_or_default()))
    }

    /// The wait after this many failures in a row, regardless of any requested delay.
    pub(crate) fn backoff(&self, failures: u32, random: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let ceiling = self
            .base
            .saturating_mul(1 << doublings)
            .min(self.max_backoff);
        // 32 random bits as a share of the range: full jitter.
        let share = (random >> 32) as u32;
        let shares = ceiling.saturating_mul(share);
        shares.checked_div(u32::MAX).unwrap_or_default()
    }
}

/// The retry budget of all calls of a client: while a system is down, a busy client does not
/// add to its load.
///
/// A retry takes 5 tokens, and returns them if it succeeds; any other success returns 1. The
/// bucket holds 500.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 500;
    const RETRY: u32 = 5;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    /// Pays for one retry; `false` if there are too few tokens.
    pub(crate) fn take(&self) -> bool {
        let pay = |tokens: u32| tokens.checked_sub(Self::RETRY);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay)
            .is_ok()
    }

    /// Records a success, and whether it was a paid retry.
    pub(crate) fn succeeded(&self, paid: bool) {
        let refund = if paid { Self::RETRY } else { 1 };
        let fill = |tokens: u32| Some(tokens.saturating_add(refund).min(Self::FULL));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fill);
    }
}

/// The wait that a response asks for.
pub(crate) fn asked_delay(response: &Response, now: UnixTime) -> Option<Duration> {
    retry_after(
        response.header("Retry-After")?,
        response.header("Date"),
        now,
    )
}

/// Reads a `Retry-After`: seconds, or any of the three forms of an HTTP date. A date refers to
/// the system's clock, so it is compared with `date` if that is valid, because ours may be off.
/// A date in the past means no delay; an invalid value is `None`.
fn retry_after(value: &str, date: Option<&str>, now: UnixTime) -> Option<Duration> {
    let value = value.trim_ascii();
    if let Some(delay) = seconds(value) {
        return Some(delay);
    }
    let until = since_epoch(value)?;
    let now = date
        .and_then(since_epoch)
        .unwrap_or_else(|| Duration::from_millis(now.as_millis().max(0).unsigned_abs()));
    Some(until.saturating_sub(now))
}

/// An HTTP date, as the time since 1970.
pub(crate) fn since_epoch(date: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    date.duration_since(UNIX_EPOCH).ok()
}

/// Seconds in plain digits, perhaps with a fraction. More than fit are a very long time,
/// not no time.
pub(crate) fn seconds(value: &str) -> Option<Duration> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let (mut nanos, mut unit) = (0_u32, 1_000_000_000_u32);
    for digit in fraction.bytes().take(9) {
        unit /= 10;
        let digit = u32::from(digit.wrapping_sub(b'0'));
        nanos = nanos.wrapping_add(digit.wrapping_mul(unit));
    }
    Some(Duration::new(whole.parse().unwrap_or(u64::MAX), nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiErrorKind;

    const NOW: UnixTime = UnixTime::from_secs(784_111_777);

    fn failed(kind: ApiErrorKind, attempts: u32) -> ApiError {
        ApiError::new(kind, "test").with_attempts(attempts)
    }

    #[test]
    fn reads_seconds_and_all_dates() {
        let seconds = |value| retry_after(value, None, NOW).map(|delay| delay.as_secs());
        let fraction = retry_after("0.25", None, NOW);
        assert_eq!(fraction, Some(Duration::from_millis(250)));
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(seconds("Sunday, 06-Nov-94 08:50:37 GMT"), Some(60));
        assert_eq!(seconds("Sun Nov  6 08:50:37 1994"), Some(60));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("1.5"), Some(1));
        assert_eq!(seconds("1."), None);
        assert_eq!(seconds("-5"), None);
        assert_eq!(seconds("NaN"), None);
        assert_eq!(seconds(""), None);
    }

    #[test]
    fn a_date_is_meant_by_the_clock_of_the_system() {
        let seconds =
            |value, date| retry_after(value, Some(date), NOW).map(|delay| delay.as_secs());
        let until = "Sun, 06 Nov 1994 08:50:37 GMT";
        for (date, delay) in [
            ("Sun, 06 Nov 1994 08:50:32 GMT", 5),
            ("Sun, 06 Nov 1994 07:50:37 GMT", 3_600),
            ("Sun, 06 Nov 1994 09:50:37 GMT", 0),
            ("today", 60),
        ] {
            assert_eq!(seconds(until, date), Some(delay), "{date}");
            assert_eq!(seconds("7", date), Some(7));
        }
    }

    #[test]
    fn waits_longer_each_time_with_full_jitter() {
        let options = RetryOptions::default();
        let delay = |attempts, random| {
            options.next_delay(&failed(ApiErrorKind::ServerError, attempts), true, random)
        };
        assert_eq!(delay(1, 0), Some(Duration::ZERO));
        assert_eq!(delay(1, u64::MAX), Some(Duration::from_millis(500)));
        assert_eq!(delay(4, u64::MAX), Some(Duration::from_secs(4)));
        assert_eq!(delay(5, 0), None);
        let long = options.with_backoff(Duration::MAX, Duration::MAX);
        assert_eq!(long.backoff(1, u64::MAX).as_secs(), 86_400);
    }

    #[test]
    fn honours_retry_after_as_a_minimum() {
        let options = RetryOptions::default();
        let delay = |seconds| {
            let error = failed(ApiErrorKind::RateLimited, 1)
                .with_retry_after(Some(Duration::from_secs(seconds)));
            options.next_delay(&error, true, 0)
        };
        assert_eq!(delay(60), Some(Duration::from_secs(60)));
        assert_eq!(delay(61), None);
    }

    #[test]
    fn sends_again_only_what_may_be_and_may_help() {
        let options = RetryOptions::default();
        let connection = failed(ApiErrorKind::Connection, 1);
        assert!(options.next_delay(&connection, true, 0).is_some());
        assert!(options.next_delay(&connection, false, 0).is_none());
        for kind in [
            ApiErrorKind::Unauthorized,
            ApiErrorKind::Forbidden,
            ApiErrorKind::NotFound,
            ApiErrorKind::Conflict,
            ApiErrorKind::InvalidRequest,
            ApiErrorKind::MalformedResponse,
            ApiErrorKind::UnexpectedRedirect,
        ] {
            assert!(options.next_delay(&failed(kind, 1), true, 0).is_none());
        }
    }

    #[test]
    fn the_budget_runs_dry_and_recovers() {
        let budget = Budget::new();
        assert_eq!((0..1_000).filter(|_| budget.take()).count(), 100);
        budget.succeeded(false);
        assert!(!budget.take());
        budget.succeeded(true);
        assert!(budget.take());
    }
}
