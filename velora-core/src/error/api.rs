//! Calls of a system's API that failed.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::Code;
use super::text::{Says, display, each};
use crate::spell::decimal;

/// How much of an error body, or of an undocumented body, is kept as it is.
pub(crate) const KEPT: usize = 8 * 1024;

/// The replacement for a credential.
const HIDDEN: &str = "***";

/// A call of a system's API failed.
///
/// `Display` and `Debug` show the code, the status, ids and counts, never a part
/// of a body. What the system said is in [`detail`](Self::detail),
/// [`issues`](Self::issues) and [`raw`](Self::raw): show them with care, because an
/// error body may repeat what was sent. None of them contains the API key: if the
/// system repeats it, it is replaced with `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiError(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    kind: ApiErrorKind,
    reason: Cow<'static, str>,
    status: Option<u16>,
    request_id: Option<String>,
    attempts: u32,
    retry_after: Option<Duration>,
    problem: Problem,
    perhaps_done: bool,
}

/// What kind of failure an [`ApiError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiErrorKind {
    /// `unauthorized`: 401.
    Unauthorized,
    /// `forbidden`: 403.
    Forbidden,
    /// `not_found`: 404, 410.
    NotFound,
    /// `conflict`: 409, 412.
    Conflict,
    /// `invalid_request`: 400, 422 and every other 4xx; or the request was refused before it
    /// was sent.
    InvalidRequest,
    /// `rate_limited`: 429, or a wait that is too long: see [`ApiError::retry_after`].
    RateLimited,
    /// `server_error`: 5xx.
    ServerError,
    /// `connection`: refused, reset, or cut off before the end of the body.
    Connection,
    /// `timeout`: of connecting, of reading, or of the whole call.
    Timeout,
    /// `malformed_response`: a success whose body is not the documented one.
    MalformedResponse,
    /// `response_too_large`: the decoded body is over the limit.
    ResponseTooLarge,
    /// `cursor_loop`: a page announces more, but has no new cursor; or too many pages in a row
    /// have no items.
    CursorLoop,
    /// `incomplete_window`: a window is not proven to have been read completely.
    IncompleteWindow,
    /// `unexpected_redirect`: 3xx, never followed.
    UnexpectedRedirect,
}

/// One field that the system rejected.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issue {
    /// The system's own code, such as `invalid_type`.
    pub code: Option<String>,
    /// The path of the field in the request, outermost part first.
    pub path: Vec<String>,
    /// What is wrong, for a human.
    pub message: Option<String>,
}

/// The content of an error body, as far as it could be understood.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The system's own stable code, such as `SCOPE_INSUFFICIENT`.
    pub(crate) code: Option<String>,
    pub(crate) detail: Option<String>,
    /// The system's own statement whether another attempt may help.
    pub(crate) retryable: Option<bool>,
    pub(crate) issues: Vec<Issue>,
    pub(crate) raw: String,
}

impl ApiErrorKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::InvalidRequest,
        Self::RateLimited,
        Self::ServerError,
        Self::Connection,
        Self::Timeout,
        Self::MalformedResponse,
        Self::ResponseTooLarge,
        Self::CursorLoop,
        Self::IncompleteWindow,
        Self::UnexpectedRedirect,
    ];

    /// The stable code.
    pub fn code(self) -> Code {
        match self {
            Self::Unauthorized => Code::Unauthorized,
            Self::Forbidden => Code::Forbidden,
            Self::NotFound => Code::NotFound,
            Self::Conflict => Code::Conflict,
            Self::InvalidRequest => Code::InvalidRequest,
            Self::RateLimited => Code::RateLimited,
            Self::ServerError => Code::ServerError,
            Self::Connection => Code::Connection,
            Self::Timeout => Code::Timeout,
            Self::MalformedResponse => Code::MalformedResponse,
            Self::ResponseTooLarge => Code::ResponseTooLarge,
            Self::CursorLoop => Code::CursorLoop,
            Self::IncompleteWindow => Code::IncompleteWindow,
            Self::UnexpectedRedirect => Code::UnexpectedRedirect,
        }
    }

    /// Whether the same call may succeed later: `rate_limited`, `server_error`,
    /// `connection` and `timeout`.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::ServerError | Self::Connection | Self::Timeout
        )
    }
}

