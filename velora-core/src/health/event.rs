//! The envelope of a delivered audit event.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::{EventFault, VerificationError};
use crate::webhook::event_type::event_types;
use crate::webhook::shape::{Kind, Shape, member};
use crate::webhook::{Delivery, Extra, Fields, FromDelivery, RawJson};

event_types! {
    /// What happened. The set is open: `Other` is an event like any other.
    EventType {
        PhiRead = "phi.read",
        PhiQuery = "phi.query",
        PhiExport = "phi.export",
        PhiDecrypt = "phi.decrypt",
    }
}

/// An audit event as a webhook delivers it.
///
/// `id` and `type` are always there; any other member may be absent or null, and
/// one of an undocumented type stays in `extra`. Serialising gives the envelope
/// back, unknown members included. `Debug` shows no PHI.
///
/// Source: Velora Health, *Webhooks: Delivery payload*.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// What happened, such as `phi.read`.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// The same in every retry of the event.
    pub id: String,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The tenant it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// What it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// Whether protected health information was involved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phi_involved: Option<bool>,
    /// Whether the action succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// Free-form details: an object in deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<RawJson>,
    /// The version of the envelope; a text, raised on removal or rename only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<String>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Who caused an event.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Actor {
    /// The user's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The user's role, such as `data_analyst`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_role: Option<String>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What an event concerns.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Resource {
    /// Its kind, such as `claim`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The members that [`Event`] reads.
pub(crate) const MEMBERS: Shape = &[
    member("type", Kind::Name),
    member("id", Kind::Name),
    member("timestamp", Kind::Time),
    member("tenant_id", Kind::Text),
    member("actor", Kind::Object(ACTOR)),
    member("resource", Kind::Object(RESOURCE)),
    member("phi_involved", Kind::Flag),
    member("success", Kind::Flag),
    member("details", Kind::Any),
    member("schema_version", Kind::Text),
];
const ACTOR: Shape = &[
    member("user_id", Kind::Text),
    member("user_role", Kind::Text),
];
const RESOURCE: Shape = &[member("type", Kind::Text), member("id", Kind::Text)];

impl FromDelivery for Event {
    fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
        let mut fields = delivery.fields()?;
        Ok(Self {
            event_type: fields.text("type")?.into(),
            id: fields.text("id")?,
            timestamp: fields.timestamp("timestamp"),
            tenant_id: fields.optional("tenant_id"),
            actor: fields.object("actor", Actor::read),
            resource: fields.object("resource", Resource::read),
            phi_involved: fields.optional("phi_involved"),
            success: fields.optional("success"),
            details: fields.optional("details"),
            schema_version: fields.optional("schema_version"),
            extra: fields.rest(),
        })
    }
}

impl Actor {
    fn read(mut fields: Fields<'_>) -> Result<Self, EventFault> {
        Ok(Self {
            user_id: fields.optional("user_id"),
            user_role: fields.optional("user_role"),
            extra: fields.rest(),
        })
    }
}

impl Resource {
    fn read(mut fields: Fields<'_>) -> Result<Self, EventFault> {
        Ok(Self {
            resource_type: fields.optional("type"),
            id: fields.optional("id"),
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

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").finish_non_exhaustive()
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").finish_non_exhaustive()
    }
}
