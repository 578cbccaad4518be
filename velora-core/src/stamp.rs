//! Times as the systems write them: one rule for events, for what an API gives, and for
//! what a caller asks for.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use jiff::Timestamp;

/// The instant of a time as RFC 3339 has it, in the years from 1 to 9998: a date, a time of
/// day, to the nanosecond at most, and how far from UTC it is. As ISO 8601 allows, the
/// seconds, and the colon or the minutes of the distance, may be absent.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let (seconds, nanos) = since_epoch(text)?;
    Timestamp::new(seconds, nanos).ok()
}

/// The same in seconds since 1970, and nanoseconds.
pub(crate) fn since_epoch(text: &str) -> Option<(i64, i32)> {
    let (year, rest) = digits(text.as_bytes(), 4)?;
    let (month, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
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
    let (minute, mut rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let (mut second, mut nanos) = (0, 0);
    if let Some(behind) = rest.strip_prefix(b":") {
        (second, rest) = digits(behind, 2)?;
        if let Some(fraction) = rest.strip_prefix(b".") {
            let end = fraction.iter().position(|byte| !byte.is_ascii_digit())?;
            let (behind, unit) = (fraction.get(end..)?, 9_usize.checked_sub(end)?);
            nanos = number(fraction.get(..end).filter(|digits| !digits.is_empty())?)?;
            nanos = nanos.checked_mul(10_i64.checked_pow(u32::try_from(unit).ok()?)?)?;
            rest = behind;
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
    let of_day = |hour: i64, minute: i64| hour.saturating_mul(60).saturating_add(minute);
    let minutes = days_since_epoch(year, month, day)
        .saturating_mul(24 * 60)
        .saturating_add(of_day(hour, minute))
        .saturating_add(of_day(offset_hour, offset_minute).saturating_mul(sign));
    // A leap second is the one before it.
    let seconds = minutes.saturating_mul(60).saturating_add(second.min(59));
    Some((seconds, nanos.try_into().ok()?))
}

/// The number that so many digits are, and what stands behind them.
#[cfg_attr(target_family = "wasm", inline(never))]
fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    Some((number(digits)?, rest))
}

#[cfg_attr(target_family = "wasm", inline(never))]
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.saturating_sub(b'0'))?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Days since 1970 in the proleptic Gregorian calendar. Years start in March here, so
/// that a leap day is the last of its year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
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
            "0001-01-01T00:00:00+23:59",
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
