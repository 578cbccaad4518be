//! The items of the event stream.

use std::fmt;

use jiff::Timestamp;

use super::sse::UNNAMED;
use crate::EventJson;
use crate::dedupe::Key;
use crate::error::ApiError;
use crate::tv::event::MEMBERS;
use crate::tv::{Event, EventType};
use crate::webhook::fields::Outline;
use crate::webhook::{Extra, Fields};

/// One item of the event stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamItem {
    /// The stream is connected, and events arrive from now on: at the start, and after each
    /// gap.
    Connected(Connected),
    /// Something happened.
    Event(StreamEvent),
    /// The connection was lost. Events may be missing until the next
    /// [`Connected`](Self::Connected).
    Gap(Gap),
}

/// The system's first word on each connection. Any member may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Connected {
    /// Whether the token was taken.
    pub authenticated: Option<bool>,
    /// Whether the events of the token's own channel come without being asked for.
    pub auto_subscribed: Option<bool>,
    /// The name of that channel.
    pub channel_username: Option<String>,
    /// Every other member.
    pub extra: Extra,
}

impl Connected {
    pub(super) fn new(data: &str) -> Self {
        let read = |mut fields: Fields<'_>| {
            Ok(Self {
                authenticated: fields.optional("authenticated"),
                auto_subscribed: fields.optional("autoSubscribed"),
                channel_username: fields.optional("channelUsername"),
                extra: fields.rest(),
            })
        };
        Fields::read(data, read).unwrap_or_default()
    }
}

/// Something happened: an event as the stream has it, unknown ones too.
///
/// `Debug` shows its name, its id and the size of its data.
#[derive(Clone, PartialEq)]
pub struct StreamEvent {
    name: String,
    id: Option<String>,
    data: String,
    event: Option<Box<Event>>,
}

impl StreamEvent {
    pub(super) fn new(name: String, id: Option<&str>, data: String) -> Self {
        Self {
            event: Fields::read(&data, Event::read).ok().map(Box::new),
            name,
            id: id.map(str::to_owned),
            data,
        }
    }

    /// What happened: the name on the stream, or the `type` within where it has none.
    pub fn event_type(&self) -> EventType {
        match &self.event {
            Some(event) if self.name == UNNAMED => event.event_type.clone(),
            _ => self.name.clone().into(),
        }
    }

    /// The typed event, where the data is an envelope as deliveries have it.
    pub fn event(&self) -> Option<&Event> {
        self.event.as_deref()
    }

    /// The same for hosts that have a JSON parser of their own.
    pub fn event_json(&self) -> Option<EventJson> {
        let event = self.event.as_ref()?;
        let json = self.data.as_bytes();
        let outline = Outline::read(json).ok()?;
        let event_type = Some(event.event_type.as_str());
        EventJson::write(json, &outline, MEMBERS, event_type).ok()
    }

    /// The stream's id of this place, where it has one: what a new connection resumes
    /// from.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The data as received: JSON, for all that is known.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The identity to deduplicate on: the same as of the event's delivery, so that what
    /// is streamed and what is delivered counts once. `None` where the data is no
    /// envelope.
    pub fn key(&self) -> Option<Key> {
        let event = self.event.as_ref()?;
        Some(Key::of_members("tv", &[&event.id]))
    }
}

impl fmt::Debug for StreamEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamEvent")
            .field("name", &self.name)
            .field("id", &self.id)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

/// A stretch of time in which events may have been missed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// Why it began: `connection` where the system ended the stream or it broke,
    /// `timeout` where nothing was heard for too long, `response_too_large` where an event
    /// is over 1 MiB.
    pub reason: ApiError,
    /// When the stream was last known to be complete, by this machine's clock: nothing
    /// before that is missing. If the connection broke before its first event, the earlier
    /// gap continues, and this is where it began.
    pub since: Timestamp,
    /// The id that the next connection asks to resume from. Whether the system heeds it
    /// is not documented. Without one, what happened meanwhile is not in the stream.
    pub last_event_id: Option<String>,
}
