//! What a call of an API that failed tells.

use serde_json::json;
use velora_core::ApiError;

/// All of it, as JSON on one line.
pub(crate) fn told(error: &ApiError) -> String {
    let issues = error
        .issues()
        .iter()
        .map(|issue| json!({ "code": issue.code, "path": issue.path, "message": issue.message }));
    let told = json!({
        "message": error.to_string(),
        "status": error.status(),
        "requestId": error.request_id(),
        "attempts": error.attempts(),
        "retryAfter": error.retry_after().map(|delay| delay.as_secs_f64()),
        "isRetryable": error.is_retryable(),
        "vendorCode": error.vendor_code(),
        "detail": error.detail(),
        "issues": issues.collect::<Vec<_>>(),
        "raw": error.raw(),
    });
    told.to_string()
}
