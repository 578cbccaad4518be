//! One connection: bytes in, events out.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use jiff::Timestamp;

use super::sse::{Parser, Sent};
use crate::api::{Api, Body};
use crate::error::{ApiError, ApiErrorKind};

/// A connection that is open.
pub(super) struct Feed {
    api: Api,
    body: Body,
    idle: Duration,
    parser: Parser,
    /// What ended it, to be told behind the events that came before.
    fault: Option<ApiError>,
    whole_until: Timestamp,
    /// Whether that goes on with what is heard: not while an earlier gap has no end yet.
    follows: bool,
}

/// What a connection has said, beside its events.
pub(super) struct Heard {
    /// Until when nothing is missing: when something was last heard, and no event was
    /// only half there; or where the gap began that no event has ended.
    pub(super) whole_until: Timestamp,
    /// The id of the last place that has one which can be asked for.
    pub(super) resume_from: Option<String>,
    /// How long to wait before connecting again.
    pub(super) retry: Option<Duration>,
}

impl Feed {
    /// Reads a body, behind a gap that began at `gap` if there was one. After `idle` without a
    /// byte, comments included, it has failed.
    pub(super) fn new(api: Api, body: Body, idle: Duration, gap: Option<Timestamp>) -> Self {
        Self {
            whole_until: gap.unwrap_or_else(|| now(&api)),
            follows: gap.is_none(),
            api,
            body,
            idle,
            parser: Parser::default(),
            fault: None,
        }
    }

    /// The next event; `None` where the system ended the stream.
    ///
    /// Errors: `timeout` after silence; `response_too_large`; and what the transport says.
    pub(super) async fn next(&mut self) -> Option<Result<Sent, ApiError>> {
        loop {
            if let Some(event) = self.parser.pop() {
                return Some(Ok(event));
            }
            if let Some(fault) = self.fault.take() {
                return Some(Err(fault));
            }
            match self.chunk().await? {
                Ok(chunk) => self.fault = self.parser.push(&chunk).err(),
                Err(error) => return Some(Err(error)),
            }
            self.follows |= self.parser.has_events();
            if self.follows && !self.parser.is_within_event() {
                self.whole_until = now(&self.api);
            }
        }
    }

    /// What was said so far.
    pub(super) fn heard(&self) -> Heard {
        Heard {
            whole_until: self.whole_until,
            resume_from: self.parser.resume_from().map(str::to_owned),
            retry: self.parser.retry(),
        }
    }

    async fn chunk(&mut self) -> Option<Result<Bytes, ApiError>> {
        let silence = self.api.runtime().sleep(self.idle);
        match select(pin!(self.body.chunk()), silence).await {
            Either::Left((chunk, _)) => chunk,
            Either::Right(_) => Some(Err(ApiError::new(
                ApiErrorKind::Timeout,
                "the stream was silent for too long",
            ))),
        }
    }
}

fn now(api: &Api) -> Timestamp {
    Timestamp::from_millisecond(api.runtime().now().as_millis()).unwrap_or_default()
}
