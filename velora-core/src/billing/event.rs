//! The event, whose envelope is not documented: any JSON object.

use std::fmt;

use serde::Serialize;

use crate::error::{EventFault, VerificationError};
use crate::webhook::{Delivery, Extra, FromDelivery};

/// A billing event: whatever members the body has.
///
/// It serialises as the body's members. `Debug` shows only the type.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// What happened, such as `dispute.sla_breached`; `None` if nothing names it.
    #[serde(skip)]
    pub event_type: Option<EventType>,
    /// All members of the body, `type` or `event` included.
    #[serde(flatten)]
    pub members: Extra,
}

/// What happened, and whether the signature vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventType {
    /// From the body, under the MAC.
    Signed(String),
    /// From `X-Webhook-Event`, which anyone on the way could have rewritten. Do
    /// not rely on it alone.
    Unsigned(String),
}

impl EventType {
    /// The type as the system writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Signed(text) | Self::Unsigned(text) => text,
        }
    }
}

impl FromDelivery for Event {
    fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
        let members = delivery.fields()?.rest();
        Ok(Self {
            event_type: event_type(delivery)?,
            members,
        })
    }
}

/// Reads the type from the body, or else from the header.
pub(crate) fn event_type(delivery: &Delivery<'_>) -> Result<Option<EventType>, EventFault> {
    let signed = signed_type(delivery)?;
    let unsigned = || delivery.hint().map(str::to_owned).map(EventType::Unsigned);
    Ok(signed.map(EventType::Signed).or_else(unsigned))
}

/// The first of the two members that is a string; either may be something else.
fn signed_type(delivery: &Delivery<'_>) -> Result<Option<String>, EventFault> {
    for member in ["type", "event"] {
        match delivery.outline()?.text(delivery.body(), member) {
            Ok(text) => return Ok(Some(text.into_owned())),
            Err(repeated @ EventFault::DuplicateMember { .. }) => return Err(repeated),
            Err(_) => {}
        }
    }
    Ok(None)
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}
