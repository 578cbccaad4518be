//! Lists that come in pages: the items one by one, and the pages themselves.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_util::{Stream, StreamExt};

use super::walk::{Listing, Paged, Walk};
use super::{Api, Fingerprint, Recent};
use crate::error::ApiError;

/// One page: its items in the system's order, without those of earlier pages.
pub struct Page<T> {
    items: Vec<T>,
    id: fn(&T) -> &str,
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of these; `id` is what tells an item from the others.
    pub(crate) fn new(items: Vec<T>, id: fn(&T) -> &str) -> Self {
        Self {
            items,
            id,
            next_cursor: None,
        }
    }

    /// The items.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The items, to keep.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Where the next page starts; `None` on the last, and on one that an error comes after,
    /// because it announces more and leads nowhere: to tell them apart, ask for one page more.
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

impl<T: Send + Unpin + 'static> Paged for Page<T> {
    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn drop_repeats(&mut self, given: &mut Recent) {
        let id = self.id;
        self.items
            .retain(|item| given.insert(Fingerprint::of(&[id(item)])));
    }

    fn follow(&mut self, cursor: Option<String>) {
        self.next_cursor = cursor;
    }
}

impl<T> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} items)", self.items.len())
    }
}

/// A stream of pages. The next page is fetched while the caller works on this one.
///
/// [`next`](Self::next) needs no trait in scope. Nothing is sent until the first page is
/// requested. Empty pages are skipped. After an error the stream ends.
///
/// Errors: `cursor_loop` if a page announces more, without a cursor or with one seen before, or
/// if more than 1,000 pages in a row have no items; those of any call.
pub struct Pages<T>(Walk<Page<T>>);

impl<T: Send + Unpin + 'static> Pages<T> {
    /// The next page that has items; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Page<T>, ApiError>> {
        StreamExt::next(self).await
    }
}

impl<T: Send + Unpin + 'static> Stream for Pages<T> {
    type Item = Result<Page<T>, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages(..)")
    }
}

/// A stream of the items of a list.
///
/// [`next`](Self::next) needs no trait in scope. Each item is returned once, even if the
/// system repeats it at the edge of a page. After an error the stream ends.
///
/// Errors: those of [`Pages`].
pub struct Items<T> {
    pages: Pages<T>,
    page: vec::IntoIter<T>,
}

impl<T: Send + Unpin + 'static> Items<T> {
    pub(crate) fn new(api: Api, listing: Listing<Page<T>>) -> Self {
        Self {
            pages: Pages(Walk::new(api, listing)),
            page: Vec::new().into_iter(),
        }
    }

    /// The pages that have not been started yet.
    pub fn pages(self) -> Pages<T> {
        self.pages
    }

    /// The next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T, ApiError>> {
        StreamExt::next(self).await
    }
}

impl<T: Send + Unpin + 'static> Stream for Items<T> {
    type Item = Result<T, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll_next_unpin(context)) {
                Some(Ok(page)) => self.page = page.items.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Items(..)")
    }
}
