//! The durable stores, against a SQLite file and servers that the tests start.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test panics"
)]

mod claim_in;
mod contract;
mod driver;
mod failover;
mod faults;
mod open;
mod schema;
mod support;
mod wire;
