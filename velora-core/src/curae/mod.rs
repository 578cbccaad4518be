//! CuraeAI: platform events of connections, imports and exports.
//!
//! Source: CuraeAI, *Webhooks*.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "events")]
pub(crate) mod event;

#[cfg(feature = "client")]
pub use client::{
    Client, Endpoint, EndpointChange, EndpointQuery, IfChanged, NewEndpoint, Registration,
    Versioned, Webhooks,
};
#[cfg(feature = "events")]
pub use event::{Event, EventType};

use crate::text::text;
#[cfg(feature = "full")]
use crate::webhook::scheme::{Companion, CompanionValue, Handling, Identity};
use crate::webhook::{Scheme, SignatureForm, SignedPayload};

/// `CuraeAI-Signature: t=<s>,v1=<hex>[,v1=<hex>…]` over `<s>.<body>`. The event is
/// identified by `eventId`. A refused delivery is answered with 400, after which CuraeAI does
/// not try again.
pub const fn scheme() -> Scheme {
    Scheme {
        name: text("curae"),
        signature_header: text("CuraeAI-Signature"),
        form: SignatureForm::List,
        timestamp_header: None,
        payload: SignedPayload::around("", "."),
        #[cfg(feature = "full")]
        handling: Handling {
            identity: Identity::of(const { &[text("eventId")] }),
            companions: const {
                &[
                    Companion::new("CuraeAI-Timestamp", CompanionValue::Timestamp),
                    Companion::new("CuraeAI-Event-Id", CompanionValue::Repeats("eventId")),
                    Companion::new("CuraeAI-Event-Type", CompanionValue::Repeats("eventType")),
                    Companion::new("Content-Type", CompanionValue::Fixed("application/json")),
                ]
            },
            reject_status: 400,
            client_errors_are_final: true,
            own: false,
        },
    }
}
