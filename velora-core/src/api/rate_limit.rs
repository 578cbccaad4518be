//! What a system says about its limits.

use std::time::Duration;

use jiff::Timestamp;

use super::Response;
use super::retry::asked_delay;
use crate::clock::UnixTime;
use crate::stamp;

/// A system's rate limit, according to the last response that mentioned it.
///
/// Velora Health sends only `Retry-After`. Velora Billing sends the reset as ISO 8601,
/// Velora TV as Unix seconds. All are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many requests are allowed in a rate-limit window.
    pub limit: Option<u64>,
    /// How many requests are left in this window.
    pub remaining: Option<u64>,
    /// When the next window starts.
    pub reset: Option<Timestamp>,
    /// The end of the wait that the last 429 asked for.
    pub retry_at: Option<Timestamp>,
}

impl RateLimit {
    /// Reads the rate limit of a response; `None` if it does not mention one.
    pub(crate) fn read(response: &Response, now: UnixTime) -> Option<Self> {
        let number = |name| response.header(name)?.parse::<u64>().ok();
        let read = Self {
            limit: number("X-RateLimit-Limit"),
            remaining: number("X-RateLimit-Remaining"),
            reset: response.header("X-RateLimit-Reset").and_then(reset),
            retry_at: asked_delay(response, now)
                .filter(|_| response.status() == 429)
                .and_then(|delay| after(now, delay)),
        };
        (read != Self::default()).then_some(read)
    }
}

fn after(now: UnixTime, delay: Duration) -> Option<Timestamp> {
    let micros = i64::try_from(delay.as_micros()).ok()?;
    stamp::instant_of(now.as_millis().checked_mul(1_000)?.checked_add(micros)?)
}

/// Unix seconds or ISO-8601.
fn reset(value: &str) -> Option<Timestamp> {
    match value.parse::<u64>() {
        Ok(seconds) => stamp::instant(seconds.try_into().ok()?, 0),
        Err(_) => stamp::read(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Body;

    fn read(status: u16, headers: &[(&str, &str)]) -> Option<RateLimit> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let response = Response::new(status, headers.collect(), Body::from(Vec::new()));
        RateLimit::read(&response, UnixTime::from_secs(0))
    }

    #[test]
    fn reads_both_forms_of_the_reset() {
        let at = Timestamp::from_second(1_780_000_000).unwrap();
        for reset in [
            "1780000000",
            "2026-05-28T20:26:40Z",
            "2026-05-28T20:26:40.000+00:00",
        ] {
            let limit = read(
                200,
                &[("x-ratelimit-reset", reset), ("X-RateLimit-Remaining", "3")],
            );
            let limit = limit.unwrap();
            assert_eq!(
                (limit.reset, limit.remaining),
                (Some(at), Some(3)),
                "{reset}"
            );
        }
    }

    #[test]
    fn says_nothing_where_the_answer_does() {
        assert_eq!(read(200, &[("Retry-After", "5")]), None);
        assert_eq!(read(200, &[("X-RateLimit-Reset", "soon")]), None);
        let limited = read(429, &[("Retry-After", "5")]).unwrap();
        assert_eq!(limited.retry_at, Timestamp::from_second(5).ok());
    }
}
