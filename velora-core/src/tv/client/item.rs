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
    /// An event.
    Event(StreamEvent),
    /// The connection was lost. Events may be missing until the next
    /// [`Connected`](Self::Connected).
    Gap(Gap),
}

/// The system's first message on each connection. Any member may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Connected {
    /// Whether the token was accepted.
    pub authenticated: Option<bool>,
    /// Whether the events of the token's own channel are included automatically.
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

/// An event of the stream, known or unknown.
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

    /// The event's type: its name on the stream, or the `type` in the data if it has none.
    pub fn event_type(&self) -> EventType {
        match &self.event {
            Some(event) if self.name == UNNAMED => event.event_type.clone(),
            _ => self.name.clone().into(),
        }
    }

    /// The typed event, if the data has the form of a delivery's body.
    pub fn event(&self) -> Option<&Event> {
        self.event.as_deref()
    }

    /// The same as JSON, for hosts with a JSON parser of their own.
    pub fn event_json(&self) -> Option<EventJson> {
        let event = self.event.as_ref()?;
        let json = self.data.as_bytes();
        let outline = Outline::read(json).ok()?;
        let event_type = Some(event.event_type.as_str());
        EventJson::write(json, &outline, MEMBERS, event_type).ok()
    }

    /// The event's id on the stream, if it has one. A new connection resumes from it.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The data as received; as far as known, always JSON.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The identity to deduplicate on: equal to the key of the event's delivery, so that an
    /// event that is both streamed and delivered counts once. `None` if the data does not have
    /// the form of a delivery's body.
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

/// A period in which events may have been missed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// Why the connection was lost: `connection` if the system ended the stream or it broke,
    /// `timeout` if it was silent for too long, `response_too_large` if an event is over
    /// 1 MiB.
    pub reason: ApiError,
    /// When the stream was last known to be complete, by this machine's clock: nothing
    /// before that is missing. If the connection broke before its first event, the earlier
    /// gap continues, and this is where it began.
    pub since: Timestamp,
    /// The id from which the next connection asks to resume. Whether the system honours it is
    /// not documented. Without an id, the stream lacks what happened meanwhile.
    pub last_event_id: Option<String>,
}
