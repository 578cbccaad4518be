//! Walks the pages of a list: fetches the next page while the caller works on this one,
//! drops repeated items, and detects cursor loops.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::{FutureExt, Stream};

use super::response::text_of;
use super::{Api, Cursors, Exchange, Fingerprint, Next, Recent, Request, Response, Task};
use crate::error::{ApiError, ApiErrorKind};

/// How many ids are remembered to drop repeats: many times the largest page.
const REMEMBERED: usize = 16 * 1_024;

/// This many empty pages in a row are taken for a loop.
const EMPTY_PAGES: u32 = 1_000;

/// A page, as far as the walk looks at it.
pub(crate) trait Paged: Send + Unpin + 'static {
    fn is_empty(&self) -> bool;

    /// Drops the items whose ids were given before.
    fn drop_repeats(&mut self, given: &mut Recent);

    /// Takes note of where the next page starts.
    fn follow(&mut self, cursor: Option<String>);
}

type Ask = dyn Fn(Option<&str>) -> Result<Request, ApiError> + Send + Sync;

/// How a list is asked for, and how a page of it is read.
pub(crate) struct Listing<P> {
    /// The cursor that the first page is behind, unless it is the system's first.
    pub(crate) start: Option<String>,
    /// The request of the page behind this cursor; of the system's first without one.
    pub(crate) request: Box<Ask>,
    pub(crate) read: fn(String) -> Result<(P, Next), ApiError>,
    /// A quick guess at the next cursor: that page is requested while this one is parsed, and
    /// dropped if parsing finds another cursor.
    pub(crate) peek: fn(&[u8]) -> Option<String>,
}

/// What every fetch of a list shares.
struct Source<P> {
    api: Api,
    listing: Listing<P>,
    cursors: Mutex<Cursors>,
}

/// A page, and what it was read from.
type Fetched<P> = (P, Next, Exchange);

/// A page that is on its way.
struct Fetch<P> {
    page: Task<Fetched<P>>,
    glance: Arc<Mutex<Glance<P>>>,
}

/// What is known of the page behind one that is on its way.
struct Glance<P> {
    /// Whether the caller waits.
    wanted: bool,
    /// The cursor that was seen; and the page behind it, already on its way if the caller
    /// was waiting.
    seen: Option<Seen<P>>,
}

type Seen<P> = (String, Option<Fetch<P>>);

impl<P: Paged> Fetch<P> {
    fn start(source: &Arc<Source<P>>, cursor: Option<&str>) -> Self {
        let request = (source.listing.request)(cursor);
        let glance = Arc::new(Mutex::new(Glance {
            wanted: false,
            seen: None,
        }));
        let (shared, seen) = (Arc::clone(source), Arc::clone(&glance));
        let page = Task::spawn(source.api.runtime(), async move {
            let (source, limit) = (&shared, shared.api.max_response_bytes());
            let read = async |response: Response| {
                let exchange = response.exchange();
                let body = response.bytes(limit).await?;
                let cursor = (source.listing.peek)(&body).filter(|cursor| source.leads_on(cursor));
                if let Some(cursor) = cursor {
                    locked(&seen).tell(source, cursor);
                    // A thread that reads on now would send for it only afterwards.
                    step_aside().await;
                }
                let (page, next) = (source.listing.read)(text_of(body)?)?;
                Ok((page, next, exchange))
            };
            source.api.call(request?, read).await
        });
        Self { page, glance }
    }
}

impl<P: Paged> Glance<P> {
    fn want(&mut self) -> Option<Seen<P>> {
        self.wanted = true;
        self.seen.take()
    }

