//! The event stream, over as many connections as it takes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;

use super::Client;
use super::feed::{Feed, Heard, Opened};
use super::item::{Connected, Gap, StreamEvent, StreamItem};
use super::sse::Sent;
use crate::api::{Api, Method, Path, Request, Response, malformed};
use crate::error::{ApiError, ApiErrorKind, ConfigError};

/// A connection that lasted this long was a good one: the failures are counted anew.
const GOOD: Duration = Duration::from_secs(30);

/// The options of an event stream.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    idle_timeout: Duration,
    max_outage: Option<Duration>,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(90),
            max_outage: None,
        }
    }
}

impl StreamOptions {
    /// The defaults: reconnects after 90 s of silence, and never gives up.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the connection may be silent before it is considered dead. The system
    /// sends comments while there are no events; how often is not documented. If this is
    /// longer than the client's read timeout (5 min), the read timeout applies.
    ///
    /// Errors: `invalid_option` if it is zero.
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Result<Self, ConfigError> {
        if timeout.is_zero() {
            return Err(ConfigError::InvalidOption {
                option: "idle_timeout",
                reason: "it must be longer than zero",
            });
        }
        self.idle_timeout = timeout;
        Ok(self)
    }

    /// Sets after how long without a connection to give up. The stream then ends with the
    /// error of the next attempt that fails. By default it never gives up.
    #[must_use]
    pub fn with_max_outage(mut self, outage: Duration) -> Self {
        self.max_outage = Some(outage);
        self
    }
}

impl Client {
    /// Streams events as they happen. No scope is needed. Nothing is sent until the first
    /// item is requested.
    ///
    /// A lost connection is reported as a [`Gap`], and the stream reconnects. The wait grows
    /// with each failure (see [`RetryOptions`](crate::api::RetryOptions)) and is at least what
    /// the system asks for, up to `max_retry_delay` of those options. Each connection gets a
    /// new token and, if events have ids, the id of the last event. If the first connection
    /// cannot be made, the stream fails after 5 attempts, as any call does.
    ///
    /// The stream ends with an error that another attempt would not fix: `unauthorized`,
    /// even with a new token; `forbidden`; `not_found`; a `rate_limited` with too long a
    /// delay; a response that is not an event stream.
    pub fn events(&self, options: StreamOptions) -> EventStream {
        let run = Run {
            api: self.api.clone(),
            options,
            state: State::Apart {
                wait: Duration::ZERO,
            },
            connected_once: false,
            failures: 0,
            apart_since: Duration::ZERO,
            asked_to_wait: Duration::ZERO,
            last_event_id: None,
            gap: None,
        };
        EventStream(Box::pin(stream::unfold(run, Run::step).fuse()))
    }
}

/// A stream of [`StreamItem`]s.
///
/// [`next`](Self::next) needs no trait in scope. It ends after an error, and only then.
/// Dropping it closes the connection.
pub struct EventStream(Pin<Box<dyn Stream<Item = Result<StreamItem, ApiError>> + Send>>);

impl EventStream {
    /// The next item.
    pub async fn next(&mut self) -> Option<Result<StreamItem, ApiError>> {
        self.0.next().await
    }
}

impl Stream for EventStream {
    type Item = Result<StreamItem, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream(..)")
    }
}

struct Run {
    api: Api,
    options: StreamOptions,
    state: State,
    connected_once: bool,
    /// How many connections in a row failed or soon broke.
    failures: u32,
    /// When the connection was lost, if there was one.
    apart_since: Duration,
    /// The value of the system's last `retry` field.
    asked_to_wait: Duration,
    last_event_id: Option<String>,
    /// Where the last gap began.
    gap: Option<Timestamp>,
}

enum State {
    /// Not connected; the next attempt comes after this wait.
    Apart {
        wait: Duration,
    },
    Open {
        feed: Box<Feed>,
        since: Duration,
    },
    End,
}

