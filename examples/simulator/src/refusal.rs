//! The answer of a handler that refuses a request.

use axum::response::{IntoResponse, Response};

/// Boxed, so that a `Result` with it stays small.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Response>);

impl From<Response> for Refusal {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}
