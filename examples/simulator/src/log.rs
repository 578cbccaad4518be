//! The log of requests, so that tests can count them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::http::HeaderMap;
use serde::Serialize;

/// The oldest entries make room for new ones.
const MAX_ENTRIES: usize = 100_000;
/// The headers that are logged; none is a credential.
const HEADERS: [&str; 12] = [
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "host",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "user-agent",
    "x-request-id",
    "x-sim-fault",
];

/// One request as it arrived, and what was answered.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// Counted from 1 over the life of the simulator.
    pub number: u64,
    /// Milliseconds since the simulator started.
    pub at_ms: u64,
    /// Arrived at the other host, where only redirects lead.
    pub other_host: bool,
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// As sent, still percent-encoded; empty if there is none.
    pub query: String,
    /// Whether an `Authorization` header was there. Its value is not kept.
    pub authorization: bool,
    /// Whether an `X-Api-Key` header was there. Its value is not kept.
    pub api_key: bool,
    /// Those that decide something, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The request's body, at most 4 KiB of it.
    pub body: String,
    /// The status that was answered; `None` while it is being worked on, and where
    /// the connection was reset instead.
    pub status: Option<u16>,
    /// The fault that was applied.
    pub fault: Option<String>,
}

#[derive(Debug)]
pub(crate) struct RequestLog {
    started: Instant,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    given: u64,
    kept: VecDeque<LoggedRequest>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            entries: Mutex::default(),
        }
    }
}

impl RequestLog {
    /// The number of the new entry.
    pub(crate) fn arrived(&self, mut request: LoggedRequest) -> u64 {
        request.at_ms = self.started.elapsed().as_millis() as u64;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.given += 1;
        request.number = entries.given;
        if entries.kept.len() == MAX_ENTRIES {
            entries.kept.pop_front();
        }
        entries.kept.push_back(request);
        entries.given
    }

    pub(crate) fn answered(&self, number: u64, status: Option<u16>, fault: Option<&str>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // Searched from the end: an answer mostly concerns the latest requests.
        let mut latest = entries.kept.iter_mut().rev();
        if let Some(entry) = latest.find(|entry| entry.number == number) {
            entry.status = status;
            entry.fault = fault.map(str::to_owned);
        }
    }

    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.kept.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.kept.clear();
    }
}

impl LoggedRequest {
    pub(crate) fn new(other_host: bool, parts: &axum::http::request::Parts, body: &[u8]) -> Self {
        let shown = &body[..body.len().min(4_096)];
        Self {
            number: 0,
            at_ms: 0,
            other_host,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization: parts.headers.contains_key("authorization"),
            api_key: parts.headers.contains_key("x-api-key"),
            headers: interesting(&parts.headers),
            body: String::from_utf8_lossy(shown).into_owned(),
            status: None,
            fault: None,
        }
    }
}

fn interesting(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |name: &str| {
        let value = headers.get(name)?;
        Some((
            name.to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        ))
    };
    HEADERS.iter().filter_map(|name| text(name)).collect()
}
