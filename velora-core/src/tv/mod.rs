//! Velora TV: stream, channel and user events.
//!
//! The vendor describes two forms. *Webhooks* has a signed timestamp, and an envelope with an
//! id: this is [`scheme`], the default. *Webhook events* signs only the body: this is
//! [`body_only_scheme`]; name it only if you receive that form. Never try both on one
//! delivery: a signature over the body alone can be replayed with any timestamp.
//!
//! Source: Velora TV, *Webhooks*; the body-only form, *Webhook events*.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "events")]
pub(crate) mod event;

#[cfg(feature = "client")]
pub use client::{
    Client, Connected, CreatedWebhook, EventStream, Gap, StreamEvent, StreamItem, StreamOptions,
};
#[cfg(feature = "events")]
pub use event::{BodyOnlyEvent, Data, Event, EventType, StreamOnline};

use crate::text::text;
#[cfg(feature = "full")]
use crate::webhook::scheme::{Companion, CompanionValue, Handling, Identity};
use crate::webhook::{Scheme, SignatureForm, SignedPayload, TimeUnit};

/// `X-Velora-Signature: sha256=<hex>` over `<s>.<body>`, with the seconds in
/// `X-Velora-Timestamp`. The event is identified by `id`. A refused delivery is answered
/// with 401.
pub const fn scheme() -> Scheme {
    Scheme {
        name: text("tv"),
        signature_header: text("X-Velora-Signature"),
        form: SignatureForm::Prefixed(text("sha256=")),
        timestamp_header: Some((text("X-Velora-Timestamp"), TimeUnit::Seconds)),
        payload: SignedPayload::around("", "."),
        #[cfg(feature = "full")]
        handling: Handling {
            identity: Identity::of(const { &[text("id")] }),
            companions: const {
                &[
                    Companion::new("X-Velora-Event", CompanionValue::Repeats("type")),
                    Companion::new("Content-Type", CompanionValue::Fixed("application/json")),
                ]
            },
            reject_status: 401,
            client_errors_are_final: false,
            own: false,
        },
    }
}

/// `X-Velora-Signature: <hex>` over the body, with unsigned milliseconds in
/// `X-Velora-Timestamp`. The event has no id and is identified by its body.
///
/// The age check stops accidents, not attackers, who can rewrite the timestamp. Only the
/// deduplication store stops a replay, for as long as it remembers: after the retention (72 h
/// by default) a captured delivery passes again. If that does harm, raise
/// `StoreOptions::with_retention` to months, in a store that survives a restart; a
/// `MemoryStore` also forgets for lack of room.
pub const fn body_only_scheme() -> Scheme {
    Scheme {
        name: text("tv-body-only"),
        signature_header: text("X-Velora-Signature"),
        form: SignatureForm::Prefixed(text("")),
        timestamp_header: Some((text("X-Velora-Timestamp"), TimeUnit::Milliseconds)),
        payload: SignedPayload(None),
        #[cfg(feature = "full")]
        handling: Handling {
            identity: Identity::BodyDigest,
            companions: const {
                &[
                    Companion::new("X-Velora-Event", CompanionValue::Repeats("event")),
                    Companion::new("Content-Type", CompanionValue::Fixed("application/json")),
                ]
            },
            reject_status: 401,
            client_errors_are_final: false,
            own: false,
        },
    }
}
