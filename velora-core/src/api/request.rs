//! Requests as values.

use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::error::{ApiError, ApiErrorKind};
use crate::spell::escape;

/// The header by which the system recognises a repeated request.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method as it is written in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request, ready for a [`Transport`](super::Transport).
///
/// `Debug` shows only the operation, the method and the names of the headers, because a URL may
/// contain search terms, and a header the key.
#[derive(Clone)]
pub struct Request {
    operation: &'static str,
    method: Method,
    url: String,
    headers: Vec<(&'static str, Zeroizing<String>)>,
    body: Option<Bytes>,
    idempotent: bool,
    conditional: bool,
    answers_secret: bool,
}

impl Request {
    /// A request for this path below the client's base URL. `GET` and `DELETE` are idempotent;
    /// mark other requests if they are.
    pub(crate) fn new(operation: &'static str, method: Method, path: Path) -> Self {
        Self {
            operation,
            method,
            url: path.0,
            headers: Vec::with_capacity(6),
            body: None,
            idempotent: matches!(method, Method::Get | Method::Delete),
            conditional: false,
            answers_secret: false,
        }
    }

    /// Marks it as idempotent: sending it twice has the effect of sending it once.
    pub(crate) fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Marks it as conditional: `304` is a valid response.
    pub(crate) fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }

    /// Its response contains a secret, so no part of it is kept in an error.
    pub(crate) fn answers_secret(mut self) -> Self {
        self.answers_secret = true;
        self
    }

    pub(crate) fn keeps_answer(&self) -> bool {
        !self.answers_secret
    }

    pub(crate) fn is_conditional(&self) -> bool {
        self.conditional
    }

    /// Whether the system itself makes a repetition harmless.
    pub(crate) fn is_keyed(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, _)| *name == IDEMPOTENCY_KEY)
    }

    /// Sends it only once: the caller decides when to send it again.
    pub(crate) fn once(mut self) -> Self {
        self.idempotent = false;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, Zeroizing::new(value.to_owned())));
        self
    }

    /// A header whose value comes from the caller.
    ///
    /// Errors: `invalid_request` if it is empty, or contains what a header cannot carry.
    pub(crate) fn outside_header(self, name: &'static str, value: &str) -> Result<Self, ApiError> {
        if !is_header_value(value) {
            return Err(ApiError::new(
                ApiErrorKind::InvalidRequest,
                "a header value must be visible ASCII",
            ));
        }
        Ok(self.header(name, value))
    }

    pub(crate) fn json<T: serde::Serialize + ?Sized>(self, body: &T) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(body).map_err(|_| {
            ApiError::new(
                ApiErrorKind::InvalidRequest,
                "the request cannot be encoded as JSON",
            )
        })?;
        Ok(self.json_body(body))
    }

    /// The same of a text that is JSON.
    pub(crate) fn json_text(self, body: String) -> Self {
        self.json_body(body.into_bytes())
    }

    fn json_body(self, body: Vec<u8>) -> Self {
        let mut request = self.header("Content-Type", "application/json");
        request.body = Some(body.into());
        request
    }

    pub(crate) fn below(mut self, base: &super::BaseUrl) -> Self {
        self.url = base.join(&self.url);
        self
    }

    /// What it is called in spans and errors, such as `health.events`.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// `GET`, `POST`, …
    pub fn method(&self) -> Method {
        self.method
    }

    /// The whole URL. It may contain search terms: do not log it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers in order, including the one with the credential: do not log them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// The body, if it has one.
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// Whether it may be sent again after a failure.
    pub fn is_idempotent(&self) -> bool {
        self.idempotent
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers().map(|(name, _)| name).collect();
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("headers", &names)
            .field("body_bytes", &self.body.as_ref().map_or(0, Bytes::len))
            .finish_non_exhaustive()
    }
}

/// Whether every transport can send this as the value of a header: visible ASCII and spaces,
/// but not only spaces.
pub(crate) fn is_header_value(value: &str) -> bool {
    let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    !value.trim().is_empty() && value.bytes().all(visible)
}

/// A path with its query, in which every value is percent-encoded.
#[derive(Clone)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// A path from the caller, below the client's host.
    ///
    /// Errors: `invalid_request` if it does not start with `/`, has a query, or contains
    /// anything that could turn it into another path.
    pub(crate) fn outside(path: &str) -> Result<Self, ApiError> {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%:@!$&'()*+,;=".contains(&byte);
        let dots = |segment: &str| {
            let decoded = percent_decode_str(segment).decode_utf8_lossy();
            matches!(&*decoded, "." | "..")
        };
        if !path.starts_with('/') || !path.bytes().all(plain) || path.split('/').any(dots) {
            return Err(ApiError::new(
                ApiErrorKind::InvalidRequest,
                "a path must start with /, be URL-encoded and have no query",
            ));
        }
        Ok(Self::new(path))
    }

    /// Adds one segment from the caller.
    ///
    /// Errors: `invalid_request` if it is empty, `.` or `..`, which would turn it into another
    /// path, however they are encoded.
    pub(crate) fn segment(mut self, segment: &str) -> Result<Self, ApiError> {
        if matches!(segment, "" | "." | "..") {
            return Err(ApiError::new(
                ApiErrorKind::InvalidRequest,
                "an id cannot be empty, `.` or `..`",
            ));
        }
        self.0.push('/');
        escape(&mut self.0, segment);
        Ok(self)
    }

    /// Adds the fixed rest of the path.
    pub(crate) fn then(mut self, rest: &str) -> Self {
        self.0.push_str(rest);
        self
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        escape(&mut self.0, name);
        self.0.push('=');
        escape(&mut self.0, value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_every_value() {
        let path = Path::new("/events")
            .query("since", "2026-05-01T00:00:00+00:00")
            .query("action", "a&b=c");
        assert_eq!(
            path.0,
            "/events?since=2026-05-01T00%3A00%3A00%2B00%3A00&action=a%26b%3Dc"
        );
    }

    #[test]
    fn an_id_stays_one_segment() {
        let path = Path::new("/webhooks").segment("../a b?c#d").unwrap();
        assert_eq!(path.0, "/webhooks/..%2Fa%20b%3Fc%23d");
        for refused in ["", ".", ".."] {
            let error = Path::new("/webhooks").segment(refused).map(|path| path.0);
            assert_eq!(error.unwrap_err().kind(), ApiErrorKind::InvalidRequest);
        }
    }

    #[test]
    fn a_path_from_outside_is_plain() {
        assert_eq!(
            Path::outside("/api/gl/run%201").unwrap().0,
            "/api/gl/run%201"
        );
        for refused in [
            "",
            "api",
            "https://evil",
            "/a/../b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/a b",
        ] {
            let error = Path::outside(refused).map(|path| path.0).unwrap_err();
            assert_eq!(error.kind(), ApiErrorKind::InvalidRequest, "{refused}");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let request = Request::new("t", Method::Get, Path::new("/").query("user", "u-1"))
            .header("Authorization", "Bearer key");
        let shown = format!("{request:?}");
        assert!(!shown.contains("key") && !shown.contains("u-1"), "{shown}");
    }
}
