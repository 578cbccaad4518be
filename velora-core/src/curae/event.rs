//! The envelope and the catalogue of platform events.

use std::fmt;

use serde::Serialize;

use crate::error::VerificationError;
use crate::webhook::event_type::event_types;
use crate::webhook::shape::{Kind, Shape, member};
use crate::webhook::{Delivery, Extra, FromDelivery, RawJson};

event_types! {
    /// What happened.
    ///
    /// Source: CuraeAI, *Webhooks: Event catalog*.
    EventType {
        PatientCreated = "patient.created",
        PatientUpdated = "patient.updated",
        ObservationCreated = "observation.created",
        ObservationUpdated = "observation.updated",
        ImportCompleted = "import.completed",
        ConnectionAuthorized = "connection.authorized",
        ConnectionReconnected = "connection.reconnected",
        ConnectionExpired = "connection.expired",
        ConnectionActionRequired = "connection.action_required",
        ConnectionRevoked = "connection.revoked",
        RecordsExportQueued = "records.export_queued",
        RecordsExportReady = "records.export_ready",
        RecordsExportFailed = "records.export_failed",
        RecordsExportExpired = "records.export_expired",
        EntryInitiated = "entry.initiated",
        EntryCompleted = "entry.completed",
        EntryLimitedProvisioned = "entry.limited_provisioned",
        EntryTransferred = "entry.transferred",
        EntryFolded = "entry.folded",
        ConsolidationCompleted = "consolidation.completed",
        ConsolidationReversed = "consolidation.reversed",
        UserGraduated = "user.graduated",
    }
}

/// A platform event. It serialises as the envelope, including unknown members. `Debug` shows
/// only the type and the id.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    /// What happened, such as `records.export_ready`.
    pub event_type: EventType,
    /// The same in every retry of the event.
    #[serde(rename = "eventId")]
    pub id: String,
    /// The payload, whose schemas are not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<RawJson>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The members that [`Event`] reads.
pub(crate) const MEMBERS: Shape = &[
    member("eventType", Kind::Name),
    member("eventId", Kind::Name),
    member("data", Kind::Any),
];

impl FromDelivery for Event {
    fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
        let mut fields = delivery.fields()?;
        Ok(Self {
            event_type: fields.text("eventType")?.into(),
            id: fields.text("eventId")?,
            data: fields.optional("data"),
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
