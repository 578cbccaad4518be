//! The core as a Node addon: converts and calls, and decides nothing.
//!
//! The TypeScript layer in `ts/` gives it its shape; nobody else loads it. What fails is
//! given back as a [`Failure`](failure::Failure), of which that layer makes an error of
//! its class: so an error is thrown where the caller's own stack is.
//!
//! [`fast`] holds all the `unsafe` there is: the one call that has to be quick.

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

/// Panics, for the test that this is an error and not the end of the process.
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

/// The same in a callback made by hand.
#[cfg(feature = "panics")]
#[napi_derive::napi(catch_unwind, skip_typescript)]
pub fn panic_fast(env: &napi::Env) -> napi::Result<()> {
    fast::panicking(env)
}
