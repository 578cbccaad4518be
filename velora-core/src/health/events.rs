//! `GET /events`: the stream of events, and the stream of pages beneath it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt};

use super::{AuditEvent, EventQuery, Page, RawEvent};
use crate::api::{Api, Exchange, Fingerprint, Listing, Walk};
use crate::error::ApiError;

/// A stream of pages. The next page is fetched while the caller works on this one.
///
/// [`next`](Self::next) needs no trait in scope. Empty pages are skipped. After an error the
/// stream ends.
///
/// Errors: `cursor_loop` if a page announces more, without a cursor or with one seen before, or
/// if more than 1,000 pages in a row have no events; those of any call.
pub struct Pages {
    query: Arc<EventQuery>,
    walk: Walk<Page>,
}

impl Pages {
    pub(crate) fn new(api: Api, query: EventQuery) -> Self {
        let query = Arc::new(query);
        let asked = Arc::clone(&query);
        let listing = Listing {
            start: query.cursor.clone(),
            request: Box::new(move |cursor| Ok(asked.request(cursor))),
            read: Page::read,
            peek: Page::peek,
        };
        Self {
            query,
            walk: Walk::new(api, listing),
        }
    }

    /// Remembers the id of every event, for windows in which any page may repeat events of
    /// another.
    pub(crate) fn remember_all(mut self) -> Self {
        self.walk.remember_all();
        self
    }

    /// Whether this event was returned.
    pub(crate) fn has_given(&self, event: Fingerprint) -> bool {
        self.walk.has_given(event)
    }

    /// What the last page was read from.
    pub(crate) fn exchange(&self) -> Option<&Exchange> {
        self.walk.exchange()
    }

    /// The next page that has events; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Page, ApiError>> {
        StreamExt::next(self).await
    }
}

impl Stream for Pages {
    type Item = Result<Page, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.walk.poll_next_unpin(context)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

/// A stream of events: of [`AuditEvent`], or of [`RawEvent`] after [`raw`](Events::raw).
///
/// [`next`](Self::next) needs no trait in scope. Each event is returned once, even if the
/// system repeats it at the edge of a page. After an error the stream ends.
///
/// Errors: those of [`Pages`].
pub struct Events<E = AuditEvent> {
    pages: Pages,
    page: Option<Page>,
    at: usize,
    read: fn(RawEvent) -> E,
}

impl Events {
    pub(crate) fn new(pages: Pages) -> Self {
        Self {
            pages,
            page: None,
            at: 0,
            read: RawEvent::parse,
        }
    }

    /// The same events as unparsed text.
    pub fn raw(self) -> Events<RawEvent> {
        Events {
            pages: self.pages,
            page: self.page,
            at: self.at,
            read: |raw| raw,
        }
    }
}

impl<E> Events<E> {
    /// The pages that have not been started yet.
    pub fn pages(self) -> Pages {
        self.pages
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<E, ApiError>> {
        StreamExt::next(self).await
    }
}

impl<E> Stream for Events<E> {
    type Item = Result<E, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.page.as_ref().and_then(|page| page.at(self.at)) {
                self.at = self.at.saturating_add(1);
                return Poll::Ready(Some(Ok((self.read)(event))));
            }
            match ready!(self.pages.poll_next_unpin(context)) {
                Some(Ok(page)) => (self.page, self.at) = (Some(page), 0),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<E> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pages.fmt(f)
    }
}
