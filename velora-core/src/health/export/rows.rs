//! The rows of one response: parsed, compared with the requested leaf, and sorted. Pure
//! functions over values.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use super::leaf::{Leaf, Shape, Stamp};
use crate::api::{Fingerprint, Lines, Response, malformed, not_a_row};
use crate::error::ApiError;
use crate::health::RawEvent;
use crate::health::page::{identifies, identity};
use crate::health::window::Window;
use crate::{json, stamp};

/// Whether the cap of 10,000 rows truncated an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Truncation {
    /// Truncated: the header `X-Velora-Truncated` says `true`, `yes`, a number above 0 or
    /// similar; or there are 10,000 rows or more, whatever it says.
    Yes,
    /// Not truncated: the header says `false`, `no`, `0` or similar.
    No,
    /// Unknown: the header is absent or not understood, and there are fewer than 10,000 rows.
    Unknown,
}

impl Truncation {
    /// `yes`, `no` or `unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// Reads `X-Velora-Truncated`, whose values are not documented.
    pub(crate) fn of(response: &Response) -> Self {
        Self::read(response.headers("X-Velora-Truncated"))
    }

    /// Of several values, in one header or in more, the worst counts.
    fn read<'h>(headers: impl Iterator<Item = &'h str>) -> Self {
        let mut worst = None;
        for header in headers {
            for value in header.split(',') {
                let value = Self::of_value(value.trim_ascii());
                worst = Some(match (worst.unwrap_or(value), value) {
                    (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
                    (Self::No, Self::No) => Self::No,
                    _ => Self::Unknown,
                });
            }
        }
        worst.unwrap_or(Self::Unknown)
    }

    /// A word or a number, perhaps in quotes, written as an HTTP flag (`?1`), or followed by
    /// parameters.
    fn of_value(value: &str) -> Self {
        let (value, _) = value.split_once(';').unwrap_or((value, ""));
        let value = value.trim_matches(|mark| matches!(mark, '"' | '\'' | ' ' | '\t'));
        let value = value.strip_prefix('?').unwrap_or(value);
        let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let is_zero = value.bytes().all(|byte| byte == b'0');
        if is(&["true", "yes", "y", "t", "on", "truncated"]) || (is_number && !is_zero) {
            Self::Yes
        } else if is(&["false", "no", "n", "f", "off"]) || is_number {
            Self::No
        } else {
            Self::Unknown
        }
    }
}

/// Rows in one piece of memory.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    text: Arc<String>,
    places: Vec<Range<usize>>,
}

impl Rows {
    pub(crate) fn new(text: Arc<String>, places: Vec<Range<usize>>) -> Self {
        Self { text, places }
    }

    /// Rows as text, not parsed yet.
    ///
    /// Errors: `malformed_response`.
    pub(crate) fn of_lines(lines: Lines) -> Result<Self, ApiError> {
        let (mut text, places) = lines.into_parts();
        // Up to half of its capacity is unused, and leaves are held until their turn.
        text.shrink_to_fit();
        let text = String::from_utf8(text).map_err(|_| malformed("the rows are not UTF-8"))?;
        Ok(Self::new(Arc::new(text), places))
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn texts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.places
            .iter()
            .map(|place| self.text.get(place.clone()).unwrap_or_default())
    }

    pub(crate) fn at(&self, at: usize) -> Option<RawEvent> {
        RawEvent::new(&self.text, self.places.get(at)?.clone())
    }

    /// Keeps the rows that belong to the leaf and to the window, each once, oldest first
    /// (within one instant by id and action). Also returns the shape of all rows.
    ///
    /// Errors: `malformed_response` where a row is not an event.
    pub(crate) fn judge(mut self, leaf: Leaf, window: Window) -> Result<(Self, Shape), ApiError> {
        let mut shape = Shape::default();
        let mut kept = Vec::with_capacity(self.places.len());
        let text = Arc::clone(&self.text);
        for place in self.places {
            let head = Head::read(text.get(place.clone()).unwrap_or_default())?;
            let belongs = shape.add(leaf, head.stamp.map(Stamp::of))
                && head.stamp.is_none_or(|stamp| window.contains(stamp));
            if belongs {
                kept.push((head, place));
            }
        }
        kept.sort_by(|(head, _), (other, _)| head.order().cmp(&other.order()));
        // In this order a repeat is next to what it repeats.
        kept.dedup_by(|(head, _), (other, _)| head.id.is_some() && head.order() == other.order());
        self.places = kept.into_iter().map(|(_, place)| place).collect();
        Ok((self, shape))
    }

    /// Whether every row that has an id, and a timestamp in the leaf, is known.
    ///
    /// Errors: `malformed_response` where a row is not an event.
    pub(crate) fn are_known(
        &self,
        leaf: Leaf,
        is_known: impl Fn(Fingerprint) -> bool,
    ) -> Result<bool, ApiError> {
        for row in self.texts() {
            let head = Head::read(row)?;
            let stamp = head.stamp.map(Timestamp::as_microsecond);
            let within = stamp.is_some_and(|stamp| leaf.contains(stamp));
            if within
                && head
                    .id
                    .is_some_and(|id| !is_known(identity(id, head.action)))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The timestamps of the rows that have one, in the order of the rows.
    ///
    /// Errors: `malformed_response` where a row is not an event.
    pub(crate) fn stamps(&self) -> Result<Vec<i64>, ApiError> {
        self.texts()
            .filter_map(|row| Head::read(row).map(|head| head.stamp).transpose())
            .map(|stamp| stamp.map(Timestamp::as_microsecond))
            .collect()
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows({})", self.len())
    }
}

/// The members that decide where a row belongs. Reading them proves the row to be JSON.
struct Head<'r> {
    /// As written in the row; `None` if it does not identify the event.
    id: Option<&'r str>,
    action: Option<&'r str>,
    stamp: Option<Timestamp>,
}

impl<'r> Head<'r> {
    /// Two rows that have an id and are equal in this are one event.
    fn order(&self) -> impl Ord {
        (self.stamp, self.id, self.action)
    }

