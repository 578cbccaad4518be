//! Reconciliation: the summary, and runs.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::Client;
use crate::api::{Method, Path, Request, malformed, not_json};
use crate::error::{ApiError, EventFault};
use crate::webhook::{Extra, Fields, RawJson};

/// What is open, over all products.
///
/// Source: Velora Billing, *API + Webhooks: Endpoints*.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReconSummary {
    /// Discrepancies that are not resolved.
    pub pending_tickets: u64,
    /// Findings of severity `HIGH` or `CRITICAL`.
    pub urgent_tickets: u64,
    /// Disputes that are open.
    pub open_disputes: u64,
    /// When the latest invoice came; `None` before the first.
    pub last_invoice_at: Option<Timestamp>,
    /// When the latest run was; `None` before the first.
    pub last_recon_at: Option<Timestamp>,
    /// When all this was so.
    pub as_of: Option<Timestamp>,
    /// Every other member.
    pub extra: Extra,
}

/// A run of the reconciliation.
///
/// What the system answers is not documented: all of it is in
/// [`response`](Self::response). `Debug` shows the id alone.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ReconRun {
    /// The run's id, where the answer has a `runId` or an `id`: ready for
    /// [`audit_csv`](Client::audit_csv).
    pub run_id: Option<String>,
    /// The whole answer; `None` where it was empty.
    pub response: Option<RawJson>,
}

impl Client {
    /// What is open, and when the latest invoice and run were.
    ///
    /// Errors: those of any call.
    pub async fn recon_summary(&self) -> Result<ReconSummary, ApiError> {
        let path = Path::new("/api/integrations/recon-summary");
        let request = Request::new("billing.recon_summary", Method::Get, path);
        self.api.json_text(request, ReconSummary::parse).await
    }

    /// Runs the reconciliation of an uploaded invoice.
    ///
    /// It is idempotent on the pair: the same `run_key` gives the run that it gave
    /// before, so that the call is retried and may be repeated. Choose a new key for a
    /// new run.
    ///
    /// Errors: `not_found` where there is no such invoice; `conflict` where it cannot be
    /// run now; `invalid_request`; those of any call.
    pub async fn run_recon(&self, invoice_id: &str, run_key: &str) -> Result<ReconRun, ApiError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'b> {
            invoice_id: &'b str,
            run_key: &'b str,
        }

        let request = Request::new("billing.run_recon", Method::Post, Path::new("/api/recon"))
            .idempotent()
            .json(&Body {
                invoice_id,
                run_key,
            })?;
        let limit = self.api.max_response_bytes();
        self.api
            .call(request, |response| async move {
                ReconRun::read(&response.written(limit).await?)
            })
            .await
    }
}

impl ReconSummary {
    fn parse(text: &str) -> Result<Self, ApiError> {
        Fields::read(text, |mut fields| {
            let mut count = |member: &'static str| {
                let missing = || EventFault::MissingMember {
                    member: member.into(),
                };
                fields.optional(member).ok_or_else(missing)
            };
            Ok(Self {
                pending_tickets: count("pendingTickets")?,
                urgent_tickets: count("urgentTickets")?,
                open_disputes: count("openDisputes")?,
                last_invoice_at: fields.optional("lastInvoiceAt"),
                last_recon_at: fields.optional("lastReconAt"),
                as_of: fields.optional("asOf"),
                extra: fields.rest(),
            })
        })
        .map_err(|_| malformed("the response is not a summary"))
    }
}

impl ReconRun {
    fn read(text: &str) -> Result<Self, ApiError> {
        let id = |mut fields: Fields<'_>| {
            let id = fields.text("runId").or_else(|_| fields.text("id"));
            Ok(id.ok())
        };
        let response = match text.trim() {
            "" => None,
            text => Some(serde_json::from_str(text).map_err(|error| not_json(&error))?),
        };
        Ok(Self {
            // The answer may be no object at all.
            run_id: Fields::read(text, id).unwrap_or_default(),
            response,
        })
    }
}

impl fmt::Debug for ReconRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconRun")
            .field("run_id", &self.run_id)
            .finish_non_exhaustive()
    }
}
