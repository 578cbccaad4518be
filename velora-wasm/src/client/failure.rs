//! Passes on the details of an API call that failed.

use velora_core::ApiError;

use crate::frame::{self, item};

/// Its items; those of an issue follow the one that starts it.
mod tag {
    pub(super) const MESSAGE: u8 = 0;
    pub(super) const REQUEST_ID: u8 = 1;
    pub(super) const VENDOR_CODE: u8 = 2;
    pub(super) const DETAIL: u8 = 3;
    pub(super) const RAW: u8 = 4;
    pub(super) const ISSUE: u8 = 5;
    pub(super) const ISSUE_CODE: u8 = 6;
    pub(super) const ISSUE_PATH: u8 = 7;
    pub(super) const ISSUE_MESSAGE: u8 = 8;
}

/// Status, attempts, seconds to wait, whether it may be sent again; then items.
pub(crate) fn told(error: &ApiError, message: &str) -> Vec<u8> {
    let mut told = frame::numbers([
        error.status().map_or(f64::NAN, f64::from),
        f64::from(error.attempts()),
        error
            .retry_after()
            .map_or(f64::NAN, |delay| delay.as_secs_f64()),
        f64::from(u8::from(error.is_retryable())),
    ]);
    put(&mut told, tag::MESSAGE, Some(message));
    put(&mut told, tag::REQUEST_ID, error.request_id());
    put(&mut told, tag::VENDOR_CODE, error.vendor_code());
    put(&mut told, tag::DETAIL, error.detail());
    put(&mut told, tag::RAW, Some(error.raw()));
    for issue in error.issues() {
        put(&mut told, tag::ISSUE, Some(""));
        put(&mut told, tag::ISSUE_CODE, issue.code.as_deref());
        for member in &issue.path {
            put(&mut told, tag::ISSUE_PATH, Some(member));
        }
        put(&mut told, tag::ISSUE_MESSAGE, issue.message.as_deref());
    }
    told
}

fn put(told: &mut Vec<u8>, tag: u8, text: Option<&str>) {
    if let Some(text) = text {
        item(told, tag, &[text.as_bytes()]);
    }
}
