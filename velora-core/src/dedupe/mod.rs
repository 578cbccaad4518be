//! Each event once: claims that survive a crash of the one who works.
//!
//! "Mark, then do" loses an event when the process dies in between; "do, then
//! mark" does it twice. A [`Store`] therefore hands out a *claim* with a lease:
//! whoever holds it works, then commits. A lease that is neither committed nor
//! released runs out, and the next delivery of the event takes it over. A crash
//! costs a repeat, never an event.

#[cfg(feature = "store-conformance")]
pub mod conformance;
mod key;
#[cfg(feature = "receiver")]
mod memory;
#[cfg(feature = "receiver")]
mod store;

pub use key::Key;
#[cfg(feature = "receiver")]
pub use memory::MemoryStore;
#[cfg(feature = "receiver")]
pub use store::{Claim, Epoch, Lease, Store, StoreFuture, StoreOptions};
