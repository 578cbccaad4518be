//! What the members of an event are documented to be, and an event's text in that shape,
//! for hosts that have a JSON parser of their own.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::fields::{Outline, one, required};
use super::json::{Place, text_of};
use crate::error::EventFault;

/// The documented members of an object, each once.
pub(crate) type Shape = &'static [Member];

pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What a member is. All but a name may be absent or null.
pub(crate) enum Kind {
    /// A text that every such object has, and that says something. The first of an event
    /// is its type.
    Name,
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A time in RFC 3339.
    Time,
    /// Anything.
    Any,
    /// An object.
    Object(Shape),
    /// In events of this type such an object, where it is one; anything in all others.
    OfType(&'static str, Shape),
}

pub(crate) const fn member(name: &'static str, kind: Kind) -> Member {
    Member { name, kind }
}

/// The texts that every object of this shape has, in its order.
pub(crate) fn names(shape: Shape) -> impl Iterator<Item = &'static str> {
    let name = |member: &&Member| matches!(member.kind, Kind::Name);
    shape.iter().filter(name).map(|member| member.name)
}

/// Writes the object anew: its documented members, as they stand, and in `extra` those
/// that are not documented, not of the documented kind, or repeated.
///
/// Errors: those of a name that is not there once, or says nothing.
pub(crate) fn write(
    out: &mut String,
    json: &[u8],
    outline: &Outline,
    shape: Shape,
    event_type: Option<&str>,
) -> Result<(), EventFault> {
    let mut rest: Vec<&Place> = outline.places().iter().collect();
    out.push('{');
    for Member { name, kind } in shape {
        let found = match one(rest.iter().copied(), json, name) {
            Err(repeated) if matches!(kind, Kind::Name) => return Err(repeated),
            found => found.ok().flatten(),
        };
        let value = found.map(|(_, place)| place.value(json));
        if let Kind::Name = kind {
            required(value.unwrap_or(b"null"), name)?;
        }
        let (Some((at, _)), Some(value)) = (found, value) else {
            continue;
        };
        let before = out.len();
        push_name(out, name.as_bytes());
        if write_value(out, value, kind, event_type) {
            out.push(',');
            rest.remove(at);
        } else {
            out.truncate(before);
        }
    }
    out.push_str("\"extra\":{");
    for (at, place) in rest.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_name(out, place.written_name(json));
        push(out, place.value(json));
    }
    out.push_str("}}");
    Ok(())
}

/// Whether it is of this kind, and has been written.
fn write_value(out: &mut String, value: &[u8], kind: &Kind, event_type: Option<&str>) -> bool {
    let null = value == b"null";
    let of_kind = match kind {
        Kind::Name | Kind::Any => true,
        Kind::Text => null || text_of(value).is_some(),
        Kind::Flag => null || value == b"true" || value == b"false",
        Kind::Time => null || text_of(value).is_some_and(|text| is_timestamp(&text)),
        Kind::Object(shape) => {
            if write_object(out, value, shape, event_type) {
                return true;
            }
            null
        }
        Kind::OfType(name, shape) => {
            if event_type == Some(name) && write_object(out, value, shape, event_type) {
                return true;
            }
            true
        }
    };
    if of_kind {
        push(out, value);
    }
    of_kind
}

fn write_object(out: &mut String, value: &[u8], shape: Shape, event_type: Option<&str>) -> bool {
    let before = out.len();
    let written = Outline::read(value)
        .and_then(|outline| write(out, value, &outline, shape, event_type))
        .is_ok();
    if !written {
        out.truncate(before);
    }
    written
}

fn push_name(out: &mut String, name: &[u8]) {
    out.push('"');
    push(out, name);
    out.push_str("\":");
}

/// All that is written is part of a text that was found to be UTF-8.
fn push(out: &mut String, json: &[u8]) {
    out.push_str(str::from_utf8(json).unwrap_or_default());
}

/// Whether the text is a time as RFC 3339 has it, in the years from 1 to 9998: a date, a
/// time of day, to the nanosecond at most, and how far from UTC it is. As ISO 8601 allows,
/// the seconds, and the colon or the minutes of the distance, may be absent.
pub(crate) fn is_timestamp(text: &str) -> bool {
    fn read(text: &[u8]) -> Option<()> {
        let (year, rest) = digits(text, 4)?;
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
        let mut second = 0;
        if let Some(behind) = rest.strip_prefix(b":") {
            (second, rest) = digits(behind, 2)?;
            if let Some(fraction) = rest.strip_prefix(b".") {
                let end = fraction.iter().position(|byte| !byte.is_ascii_digit())?;
                if !(1..=9).contains(&end) {
                    return None;
                }
                rest = fraction.get(end..)?;
            }
        }
        let (offset_hour, offset_minute) = match rest {
            b"Z" | b"z" => (0, 0),
            [b'+' | b'-', rest @ ..] => {
                let (hour, rest) = digits(rest, 2)?;
                let minute = match rest {
                    [] => 0,
                    _ => match digits(rest.strip_prefix(b":").unwrap_or(rest), 2)? {
                        (minute, []) => minute,
                        _ => return None,
                    },
                };
                (hour, minute)
            }
            _ => return None,
        };
        let time = hour < 24 && minute < 60 && second <= 60;
        (time && offset_hour < 24 && offset_minute < 60).then_some(())
    }

    read(text.as_bytes()).is_some()
}

/// The number that so many digits are, and what stands behind them.
fn digits(text: &[u8], count: usize) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let number = digits.iter().try_fold(0_u16, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.saturating_sub(b'0'))?;
        number.checked_mul(10)?.checked_add(digit.into())
    });
    Some((number?, rest))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
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
            assert!(is_timestamp(text), "{text}");
            assert!(text.parse::<Timestamp>().is_ok(), "{text}");
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
            assert!(!is_timestamp(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// What passes for a time can be read as one.
        #[test]
        fn a_time_can_be_read(
            text in "[0-9]{3}[1-9]-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?([Zz]|[+-][0-2][0-9](:?[0-5][0-9])?)",
        ) {
            if is_timestamp(&text) {
                prop_assert!(text.parse::<Timestamp>().is_ok(), "{}", text);
            }
        }
    }
}
