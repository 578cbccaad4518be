//! Velora Health: PHI audit events.
//!
//! Sources: Velora Health, *API reference: Webhooks* and *Code samples*.

#[cfg(feature = "events")]
mod event;

#[cfg(feature = "events")]
pub use event::{Actor, Event, EventType, Resource};

use crate::webhook::scheme::CompanionValue;
use crate::webhook::{Identity, Scheme, SignatureForm, SignedPayload};

/// `X-Velora-Signature: t=<s>,v1=<hex>` over `t=<s>.<body>`; the event is
/// identified by `(id, type)`; a refusal is answered with 401.
pub fn scheme() -> Scheme {
    Scheme::new("health", "X-Velora-Signature", SignatureForm::List)
        .signed_payload(SignedPayload::timestamped("t=", "."))
        .identity(Identity::Members(vec!["id".into(), "type".into()]))
        .companion("Content-Type", CompanionValue::Fixed("application/json"))
}
