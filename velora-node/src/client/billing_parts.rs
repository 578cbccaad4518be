//! Velora Billing: the results of its calls.

use napi_derive::napi;
use velora_core::billing::{
    LoggedDelivery, Progress, ReconRun, ReconSummary, RefireReport, Refired, Retried, WhyNot,
};

use super::extra::{Pairs, pairs};
use crate::failure::Failure;

/// What reconciliation has left unresolved.
#[napi(object, object_from_js = false)]
pub struct ReconSummaryParts {
    pub pending_tickets: f64,
    pub urgent_tickets: f64,
    pub open_disputes: f64,
    pub last_invoice_at: Option<String>,
    pub last_recon_at: Option<String>,
    pub as_of: Option<String>,
    pub extra: Pairs,
}

/// A reconciliation run, and the response in JSON.
#[napi(object, object_from_js = false)]
pub struct ReconRunParts {
    pub run_id: Option<String>,
    pub response: Option<String>,
}

/// A row of the delivery log.
#[napi(object, object_from_js = false)]
pub struct LoggedDeliveryParts {
    pub id: String,
    pub status: String,
    pub status_code: Option<u16>,
    pub duration: Option<f64>,
    pub error_message: Option<String>,
    pub retryable: bool,
    pub retry_of_id: Option<String>,
    pub extra: Pairs,
}

/// A page of the delivery log.
#[napi(object, object_from_js = false)]
pub struct DeliveryPageParts {
    pub items: Vec<LoggedDeliveryParts>,
    pub next_cursor: Option<String>,
}

/// The result of re-firing a delivery.
#[napi(object, object_from_js = false)]
pub struct RetriedParts {
    pub delivery_id: String,
    pub status: String,
    pub status_code: Option<u16>,
}

/// A delivery that was re-fired.
#[napi(object, object_from_js = false)]
pub struct RefiredParts {
    pub of_id: String,
    pub attempt: RetriedParts,
}

/// A delivery that was not re-fired, and why: `not_retryable`, `refused` or `unknown`.
#[napi(object, object_from_js = false)]
pub struct NotRefiredParts {
    pub of_id: String,
    pub why: &'static str,
    pub error: Option<Failure>,
}

/// The result of `refireFailed`.
#[napi(object, object_from_js = false)]
pub struct RefireReportParts {
    pub refired: Vec<RefiredParts>,
    pub failed_again: Vec<RefiredParts>,
    pub not_refired: Vec<NotRefiredParts>,
    pub stopped: Option<Failure>,
    pub left: Vec<String>,
}

/// The progress of `refireFailed`.
#[napi(object, object_from_js = false)]
pub struct RefireProgressParts {
    pub total: f64,
    pub refired: f64,
    pub failed_again: f64,
    pub not_refired: f64,
}

impl From<ReconSummary> for ReconSummaryParts {
    fn from(summary: ReconSummary) -> Self {
        Self {
            pending_tickets: summary.pending_tickets as f64,
            urgent_tickets: summary.urgent_tickets as f64,
            open_disputes: summary.open_disputes as f64,
            last_invoice_at: summary.last_invoice_at.map(|at| at.to_string()),
            last_recon_at: summary.last_recon_at.map(|at| at.to_string()),
            as_of: summary.as_of.map(|at| at.to_string()),
            extra: pairs(&summary.extra),
        }
    }
}

impl From<ReconRun> for ReconRunParts {
    fn from(run: ReconRun) -> Self {
        Self {
            run_id: run.run_id,
            response: run.response.map(|response| response.as_str().to_owned()),
        }
    }
}

impl From<LoggedDelivery> for LoggedDeliveryParts {
    fn from(delivery: LoggedDelivery) -> Self {
        Self {
            id: delivery.id,
            status: delivery.status.as_str().to_owned(),
            status_code: delivery.status_code,
            duration: delivery.duration,
            error_message: delivery.error_message,
            retryable: delivery.retryable,
            retry_of_id: delivery.retry_of_id,
            extra: pairs(&delivery.extra),
        }
    }
}

impl From<Retried> for RetriedParts {
    fn from(retried: Retried) -> Self {
        Self {
            delivery_id: retried.delivery_id,
            status: retried.status.as_str().to_owned(),
            status_code: retried.status_code,
        }
    }
}

impl From<Refired> for RefiredParts {
    fn from(refired: Refired) -> Self {
        Self {
            of_id: refired.of_id,
            attempt: refired.attempt.into(),
        }
    }
}

impl From<Progress> for RefireProgressParts {
    fn from(progress: Progress) -> Self {
        Self {
            total: progress.total as f64,
            refired: progress.refired as f64,
            failed_again: progress.failed_again as f64,
            not_refired: progress.not_refired as f64,
        }
    }
}

impl From<RefireReport> for RefireReportParts {
    fn from(report: RefireReport) -> Self {
        let not_refired = report.not_refired.into_iter().map(|not| {
            let (why, error) = match not.why {
                WhyNot::NotRetryable => ("not_retryable", None),
                WhyNot::Refused(error) => ("refused", Some(error.into())),
                WhyNot::Unknown(error) => ("unknown", Some(error.into())),
                _ => ("unknown", None),
            };
            NotRefiredParts {
                of_id: not.of_id,
                why,
                error,
            }
        });
        Self {
            not_refired: not_refired.collect(),
            refired: report.refired.into_iter().map(RefiredParts::from).collect(),
            failed_again: report
                .failed_again
                .into_iter()
                .map(RefiredParts::from)
                .collect(),
            stopped: report.stopped.map(Failure::from),
            left: report.left,
        }
    }
}
