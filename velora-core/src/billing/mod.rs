//! Velora Billing: reconciliation and dispute events.
//!
//! The timestamp and the delivery id are outside the MAC. A captured delivery with a
//! rewritten timestamp passes every age check, and a new `X-Webhook-Delivery` would pass a
//! deduplication by that header. The only identity that is both authenticated and stable is
//! the body itself: its digest is the key. Two events with byte-identical bodies count as one.
//!
//! The store is therefore the only protection from replays, for as long as it remembers. After
//! the retention (72 h by default) a captured delivery passes again if its timestamp is
//! rewritten. If handling an event twice does harm, raise `StoreOptions::with_retention` to
//! months, in a store that survives a restart; a `MemoryStore` also forgets for lack of room.
//!
//! Source: Velora Billing, *API + Webhooks*.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "events")]
pub(crate) mod event;

#[cfg(feature = "client")]
pub use client::{
    Client, CsvRow, CsvRows, DeliveryQuery, DeliveryStatus, JournalFormat, LoggedDelivery,
    NotRefired, Progress, ReconRun, ReconSummary, RefireReport, Refired, Retried, Sweep, WhyNot,
};
#[cfg(feature = "events")]
pub use event::{Event, EventType};

use crate::text::text;
#[cfg(feature = "full")]
use crate::webhook::scheme::{Companion, CompanionValue, Handling, Identity};
use crate::webhook::{Scheme, SignatureForm, SignedPayload, TimeUnit};

/// `X-Webhook-Signature: sha256=<hex>` over the body, with an unsigned
/// `X-Webhook-Timestamp`. The event is identified by its body. A refused delivery is
/// answered with 401.
pub const fn scheme() -> Scheme {
    Scheme {
        name: text("billing"),
        signature_header: text("X-Webhook-Signature"),
        form: SignatureForm::Prefixed(text("sha256=")),
        timestamp_header: Some((text("X-Webhook-Timestamp"), TimeUnit::Seconds)),
        payload: SignedPayload(None),
        #[cfg(feature = "full")]
        handling: Handling {
            identity: Identity::BodyDigest,
            companions: const {
                &[
                    Companion::new("X-Webhook-Event", CompanionValue::Hint(&["type", "event"])),
                    Companion::new("X-Webhook-Delivery", CompanionValue::Fixed("del_test")),
                    Companion::new("Content-Type", CompanionValue::Fixed("application/json")),
                    Companion::new(
                        "User-Agent",
                        CompanionValue::Fixed("Velora-Billing-Webhook/1.0"),
                    ),
                ]
            },
            reject_status: 401,
            client_errors_are_final: false,
            own: false,
        },
    }
}
