//! The contract for what sends requests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Request, Response};
use crate::error::ApiError;

/// A future that may be moved between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one request and returns one response.
///
/// # The contract
///
/// - Any status is a response, not an error. Redirects are not followed, nothing is retried,
///   and no proxy is used unless configured.
/// - The body is decoded (gzip) and passed on chunk by chunk as it arrives. A body that stops
///   before its announced end is an error of kind `connection`. A response whose end is not
///   announced is [`Response::without_framing`].
/// - Errors are `connection` or `timeout`, and contain no URL, headers or body.
/// - Dropping the future or the body cancels the request.
pub trait Transport: Send + Sync {
    /// Sends the request. Errors: `connection`, `timeout`.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ApiError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ApiError>> {
        (**self).send(request)
    }
}
