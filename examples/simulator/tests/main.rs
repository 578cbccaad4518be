//! The simulator over a real socket, as its clients meet it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop anywhere"
)]

mod billing;
mod common;
mod control;
mod curae;
mod deliveries;
mod faults;
mod faults_paging;
mod health_events;
mod health_export;
mod health_webhooks;
mod program;
mod tv;
