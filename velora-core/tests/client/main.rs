//! The clients, tested through their public API: against scripted responses on a paused
//! clock, and against the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test panics"
)]

mod billing;
mod billing_faults;
mod billing_log;
mod calls;
mod curae;
mod curae_versions;
mod defaults;
mod events;
mod export;
mod export_bounds;
mod export_file;
mod export_resumed;
mod faults;
mod members;
mod rate_limits;
mod refire;
mod scripted;
mod simulated;
mod spans;
mod tv;
mod tv_outages;
mod tv_stream;
mod wall;
mod wire;
