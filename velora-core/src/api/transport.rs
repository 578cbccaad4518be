//! What sends requests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Request, Response};
use crate::error::ApiError;

/// A future that may be moved between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one request and gives back one answer.
///
/// # The contract
///
/// - Any status is an answer: redirects are not followed, nothing is retried, and
///   no proxy is used that was not asked for.
/// - The body is decoded (gzip) and given chunk by chunk as it arrives. One that
///   ends before its announced end is an error of kind `connection`; one whose end is
///   not announced is [`Response::without_framing`].
/// - Errors are `connection` or `timeout`, without URL, headers or body in them.
/// - Dropping the future or the body gives the request up.
pub trait Transport: Send + Sync {
    /// Sends the request. Errors: `connection`, `timeout`.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ApiError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ApiError>> {
        (**self).send(request)
    }
}
