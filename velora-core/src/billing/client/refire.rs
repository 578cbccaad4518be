//! Sweeps the delivery log: re-fires the events that have not arrived.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::chains::{Chains, Due};
use super::log::{DeliveryQuery, DeliveryStatus, Retried};
use super::pace::Pace;
use crate::error::{ApiError, ApiErrorKind, ConfigError};

/// The system's limit of writes in any minute, per key.
const WRITES: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// After this many calls in a row with an unknown effect, the system counts as down.
const FAULTS_IN_A_ROW: u32 = 5;

/// Which endpoint to sweep, and how.
#[derive(Clone)]
pub struct Sweep {
    endpoint_id: String,
    writes: usize,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

impl Sweep {
    /// A sweep of this endpoint, at up to 30 re-fires a minute.
    pub fn new(endpoint_id: impl Into<String>) -> Self {
        Self {
            endpoint_id: endpoint_id.into(),
            writes: WRITES,
            progress: None,
        }
    }

    /// Sets the most deliveries to re-fire in any minute. Lower it if the key is used for
    /// other writes too; raise it if the vendor raised your limit.
    ///
    /// Errors: `invalid_option` if it is 0.
    pub fn with_writes_per_minute(mut self, writes: usize) -> Result<Self, ConfigError> {
        if writes == 0 {
            return Err(ConfigError::InvalidOption {
                option: "writes_per_minute",
                reason: "it must be at least 1",
            });
        }
        self.writes = writes;
        Ok(self)
    }

    /// Calls this once the log has been read, and after each delivery.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("endpoint_id", &self.endpoint_id)
            .field("writes", &self.writes)
            .finish_non_exhaustive()
    }
}

/// The progress of a sweep. At the end, `refired`, `failed_again` and `not_refired` add up to
/// `total`, unless the sweep stopped early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many events had not arrived.
    pub total: usize,
    /// How many of them have arrived by now.
    pub refired: usize,
    /// How many were re-fired, but not accepted by the endpoint.
    pub failed_again: usize,
    /// How many could not be re-fired, or may not have been.
    pub not_refired: usize,
}

/// The result of a sweep.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RefireReport {
    /// The deliveries that arrived.
    pub refired: Vec<Refired>,
    /// The deliveries that the endpoint refused again, or has not accepted yet: see the
    /// attempt's status.
    pub failed_again: Vec<Refired>,
    /// The deliveries that could not be re-fired, and why.
    pub not_refired: Vec<NotRefired>,
    /// The error that ended the sweep early; `None` if it ran to the end.
    pub stopped: Option<ApiError>,
    /// The ids of the deliveries that it did not get to.
    pub left: Vec<String>,
}

/// A delivery that was re-fired.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Refired {
    /// The id of the delivery in the log.
    pub of_id: String,
    /// The new attempt.
    pub attempt: Retried,
}

/// A delivery that was not re-fired, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotRefired {
    /// The id of the delivery in the log.
    pub of_id: String,
    /// Why.
    pub why: WhyNot,
}

/// Why a delivery was not re-fired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyNot {
    /// According to the log it cannot be: its payload was not retained. Nothing was sent.
    NotRetryable,
    /// The system refused: `conflict` if the payload was not retained after all, or the
    /// delivery was accepted meanwhile; `not_found`; `invalid_request`. The system's own
    /// message is in [`detail`](ApiError::detail).
    Refused(ApiError),
    /// The response was lost, so it may have been re-fired. The next sweep will find out from
    /// the log.
    Unknown(ApiError),
}