    fn read(row: &'r str) -> Result<Self, ApiError> {
        if !row.starts_with('{') {
            return Err(not_a_row());
        }
        let names = ["event_id", "action", "timestamp"];
        let [id, action, stamp] = json::values(row, names).map_err(|_| not_a_row())?;
        if id.is_none() && action.is_none() {
            // Not an event, but what a system writes when it fails midway, often with a
            // timestamp.
            return Err(not_a_row());
        }
        let stamp = stamp.and_then(|stamp| json::text_of(stamp.as_bytes()));
        Ok(Self {
            id: id.filter(|id| identifies(id)),
            action,
            stamp: stamp.and_then(|stamp| stamp::read(&stamp)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::page::id_of;

    fn rows(text: &str) -> Rows {
        let mut lines = Lines::default();
        lines.push(text.as_bytes());
        lines.finish().unwrap();
        Rows::of_lines(lines).unwrap()
    }

    #[test]
    fn reads_every_spelling_of_the_header() {
        for (headers, truncation) in [
            (&["true"][..], Truncation::Yes),
            (&["YES"], Truncation::Yes),
            (&["1"], Truncation::Yes),
            (&["False"], Truncation::No),
            (&["0"], Truncation::No),
            (&["no"], Truncation::No),
            (&["maybe"], Truncation::Unknown),
            (&[""], Truncation::Unknown),
            (&[], Truncation::Unknown),
            (&["true, true"], Truncation::Yes),
            (&["false", "true"], Truncation::Yes),
            (&["no,0"], Truncation::No),
            (&["false", "maybe"], Truncation::Unknown),
            (&["y"], Truncation::Yes),
            (&["T"], Truncation::Yes),
            (&["on"], Truncation::Yes),
            (&["Truncated"], Truncation::Yes),
            (&["\"true\""], Truncation::Yes),
            (&["'1'"], Truncation::Yes),
            (&["?1"], Truncation::Yes),
            (&["true; limit=5000"], Truncation::Yes),
            (&["\"yes\" ;why=cap"], Truncation::Yes),
            (&["5000"], Truncation::Yes),
            (&["010"], Truncation::Yes),
            (&["n"], Truncation::No),
            (&["F"], Truncation::No),
            (&["off"], Truncation::No),
            (&["00"], Truncation::No),
            (&["?0"], Truncation::No),
            (&["'false';rows=10"], Truncation::No),
            (&["-1"], Truncation::Unknown),
            (&["limit=5000"], Truncation::Unknown),
            (&["\"\""], Truncation::Unknown),
            (&[";"], Truncation::Unknown),
        ] {
            let read = Truncation::read(headers.iter().copied());
            assert_eq!(read, truncation, "{headers:?}");
        }
    }

    #[test]
    fn keeps_what_belongs_once_and_in_order() {
        let text = concat!(
            "{\"event_id\":\"b\",\"timestamp\":\"1970-01-01T00:00:02+00:00\"}\n",
            "{\"event_id\":\"a\",\"timestamp\":\"1970-01-01T00:00:02+00:00\"}\n",
            "{\"event_id\":\"b\",\"timestamp\":\"1970-01-01T00:00:02+00:00\"}\n",
            "{\"event_id\":\"b\",\"timestamp\":\"1970-01-01T00:00:02+00:00\",\"action\":\"x\"}\n",
            "{\"event_id\":\"z\",\"event_id\":\"b\",\"timestamp\":\"1970-01-01T00:00:02+00:00\"}\n",
            "{\"\\ud800\":1,\"timestamp\":\"1970-01-01T00:00:01.5Z\",\"event_id\":\"c\"}\n",
            "{\"event_id\":\"\",\"timestamp\":\"1970-01-01T00:00:01Z\",\"n\":1}\n",
            "{\"event_id\":\"\",\"timestamp\":\"1970-01-01T00:00:01Z\",\"n\":2}\n",
            "{\"event_id\":\"late\",\"timestamp\":\"1970-01-01T00:00:03+00:00\"}\n",
            "{\"event_id\":\"early\",\"timestamp\":\"1970-01-01T00:00:00+00:00\"}\n",
        );
        let leaf = Leaf {
            since: 1_000_000,
            until: 3_000_000,
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        let window = Window::new(at(0), at(9)).unwrap();
        let (kept, shape) = rows(text).judge(leaf, window).unwrap();
        let ids: Vec<_> = kept.texts().filter_map(id_of).collect();
        assert_eq!(ids, ["", "", "c", "a", "b", "b"]);
        assert_eq!(
            (shape.rows, shape.below, shape.above, shape.unit),
            (10, 1, 1, 1_000)
        );
    }

    #[test]
    fn a_row_that_is_no_event_is_malformed() {
        let leaf = Leaf { since: 0, until: 1 };
        let window = Window::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH).unwrap();
        for text in [
            "1\n{}",
            "<html>\n{}",
            "{]\n{}",
            "{\"timestamp\":\"1970-01-01T00:00:00Z\",\"status\":500}",
        ] {
            let error = rows(text).judge(leaf, window).unwrap_err();
            assert_eq!(error.code().as_str(), "malformed_response", "{text}");
        }
    }
}
