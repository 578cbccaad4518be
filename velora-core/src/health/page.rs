//! One page of `GET /events`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::export::Rows;
use super::members::text_of;
use super::{AuditEvent, RawEvent};
use crate::api::{Next, Paged, Recent, malformed, not_json};
use crate::error::ApiError;

/// One page: its events in the system's order, without those of earlier pages.
pub struct Page {
    text: Arc<String>,
    rows: Vec<Range<usize>>,
    next_cursor: Option<String>,
}

impl Page {
    /// How many events it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none. [`Pages`](super::Pages) walks past such pages.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where the next page starts; `None` on the last.
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    /// The events as the system wrote them.
    pub fn raw(&self) -> impl Iterator<Item = RawEvent> {
        self.rows
            .iter()
            .filter_map(|row| RawEvent::new(&self.text, row.clone()))
    }

    /// The text of each event, borrowed from the page.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.rows
            .iter()
            .map(|row| self.text.get(row.clone()).unwrap_or_default())
    }

    pub(crate) fn at(&self, at: usize) -> Option<RawEvent> {
        RawEvent::new(&self.text, self.rows.get(at)?.clone())
    }

    pub(crate) fn into_rows(self) -> Rows {
        Rows::new(self.text, self.rows)
    }

    /// The events, read.
    pub fn events(&self) -> impl Iterator<Item = AuditEvent> {
        self.raw().map(RawEvent::parse)
    }

    /// The cursor of the next page, if the body ends as documented.
    pub(crate) fn peek(body: &[u8]) -> Option<String> {
        let name = br#""page""#;
        let at = memchr::memmem::rfind(body, name)?;
        let rest = body.get(at..)?.strip_prefix(name)?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?;
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<WireNext>();
        let next = values.next()?.ok()?;
        next.next_cursor.filter(|_| next.has_more == Some(true))
    }

    pub(crate) fn read(text: String) -> Result<(Self, Next), ApiError> {
        let wire: WirePage<'_> = serde_json::from_str(&text).map_err(|error| not_json(&error))?;
        let next = match (wire.page.has_more, wire.page.next_cursor) {
            (Some(false), _) => Next::End,
            (None, None) => return Err(malformed("a page does not say whether there is more")),
            (_, cursor) => Next::More(cursor),
        };
        let start = text.as_ptr().addr();
        let mut rows = Vec::with_capacity(wire.events.len());
        for event in wire.events {
            let event = event.get();
            if !event.starts_with('{') {
                return Err(malformed("an event is not a JSON object"));
            }
            // A raw value is a slice of the text it was read from.
            let at = event.as_ptr().addr().saturating_sub(start);
            rows.push(at..at.saturating_add(event.len()));
        }
        let page = Self {
            text: Arc::new(text),
            rows,
            next_cursor: None,
        };
        Ok((page, next))
    }
}

impl Paged for Page {
    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// An event without an id cannot be told.
    fn drop_repeats(&mut self, given: &mut Recent) {
        let text = &self.text;
        self.rows.retain(|row| {
            let event = text.get(row.clone()).unwrap_or_default();
            id_of(event).is_none_or(|id| given.insert(&*id))
        });
    }

    fn follow(&mut self, cursor: Option<String>) {
        self.next_cursor = cursor;
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} events)", self.len())
    }
}

#[derive(Deserialize)]
struct WirePage<'t> {
    #[serde(borrow)]
    events: Vec<&'t RawValue>,
    page: WireNext,
}

#[derive(Deserialize)]
struct WireNext {
    has_more: Option<bool>,
    next_cursor: Option<String>,
}

/// The id of an event. The system writes it first, which is worth a look before the
/// whole event is read for it.
pub(crate) fn id_of(event: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Head<'t> {
        #[serde(borrow)]
        event_id: Option<&'t RawValue>,
    }

    if let Some(rest) = event.strip_prefix(r#"{"event_id":""#)
        && let Some(end) = memchr::memchr2(b'"', b'\\', rest.as_bytes())
        && rest.as_bytes().get(end) == Some(&b'"')
    {
        return rest.get(..end).map(Into::into);
    }
    let head: Head<'_> = serde_json::from_str(event).ok()?;
    text_of(head.event_id?.get())
}
