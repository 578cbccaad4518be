//! Errors in the form of the system whose path was asked for.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::deliveries::registry::System;
use crate::{billing, curae, tv};

/// Which system answers under a path.
fn system_of(path: &str) -> System {
    if path.starts_with("/api/v2/public/audit/") {
        System::Health
    } else if path.starts_with("/api/platform/") {
        System::Curae
    } else if path.starts_with("/api/developer/") || path.starts_with("/api/events/") {
        System::Tv
    } else {
        System::Billing
    }
}

/// 429 with this `Retry-After`, or none.
pub(super) fn limited(path: &str, retry_after: Option<String>) -> Response {
    let seconds = retry_after.as_deref().and_then(|text| text.parse().ok());
    let seconds = seconds.unwrap_or(1);
    let mut response = match system_of(path) {
        System::Health => plain(StatusCode::TOO_MANY_REQUESTS, "detail"),
        System::Billing => billing::limited(seconds),
        System::Curae => curae::limited(path, seconds),
        System::Tv | System::TvBodyOnly => tv::limited(seconds),
    };
    let headers = response.headers_mut();
    headers.remove(header::RETRY_AFTER);
    if let Some(value) = retry_after.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(header::RETRY_AFTER, value);
    }
    response
}

/// Any other status.
pub(super) fn error(path: &str, status: StatusCode) -> Response {
    match system_of(path) {
        System::Health => plain(status, "detail"),
        System::Curae => {
            let code = match status.as_u16() {
                403 => "SCOPE_INSUFFICIENT",
                404 => "NOT_FOUND",
                400..500 => "BAD_REQUEST",
                _ => "INTERNAL_ERROR",
            };
            curae::Problem::new(status, code, "A fault was asked for").response(path, &Value::Null)
        }
        _ => plain(status, "error"),
    }
}

fn plain(status: StatusCode, member: &str) -> Response {
    let text = status.canonical_reason().unwrap_or("Fault");
    (status, Json(json!({member: text}))).into_response()
}
