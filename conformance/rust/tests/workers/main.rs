//! Many worker processes, which are killed and stopped at any point: no event is lost, and
//! no stale commit is accepted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test panics")]

mod crowd;
mod killed;
mod site;
mod stopped;
