//! The time window of a query.

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::error::ConfigError;
use crate::stamp;

/// A time window, `[since, until)`: `since` is included, `until` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    since: Timestamp,
    until: Timestamp,
}

impl Window {
    /// A window, which may be empty.
    ///
    /// Errors: `invalid_window` if it ends before it starts.
    pub fn new(since: Timestamp, until: Timestamp) -> Result<Self, ConfigError> {
        if until < since {
            return Err(ConfigError::InvalidWindow);
        }
        Ok(Self { since, until })
    }

    /// A window from two RFC 3339 timestamps, such as `2026-05-01T00:00:00Z`.
    ///
    /// Errors: `invalid_option` if one of them is not a timestamp with an offset;
    /// `invalid_window`.
    pub fn parse(since: &str, until: &str) -> Result<Self, ConfigError> {
        let read = |option, text: &str| {
            stamp::read(text).ok_or(ConfigError::InvalidOption {
                option,
                reason: "it is not a timestamp with a time zone, such as 2026-05-01T00:00:00Z",
            })
        };
        Self::new(read("since", since)?, read("until", until)?)
    }

    /// The first instant in it.
    pub fn since(self) -> Timestamp {
        self.since
    }

    /// The first instant after it.
    pub fn until(self) -> Timestamp {
        self.until
    }

    /// Whether the instant is in it.
    pub fn contains(self, at: Timestamp) -> bool {
        self.since <= at && at < self.until
    }
}

/// ISO-8601 as the vendor writes it: `+00:00`, no fraction or one of six digits. Anything finer
/// than a microsecond is cut off.
pub(crate) fn iso(at: Timestamp) -> String {
    // Written by hand: a formatter would make up much of an edge worker's size.
    let civil = Offset::UTC.to_datetime(at);
    let mut text = String::with_capacity(32);
    if civil.year() < 0 {
        text.push('-');
    }
    let mut part = |number: u32, digits: u32, behind: &str| {
        for place in (0..digits).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            text.extend(char::from_digit(digit, 10));
        }
        text.push_str(behind);
    };
    let small = i8::unsigned_abs;
    part(civil.year().unsigned_abs().into(), 4, "-");
    part(small(civil.month()).into(), 2, "-");
    part(small(civil.day()).into(), 2, "T");
    part(small(civil.hour()).into(), 2, ":");
    part(small(civil.minute()).into(), 2, ":");
    match at.as_microsecond().rem_euclid(1_000_000).unsigned_abs() as u32 {
        0 => part(small(civil.second()).into(), 2, "+00:00"),
        micros => {
            part(small(civil.second()).into(), 2, ".");
            part(micros, 6, "+00:00");
        }
    }
    text
}

/// Rounded up to a whole microsecond, the finest that [`iso`] can write.
pub(crate) fn iso_up(at: Timestamp) -> String {
    match at.subsec_nanosecond().rem_euclid(1_000) {
        0 => iso(at),
        _ => iso(instant(at.as_microsecond().saturating_add(1))),
    }
}

/// The instant this many microseconds after 1970; the latest possible one, if it is later.
pub(crate) fn instant(micros: i64) -> Timestamp {
    stamp::instant_of(micros).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn writes_what_the_vendor_writes() {
        assert_eq!(
            iso(at("2026-05-01T02:00:00+02:00")),
            "2026-05-01T00:00:00+00:00"
        );
        let fine = at("2026-05-01T00:00:00.0000019Z");
        assert_eq!(iso(fine), "2026-05-01T00:00:00.000001+00:00");
        assert_eq!(iso_up(fine), "2026-05-01T00:00:00.000002+00:00");
        assert_eq!(
            iso(at("1969-12-31T23:59:59.5Z")),
            "1969-12-31T23:59:59.500000+00:00"
        );
    }

    #[test]
    fn is_half_open() {
        let (since, until) = (at("2026-05-01T00:00:00Z"), at("2026-05-02T00:00:00Z"));
        let window = Window::new(since, until).unwrap();
        assert!(window.contains(since) && !window.contains(until));
        assert!(Window::new(since, since).is_ok());
        let backwards = Window::new(until, since).unwrap_err();
        assert_eq!(backwards.code().as_str(), "invalid_window");
    }

    #[test]
    fn is_read_from_text() {
        let code = |since, until| {
            let window = Window::parse(since, until);
            window.map_err(|error| error.code().as_str())
        };
        let (since, until) = ("2026-05-01T02:00:00+02:00", "2026-05-02T00:00:00Z");
        assert_eq!(
            code(since, until),
            Ok(Window::new(at(since), at(until)).unwrap())
        );
        assert_eq!(code("yesterday", until), Err("invalid_option"));
        assert_eq!(code(since, "2026-05-02"), Err("invalid_option"));
        assert_eq!(code(until, since), Err("invalid_window"));
    }

    #[test]
    fn is_read_as_it_is_written() {
        let mut at = Timestamp::from_second(-60_000_000_000).unwrap();
        for step in 0..20_000_i64 {
            at += (step % 86_400_000 * 7_919).microseconds();
            at += 6_000_000.seconds();
            let text = iso(at);
            assert_eq!(stamp::read(&text), text.parse().ok(), "{text}");
        }
    }
}
