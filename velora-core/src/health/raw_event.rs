//! An event as the system's own text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::AuditEvent;

/// One event as the system's own text, unparsed.
///
/// It shares the memory of the response that it came in, and keeps that alive. To hold a few
/// events for a long time, copy their text. `Debug` shows only its length.
#[derive(Clone)]
pub struct RawEvent {
    text: Arc<String>,
    start: u32,
    end: u32,
}

impl RawEvent {
    /// A part of a response that was read as one JSON object. `None` if it is beyond the first
    /// 4 GiB.
    pub(crate) fn new(text: &Arc<String>, at: Range<usize>) -> Option<Self> {
        Some(Self {
            text: Arc::clone(text),
            start: at.start.try_into().ok()?,
            end: at.end.try_into().ok()?,
        })
    }

    /// The JSON object, byte for byte as received.
    pub fn as_str(&self) -> &str {
        let at = usize::try_from(self.start)
            .ok()
            .zip(usize::try_from(self.end).ok());
        at.and_then(|(start, end)| self.text.get(start..end))
            .unwrap_or_default()
    }

    /// The JSON object on one line, without a line end: as received, except that line
    /// breaks between members are removed.
    pub fn as_line(&self) -> Cow<'_, str> {
        one_line(self.as_str())
    }

    /// Parses it.
    pub fn parse(self) -> AuditEvent {
        AuditEvent::new(self)
    }
}

/// Removes line breaks. In JSON they occur only between tokens, where they mean nothing.
pub(crate) fn one_line(json: &str) -> Cow<'_, str> {
    match memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
        true => Cow::Owned(json.replace(['\n', '\r'], "")),
        false => Cow::Borrowed(json),
    }
}

impl fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawEvent({} bytes)", self.as_str().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_breaks_and_all_members() {
        let line = |text: &str| {
            let text = Arc::new(text.to_owned());
            let event = RawEvent::new(&text, 0..text.len()).unwrap();
            event.as_line().into_owned()
        };
        assert_eq!(
            line("{\r\n  \"a\": \"\\n\",\n\"b\":1\n}"),
            r#"{  "a": "\n","b":1}"#
        );
        assert_eq!(line(r#"{"a":1}"#), r#"{"a":1}"#);
    }
}
