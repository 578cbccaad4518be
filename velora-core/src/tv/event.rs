//! The two envelopes and the catalogue of channel events.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::{EventFault, VerificationError};
use crate::webhook::event_type::event_types;
use crate::webhook::shape::{Kind, Shape, member};
use crate::webhook::{Delivery, Extra, Fields, FromDelivery, RawJson};

event_types! {
    /// What happened.
    ///
    /// Source: Velora TV, *Webhooks: Available Events* and *Webhook events*.
    EventType {
        StreamOnline = "stream.online",
        StreamOffline = "stream.offline",
        StreamUpdate = "stream.update",
        ChannelFollow = "channel.follow",
        ChannelSubscribe = "channel.subscribe",
        ChannelUpdate = "channel.update",
        ChannelSubscriptionGift = "channel.subscription.gift",
        ChannelSubscriptionEnd = "channel.subscription.end",
        UserAuthorizationGrant = "user.authorization.grant",
        UserAuthorizationRevoke = "user.authorization.revoke",
    }
}

/// An event of the default form. It serialises as the envelope, including unknown members.
/// `Debug` shows only the type and the id.
///
/// Source: Velora TV, *Webhooks: Webhook Payload*.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// The same in every retry of the event.
    pub id: String,
    /// What happened, such as `stream.online`.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An event of the body-only form, which has no id.
///
/// Source: Velora TV, *Webhook events*.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BodyOnlyEvent {
    /// What happened, such as `stream.online`.
    #[serde(rename = "event")]
    pub event_type: EventType,
    /// When it happened, if the body has an RFC 3339 timestamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The payload of an event: typed if the vendor documents it. A payload of that type that is not
/// as documented is in the event's `extra`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Data {
    /// The payload of `stream.online`.
    StreamOnline(StreamOnline),
    /// The payload of any other type.
    Other(RawJson),
}

/// A stream went live. `Debug` shows only its id.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StreamOnline {
    /// The id of the stream.
    pub stream_id: String,
    /// The id of the streamer.
    pub user_id: String,
    /// The streamer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The stream's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The members that [`Event`] reads.
pub(crate) const MEMBERS: Shape = &[
    member("type", Kind::Name),
    member("id", Kind::Name),
    member("timestamp", Kind::Time),
    member("data", DATA),
];
/// The members that [`BodyOnlyEvent`] reads.
pub(crate) const BODY_ONLY_MEMBERS: Shape = &[
    member("event", Kind::Name),
    member("timestamp", Kind::Time),
    member("data", DATA),
];
const DATA: Kind = Kind::OfType("stream.online", STREAM_ONLINE);
const STREAM_ONLINE: Shape = &[
    member("streamId", Kind::Name),
    member("userId", Kind::Name),
    member("username", Kind::Text),
    member("title", Kind::Text),
    member("startedAt", Kind::Time),
];

impl FromDelivery for Event {
    fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
        Ok(Self::read(delivery.fields()?)?)
    }
}

impl Event {
    pub(crate) fn read(mut fields: Fields<'_>) -> Result<Self, EventFault> {
        let event_type = fields.text("type")?.into();
        Ok(Self {
            id: fields.text("id")?,
            timestamp: fields.timestamp("timestamp"),
            data: Data::take(&mut fields, &event_type),
            extra: fields.rest(),
            event_type,
        })
    }
}

impl FromDelivery for BodyOnlyEvent {
    fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
        let mut fields = delivery.fields()?;
        let event_type = fields.text("event")?.into();
        Ok(Self {
            timestamp: fields.timestamp("timestamp"),
            data: Data::take(&mut fields, &event_type),
            extra: fields.rest(),
            event_type,
        })
    }
}

impl Data {
    fn take(fields: &mut Fields<'_>, event_type: &EventType) -> Option<Self> {
        if *event_type == EventType::StreamOnline {
            return fields
                .object("data", StreamOnline::read)
                .map(Self::StreamOnline);
        }
        fields.optional("data").map(Self::Other)
    }
}

impl StreamOnline {
    fn read(mut fields: Fields<'_>) -> Result<Self, EventFault> {
        Ok(Self {
            stream_id: fields.text("streamId")?,
            user_id: fields.text("userId")?,
            username: fields.optional("username"),
            title: fields.optional("title"),
            started_at: fields.timestamp("startedAt"),
            extra: fields.rest(),
        })
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_type", &self.event_type)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BodyOnlyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyOnlyEvent")
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamOnline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOnline")
            .field("stream_id", &self.stream_id)
            .finish_non_exhaustive()
    }
}
