//! Reconciliation: the summary, and runs.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::Client;
use crate::api::{Method, Path, Request, malformed, not_json};
use crate::error::{ApiError, EventFault};
use crate::webhook::{Extra, Fields, RawJson};

/// What is unresolved, across all products.
///
/// Source: Velora Billing, *API + Webhooks: Endpoints*.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReconSummary {
    /// How many discrepancies are not resolved.
    pub pending_tickets: u64,
    /// How many findings have the severity `HIGH` or `CRITICAL`.
    pub urgent_tickets: u64,
    /// How many disputes are open.
    pub open_disputes: u64,
    /// When the latest invoice arrived; `None` before the first.
    pub last_invoice_at: Option<Timestamp>,
    /// When reconciliation last ran; `None` before the first run.
    pub last_recon_at: Option<Timestamp>,
    /// The time that these values are from.
    pub as_of: Option<Timestamp>,
    /// Every other member.
    pub extra: Extra,
}

/// A reconciliation run.
///
/// The form of the response is not documented. All of it is in [`response`](Self::response).
/// `Debug` shows only the id.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ReconRun {
    /// The run's id, for [`audit_csv`](Client::audit_csv), if the response has a `runId` or an
    /// `id`.
    pub run_id: Option<String>,
    /// The whole response; `None` if it was empty.
    pub response: Option<RawJson>,
}

impl Client {
    /// What is unresolved, and the times of the latest invoice and run.
    ///
    /// Errors: those of any call.
    pub async fn recon_summary(&self) -> Result<ReconSummary, ApiError> {
        let path = Path::new("/api/integrations/recon-summary");
        let request = Request::new("billing.recon_summary", Method::Get, path);
        self.api.json_text(request, ReconSummary::parse).await
    }

    /// Reconciles an uploaded invoice.
    ///
    /// The call is idempotent: for the same invoice and `run_key` it returns the earlier run.
    /// It is therefore retried, and safe to repeat. Choose a new key for a new run.
    ///
    /// Errors: `not_found` if there is no such invoice; `conflict` if it cannot be reconciled
    /// now; `invalid_request`; those of any call.
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
                last_invoice_at: fields.timestamp("lastInvoiceAt"),
                last_recon_at: fields.timestamp("lastReconAt"),
                as_of: fields.timestamp("asOf"),
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
            // The response need not be an object.
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
