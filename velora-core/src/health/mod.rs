//! Velora Health: PHI audit events.
//!
//! Sources: Velora Health, *API reference: Webhooks* and *Code samples*.

#[cfg(feature = "client")]
mod audit_event;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "events")]
pub(crate) mod event;
#[cfg(feature = "client")]
mod events;
#[cfg(feature = "client")]
mod export;
#[cfg(feature = "client")]
mod members;
#[cfg(feature = "client")]
mod page;
#[cfg(feature = "client")]
mod query;
#[cfg(feature = "client")]
mod raw_event;
#[cfg(feature = "client")]
mod webhooks;
#[cfg(feature = "client")]
mod window;

#[cfg(feature = "client")]
pub use audit_event::AuditEvent;
#[cfg(feature = "client")]
pub use client::Client;
#[cfg(feature = "events")]
pub use event::{Actor, Event, EventType, Resource};
#[cfg(feature = "client")]
pub use events::{Events, Pages};
#[cfg(feature = "client")]
pub use export::{Export, ExportQuery, ExportedOnce, Progress, Truncation};
#[cfg(feature = "client-reqwest")]
pub use export::{LeafProof, Manifest};
#[cfg(feature = "client")]
pub use page::Page;
#[cfg(feature = "client")]
pub use query::EventQuery;
#[cfg(feature = "client")]
pub use raw_event::RawEvent;
#[cfg(feature = "client")]
pub use webhooks::{Endpoint, NewEndpoint, Registration, Webhooks};
#[cfg(feature = "client")]
pub use window::Window;

use crate::text::text;
#[cfg(feature = "full")]
use crate::webhook::scheme::{Companion, CompanionValue, Handling, Identity};
use crate::webhook::{Scheme, SignatureForm, SignedPayload};

/// `X-Velora-Signature: t=<s>,v1=<hex>` over `t=<s>.<body>`; the event is
/// identified by `(id, type)`; a refusal is answered with 401.
pub const fn scheme() -> Scheme {
    Scheme {
        name: text("health"),
        signature_header: text("X-Velora-Signature"),
        form: SignatureForm::List,
        timestamp_header: None,
        payload: SignedPayload::around("t=", "."),
        #[cfg(feature = "full")]
        handling: Handling {
            identity: Identity::of(const { &[text("id"), text("type")] }),
            companions: const {
                &[Companion::new(
                    "Content-Type",
                    CompanionValue::Fixed("application/json"),
                )]
            },
            reject_status: 401,
            client_errors_are_final: false,
            own: false,
        },
    }
}