    fn tell(&mut self, source: &Arc<Source<P>>, cursor: String) {
        let ahead = self.wanted.then(|| Fetch::start(source, Some(&cursor)));
        self.seen = Some((cursor, ahead));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives way once to what is ready to run.
async fn step_aside() {
    let mut aside = false;
    poll_fn(|context| {
        if std::mem::replace(&mut aside, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<P> Source<P> {
    fn cursors(&self) -> MutexGuard<'_, Cursors> {
        locked(&self.cursors)
    }

    fn leads_on(&self, cursor: &str) -> bool {
        !self.cursors().has_seen(cursor)
    }
}

/// The pages that have items, in the system's order.
pub(crate) struct Walk<P> {
    source: Arc<Source<P>>,
    state: State<P>,
    /// The page after the one that is being read, and the cursor it was asked for with.
    ahead: Option<(String, Fetch<P>)>,
    given: Recent,
    empty: u32,
    exchange: Option<Exchange>,
}

enum State<P> {
    /// Not asked for anything yet.
    Start,
    Fetching(Fetch<P>),
    /// The last page was given; this comes after it.
    Failed(ApiError),
    End,
}

impl<P: Paged> Walk<P> {
    pub(crate) fn new(api: Api, listing: Listing<P>) -> Self {
        let cursors = Mutex::new(Cursors::after(listing.start.as_deref()));
        Self {
            source: Arc::new(Source {
                api,
                listing,
                cursors,
            }),
            state: State::Start,
            ahead: None,
            given: Recent::new(REMEMBERED),
            empty: 0,
            exchange: None,
        }
    }

    /// Remembers the id of every item: for lists in which any page may repeat what any
    /// other gave.
    pub(crate) fn remember_all(&mut self) {
        self.given = Recent::new(usize::MAX);
    }

    /// Whether this item was given.
    pub(crate) fn has_given(&self, item: Fingerprint) -> bool {
        self.given.contains(item)
    }

    /// What the last page was read from.
    pub(crate) fn exchange(&self) -> Option<&Exchange> {
        self.exchange.as_ref()
    }

    /// Sends for the next page as soon as its cursor is seen.
    fn look_ahead(&mut self) {
        let State::Fetching(fetch) = &self.state else {
            return;
        };
        let seen = locked(&fetch.glance).want();
        if let Some((cursor, ahead)) = seen {
            let fetch = ahead.unwrap_or_else(|| Fetch::start(&self.source, Some(&cursor)));
            self.ahead = Some((cursor, fetch));
        }
    }

    /// Takes in a page, and sends for the one after it. A page that leads nowhere is
    /// still a page: its items come before the error.
    fn accept(&mut self, (mut page, next, exchange): Fetched<P>) -> P {
        let ahead = self.ahead.take();
        let advanced = self.source.cursors().advance(next);
        let cursor = match advanced {
            Ok(cursor) => {
                if let Some(cursor) = &cursor {
                    self.state = State::Fetching(match ahead {
                        Some((seen, fetch)) if seen == *cursor => fetch,
                        _ => Fetch::start(&self.source, Some(cursor)),
                    });
                }
                cursor
            }
            Err(error) => {
                self.state = State::Failed(error.found_in(&exchange));
                None
            }
        };
        page.follow(cursor);
        page.drop_repeats(&mut self.given);
        self.empty = match page.is_empty() {
            true => self.empty.saturating_add(1),
            false => 0,
        };
        if self.empty > EMPTY_PAGES {
            let reason = "over 1,000 pages in a row have no items";
            let error = ApiError::new(ApiErrorKind::CursorLoop, reason);
            self.state = State::Failed(error.found_in(&exchange));
        }
        self.exchange = Some(exchange);
        page
    }
}

impl<P: Paged> Stream for Walk<P> {
    type Item = Result<P, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            self.look_ahead();
            match &mut self.state {
                State::Start => {
                    let start = self.source.listing.start.as_deref();
                    self.state = State::Fetching(Fetch::start(&self.source, start));
                }
                State::Fetching(fetch) => {
                    let fetched = ready!(fetch.page.poll_unpin(context));
                    self.state = State::End;
                    let page = match fetched {
                        Ok(fetched) => self.accept(fetched),
                        Err(error) => {
                            self.ahead = None;
                            return Poll::Ready(Some(Err(error)));
                        }
                    };
                    if !page.is_empty() {
                        return Poll::Ready(Some(Ok(page)));
                    }
                }
                State::Failed(_) | State::End => {
                    let end = std::mem::replace(&mut self.state, State::End);
                    let State::Failed(error) = end else {
                        return Poll::Ready(None);
                    };
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}
