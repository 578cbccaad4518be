//! Answers as values: a status, headers, and a body that arrives in chunks.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};

use super::{Exchange, Reading};
use crate::error::{ApiError, ApiErrorKind, KEPT, hide};
use crate::json;
use crate::spell::decimal;

/// A longer id is not one.
const MAX_ID: usize = 128;

/// No more room than this is made for a body on the word of its header.
const ROOM: usize = 1 << 20;

/// What a [`Transport`](super::Transport) gives back. `Debug` shows the status alone.
pub struct Response {
    exchange: Exchange,
    headers: Vec<(String, String)>,
    body: Body,
    framed: bool,
}

impl Response {
    /// An answer. Header values that are not text are left out by the transport.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Body) -> Self {
        Self {
            exchange: Exchange {
                status,
                ..Exchange::default()
            },
            headers,
            body,
            framed: true,
        }
    }

    /// Says which request this is the answer to.
    pub(crate) fn answering(mut self, id: &str, attempts: u32, credential: &str) -> Self {
        let own = self.header("X-Request-Id");
        let own =
            own.filter(|id| id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic()));
        let mut request_id = own.unwrap_or(id).to_owned();
        hide(&mut request_id, credential);
        self.exchange = Exchange {
            request_id,
            attempts,
            ..self.exchange
        };
        self
    }

    /// What this is the answer to.
    pub(crate) fn exchange(&self) -> Exchange {
        self.exchange.clone()
    }

    /// For a transport whose answer has neither a length nor chunks: it ends where the
    /// connection does, and nothing tells its end from a cut. Where rows end so, it is an
    /// error of kind `connection`.
    #[must_use]
    pub fn without_framing(mut self) -> Self {
        self.framed = false;
        self
    }

    /// Fails where what was read to its end may have been cut between two rows.
    ///
    /// Errors: `connection`.
    pub(crate) fn check_framing(&self) -> Result<(), ApiError> {
        match self.framed {
            true => Ok(()),
            false => Err(ApiError::new(
                ApiErrorKind::Connection,
                "the response does not mark its end: it may have been cut off",
            )),
        }
    }

    /// Fails where a success is not one whose body is what was asked for, such as `202` or
    /// `204`: rows have nothing in them that says so.
    ///
    /// Errors: `malformed_response`.
    pub(crate) fn check_status(&self) -> Result<(), ApiError> {
        match self.exchange.status {
            200 => Ok(()),
            _ => Err(malformed("a success without the rows that were asked for")),
        }
    }

    /// Keeps the first bytes that are read of the body, for the error of a body that
    /// is not the documented one.
    pub(crate) fn keep_head(&mut self) -> Head {
        let head = Head::default();
        self.body.head = Some(head.clone());
        head
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.exchange.status
    }

    /// The values of all headers of this name, in any case.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_ascii())
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    fn announced_length(&self) -> usize {
        let length = self.header("Content-Length");
        let bytes = length.and_then(|length| length.parse::<u64>().ok()?.try_into().ok());
        bytes.unwrap_or(0)
    }

    /// The body.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The whole body as text.
    ///
    /// Errors: `response_too_large`, `malformed_response`, and what the transport says.
    pub(crate) async fn text(self, limit: usize) -> Result<String, ApiError> {
        text_of(self.bytes(limit).await?)
    }

    /// What a write was answered whose answer is not documented: empty where there is none.
    ///
    /// Errors: those of [`text`](Self::text).
    pub(crate) async fn written(self, limit: usize) -> Result<String, ApiError> {
        match self.exchange.status {
            204 => Ok(String::new()),
            _ => self.text(limit).await,
        }
    }

    /// The whole body as text, given to what keeps it.
    pub(crate) fn text_into<'r>(
        self,
        limit: usize,
        fill: &'r (dyn Fn(String) -> Result<(), ApiError> + Sync),
    ) -> Reading<'r> {
        Box::pin(async move { fill(self.text(limit).await?) })
    }

    /// The whole body.
    ///
    /// Errors: `response_too_large`, and what the transport says.
    pub(crate) async fn bytes(self, limit: usize) -> Result<Vec<u8>, ApiError> {
        if self.exchange.status == 204 {
            // Nothing was cut: there is nothing.
            return Err(undocumented());
        }
        let room = self.announced_length().min(limit).min(ROOM);
        self.body
            .collect_into(Vec::with_capacity(room), limit)
            .await
    }

    /// The whole body as text that was checked to be whole JSON: what was cut on its way
    /// is retried.
    pub(crate) async fn json_text(self, limit: usize) -> Result<String, ApiError> {
        let text = self.text(limit).await?;
        json::check(&text).map_err(|fault| unreadable(&text, fault))?;
        Ok(text)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.exchange.status)
            .finish_non_exhaustive()
    }
}

