//! The summary, and runs of the reconciliation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{invalid, refuse};
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::{iso_z, now_micros};

/// A run that exists from the start.
const DEMO_RUN: &str = "run_demo";

/// The runs so far, by the pair that makes them idempotent.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<HashMap<(String, String), String>>);

impl Runs {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn knows(&self, run_id: &str) -> bool {
        run_id == DEMO_RUN || self.lock().values().any(|known| known == run_id)
    }
}

pub(super) async fn summary(State(app): State<Arc<App>>) -> Json<Value> {
    let now = iso_z(now_micros());
    let runs = app.runs.lock().len();
    Json(json!({
        "pendingTickets": 7,
        "urgentTickets": 2,
        "openDisputes": 4,
        "lastInvoiceAt": "2026-04-28T14:00:00Z",
        "lastReconAt": if runs == 0 { Value::Null } else { now.clone().into() },
        "asOf": now,
    }))
}

/// The ids `inv_missing…` and `inv_locked…` stand for an invoice of another tenant
/// and for one that is not ready.
pub(super) async fn run(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Refusal> {
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| invalid("Invalid JSON", "custom", "", "Body is not JSON"))?;
    let text = |name: &str| match &body[name] {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Null => Err(invalid("Invalid body", "invalid_type", name, "Required")),
        _ => Err(invalid(
            "Invalid body",
            "invalid_type",
            name,
            "Expected string",
        )),
    };
    let (invoice, run_key) = (text("invoiceId")?, text("runKey")?);
    if invoice.starts_with("inv_missing") {
        return Err(refuse(StatusCode::NOT_FOUND, "Invoice not found"));
    }
    if invoice.starts_with("inv_locked") {
        return Err(refuse(
            StatusCode::CONFLICT,
            "Invoice is still being processed",
        ));
    }
    let made = format!("run_{}", app.registry.unique(12));
    let mut runs = app.runs.lock();
    let id = runs
        .entry((invoice.clone(), run_key))
        .or_insert_with(|| made.clone());
    let status = match *id == made {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    let body = json!({"runId": id, "invoiceId": invoice, "status": "COMPLETED"});
    Ok((status, Json(body)).into_response())
}
