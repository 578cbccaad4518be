//! The core as WebAssembly: converts and calls, and decides nothing.
//!
//! Only the TypeScript layer in `ts/` loads it. The module imports nothing, and its functions
//! take and return numbers. Everything else is passed in memory: see [`frame`]. Asynchronous
//! work is a task that the host drives: see [`task`]. A failure is returned as text, and the
//! layer makes an error of the right class from it: see [`failure`].
//!
//! Without features this is only the verifier.

// On other targets there is no host to call.
#![cfg(target_family = "wasm")]
#![deny(unsafe_code)]

/// Defines functions that the host calls by name.
macro_rules! exports {
    ($($(#[$meta:meta])* fn $name:ident($($argument:tt: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block)+) => {$(
        $(#[$meta])*
        #[expect(unsafe_code, reason = "no two functions of a module have the same name")]
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $kind),*) $(-> $result)? $body
    )+};
}

mod allocator;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "receiver")]
mod clock;
mod failure;
mod frame;
#[cfg(feature = "receiver")]
mod handles;
#[cfg(feature = "receiver")]
#[path = "../../velora-node/src/number.rs"]
mod number;
#[cfg(feature = "receiver")]
mod own_scheme;
#[cfg(feature = "receiver")]
mod receiver;
mod scheme;
#[cfg(feature = "receiver")]
mod signer;
#[cfg(feature = "receiver")]
mod store;
#[cfg(feature = "client")]
mod task;
mod verifier;
