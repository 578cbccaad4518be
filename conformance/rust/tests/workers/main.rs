//! Workers that are processes: they are killed and stopped at any point, and they are
//! many. No event is lost, and no stale commit is accepted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test panics")]

mod crowd;
mod killed;
mod site;
mod stopped;