impl Client {
    /// Re-fires every event that has not arrived at the endpoint, oldest first. The whole log
    /// is read first. An event that a later attempt or an earlier sweep delivered is left
    /// alone. Each event is re-fired once, as far as the log tells which attempts belong to one
    /// event (`retryOfId`). Attempts that it does not link count as separate events, so at
    /// worst the receiver sees duplicates. It deduplicates them for as long as its store
    /// remembers, so sweep more often than its retention (72 h by default).
    ///
    /// A sweep stays within the limit of 30 writes a minute. Concurrent sweeps share the key's
    /// limit, but do not know of each other. On a 429 the sweep waits for as long as it is
    /// asked to and continues; after a failure it waits as any retry does. It includes
    /// deliveries that have failed but that the system itself still retries (for about 36
    /// minutes): at worst receivers see a duplicate.
    ///
    /// The report lists the result of each delivery. The sweep stops early, with the reason in
    /// the report, on `unauthorized`, `forbidden` or `unexpected_redirect`, on a `rate_limited`
    /// or another delay that is too long to wait for, and after five calls in a row with an
    /// unknown effect.
    ///
    /// Dropping the future ends the sweep; what it did is then recorded only in the log.
    ///
    /// Errors: those of reading the log, before anything is re-fired: `not_found` if there is
    /// no such endpoint; those of [`Items`](crate::api::Items).
    pub async fn refire_failed(&self, sweep: Sweep) -> Result<RefireReport, ApiError> {
        let mut log = self.deliveries(DeliveryQuery::new(&sweep.endpoint_id));
        let mut chains = Chains::default();
        while let Some(delivery) = log.next().await {
            chains.push(delivery?);
        }
        let due = chains.due();
        let mut run = Run {
            client: self,
            pace: Pace::new(sweep.writes, MINUTE),
            total: due.len(),
            sweep,
            report: RefireReport::default(),
            faults: 0,
        };
        run.tell();
        for due in due {
            match due {
                Due::Lost(id) => run.report.not_refired.push(NotRefired {
                    of_id: id,
                    why: WhyNot::NotRetryable,
                }),
                Due::Fire(id) if run.report.stopped.is_some() => run.report.left.push(id),
                Due::Fire(id) => run.fire(id).await,
            }
            run.tell();
        }
        Ok(run.report)
    }
}

struct Run<'c> {
    client: &'c Client,
    sweep: Sweep,
    pace: Pace,
    total: usize,
    report: RefireReport,
    /// How many calls in a row had an unknown effect.
    faults: u32,
}

impl Run<'_> {
    async fn fire(&mut self, id: String) {
        let outcome = self.retry(&id).await;
        let report = &mut self.report;
        let error = match outcome {
            Ok(attempt) => {
                self.faults = 0;
                let list = match attempt.status {
                    DeliveryStatus::Ok => &mut report.refired,
                    _ => &mut report.failed_again,
                };
                list.push(Refired { of_id: id, attempt });
                return;
            }
            Err(error) => error,
        };
        match error.kind() {
            ApiErrorKind::Conflict | ApiErrorKind::NotFound | ApiErrorKind::InvalidRequest => {
                self.faults = 0;
                let why = WhyNot::Refused(error);
                report.not_refired.push(NotRefired { of_id: id, why });
            }
            ApiErrorKind::Unauthorized
            | ApiErrorKind::Forbidden
            | ApiErrorKind::RateLimited
            | ApiErrorKind::UnexpectedRedirect => {
                report.stopped = Some(error);
                report.left.push(id);
            }
            _ => {
                let why = WhyNot::Unknown(error.clone());
                report.not_refired.push(NotRefired { of_id: id, why });
                self.pause(error).await;
            }
        }
    }

    /// The system is in trouble: waits for as long as it asks, or stops.
    async fn pause(&mut self, error: ApiError) {
        self.faults = self.faults.saturating_add(1);
        let (retry, asked) = (self.client.api.retry(), error.retry_after());
        if self.faults >= FAULTS_IN_A_ROW || retry.is_too_long(asked) {
            self.report.stopped = Some(error);
            return;
        }
        let runtime = self.client.api.runtime();
        let backoff = retry.backoff(self.faults, runtime.random());
        let wait = backoff.max(asked.unwrap_or_default());
        runtime.sleep(wait).await;
    }

    /// Re-fires one delivery, and repeats the call only after a 429, which did not carry it out.
    async fn retry(&mut self, id: &str) -> Result<Retried, ApiError> {
        let runtime = self.client.api.runtime();
        let mut attempts = 0_u32;
        loop {
            runtime.sleep(self.pace.wait(runtime.monotonic())).await;
            let outcome = self.client.retry_delivery(id).await;
            // Counted from the response on: by then it has certainly arrived.
            self.pace.sent(runtime.monotonic());
            let error = match outcome {
                Err(error) if error.kind() == ApiErrorKind::RateLimited => {
                    // None, if it was held back.
                    attempts = attempts.saturating_add(error.attempts());
                    error.with_attempts(attempts)
                }
                outcome => return outcome,
            };
            match self.client.api.retry().next_delay(&error, true, u64::MAX) {
                Some(delay) => runtime.sleep(delay).await,
                None => return Err(error),
            }
        }
    }

    fn tell(&self) {
        if let Some(progress) = &self.sweep.progress {
            progress(Progress {
                total: self.total,
                refired: self.report.refired.len(),
                failed_again: self.report.failed_again.len(),
                not_refired: self.report.not_refired.len(),
            });
        }
    }
}
