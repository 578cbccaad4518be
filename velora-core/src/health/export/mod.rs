//! Exports: one call, or a window proven to be whole.
//!
//! [`plan`] decides which windows to ask for, [`split`] where to cut one, [`rows`]
//! which rows belong: values alone. [`call`] asks, [`run`] carries the plan out.

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
