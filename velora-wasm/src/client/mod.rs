//! Velora Health: the audit API, over the host's `fetch`.

mod failure;
mod health;
mod host;
mod streams;
mod webhooks;

pub(crate) use failure::told;
