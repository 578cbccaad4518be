//! The stretch of time that is asked for.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use crate::error::ConfigError;

/// `[since, until)`: from `since` on, up to but without `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    since: Timestamp,
    until: Timestamp,
}

impl Window {
    /// A window. It may be empty.
    ///
    /// Errors: `invalid_window` where it ends before it starts.
    pub fn new(since: Timestamp, until: Timestamp) -> Result<Self, ConfigError> {
        if until < since {
            return Err(ConfigError::InvalidWindow);
        }
        Ok(Self { since, until })
    }

    /// A window from two timestamps of RFC 3339, such as `2026-05-01T00:00:00Z`.
    ///
    /// Errors: `invalid_option` where one of them is not a timestamp with an offset;
    /// `invalid_window`.
    pub fn parse(since: &str, until: &str) -> Result<Self, ConfigError> {
        let read = |option, text: &str| {
            text.parse().map_err(|_| ConfigError::InvalidOption {
                option,
                reason: "it is not a timestamp such as 2026-05-01T00:00:00Z",
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

/// ISO-8601 as the vendor writes it: `+00:00`, no fraction or one of six digits. What
/// is finer than a microsecond is cut off.
pub(crate) fn iso(at: Timestamp) -> String {
    // `strftime` reads its form anew each time, and is a tenth of what an edge worker carries.
    let civil = Offset::UTC.to_datetime(at);
    let sign = if civil.year() < 0 { "-" } else { "" };
    let year = civil.year().unsigned_abs();
    let (month, day) = (civil.month(), civil.day());
    let (hour, minute, second) = (civil.hour(), civil.minute(), civil.second());
    let fraction = match at.as_microsecond().rem_euclid(1_000_000) {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00")
}

/// Up to the next whole microsecond, the finest that [`iso`] can say.
pub(crate) fn iso_up(at: Timestamp) -> String {
    match at.subsec_nanosecond().rem_euclid(1_000) {
        0 => iso(at),
        _ => iso(at.saturating_add(1.microsecond()).unwrap_or(Timestamp::MAX)),
    }
}

/// Reads a timestamp. The two forms that the vendor writes are read without a look at
/// what else ISO-8601 allows.
pub(crate) fn read_stamp(text: &str) -> Option<Timestamp> {
    plain_stamp(text.as_bytes()).or_else(|| text.parse().ok())
}

/// `YYYY-MM-DDTHH:MM:SS`, perhaps `.ffffff`, then `+00:00` or `Z`.
fn plain_stamp(text: &[u8]) -> Option<Timestamp> {
    let text = text.strip_suffix(b"+00:00").or(text.strip_suffix(b"Z"))?;
    let (whole, micros) = match text.split_at_checked(19)? {
        (whole, []) => (whole, 0),
        (whole, [b'.', fraction @ ..]) if fraction.len() == 6 => (whole, number(fraction)?),
        _ => return None,
    };
    let part = |at: usize| number(whole.get(at..at.checked_add(2)?)?);
    let mark = |at: usize, byte: u8| whole.get(at) == Some(&byte);
    let marks =
        mark(4, b'-') && mark(7, b'-') && mark(10, b'T') && mark(13, b':') && mark(16, b':');
    let year = number(whole.get(..4)?)?;
    let (month, day) = (part(5)?, part(8)?);
    let (hour, minute, second) = (part(11)?, part(14)?, part(17)?);
    let valid = hour < 24 && minute < 60 && second < 60;
    if !marks || !valid {
        return None;
    }
    let date = Date::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    );
    let days = days_since_epoch(date.ok()?);
    let seconds = days
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3_600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?;
    Timestamp::from_microsecond(seconds.checked_mul(1_000_000)?.checked_add(micros)?).ok()
}

/// Up to six digits.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |number, digit| {
        let digit = digit
            .is_ascii_digit()
            .then(|| i64::from(digit.saturating_sub(b'0')))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Counts from 1 March of year 0, so that a leap day is the last of its year.
fn days_since_epoch(date: Date) -> i64 {
    let (year, month, day) = (
        i64::from(date.year()),
        i64::from(date.month()),
        i64::from(date.day()),
    );
    let year = if month <= 2 {
        year.saturating_sub(1)
    } else {
        year
    };
    let month = month.saturating_add(9).rem_euclid(12);
    let before_year = year
        .saturating_mul(365)
        .saturating_add(year.div_euclid(4))
        .saturating_sub(year.div_euclid(100))
        .saturating_add(year.div_euclid(400));
    let before_month = month.saturating_mul(153).saturating_add(2).div_euclid(5);
    before_year
        .saturating_add(before_month)
        .saturating_add(day)
        .saturating_sub(719_469)
}

#[cfg(test)]
mod tests {
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
    fn reads_stamps_as_the_parser_does() {
        let mut at = Timestamp::from_second(-70_000_000_000).unwrap();
        for step in 0..20_000_i64 {
            at += (step % 86_400_000 * 7_919).microseconds();
            at += 6_000_000.seconds();
            let text = iso(at);
            assert_eq!(plain_stamp(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "2024-02-29T23:59:59Z",
            "2026-05-01T24:00:00Z",
            "2026-05-01T00:00:60Z",
            "2026-05-01T00:00:00.5Z",
            "2026-05-01 00:00:00Z",
            "2026-05-01T00:00:00+02:00",
            "2026-05-01T00:00:00.1234567Z",
            "2026-5-01T00:00:00Z",
            "é026-05-01T00:00:00Z",
            "",
        ] {
            assert_eq!(read_stamp(text), text.parse().ok(), "{text}");
        }
    }
}
