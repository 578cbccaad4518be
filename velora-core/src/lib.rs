//! The receiving side of Velora: verify, deduplicate and answer signed webhook
//! deliveries of Velora Health, Velora Billing, CuraeAI and Velora TV, and read their
//! APIs.
//!
//! - [`Verifier`] proves that a raw body comes from its system and is recent.
//! - [`Store`] and [`MemoryStore`] recognise repeated deliveries of an event, also after a
//!   handler has crashed; [`open_store`] opens a store for more than one process.
//! - [`Receiver`] does both, and gives each system the response it expects. [`axum`]
//!   serves it, and [`Receiver::backfill`] closes the gap that an outage leaves.
//! - [`Signer`] makes deliveries for your tests, byte-identical to production.
//! - [`health`], [`billing`], [`curae`], [`tv`] have the schemes and the typed events.
//! - [`health::Client`] lists audit events, and exports them with a proof of completeness.
//! - [`billing::Client`] reads reconciliation and the delivery log, and re-fires what
//!   failed; [`curae::Client`] manages endpoints with ETags; [`tv::Client`] streams events.
//!
//! # Features
//!
//! | feature | default | what it adds | main dependencies |
//! |---|---|---|---|
//! | – | | [`Verifier`], [`Precheck`], [`Scheme`] | `arrayvec`, `sha2`, `subtle`, `thiserror`, `zeroize` |
//! | `full` | yes | [`Scheme`]s and [`Clock`]s of your own, error messages that say more than the code | |
//! | `http` | yes | headers from `http::HeaderMap` | `http` |
//! | `events` | yes | typed events, [`Key`], [`Signer`] | `serde`, `serde_json`, `jiff`, `wide` |
//! | `receiver` | yes | [`Store`], [`MemoryStore`], [`Receiver`] | `lru`, `rustc-hash`, `futures-util`, `tracing` |
//! | `axum` | | [`axum`]: extractor, handler adapter, `tower` service | `axum`, `tokio` |
//! | `client` | | [`api`] and the clients, over a transport of your own | `bytes`, `futures-util`, `csv-core`, `memchr` |
//! | `client-reqwest` | | the native transport and runtime; exports to files | `reqwest`, `rustls`, `tokio` |
//! | `sqlite` | | [`dedupe::SqliteStore`], for the processes of one host | `rusqlite` with SQLite itself, `tokio` |
//! | `sqlite-driver` | | the same, over a copy of SQLite that your program already has | `tokio` |
//! | `postgres` | | [`dedupe::PostgresStore`], for many machines | `tokio-postgres`, `deadpool-postgres`, `rustls` |
//! | `redis` | | [`dedupe::RedisStore`], for many machines | `redis`, `rustls`, `tokio` |
//! | `js` | | on `wasm32-unknown-unknown`: [`SystemClock`] is the JavaScript host's | `web-time` |
//! | `store-conformance` | | [`dedupe::conformance`], the tests for a store of your own | |
//!
//! Needs Rust 1.95 or newer. Without features the crate has no async runtime and no HTTP. It
//! builds for `wasm32-unknown-unknown`, where [`SystemClock`] needs the feature `js`.
//!
//! # Errors
//!
//! Every error has a [`Code`], which is stable and the same in every language. Branch on
//! it. No message, log or `Debug` shows a secret, a body or an expected signature. Only
//! [`ApiError::raw`] and the members beside it hold what an API responded.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "a test panics")
)]

mod clock;
mod error;
#[cfg(feature = "events")]
mod json;
mod secret;
#[cfg(feature = "full")]
mod spell;
#[cfg(feature = "events")]
mod stamp;
mod systems;
mod text;
mod webhook;

#[cfg(feature = "client")]
pub mod api;
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
pub use dedupe::{Claim, Lease, MemoryStore, Store, StoreOptions, open_store};
#[cfg(feature = "events")]
pub use error::EventFault;
#[cfg(feature = "receiver")]
pub use error::StoreError;
#[cfg(feature = "client")]
pub use error::{ApiError, ApiErrorKind, FileError, Issue};
pub use error::{Code, ConfigError, Error, VerificationError};
#[cfg(feature = "client")]
pub use secret::ApiKey;
pub use secret::SigningSecret;
#[cfg(feature = "events")]
pub use systems::{Envelope, Event, EventJson};
#[cfg(not(feature = "full"))]
pub use text::Unsaid;
#[cfg(feature = "full")]
pub use webhook::Identity;
pub use webhook::{
    Delivery, HashedSecret, HeaderName, Headers, Pending, Precheck, Scheme, SignatureForm,
    SignedPayload, TimeUnit, Verifier,
};
#[cfg(feature = "events")]
pub use webhook::{Extra, Fields, FromDelivery, RawJson, SignedDelivery, Signer};
#[cfg(feature = "receiver")]
pub use webhook::{Intake, Outcome, Receiver, Reply, Work};

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Verifier>();
    shared_between_threads::<Delivery<'static>>();
    shared_between_threads::<Error>();
    #[cfg(feature = "receiver")]
    shared_between_threads::<Receiver>();
    #[cfg(feature = "client")]
    {
        const fn moved_to_threads<T: Send>() {}
        shared_between_threads::<ApiError>();
        shared_between_threads::<health::Client>();
        shared_between_threads::<billing::Client>();
        shared_between_threads::<curae::Client>();
        shared_between_threads::<tv::Client>();
        moved_to_threads::<health::Events>();
        moved_to_threads::<health::Pages>();
        moved_to_threads::<health::Export>();
        moved_to_threads::<api::Items<curae::Endpoint>>();
    }
};

/// The blocks of the README are tests.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "client-reqwest",
    feature = "postgres"
))]
#[doc = include_str!("../../README.md")]
struct Readme;
