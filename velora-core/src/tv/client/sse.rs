//! Parses Server-Sent Events: bytes in, events out, however the bytes are chunked. No I/O.
//!
//! The rules are those of the HTML standard, "Interpreting an event stream".

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{is_header_value, too_large};
use crate::error::ApiError;

/// The size limit of an event, in bytes of all its lines together.
const MAX_EVENT: usize = 1 << 20;

/// The length limit of an id: every event keeps it, and a request could not carry a longer one.
const MAX_ID: usize = 1_024;

/// The byte order mark that a stream may start with.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// The name of an event for which the system sent none.
pub(super) const UNNAMED: &str = "message";

/// One event.
#[derive(Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) name: String,
    /// The last id so far, whether or not this event had it.
    pub(super) id: Option<Arc<str>>,
    pub(super) data: String,
}

/// Takes in chunks and returns events.
#[derive(Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// Whether a line has ended: a byte order mark can only come before that.
    begun: bool,
    /// Whether a line feed that comes next belongs to the line that has ended.
    after_return: bool,
    /// The bytes of this event so far, without comments.
    size: usize,
    name: String,
    data: String,
    id: Option<Arc<str>>,
    events: VecDeque<Sent>,
    resume_from: Option<Arc<str>>,
    retry: Option<Duration>,
}

impl Parser {
    /// Takes in the next chunk. Events that were complete before an error are still returned.
    ///
    /// Errors: `response_too_large` if an event is over the size limit.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Result<(), ApiError> {
        while !chunk.is_empty() {
            if mem::take(&mut self.after_return) {
                chunk = chunk.strip_prefix(b"\n").unwrap_or(chunk);
            }
            let end = memchr::memchr2(b'\n', b'\r', chunk);
            let (part, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
            self.extend(part)?;
            let Some((ended_by, rest)) = rest.split_first() else {
                break;
            };
            self.after_return = *ended_by == b'\r';
            self.end_line();
            chunk = rest;
        }
        Ok(())
    }

    /// The next complete event.
    pub(super) fn pop(&mut self) -> Option<Sent> {
        self.events.pop_front()
    }

    /// Whether there is one that was not taken yet.
    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Whether a part of an event has arrived, but not its end.
    pub(super) fn is_within_event(&self) -> bool {
        self.size > 0
    }

    /// The last id of a complete event, from which a new connection can resume.
    pub(super) fn resume_from(&self) -> Option<&str> {
        self.resume_from.as_deref()
    }