/// A body as it arrives, already decoded (gzip is the transport's business).
pub struct Body {
    chunks: Pin<Box<dyn Stream<Item = Result<Bytes, ApiError>> + Send>>,
    head: Option<Head>,
}

/// The first bytes of a body that is being read.
#[derive(Clone, Default)]
pub(crate) struct Head(Arc<Mutex<Vec<u8>>>);

impl Head {
    fn push(&self, chunk: &[u8]) {
        let mut head = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(head.len()).min(chunk.len());
        head.extend_from_slice(chunk.get(..room).unwrap_or_default());
    }

    pub(crate) fn to_text(&self) -> String {
        let head = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&head).into_owned()
    }
}

impl Body {
    /// A body of these chunks. An error ends it: `connection` or `timeout`.
    pub fn new(chunks: impl Stream<Item = Result<Bytes, ApiError>> + Send + 'static) -> Self {
        Self {
            chunks: Box::pin(chunks),
            head: None,
        }
    }

    /// The next chunk; `None` at the end.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, ApiError>> {
        let chunk = self.chunks.next().await;
        if let (Some(head), Some(Ok(chunk))) = (&self.head, &chunk) {
            head.push(chunk);
        }
        chunk
    }

    /// All of it, if it is not over `limit` bytes.
    ///
    /// Errors: `response_too_large`, and what the transport says.
    pub async fn collect(self, limit: usize) -> Result<Vec<u8>, ApiError> {
        self.collect_into(Vec::new(), limit).await
    }

    async fn collect_into(
        mut self,
        mut collected: Vec<u8>,
        limit: usize,
    ) -> Result<Vec<u8>, ApiError> {
        while let Some(chunk) = self.chunk().await {
            let chunk = chunk?;
            if chunk.len() > limit.saturating_sub(collected.len()) {
                return Err(too_large("the response", limit));
            }
            collected.extend_from_slice(&chunk);
        }
        Ok(collected)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(stream::iter([Ok(Bytes::from(bytes))]))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(..)")
    }
}

/// `what` is over its limit, in bytes.
pub(crate) fn too_large(what: &str, limit: usize) -> ApiError {
    ApiError::new(
        ApiErrorKind::ResponseTooLarge,
        [what, " is over ", &decimal(limit as u64), " bytes"].concat(),
    )
}

/// A body as text. One that ends within a character was cut on its way.
///
/// Errors: `connection`, `malformed_response`.
pub(crate) fn text_of(bytes: Vec<u8>) -> Result<String, ApiError> {
    String::from_utf8(bytes).map_err(|error| match error.utf8_error().error_len() {
        None => ApiError::new(
            ApiErrorKind::Connection,
            "the response ends within a character",
        ),
        Some(_) => malformed("the response is not UTF-8"),
    })
}

/// What an answer that is not to be read as JSON is: one that was cut is worth another try.
pub(crate) fn unreadable(text: &str, fault: json::Fault) -> ApiError {
    match fault {
        json::Fault::NotAnObject => undocumented(),
        fault if fault.is_cut(text) => cut(),
        _ => malformed("the response is not JSON"),
    }
}

fn cut() -> ApiError {
    ApiError::new(
        ApiErrorKind::Connection,
        "the response ends before its JSON does",
    )
}

pub(crate) fn undocumented() -> ApiError {
    malformed("the response is not the documented JSON")
}

pub(crate) fn malformed(reason: &'static str) -> ApiError {
    ApiError::new(ApiErrorKind::MalformedResponse, reason)
}

/// JSON that ends too early was cut on its way, which a retry may mend; any other
/// fault in it will be there again.
pub(crate) fn not_json(error: &serde_json::Error) -> ApiError {
    match error.classify() {
        serde_json::error::Category::Eof => cut(),
        serde_json::error::Category::Data => undocumented(),
        _ => malformed("the response is not JSON"),
    }
}
