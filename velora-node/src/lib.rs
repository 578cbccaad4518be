//! The core as a Node addon: converts and calls, and decides nothing.
//!
//! Only the TypeScript layer in `ts/` loads it. A failure is returned as a
//! [`Failure`](failure::Failure), and the layer throws an error of the right class, so that
//! the error's stack trace is the caller's.
//!
//! [`fast`] holds all the `unsafe` code: the one call that has to be fast.

#![deny(unsafe_code)]
#![cfg_attr(test, allow(dead_code, reason = "a build for tests registers nothing"))]
#![cfg_attr(
    feature = "panics",
    allow(clippy::panic, reason = "this is what it is for")
)]
#![allow(unreachable_pub, reason = "what is `pub` is exported to JavaScript")]

mod cancel;
mod client;
mod failure;
mod fast;
mod headers;
mod number;
mod receiver;
mod scheme;
mod secret;
mod signer;
mod store;
mod transaction;
mod verifier;

/// Panics, for the test that this becomes an error and does not end the process.
#[cfg(feature = "panics")]
#[napi_derive::napi(catch_unwind, skip_typescript)]
pub fn panic_now() {
    panic!("a test asked for it");
}

/// The same in the background.
#[cfg(feature = "panics")]
#[napi_derive::napi(skip_typescript)]
pub async fn panic_later() {
    panic!("a test asked for it");
}

/// The same in a callback written on Node-API.
#[cfg(feature = "panics")]
#[napi_derive::napi(catch_unwind, skip_typescript)]
pub fn panic_fast(env: &napi::Env) -> napi::Result<()> {
    fast::panicking(env)
}