impl Run {
    async fn step(mut self) -> Option<(Result<StreamItem, ApiError>, Self)> {
        loop {
            match &mut self.state {
                State::End => return None,
                State::Apart { wait } => {
                    if !wait.is_zero() {
                        self.api.runtime().sleep(*wait).await;
                    }
                    let (api, request) = (self.api.clone(), self.request());
                    let connected = api.call(request, async |response| opened(response)).await;
                    if let Err(error) = self.connected(connected) {
                        self.state = State::End;
                        return Some((Err(error), self));
                    }
                }
                State::Open { feed, since } => {
                    let item = match feed.next().await {
                        Some(Ok(event)) => item_of(event),
                        lost => {
                            let (heard, since) = (feed.heard(), *since);
                            self.lost(heard, since, lost.and_then(Result::err))
                        }
                    };
                    return Some((Ok(item), self));
                }
            }
        }
    }

    fn request(&self) -> Request {
        let request = Request::new("tv.events", Method::Get, Path::new("/api/events/stream"))
            .once()
            .header("Accept", "text/event-stream")
            // A compressed stream may be held back until there is more of it.
            .header("Accept-Encoding", "identity")
            .header("Cache-Control", "no-store");
        match &self.last_event_id {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        }
    }

    /// Takes over a new connection, or decides when to try again.
    fn connected(&mut self, connected: Result<Opened, ApiError>) -> Result<(), ApiError> {
        let now = self.api.runtime().monotonic();
        let error = match connected {
            Ok(opened) => {
                let (api, idle) = (self.api.clone(), self.options.idle_timeout);
                let feed = Feed::new(api, opened, idle, self.gap);
                self.state = State::Open {
                    feed: Box::new(feed),
                    since: now,
                };
                self.connected_once = true;
                return Ok(());
            }
            Err(error) => error,
        };
        self.failures = self.failures.saturating_add(1);
        let error = error.with_attempts(self.failures);
        let retry = self.api.retry();
        let wait = match self.connected_once {
            false => retry.next_delay(&error, true, self.api.runtime().random()),
            true if !error.is_retryable() || retry.is_too_long(error.retry_after()) => None,
            true => Some(self.wait().max(error.retry_after().unwrap_or_default())),
        };
        let outage = now.saturating_sub(self.apart_since);
        let too_long = |limit| self.connected_once && outage >= limit;
        match wait.filter(|_| !self.options.max_outage.is_some_and(too_long)) {
            Some(wait) => {
                self.state = State::Apart { wait };
                Ok(())
            }
            None => Err(error),
        }
    }

    fn lost(&mut self, heard: Heard, since: Duration, reason: Option<ApiError>) -> StreamItem {
        let now = self.api.runtime().monotonic();
        self.last_event_id = heard.resume_from.or(self.last_event_id.take());
        self.asked_to_wait = heard.retry.unwrap_or(self.asked_to_wait);
        self.failures = match now.saturating_sub(since) >= GOOD {
            true => 1,
            false => self.failures.saturating_add(1),
        };
        self.apart_since = now;
        self.gap = Some(heard.whole_until);
        self.state = State::Apart { wait: self.wait() };
        let ended = || ApiError::new(ApiErrorKind::Connection, "the system ended the stream");
        StreamItem::Gap(Gap {
            reason: reason.unwrap_or_else(ended).found_in(&heard.exchange),
            since: heard.whole_until,
            last_event_id: self.last_event_id.clone(),
        })
    }

    fn wait(&self) -> Duration {
        let retry = self.api.retry();
        retry
            .backoff(self.failures, self.api.runtime().random())
            .max(retry.within_patience(self.asked_to_wait))
    }
}

fn item_of(event: Sent) -> StreamItem {
    match event.name.as_str() {
        "connected" => StreamItem::Connected(Connected::new(&event.data)),
        _ => StreamItem::Event(StreamEvent::new(
            event.name,
            event.id.as_deref(),
            event.data,
        )),
    }
}

fn opened(response: Response) -> Result<Opened, ApiError> {
    let kind = response
        .header("Content-Type")
        .unwrap_or("text/event-stream");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match response.status() == 200 && kind.eq_ignore_ascii_case("text/event-stream") {
        true => Ok((response.exchange(), response.into_body())),
        false => Err(malformed("the response is not an event stream")),
    }
}
