//! Times as the systems write them: one rule for events, for what an API gives, and for
//! what a caller asks for.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use jiff::Timestamp;

/// The instant of a time as RFC 3339 has it, in the years from 1 to 9998: a date, a time of
/// day, to the nanosecond at most, and how far from UTC it is. As ISO 8601 allows, the
/// seconds, and the colon or the minutes of the distance, may be absent. An instant before the
/// year 1 of UTC is none, because not every language has it.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let (seconds, nanos) = since_epoch(text)?;
    instant(seconds, nanos)
}

/// The instant so many seconds after the start of 1970, and less than a second more, given in
/// nanoseconds; `None` where there is none.
pub(crate) fn instant(seconds: i64, nanos: i32) -> Option<Timestamp> {
    // Asked beforehand: an error that says so would be larger than all that reads times.
    let known = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    (known.contains(&seconds) && (0..1_000_000_000).contains(&nanos))
        .then(|| Timestamp::constant(seconds, nanos))
}

/// The same of microseconds.
#[cfg(feature = "client")]
pub(crate) fn instant_of(micros: i64) -> Option<Timestamp> {
    let nanos = (micros.rem_euclid(1_000_000) as i32).wrapping_mul(1_000);
    instant(micros.div_euclid(1_000_000), nanos)
}

/// The same in seconds since 1970, and nanoseconds.
pub(crate) fn since_epoch(text: &str) -> Option<(i64, i32)> {
    let (year, rest) = digits(text.as_bytes(), 4)?;
    let (month, rest) = digits_behind(b'-', rest)?;
    let (day, rest) = digits_behind(b'-', rest)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    let date = (1..=9998).contains(&year) && (1..=12).contains(&month);
    let rest = match rest {
        [b'T' | b't' | b' ', rest @ ..] if date && (1..=days).contains(&day) => rest,
        _ => return None,
    };
    let (hour, rest) = digits(rest, 2)?;
    let (minute, mut rest) = digits_behind(b':', rest)?;
    let (mut second, mut nanos) = (0, 0);
    if rest.starts_with(b":") {
        (second, rest) = digits_behind(b':', rest)?;
        if let Some(fraction) = rest.strip_prefix(b".") {
            let end = fraction.iter().position(|byte| !byte.is_ascii_digit())?;
            let unit = 9_u32.checked_sub(u32::try_from(end).ok().filter(|end| *end > 0)?)?;
            (nanos, rest) = digits(fraction, end)?;
            nanos = nanos.wrapping_mul(10_i32.wrapping_pow(unit));
        }
    }
    let (sign, offset_hour, offset_minute) = match rest {
        b"Z" | b"z" => (0, 0, 0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hour, rest) = digits(rest, 2)?;
            let minute = match rest {
                [] => 0,
                _ => match digits(rest.strip_prefix(b":").unwrap_or(rest), 2)? {
                    (minute, []) => minute,
                    _ => return None,
                },
            };
            (if *sign == b'-' { 1 } else { -1 }, hour, minute)
        }
        _ => return None,
    };
    let time = hour < 24 && minute < 60 && second <= 60;
    if !time || offset_hour >= 24 || offset_minute >= 60 {
        return None;
    }
    let of_day = |hour: i32, minute: i32| hour.wrapping_mul(60).wrapping_add(minute);
    let offset = of_day(offset_hour, offset_minute).wrapping_mul(sign);
    let minutes = of_day(hour, minute).wrapping_add(offset);
    // A leap second is the one before it.
    let seconds = minutes.wrapping_mul(60).wrapping_add(second.min(59));
    let days = i64::from(days_since_epoch(year, month, day));
    let seconds = days.wrapping_mul(86_400).wrapping_add(seconds.into());
    (seconds >= FIRST).then_some((seconds, nanos))
}

/// The start of the year 1.
const FIRST: i64 = -62_135_596_800;