impl ApiError {
    /// Creates an error, for authors of a [`Transport`](crate::api::Transport) and for code
    /// that is built on the clients. `reason` is shown: put no secret and no body in it.
    pub fn new(kind: ApiErrorKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            kind,
            reason: reason.into(),
            status: None,
            request_id: None,
            attempts: 0,
            retry_after: None,
            problem: Problem::default(),
            perhaps_done: false,
        }))
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.kind.code()
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ApiErrorKind {
        self.0.kind
    }

    /// The HTTP status, if there was a response.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The request id to quote to the vendor: the one in the system's response, else the one
    /// that was sent.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How often the call tried to send its request; 0 if it never did. To fail to get a token
    /// counts as a try.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the system asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later. This depends on the kind, unless the system
    /// itself says that it will not; or that it may, for a call with an `Idempotency-Key`.
    pub fn is_retryable(&self) -> bool {
        let by_kind = || self.0.kind.is_retryable();
        self.0.problem.retryable.unwrap_or_else(by_kind)
    }

    /// What the system said went wrong (`error`, `detail` or `message` of its body).
    pub fn detail(&self) -> Option<&str> {
        self.0.problem.detail.as_deref()
    }

    /// The system's own code, such as CuraeAI's `SCOPE_INSUFFICIENT`.
    pub fn vendor_code(&self) -> Option<&str> {
        self.0.problem.code.as_deref()
    }

    /// The fields that the system rejected.
    pub fn issues(&self) -> &[Issue] {
        &self.0.problem.issues
    }

    /// The body of the error response as text, or of a success that is not the documented
    /// one: at most its first 8 KiB. Empty for all other failures.
    pub fn raw(&self) -> &str {
        &self.0.problem.raw
    }

    /// The same error without the credential that was sent, wherever the system repeats it.
    pub(crate) fn without(mut self, credential: &str) -> Self {
        let hide = |text: &mut String| hide(text, credential);
        let problem = &mut self.0.problem;
        let texts = [&mut problem.code, &mut problem.detail];
        texts.into_iter().flatten().for_each(hide);
        for issue in &mut problem.issues {
            let texts = issue.code.iter_mut().chain(&mut issue.message);
            texts.chain(&mut issue.path).for_each(hide);
        }
        let is_cut = problem.raw.len() >= KEPT;
        hide(&mut problem.raw);
        if is_cut {
            hide_begun(&mut problem.raw, credential);
        }
        self
    }

    pub(crate) fn with_kind(mut self, kind: ApiErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_problem(mut self, problem: Problem) -> Self {
        self.0.problem = problem;
        self
    }

    pub(crate) fn with_raw(mut self, raw: String) -> Self {
        self.0.problem.raw = raw;
        self
    }

    /// Whether the call may have been carried out despite the error.
    pub(crate) fn leaves_open(&self) -> bool {
        matches!(
            self.kind(),
            ApiErrorKind::Connection | ApiErrorKind::Timeout | ApiErrorKind::ServerError
        )
    }

    /// Whether an earlier attempt of the call may have been carried out.
    pub(crate) fn perhaps_done(&self) -> bool {
        self.0.perhaps_done
    }

    pub(crate) fn with_perhaps_done(mut self, perhaps_done: bool) -> Self {
        self.0.perhaps_done = perhaps_done;
        self
    }

    pub(crate) fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.0.retry_after = delay;
        self
    }

    /// An id that is already set is the system's own, and is kept.
    pub(crate) fn with_request_id(mut self, id: &str) -> Self {
        self.0.request_id.get_or_insert_with(|| id.to_owned());
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }
}

/// Replaces a credential, wherever a text repeats it.
pub(crate) fn hide(text: &mut String, credential: &str) {
    if text.contains(credential) {
        *text = text.replace(credential, HIDDEN);
    }
}

/// The same for the beginning of a credential at the point where a text was cut off.
fn hide_begun(text: &mut String, credential: &str) {
    let begun = (1..credential.len()).rev();
    let begun = begun.filter_map(|length| text.strip_suffix(credential.get(..length)?));
    if let Some(before) = begun.map(str::len).next() {
        text.truncate(before);
        text.push_str(HIDDEN);
    }
}

impl Says for ApiError {
    fn say(&self, out: &mut dyn FnMut(&str)) {
        let parts = &self.0;
        out(&parts.reason);
        let mut also = |before, what: &str, behind| each(out, &[before, what, behind]);
        if let Some(status) = parts.status {
            also("; status ", &decimal(status.into()), "");
        }
        if let Some(delay) = parts.retry_after {
            also("; retry after ", &decimal(delay.as_secs()), " s");
        }
        if let Some(id) = &parts.request_id {
            also("; request ", id, "");
        }
        if parts.attempts > 1 {
            also("; ", &decimal(parts.attempts.into()), " attempts");
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("code", &self.code().as_str())
            .field("reason", &self.0.reason)
            .field("status", &self.0.status)
            .field("request_id", &self.0.request_id)
            .field("attempts", &self.0.attempts)
            .field("retry_after", &self.0.retry_after)
            .field("issues", &self.0.problem.issues.len())
            .field("raw_bytes", &self.0.problem.raw.len())
            .finish()
    }
}

impl std::error::Error for ApiError {}

impl fmt::Debug for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A message may repeat the value that was refused.
        f.debug_struct("Issue")
            .field("code", &self.code)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_hidden_where_it_was_cut_too() {
        let raw = |raw: String| {
            let error = ApiError::new(ApiErrorKind::Unauthorized, "test").with_raw(raw);
            error.without("vlk_12").raw().to_owned()
        };
        assert_eq!(raw("vlk_1".into()), "vlk_1");
        assert_eq!(raw("vlk_12vlk_123".into()), "******3");
        let blank = " ".repeat(KEPT);
        for (end, shown) in [("vlk_1", "***"), ("vlk_12v", "******"), ("lk_1", "lk_1")] {
            assert_eq!(raw(blank.clone() + end), blank.clone() + shown);
        }
    }
}
