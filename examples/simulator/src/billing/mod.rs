//! Velora Billing: the integration API under `/api/`.

mod csv;
mod log;
mod recon;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

pub use csv::{CSV_HEADER, csv_record};
pub(crate) use recon::Runs;

use crate::refusal::Refusal;
use crate::state::App;
use crate::text::{iso_z, now_micros};

/// A key with read and write access.
pub const BILLING_KEY: &str = "vb_live_0123456789abcdef";
/// A key with read access only: a write is answered with 403.
pub const BILLING_READ_KEY: &str = "vb_live_read_0123456789abcdef";

pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/api/integrations/recon-summary", get(recon::summary))
        .route("/api/recon", post(recon::run))
        .route("/api/audits/{run_id}/csv", get(csv::discrepancies))
        .route("/api/audits/{run_id}/gl", get(csv::journal))
        .route("/api/webhooks/{id}/deliveries", get(log::list))
        .route("/api/webhooks/deliveries/{id}/retry", post(log::retry))
        .route_layer(from_fn_with_state(Arc::clone(app), guard))
}

/// Checks key, limit and role, and gives every answer a request id.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let write = request.method() != Method::GET;
    let mut response = match admit(&app, request.headers(), write) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let id = format!("req_{}", app.registry.unique(16));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

fn admit(app: &App, headers: &HeaderMap, write: bool) -> Result<(), Refusal> {
    let bearer = || {
        headers
            .get(header::AUTHORIZATION)?
            .to_str()
            .ok()?
            .strip_prefix("Bearer ")
    };
    let key = headers
        .get("x-api-key")
        .and_then(|value| value.to_str().ok())
        .or_else(bearer)
        .filter(|key| [BILLING_KEY, BILLING_READ_KEY].contains(key))
        .ok_or_else(|| refuse(StatusCode::UNAUTHORIZED, "Invalid or missing API key"))?;
    let limits = app.options.rate_limits;
    let (bucket, limit) = match write {
        true => ("write", limits.billing_write),
        false => ("read", limits.billing_read),
    };
    if let Some(limit) = limit {
        let standing = app.limiter.take(&format!("billing {bucket} {key}"), limit);
        if !standing.allowed {
            return Err(limited(standing.retry_after_secs()).into());
        }
    }
    match write && key == BILLING_READ_KEY {
        true => Err(refuse(StatusCode::FORBIDDEN, "Insufficient role")),
        false => Ok(()),
    }
}

/// 429 as the billing system writes it.
pub(crate) fn limited(retry_after: u64) -> Response {
    let reset = now_micros().saturating_add_unsigned(retry_after * 1_000_000);
    let headers = [
        ("retry-after", retry_after.to_string()),
        ("x-ratelimit-remaining", "0".to_owned()),
        ("x-ratelimit-reset", iso_z(reset)),
    ];
    let body = Json(json!({"error": "Rate limit exceeded"}));
    (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
}

fn refuse(status: StatusCode, error: &str) -> Refusal {
    (status, Json(json!({"error": error})))
        .into_response()
        .into()
}

/// 400, with an issue as Zod writes it.
fn invalid(error: &str, code: &str, path: &str, message: &str) -> Refusal {
    let issues: Value = json!([{"code": code, "path": [path], "message": message}]);
    let body = Json(json!({"error": error, "issues": issues}));
    (StatusCode::BAD_REQUEST, body).into_response().into()
}
