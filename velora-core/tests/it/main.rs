//! What the crate promises, tested through its public API.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test panics"
)]

mod architecture;
mod axum;
mod backfill;
mod catalogue;
mod construction;
mod dedupe;
mod event_json;
mod events;
mod hashed;
mod precheck;
mod properties;
mod published;
mod receiver;
mod redaction;
mod sabotage;
mod signer;
mod support;
mod vectors;
mod verifier;
