//! One connection of the event stream: bytes in, events out.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use jiff::Timestamp;

use super::sse::{Parser, Sent};
use crate::api::{Api, Body, Exchange};
use crate::error::{ApiError, ApiErrorKind};

/// The body of a connection that was just opened, and what it is the answer to.
pub(super) type Opened = (Exchange, Body);

/// An open connection.
pub(super) struct Feed {
    api: Api,
    exchange: Exchange,
    body: Body,
    idle: Duration,
    parser: Parser,
    /// What ended it, reported after the events that came before.
    fault: Option<ApiError>,
    whole_until: Timestamp,
    /// Whether that goes on with what is heard: not while an earlier gap has no end yet.
    follows: bool,
}

/// What a connection has told besides its events.
pub(super) struct Heard {
    /// Nothing before this time is missing: when bytes last arrived without leaving an
    /// event incomplete, or where a gap began that no event has ended yet.
    pub(super) whole_until: Timestamp,
    /// The last event id from which a new connection can resume.
    pub(super) resume_from: Option<String>,
    /// How long to wait before connecting again.
    pub(super) retry: Option<Duration>,
    /// What the connection is the answer to.
    pub(super) exchange: Exchange,
}

impl Feed {
    /// Reads a body, after a gap that began at `gap` if there was one. It fails after `idle`
    /// without any byte (a comment counts as bytes).
    pub(super) fn new(
        api: Api,
        (exchange, body): Opened,
        idle: Duration,
        gap: Option<Timestamp>,
    ) -> Self {
        Self {
            exchange,
            whole_until: gap.unwrap_or_else(|| now(&api)),
            follows: gap.is_none(),
            api,
            body,
            idle,
            parser: Parser::default(),
            fault: None,
        }
    }

    /// The next event; `None` if the system ended the stream.
    ///
    /// Errors: `timeout` after silence; `response_too_large`; those of the transport.
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

    /// What the connection has told so far.
    pub(super) fn heard(&self) -> Heard {
        Heard {
            whole_until: self.whole_until,
            resume_from: self.parser.resume_from().map(str::to_owned),
            retry: self.parser.retry(),
            exchange: self.exchange.clone(),
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
