//! Sweeping the delivery log: what failed for good is fired again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::chains::{Chains, Due};
use super::log::{DeliveryQuery, DeliveryStatus, Retried};
use super::pace::Pace;
use crate::error::{ApiError, ApiErrorKind, ConfigError};

/// The system's limit: writes in any minute, per key.
const WRITES: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// So many calls in a row whose effect is not known: the system is down.
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

    /// How many deliveries are re-fired in any minute at most: fewer where the key has
    /// other writes to do, more where the vendor raised its limit.
    ///
    /// Errors: `invalid_option` where it is 0.
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

    /// Is told once the log is read, and after each delivery.
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

/// How far a sweep has come. `refired`, `failed_again` and `not_refired` add up to
/// `total` at the end, unless the sweep stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Events that have not arrived.
    pub total: usize,
    /// Events that have arrived by now.
    pub refired: usize,
    /// Re-fired, and refused again by the endpoint.
    pub failed_again: usize,
    /// Could not be re-fired, or it is not known whether they were.
    pub not_refired: usize,
}

/// What a sweep did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RefireReport {
    /// What arrived.
    pub refired: Vec<Refired>,
    /// What the endpoint refused once more, or has not taken yet: the attempt's status
    /// tells.
    pub failed_again: Vec<Refired>,
    /// What could not be re-fired, and why.
    pub not_refired: Vec<NotRefired>,
    /// What ended the sweep before its time; `None` where it went through.
    pub stopped: Option<ApiError>,
    /// The deliveries that it did not come to.
    pub left: Vec<String>,
}

/// A delivery that was re-fired.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Refired {
    /// The delivery in the log.
    pub of_id: String,
    /// What the new attempt gave.
    pub attempt: Retried,
}

/// A delivery that was not re-fired, or perhaps was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotRefired {
    /// The delivery in the log.
    pub of_id: String,
    /// Why.
    pub why: WhyNot,
}

/// Why a delivery was not re-fired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyNot {
    /// The log does not say that it can be: its payload was not retained. Nothing was
    /// sent.
    NotRetryable,
    /// The system refused: `conflict` where the payload was not retained after all, or
    /// the delivery was taken meanwhile; `not_found`; `invalid_request`. The system's
    /// words are in [`detail`](ApiError::detail).
    Refused(ApiError),
    /// The answer was lost, so that it may have been re-fired. The next sweep will see
    /// it in the log.
    Unknown(ApiError),
}

impl Client {
    /// Re-fires every event that failed to arrive at the endpoint: the log is read whole,
    /// and what a later attempt brought is left alone, as is what an earlier sweep
    /// re-fired with success. It starts with the oldest. Each event is re-fired once, as
    /// far as the log tells which attempts are of one event (`retryOfId`): attempts that
    /// it does not tie together count as events of their own, and a receiver that
    /// deduplicates sees duplicates at worst, for as long as its store remembers: sweep more
    /// often than its retention (72 h by default).
    ///
    /// A sweep stays within the limit of 30 writes a minute; sweeps beside each other
    /// share the key's limit without knowing. On a 429 it waits for as long as it is asked
    /// to, and goes on; after a fault it waits as any retry does. Deliveries that fail while
    /// the system still retries by itself (about 36 minutes) are swept too: receivers see a
    /// duplicate at worst.
    ///
    /// The report tells what became of each. The sweep stops early, and says so in the
    /// report, on `unauthorized`, `forbidden`, `unexpected_redirect`, on a `rate_limited`
    /// or another delay that is not worth waiting for, and after five calls in a row
    /// whose effect is not known.
    ///
    /// Dropping the future ends the sweep; what it did is then in the log alone.
    ///
    /// Errors: of reading the log, before anything was re-fired: `not_found` where there
    /// is no such endpoint; those of [`Items`](crate::api::Items).
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
    /// Calls in a row whose effect is not known.
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

    /// The system is in trouble: waits as long as it asks for, or stops.
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

    /// Sends one, again only where a 429 says that it was not carried out.
    async fn retry(&mut self, id: &str) -> Result<Retried, ApiError> {
        let runtime = self.client.api.runtime();
        let mut attempts = 0_u32;
        loop {
            runtime.sleep(self.pace.wait(runtime.monotonic())).await;
            let outcome = self.client.retry_delivery(id).await;
            // Counted from the answer on: by then it had arrived for certain.
            self.pace.sent(runtime.monotonic());
            let error = match outcome {
                Err(error) if error.kind() == ApiErrorKind::RateLimited => {
                    // None, where it was held back.
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
