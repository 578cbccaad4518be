//! The receiving side of Velora: verify, deduplicate and answer signed webhook
//! deliveries of Velora Health, Velora Billing, CuraeAI and Velora TV.
//!
//! - [`Verifier`]: proves that a raw body comes from its system, and is recent.
//! - [`Store`] and [`MemoryStore`]: each event once, though it is delivered again
//!   and again, and though a handler crashes.
//! - [`Receiver`]: both, with the answer each system wants; [`axum`] serves it.
//! - [`Signer`]: deliveries for your tests, byte-identical to production.
//! - [`health`], [`billing`], [`curae`], [`tv`]: the schemes and typed events.
//!
//! # Features
//!
//! | feature | default | what it adds | pulls in |
//! |---|---|---|---|
//! | – | | [`Verifier`], [`Precheck`], [`Scheme`] | `sha2`, `subtle`, `zeroize` |
//! | `http` | yes | headers from `http::HeaderMap` | `http` |
//! | `events` | yes | typed events, [`Key`], [`Signer`] | `serde_json`, `jiff` |
//! | `receiver` | yes | [`Store`], [`MemoryStore`], [`Receiver`] | `lru`, `futures-util`, `tracing` |
//! | `axum` | | [`axum`]: extractor, handler adapter, `tower` service | `axum`, `tokio` |
//! | `store-conformance` | | [`dedupe::conformance`], for your own store | |
//!
//! Without features the crate has no async runtime and no HTTP, and builds for
//! `wasm32-unknown-unknown`.
//!
//! # Errors
//!
//! Every error has a [`Code`], stable and the same in every language. Branch on
//! it. No error, log or `Debug` shows a secret, a body or an expected signature.

#![forbid(unsafe_code)]

mod clock;
mod error;
mod secret;
mod systems;
mod webhook;

#[cfg(feature = "axum")]
pub mod axum;
pub mod billing;
pub mod curae;
#[cfg(feature = "events")]
pub mod dedupe;
pub mod health;
pub mod tv;

pub use clock::{Clock, ManualClock, SystemClock, Tolerance, UnixTime};
#[cfg(feature = "events")]
pub use dedupe::Key;
#[cfg(feature = "receiver")]
pub use dedupe::{Claim, Lease, MemoryStore, Store, StoreOptions};
pub use error::{Code, ConfigError, Error, EventFault, StoreError, VerificationError};
pub use secret::SigningSecret;
#[cfg(feature = "events")]
pub use systems::Event;
pub use webhook::{
    Delivery, HeaderName, Headers, Identity, Pending, Precheck, Scheme, SignatureForm,
    SignedPayload, TimeUnit, Verifier,
};
#[cfg(feature = "events")]
pub use webhook::{Extra, Fields, FromDelivery, RawJson, SignedDelivery, Signer};
#[cfg(feature = "receiver")]
pub use webhook::{Outcome, Receiver, Reply, Work};

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Verifier>();
    shared_between_threads::<Delivery<'static>>();
    shared_between_threads::<Error>();
    #[cfg(feature = "receiver")]
    shared_between_threads::<Receiver>();
};

/// The blocks of the README are tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../README.md")]
struct Readme;
