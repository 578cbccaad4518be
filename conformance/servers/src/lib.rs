//! A PostgreSQL and a Redis of one's own, for tests and benches.
//!
//! Each listens on a free port of loopback, keeps its files in a temporary folder, and
//! ends with the process that started it, however that ends. Nothing that runs on the
//! machine already is touched. [`Postgres::shared`] and [`Redis::shared`] start at the
//! first call; one that is to be killed is started by [`Postgres::start`] or
//! [`Redis::start`]. A failure panics, as a test does. Other languages run the program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it serves tests, and a test panics"
)]

mod certificate;
mod folder;
mod postgres;
mod process;
mod redis;

pub use postgres::Postgres;
pub use process::{Signal, free_port, signal};
pub use redis::{Redis, RedisCluster};
