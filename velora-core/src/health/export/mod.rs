//! Exports: a single call, or a window that is proven complete.
//!
//! Three modules are pure functions over values: [`plan`] decides which windows to request,
//! [`split`] where to cut a window, and [`rows`] which rows belong to it. [`call`] sends one
//! request, and [`run`] executes the plan.
//!
//! A *leaf* is a window that one response can hold. The leaves of a finished export tile
//! the whole window.

mod call;
mod claims;
#[cfg(feature = "client-reqwest")]
mod file;
#[cfg(feature = "client-reqwest")]
mod journal;
mod leaf;
#[cfg(feature = "client-reqwest")]
mod lock;
#[cfg(feature = "client-reqwest")]
mod manifest;
mod node;
mod plan;
#[cfg(test)]
mod plan_tests;
mod query;
mod rows;
mod run;
#[cfg(test)]
mod simulation;
mod split;

pub use call::ExportedOnce;
#[cfg(feature = "client-reqwest")]
pub use manifest::{LeafProof, Manifest};
pub use query::{ExportQuery, Progress};
pub(crate) use rows::Rows;
pub use rows::Truncation;
pub use run::Export;
