//! Deliveries: what a system signs, how it is verified, and what it carries.
//!
//! No I/O; the time comes only from a [`Clock`](crate::Clock); no JSON is parsed before the MAC
//! is verified.

mod delivery;
#[cfg(feature = "events")]
pub(crate) mod event_type;
#[cfg(feature = "events")]
pub(crate) mod fields;
mod headers;
#[cfg(feature = "receiver")]
mod intake;
mod mac;
mod precheck;
#[cfg(feature = "receiver")]
mod receiver;
#[cfg(feature = "receiver")]
mod reply;
pub(crate) mod scheme;
#[cfg(feature = "events")]
pub(crate) mod shape;
mod signature;
#[cfg(feature = "events")]
mod signer;
mod verifier;

pub use delivery::Delivery;
#[cfg(feature = "events")]
pub use delivery::FromDelivery;
#[cfg(feature = "events")]
pub use fields::{Extra, Fields, RawJson};
pub use headers::{HeaderName, Headers};
#[cfg(feature = "receiver")]
pub use intake::Intake;
pub use mac::HashedSecret;
pub use precheck::{Pending, Precheck};
#[cfg(feature = "receiver")]
pub use receiver::{Receiver, Work};
#[cfg(feature = "receiver")]
pub use reply::{Outcome, Reply};
#[cfg(feature = "full")]
pub use scheme::Identity;
pub use scheme::{Scheme, SignatureForm, SignedPayload, TimeUnit};
#[cfg(feature = "events")]
pub use signer::{SignedDelivery, Signer};
pub use verifier::Verifier;
