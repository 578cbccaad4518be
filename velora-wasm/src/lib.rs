//! The core as WebAssembly: converts and calls, and decides nothing.
//!
//! The TypeScript layer gives it its shape; nobody else loads it. It writes what it says
//! into the [`frame`] and calls with numbers, which costs next to nothing and needs no
//! code beside it; only what takes time, or is asked of JavaScript, crosses as objects.
//! What fails is a text of which the layer makes an error of its class: see [`failure`].
//!
//! Without features this is the verifier alone.

// On other targets there is no host to call.
#![cfg(target_family = "wasm")]
#![deny(unsafe_code)]
#![allow(unreachable_pub, reason = "what is `pub` is exported to JavaScript")]

#[cfg(not(feature = "receiver"))]
mod allocator;
#[cfg(feature = "client")]
mod client;
mod failure;
mod frame;
mod handles;
#[cfg(feature = "receiver")]
#[path = "../../velora-node/src/number.rs"]
mod number;
#[cfg(feature = "receiver")]
mod receiver;
mod scheme;
#[cfg(feature = "receiver")]
mod signer;
#[cfg(feature = "receiver")]
mod store;
mod verifier;
