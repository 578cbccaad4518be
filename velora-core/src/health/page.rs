//! One page of `GET /events`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::export::Rows;
use super::{AuditEvent, RawEvent};
use crate::api::{Fingerprint, Next, Paged, Recent, malformed, undocumented, unreadable};
use crate::error::ApiError;
use crate::json;

/// One page: its events in the system's order, without those of earlier pages.
pub struct Page {
    text: Arc<String>,
    rows: Vec<Range<usize>>,
    /// Identifies the row of the same index, until repeats are dropped. `None` for an event
    /// without an id.
    identities: Vec<Option<Fingerprint>>,
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

    /// Where the next page starts; `None` on the last, and on one that an error comes after,
    /// because it announces more and leads nowhere: to tell them apart, ask for one page more.
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

    /// The events, parsed.
    pub fn events(&self) -> impl Iterator<Item = AuditEvent> {
        self.raw().map(RawEvent::parse)
    }

    /// The cursor of the next page, if the body ends as documented.
    pub(crate) fn peek(body: &[u8]) -> Option<String> {
        let name = br#""page""#;
        let at = body
            .windows(name.len())
            .rposition(|window| window == name)?;
        let rest = body.get(at..)?.strip_prefix(name)?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?;
        let next = next_of(json::first_value(str::from_utf8(rest).ok()?)?).ok()?;
        match next {
            (Some(true), cursor) => cursor.map(Cow::into_owned),
            _ => None,
        }
    }

    pub(crate) fn read(text: String) -> Result<(Self, Next), ApiError> {
        let [events, page] =
            json::values(&text, ["events", "page"]).map_err(|fault| unreadable(&text, fault))?;
        let (has_more, cursor) = next_of(page.ok_or_else(undocumented)?)?;
        let next = match (has_more, cursor) {
            (Some(false), _) => Next::End,
            (None, None) => return Err(malformed("a page does not say whether there are more")),
            (_, cursor) => Next::More(cursor.map(Cow::into_owned)),
        };
        let events = events.and_then(|events| json::items_with(events, ["event_id", "action"]));
        let events = events.ok_or_else(undocumented)?;
        let start = text.as_ptr().addr();
        let mut rows = Vec::with_capacity(events.len());
        let mut identities = Vec::with_capacity(events.len());
        for (event, [id, action]) in events {
            if !event.starts_with('{') {
                return Err(malformed("an event is not a JSON object"));
            }
            // An item is a slice of the text it was found in.
            let at = event.as_ptr().addr().saturating_sub(start);
            rows.push(at..at.saturating_add(event.len()));
            identities.push(
                id.filter(|id| identifies(id))
                    .map(|id| identity(id, action)),
            );
        }
        let page = Self {
            text: Arc::new(text),
            rows,
            identities,
            next_cursor: None,
        };
        Ok((page, next))
    }
}

impl Paged for Page {
    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn drop_repeats(&mut self, given: &mut Recent) {
        let identities = std::mem::take(&mut self.identities).into_iter();
        let mut new = identities.map(|identity| identity.is_none_or(|event| given.insert(event)));
        self.rows.retain(|_| new.next().unwrap_or(true));
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

/// What a page says about the next one: whether there is one, and its cursor.
type Said<'t> = (Option<bool>, Option<Cow<'t, str>>);

fn next_of(page: &str) -> Result<Said<'_>, ApiError> {
    let [more, cursor] =
        json::values(page, ["has_more", "next_cursor"]).map_err(|_| undocumented())?;
    let more = match more {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(undocumented()),
    };
    let cursor = match cursor {
        None => None,
        Some(cursor) => Some(json::text_of(cursor.as_bytes()).ok_or_else(undocumented)?),
    };
    Ok((more, cursor))
}

/// The id of an event, if it is a text.
#[cfg(any(feature = "client-reqwest", test))]
pub(crate) fn id_of(event: &str) -> Option<Cow<'_, str>> {
    let [id] = json::values(event, ["event_id"]).ok()?;
    json::text_of(id?.as_bytes())
}

/// Whether an id, as written, identifies an event. An empty one may be that of several.
pub(crate) fn identifies(id: &str) -> bool {
    id != r#""""#
}

/// Identifies an event by its id and its action, of whatever type, and however a text is
/// escaped. One id with two actions is two events, as with deliveries.
pub(crate) fn identity(id: &str, action: Option<&str>) -> Fingerprint {
    let [id, action] = [id, action.unwrap_or_default()].map(|value| {
        let text = json::text_of(value.as_bytes());
        let kind = if text.is_some() { "text" } else { "other" };
        (kind, text.unwrap_or(Cow::Borrowed(value)))
    });
    Fingerprint::of(&[id.0, &id.1, action.0, &action.1])
}
