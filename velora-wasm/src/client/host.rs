//! The transport and the runtime: the host's `fetch` and its timers.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, Stream};
use velora_core::api::{Body, BoxFuture, Request, Response, Runtime, Transport};
use velora_core::{ApiError, ApiErrorKind, Clock, UnixTime};

use crate::clock::HostClock;
use crate::frame::{self, Items, item};
use crate::task::{self, Asked, tell};

thread_local! {
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

exports! {
    /// Seeds the random numbers with 64 random bits of the host's, in two halves.
    fn seed(high: u32, low: u32) {
        RANDOM.set((u64::from(high) << 32) | u64::from(low));
    }
}

/// The outcome of a request, or of reading the body.
mod outcome {
    pub(super) const OK: u32 = 0;
    pub(super) const END: u32 = 1;
    pub(super) const TIMEOUT: u32 = 2;
}

/// The items of a request, and of the head of its response.
mod tag {
    pub(super) const METHOD: u8 = 0;
    pub(super) const URL: u8 = 1;
    pub(super) const BODY: u8 = 2;
    pub(super) const NAME: u8 = 3;
    pub(super) const VALUE: u8 = 4;
    /// Of two bytes, the lower one first.
    pub(super) const STATUS: u8 = 5;
    /// Nothing marks the end of the body.
    pub(super) const UNFRAMED: u8 = 6;
}

/// A request until its response is read to the end, or abandoned.
struct UnderWay(Asked);

impl Drop for UnderWay {
    fn drop(&mut self) {
        task::tell_of(tell::CALLED_OFF, self.0.number(), &[]);
    }
}

/// How long to wait for the head of a response, and for its next bytes, in milliseconds.
pub(super) struct HostTransport {
    answer_timeout: f64,
    read_timeout: f64,
}

impl HostTransport {
    /// The host does not tell when it has connected: the head may take both times together.
    pub(super) fn new(connect_timeout: Duration, read_timeout: Duration) -> Self {
        let (connect, read) = (connect_timeout.as_secs_f64(), read_timeout.as_secs_f64());
        Self {
            answer_timeout: (connect + read) * 1e3,
            read_timeout: read * 1e3,
        }
    }
}

impl Transport for HostTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ApiError>> {
        let mut items = frame::numbers([self.answer_timeout, self.read_timeout]);
        item(
            &mut items,
            tag::METHOD,
            &[request.method().as_str().as_bytes()],
        );
        item(&mut items, tag::URL, &[request.url().as_bytes()]);
        for (name, value) in request.headers() {
            item(&mut items, tag::NAME, &[name.as_bytes()]);
            item(&mut items, tag::VALUE, &[value.as_bytes()]);
        }
        if let Some(body) = request.body() {
            item(&mut items, tag::BODY, &[body]);
        }
        let mut under_way = UnderWay(task::ask(tell::SEND, &[&items]));
        Box::pin(async move {
            match (&mut under_way.0).await {
                (outcome::OK, head) => Ok(response(&head, under_way)),
                (outcome, _) => Err(fault(outcome)),
            }
        })
    }
}

fn response(head: &[u8], under_way: UnderWay) -> Response {
    let (mut status, mut framed) = (0, true);
    let mut headers: Vec<(String, String)> = Vec::new();
    for (tag, bytes) in Items(head) {
        let text = || frame::text(bytes).to_owned();
        match tag {
            tag::STATUS => {
                status = bytes
                    .first_chunk()
                    .map_or(0, |two| u16::from_le_bytes(*two))
            }
            tag::NAME => headers.push((text(), String::new())),
            tag::VALUE => {
                if let Some((_, value)) = headers.last_mut() {
                    *value = text();
                }
            }
            tag::UNFRAMED => framed = false,
            _ => {}
        }
    }
    let chunks = Chunks {
        asked: None,
        under_way,
    };
    let response = Response::new(status, headers, Body::new(chunks));
    match framed {
        true => response,
        false => response.without_framing(),
    }
}

/// The body of a response, as the host reads it.
struct Chunks {
    asked: Option<Asked>,
    under_way: UnderWay,
}

impl Stream for Chunks {
    type Item = Result<Bytes, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let number = self.under_way.0.number().to_le_bytes();
        let asked = self
            .asked
            .get_or_insert_with(|| task::ask(tell::READ, &[&number]));
        let (outcome, chunk) = ready!(asked.poll_unpin(context));
        self.asked = None;
        Poll::Ready(match outcome {
            outcome::OK => Some(Ok(Bytes::from(chunk))),
            outcome::END => None,
            outcome => Some(Err(fault(outcome))),
        })
    }
}

/// The error, with a message of our own, because the host's may contain the URL.
fn fault(outcome: u32) -> ApiError {
    match outcome {
        outcome::TIMEOUT => ApiError::new(ApiErrorKind::Timeout, "no data arrived for too long"),
        _ => ApiError::new(
            ApiErrorKind::Connection,
            "no connection to the host, or it was lost",
        ),
    }
}

/// The host's timers and its event loop.
pub(super) struct HostRuntime;

impl Clock for HostRuntime {
    fn now(&self) -> UnixTime {
        HostClock.now()
    }

    fn monotonic(&self) -> Duration {
        HostClock.monotonic()
    }
}

impl Runtime for HostRuntime {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let milliseconds = (duration.as_secs_f64() * 1e3).to_le_bytes();
        Box::pin(task::ask(tell::WAIT, &[&milliseconds]).map(drop))
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        task::spawn(work);
    }

    /// `SplitMix64`.
    fn random(&self) -> u64 {
        let state = RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        RANDOM.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