/// The number that two digits behind this byte are, and what stands behind them.
#[cfg_attr(target_family = "wasm", inline(never))]
fn digits_behind(byte: u8, text: &[u8]) -> Option<(i32, &[u8])> {
    digits(text.strip_prefix(&[byte])?, 2)
}

/// The number that so many digits are, and what stands behind them. There are never more
/// than nine, so that nothing here wraps.
#[cfg_attr(target_family = "wasm", inline(never))]
fn digits(text: &[u8], count: usize) -> Option<(i32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let number = digits.iter().try_fold(0_i32, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.wrapping_sub(b'0'))?;
        Some(number.wrapping_mul(10).wrapping_add(digit.into()))
    })?;
    Some((number, rest))
}

/// Days since 1970 in the proleptic Gregorian calendar. Years start in March here, so
/// that a leap day is the last of its year.
fn days_since_epoch(year: i32, month: i32, day: i32) -> i32 {
    let year = year.wrapping_sub(i32::from(month <= 2));
    let month = month.wrapping_add(9) % 12;
    let before_month = month.wrapping_mul(153).wrapping_add(2) / 5;
    year.wrapping_mul(365)
        .wrapping_add(year / 4)
        .wrapping_sub(year / 100)
        .wrapping_add(year / 400)
        .wrapping_add(before_month)
        .wrapping_add(day)
        .wrapping_sub(719_469)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times() {
        let good = [
            "2026-05-03T14:22:01+00:00",
            "2026-05-03T14:22:01Z",
            "2026-05-03t14:22:01.123456789z",
            "2026-05-03 14:22:01.1-05:30",
            "2026-05-03T14:22+0530",
            "2026-05-03T14:22+05",
            "2024-02-29T23:59:60Z",
            "2000-02-29T00:00:00Z",
            "0001-01-01T23:59:00+23:59",
            "9998-12-31T23:59:59-23:59",
        ];
        for text in good {
            assert_eq!(read(text), text.parse().ok(), "{text}");
            assert!(read(text).is_some(), "{text}");
        }
        let bad = [
            "",
            "2026-05-03",
            "2026-05-03T14:22:01",
            "2026-05-03T14Z",
            "2026-05-03T14:22:01.Z",
            "2026-05-03T14:22:01.1234567890Z",
            "2026-05-03T14:22:01.1",
            "2026-05-03T14:22:01+5",
            "2026-05-03T14:22:01+05:",
            "2026-05-03T14:22:01+05:300",
            "2026-05-03T14:22:01+24:00",
            "2026-05-03T14:22:01+00:60",
            "2026-05-03T24:00:00Z",
            "2026-05-03T14:60:00Z",
            "2026-05-03T14:22:61Z",
            "2026-00-03T14:22:01Z",
            "2026-13-03T14:22:01Z",
            "2026-05-00T14:22:01Z",
            "2026-04-31T14:22:01Z",
            "2025-02-29T14:22:01Z",
            "1900-02-29T14:22:01Z",
            "0000-05-03T14:22:01Z",
            "0001-01-01T00:00:00+00:01",
            "0001-01-01T23:58:59.999999999+23:59",
            "9999-05-03T14:22:01Z",
            "2026-05-03T14:22:01Z ",
            " 2026-05-03T14:22:01Z",
            "+002026-05-03T14:22:01Z",
            "2026/05/03T14:22:01Z",
            "20260503T142201Z",
            "2026-05-03_14:22:01Z",
            "2026-05-03T14.22:01Z",
            "1777818121",
        ];
        for text in bad {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// What passes for a time is the one that a parser reads.
        #[test]
        fn reads_what_a_parser_reads(
            text in "[0-9]{3}[1-9]-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?([Zz]|[+-][0-2][0-9](:?[0-5][0-9])?)",
        ) {
            if let Some(at) = read(&text) {
                prop_assert_eq!(text.parse().ok(), Some(at), "{}", text);
            }
        }
    }
}
