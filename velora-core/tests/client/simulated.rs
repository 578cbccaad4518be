//! A client of the simulator, and what a complete read must return.

use std::future::Future;
use std::time::Duration;

use velora_core::api::{ClientBuilder, RetryOptions};
use velora_core::health::{Client, EventQuery, ExportQuery, Window};
use velora_core::{ApiError, ApiKey};
use velora_simulator::{FaultKind, HEALTH_KEY, Simulator};

pub(crate) const EVENTS: &str = "/api/v2/public/audit/events";
pub(crate) const EXPORT: &str = "/api/v2/public/audit/export";

/// Quick to try again.
pub(crate) fn builder(simulator: &Simulator) -> ClientBuilder<Client> {
    let retry = RetryOptions::default();
    Client::builder(ApiKey::new(HEALTH_KEY).unwrap())
        .with_base_url(simulator.base_url())
        .with_retry(retry.with_backoff(Duration::from_millis(5), Duration::from_millis(50)))
}

pub(crate) fn client(simulator: &Simulator) -> Client {
    builder(simulator).build().unwrap()
}

/// How long a client waits for what this fault lets come late, or never.
pub(crate) fn read_timeout(fault: &FaultKind) -> Duration {
    match fault {
        FaultKind::Hang | FaultKind::Stall => Duration::from_secs(1),
        _ => Duration::from_secs(30),
    }
}

/// The simulator's week.
pub(crate) fn week() -> Window {
    window("2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z")
}

pub(crate) fn window(since: &str, until: &str) -> Window {
    Window::new(since.parse().unwrap(), until.parse().unwrap()).unwrap()
}

pub(crate) async fn limited<T>(work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(120);
    tokio::time::timeout(limit, work).await.expect("it hangs")
}

pub(crate) async fn list(client: &Client, query: EventQuery) -> Result<Vec<String>, ApiError> {
    let mut events = client.events(query).raw();
    let mut rows = Vec::new();
    while let Some(event) = limited(events.next()).await {
        rows.push(event?.as_str().to_owned());
    }
    Ok(rows)
}

pub(crate) async fn export(client: &Client, query: ExportQuery) -> Result<Vec<String>, ApiError> {
    let mut events = client.export(query).raw();
    let mut rows = Vec::new();
    while let Some(event) = limited(events.next()).await {
        rows.push(event?.as_str().to_owned());
    }
    Ok(rows)
}

/// The rows of a complete read, in an order of their own.
pub(crate) fn truth(simulator: &Simulator, window: Window) -> Vec<String> {
    let truth = simulator.truth(Some(window.since()), Some(window.until()));
    sorted(
        truth
            .rows()
            .map(|row| String::from_utf8(row).unwrap())
            .collect(),
    )
}

pub(crate) fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.iter_mut()
        .for_each(|row| row.truncate(row.trim_end().len()));
    rows.sort_unstable();
    rows
}
