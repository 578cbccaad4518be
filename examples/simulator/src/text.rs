//! Digits, instants and hashes, written straight into a buffer: the benches of
//! four languages read what this produces, so it must not be what they measure.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A finaliser of splitmix64: every bit of the input reaches every bit of the output.
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The hash as a number in `[0, 1)`.
pub(crate) fn unit_interval(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// Lower-case hex.
pub(crate) fn hex(value: u64) -> [u8; 16] {
    const PAIRS: [[u8; 2]; 256] = pairs();
    let mut text = [0; 16];
    for (pair, byte) in text.as_chunks_mut().0.iter_mut().zip(value.to_be_bytes()) {
        *pair = PAIRS[usize::from(byte)];
    }
    text
}

const fn pairs() -> [[u8; 2]; 256] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
}

/// `digits` lower-case hex digits that follow from the seed.
pub(crate) fn hex_id(seed: u64, digits: usize) -> String {
    let mut words = (0_u64..).flat_map(|word| hex(mix(seed ^ word << 56)));
    let digits = words.by_ref().take(digits);
    digits.map(char::from).collect()
}

pub(crate) fn push_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// `2026-05-03T14:22:01+00:00`, with three or six digits of fraction where the
/// instant has one, the way Python's `isoformat` writes it.
pub(crate) fn push_instant(out: &mut Vec<u8>, micros: i64, resolution: Resolution) {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let fraction = micros.rem_euclid(MICROS_PER_SECOND) as u32;
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
    let of_day = seconds.rem_euclid(SECONDS_PER_DAY) as u32;
    let mut text = *b"0000-00-00T00:00:00.000000+00:00";
    put_two(&mut text, 0, year / 100);
    put_two(&mut text, 2, year % 100);
    put_two(&mut text, 5, month);
    put_two(&mut text, 8, day);
    put_two(&mut text, 11, of_day / 3_600);
    put_two(&mut text, 14, of_day / 60 % 60);
    put_two(&mut text, 17, of_day % 60);
    let end = match (fraction, resolution) {
        (0, _) => 19,
        (_, Resolution::Microsecond) => 26,
        _ => 23,
    };
    if fraction != 0 {
        put_two(&mut text, 20, fraction / 10_000);
        put_two(&mut text, 22, fraction / 100 % 100);
        put_two(&mut text, 24, fraction % 100);
    }
    out.extend_from_slice(&text[..end]);
    out.extend_from_slice(b"+00:00");
}

fn put_two(text: &mut [u8; 32], at: usize, value: u32) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil(days: i64) -> (u32, u32, u32) {
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

/// The smallest difference between two instants that the server knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// One second, as the vendor's examples show.
    #[default]
    Second,
    /// One millisecond.
    Millisecond,
    /// One microsecond.
    Microsecond,
}

impl Resolution {
    /// Its length in microseconds.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Second => 1_000_000,
            Self::Millisecond => 1_000,
            Self::Microsecond => 1,
        }
    }

    /// The latest multiple that is not after `micros`.
    pub(crate) const fn floor(self, micros: i64) -> i64 {
        micros - micros.rem_euclid(self.micros())
    }

    /// The earliest multiple that is not before `micros`.
    pub(crate) const fn ceil(self, micros: i64) -> i64 {
        self.floor(micros.saturating_add(self.micros() - 1))
    }
}

/// An ISO-8601 instant in microseconds; one without an offset counts as UTC.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    let parsed = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp())
    })?;
    Some(micros(parsed))
}

/// Microseconds since the Unix epoch, truncated.
pub(crate) fn micros(instant: Timestamp) -> i64 {
    instant.as_nanosecond().div_euclid(1_000) as i64
}

pub(crate) fn now_micros() -> i64 {
    micros(Timestamp::now())
}

/// `2026-05-03T14:22:01.000Z`, as JavaScript writes instants.
pub(crate) fn iso_z(micros: i64) -> String {
    let instant = Timestamp::from_microsecond(micros).unwrap_or_default();
    format!("{instant:.3}")
}

/// `2026-05-03T14:22:01+00:00`, as Python writes instants.
pub(crate) fn iso_offset(micros: i64) -> String {
    let mut out = Vec::with_capacity(25);
    let second = Resolution::Second;
    push_instant(&mut out, second.floor(micros), second);
    String::from_utf8(out).unwrap_or_default()
}

/// The present time as `Retry-After` may write it, so many seconds ahead.
pub(crate) fn http_date(seconds_ahead: u64) -> String {
    let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
    let then = Timestamp::from_second(now.as_second().saturating_add_unsigned(seconds_ahead));
    then.unwrap_or(now)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn instants_read_back() {
        for (text, resolution) in [
            ("1970-01-01T00:00:00+00:00", Resolution::Second),
            ("2024-02-29T23:59:59+00:00", Resolution::Second),
            ("2026-12-31T14:22:01.007+00:00", Resolution::Millisecond),
            ("2026-03-01T14:22:01.000070+00:00", Resolution::Microsecond),
        ] {
            let micros = parse_instant(text).unwrap();
            let mut out = Vec::new();
            push_instant(&mut out, micros, resolution);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn a_plus_that_became_a_blank_is_no_instant() {
        assert_eq!(parse_instant("2026-05-01T00:00:00 00:00"), None);
    }

    #[test]
    fn http_dates_have_the_fixed_form() {
        assert_eq!(
            http_date(3_600).len(),
            "Sun, 06 Nov 1994 08:49:37 GMT".len()
        );
    }
}
