//! What every client is built on: requests and responses as values, transports, retries and
//! paging. Nothing here is specific to one system.
//!
//! Decisions are separate from sending: building a request, interpreting a response, retrying
//! and paging are functions over values. [`Transport`] sends, and [`Runtime`] sleeps. The
//! feature `client-reqwest` provides both; without it you provide them.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod auth;
mod base_url;
mod builder;
mod call;
mod exchange;
mod gate;
mod lines;
mod list;
mod options;
mod page;
mod problem;
mod rate_limit;
mod request;
#[cfg(feature = "client-reqwest")]
mod reqwest;
mod response;
mod retry;
mod runtime;
#[cfg(feature = "client-reqwest")]
mod tokio;
mod transport;
mod walk;

#[cfg(feature = "client-reqwest")]
pub use self::tokio::TokioRuntime;
pub use auth::TokenSource;
pub use base_url::BaseUrl;
pub use builder::ClientBuilder;
pub use list::{Items, Page, Pages};
pub use options::ClientOptions;
pub use rate_limit::RateLimit;
pub use request::{Method, Request};
pub use response::{Body, Response};
pub use retry::RetryOptions;
pub use runtime::Runtime;
pub use transport::{BoxFuture, Transport};

pub(crate) use auth::Auth;
pub(crate) use call::{Api, Reading, Slot};
pub(crate) use exchange::Exchange;
pub(crate) use lines::{Lines, not_a_row};
pub(crate) use page::{Cursors, Fingerprint, Next, Recent, start_cursor};
pub(crate) use request::{IDEMPOTENCY_KEY, Path, is_header_value};
pub(crate) use response::{malformed, not_json, too_large, undocumented, unreadable};
pub(crate) use retry::since_epoch;
#[cfg(feature = "client-reqwest")]
pub(crate) use runtime::running;
pub(crate) use runtime::{Task, random_id};
pub(crate) use walk::{Listing, Paged, Walk};