    /// How long the system asks to wait before a new connection.
    pub(super) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), ApiError> {
        if self.is_comment() {
            return Ok(());
        }
        let before = self.line.len();
        self.line.extend_from_slice(part);
        if self.is_comment() {
            self.size = self.size.saturating_sub(before);
            return Ok(());
        }
        self.size = self.size.saturating_add(part.len());
        match self.size > MAX_EVENT {
            true => Err(too_large("an event", MAX_EVENT)),
            false => Ok(()),
        }
    }

    /// The line so far, without a byte order mark.
    fn text(&self) -> &[u8] {
        let marked = (!self.begun).then(|| self.line.strip_prefix(MARK));
        marked.flatten().unwrap_or(&self.line)
    }

    fn is_comment(&self) -> bool {
        self.text().first() == Some(&b':')
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(self.text()).into_owned();
        self.begun = true;
        self.line.clear();
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "event" => self.name = value.to_owned(),
            "id" if !value.contains('\0') && value.len() <= MAX_ID => {
                self.id = Some(value).filter(|id| !id.is_empty()).map(Arc::from);
            }
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let retry = value.parse().map(Duration::from_millis);
                self.retry = retry.ok().or(self.retry);
            }
            _ => {}
        }
    }

    fn end_event(&mut self) {
        self.size = 0;
        if self.id.as_deref().is_some_and(is_header_value) {
            self.resume_from.clone_from(&self.id);
        }
        let name = Some(mem::take(&mut self.name)).filter(|name| !name.is_empty());
        let mut data = mem::take(&mut self.data);
        if data.pop().is_some() {
            self.events.push_back(Sent {
                name: name.unwrap_or_else(|| UNNAMED.to_owned()),
                id: self.id.clone(),
                data,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(name: &str, id: Option<&str>, data: &str) -> Sent {
        let (name, data) = (name.to_owned(), data.to_owned());
        let id = id.map(Arc::from);
        Sent { name, id, data }
    }

    fn events(parser: &mut Parser) -> Vec<Sent> {
        std::iter::from_fn(|| parser.pop()).collect()
    }

    #[test]
    fn events_are_the_same_however_they_are_chunked() {
        for end in ["\n", "\r\n", "\r"] {
            let said = "\u{feff}\u{feff}data: no field|data:a|data:  b|id: 1|: ping|other|||\
                event:named|retry: 45000|retry: soon|retry|data|:|data|id:7||\
                id: 8||event: nothing||data: Zo\u{eb}|";
            let said = said.replace('|', end);
            let bytes = [
                said.as_bytes(),
                b"data: \xe2\x82|\xff",
                end.as_bytes(),
                end.as_bytes(),
            ];
            let bytes = bytes.concat();
            for size in 1..bytes.len() {
                let mut parser = Parser::default();
                bytes
                    .chunks(size)
                    .for_each(|chunk| parser.push(chunk).unwrap());
                assert_eq!(
                    events(&mut parser),
                    [
                        sent("message", Some("1"), "a\n b"),
                        sent("named", Some("7"), "\n"),
                        sent("message", Some("8"), "Zo\u{eb}\n\u{fffd}|\u{fffd}"),
                    ]
                );
                assert_eq!(parser.retry(), Some(Duration::from_secs(45)));
                assert!(!parser.is_within_event());
            }
        }
    }

    #[test]
    fn resumes_behind_what_was_given_and_not_further() {
        for end in ["\n", "\r\n", "\r"] {
            let said = "id: 1|data: a||id: 2|data: b||".replace('|', end);
            for at in 0..=said.len() {
                let mut parser = Parser::default();
                parser.push(said.as_bytes().get(..at).unwrap()).unwrap();
                let last = events(&mut parser).pop().and_then(|event| event.id);
                assert_eq!(parser.resume_from(), last.as_deref(), "{end:?} {at}");
            }
        }
    }

    #[test]
    fn keeps_the_last_id_that_can_be_sent() {
        let mut parser = Parser::default();
        let said = "id: 5\ndata: a\n\nid: 6\0\ndata: b\n\nid: 7\u{e9}\ndata: c\n\nid\ndata: d\n\n";
        parser.push(said.as_bytes()).unwrap();
        let ids: Vec<_> = events(&mut parser).into_iter().map(|one| one.id).collect();
        let text = |id: &str| Some(Arc::from(id));
        assert_eq!(ids, [text("5"), text("5"), text("7\u{e9}"), None]);
        assert_eq!(parser.resume_from(), Some("5"));
    }

    #[test]
    fn an_id_that_is_too_long_is_none() {
        for (length, known) in [(MAX_ID, true), (MAX_ID + 1, false)] {
            let long = "7".repeat(length);
            let mut parser = Parser::default();
            let said = format!("id: 5\ndata: a\n\nid: {long}\ndata: b\n\n");
            parser.push(said.as_bytes()).unwrap();
            let expected = if known { &*long } else { "5" };
            assert_eq!(parser.resume_from(), Some(expected));
            let last = events(&mut parser).pop().unwrap();
            assert_eq!(last.id.as_deref(), Some(expected));
        }
    }

    #[test]
    fn one_event_cannot_fill_the_memory() {
        for end in ["\n", "\r\n", "\r"] {
            let line = format!("data: 1234567890{end}");
            let mut parser = Parser::default();
            let pushed = (0..).take_while(|_| parser.push(line.as_bytes()).is_ok());
            assert_eq!(pushed.count(), MAX_EVENT / 16, "{end:?}");

            let mut parser = Parser::default();
            let event = format!("{line}{end}: ping{end}");
            assert!((0..100_000).all(|_| parser.push(event.as_bytes()).is_ok()));
        }
    }

    #[test]
    fn what_was_whole_before_an_event_that_is_too_large_is_given() {
        let mut said = b"id: 1\ndata: a\n\nid: 2\ndata: ".to_vec();
        said.resize(2 * MAX_EVENT, b'x');
        let mut parser = Parser::default();
        let error = parser.push(&said).unwrap_err();
        assert_eq!(error.code().as_str(), "response_too_large");
        assert_eq!(events(&mut parser), [sent("message", Some("1"), "a")]);
        assert_eq!(parser.resume_from(), Some("1"));
    }

    #[test]
    fn a_comment_without_an_end_takes_no_room() {
        for mark in ["", "\u{feff}"] {
            let mut parser = Parser::default();
            parser.push(format!("{mark}:").as_bytes()).unwrap();
            for _ in 0..10 * MAX_EVENT / 1_000 {
                parser.push(&[b'x'; 1_000]).unwrap();
            }
            assert!(parser.line.capacity() < 1_000);
            assert!(!parser.is_within_event());
        }
    }
}
