//! Answers that are not a success, as errors.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde_json::Value;

use super::Response;
use super::response::KEPT;
use super::retry::retry_after;
use crate::clock::UnixTime;
use crate::error::{ApiError, ApiErrorKind, Issue, Problem};

/// How much of an error body is read, and how long it is waited for.
const READ: usize = 64 * 1024;
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Gives a success through, and `304` where it was asked for; makes an error of all
/// else. `patience` is how long the body of an error may take.
pub(crate) async fn check(
    response: Response,
    conditional: bool,
    now: UnixTime,
    patience: impl Future<Output = ()>,
) -> Result<Response, ApiError> {
    let status = response.status();
    let Some(kind) = kind_of(status).filter(|_| !(conditional && status == 304)) else {
        return Ok(response);
    };
    let request_id = response.request_id().map(str::to_owned);
    let delay = response
        .header("Retry-After")
        .and_then(|value| retry_after(value, now));
    // The status is what counts: a body that cannot be read is no body.
    let body = first_bytes(response, patience).await;
    let (problem, delay_in_body) = decode(&body);
    let delay = delay.or(delay_in_body.filter(|_| kind == ApiErrorKind::RateLimited));
    Err(ApiError::new(kind, reason_of(kind))
        .with_status(status)
        .with_request_id(request_id.as_deref())
        .with_retry_after(delay.filter(|_| kind.is_retryable()))
        .with_problem(problem))
}

fn kind_of(status: u16) -> Option<ApiErrorKind> {
    Some(match status {
        200..=299 => return None,
        300..=399 => ApiErrorKind::UnexpectedRedirect,
        401 => ApiErrorKind::Unauthorized,
        403 => ApiErrorKind::Forbidden,
        404 | 410 => ApiErrorKind::NotFound,
        409 | 412 => ApiErrorKind::Conflict,
        429 => ApiErrorKind::RateLimited,
        400..=499 => ApiErrorKind::InvalidRequest,
        500..=599 => ApiErrorKind::ServerError,
        _ => ApiErrorKind::MalformedResponse,
    })
}

fn reason_of(kind: ApiErrorKind) -> &'static str {
    match kind {
        ApiErrorKind::Unauthorized => "the API key is missing or not known",
        ApiErrorKind::Forbidden => "the API key lacks a scope or a role",
        ApiErrorKind::NotFound => "there is no such thing in this tenant",
        ApiErrorKind::Conflict => "the call contradicts the state of things",
        ApiErrorKind::RateLimited => "too many requests",
        ApiErrorKind::ServerError => "the system failed",
        ApiErrorKind::UnexpectedRedirect => "the system redirects, which is never followed",
        ApiErrorKind::MalformedResponse => "the status is none that HTTP has",
        _ => "the system refused the request",
    }
}

async fn first_bytes(response: Response, patience: impl Future<Output = ()>) -> Vec<u8> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    let mut patience = pin!(patience);
    while let Either::Left((Some(Ok(chunk)), _)) =
        select(pin!(body.chunk()), patience.as_mut()).await
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= READ {
            bytes.truncate(READ);
            break;
        }
    }
    bytes
}

/// Reads `{"error"|"detail"|"message", "code", "retryable", "issues"}` in any of their forms, and
/// problem+json; a delay in the body (`retry_after`, seconds) stands beside it.
pub(crate) fn decode(body: &[u8]) -> (Problem, Option<Duration>) {
    let kept = body.get(..KEPT).unwrap_or(body);
    let raw = String::from_utf8_lossy(kept).into_owned();
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) else {
        let raw_alone = Problem {
            raw,
            ..Problem::default()
        };
        return (raw_alone, None);
    };
    // Some nest all of it: `{"error":{"code":…,"message":…}}`.
    let inner = members.get("error").and_then(Value::as_object);
    let member = |name: &str| {
        let of_inner = inner.and_then(|inner| inner.get(name));
        of_inner.or_else(|| members.get(name))
    };
    let text = |name: &str| member(name).and_then(Value::as_str).map(str::to_owned);
    let issues = ["issues", "detail", "errors", "details"]
        .iter()
        .find_map(|name| member(name)?.as_array())
        .map(|issues| issues.iter().filter_map(issue).collect());
    let problem = Problem {
        code: text("code"),
        detail: ["message", "detail", "error", "title"]
            .iter()
            .find_map(|name| text(name)),
        retryable: member("retryable").and_then(Value::as_bool),
        issues: issues.unwrap_or_default(),
        raw,
    };
    let delay = member("retry_after")
        .and_then(Value::as_f64)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    (problem, delay)
}

/// One issue: `{code, path, message}` (zod), `{type, loc, msg}` (pydantic), or a text.
fn issue(value: &Value) -> Option<Issue> {
    if let Some(message) = value.as_str() {
        return Some(Issue {
            code: None,
            path: Vec::new(),
            message: Some(message.to_owned()),
        });
    }
    let members = value.as_object()?;
    let text = |names: [&str; 2]| {
        let mut found = names.iter().filter_map(|name| members.get(*name)?.as_str());
        found.next().map(str::to_owned)
    };
    let path = ["path", "loc"]
        .iter()
        .find_map(|name| members.get(*name)?.as_array())
        .map(|path| path.iter().map(step).collect());
    Some(Issue {
        code: text(["code", "type"]),
        path: path.unwrap_or_default(),
        message: text(["message", "msg"]),
    })
}

fn step(value: &Value) -> String {
    match value {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str) -> Problem {
        decode(body.as_bytes()).0
    }

    #[test]
    fn reads_every_documented_form() {
        for (body, detail) in [
            (r#"{"error":"no such run"}"#, Some("no such run")),
            (r#"{"detail":"bad since"}"#, Some("bad since")),
            (
                r#"{"message":"slow down","error":"rate_limit_exceeded"}"#,
                Some("slow down"),
            ),
            (r#"{"error":{"code":"X","message":"inner"}}"#, Some("inner")),
            (
                r#"{"type":"about:blank","title":"Forbidden","status":403}"#,
                Some("Forbidden"),
            ),
            ("<html>", None),
            ("", None),
            ("[1]", None),
        ] {
            assert_eq!(decoded(body).detail.as_deref(), detail, "{body}");
            assert_eq!(decoded(body).raw, body);
        }
        let problem = decoded(r#"{"title":"t","code":"SCOPE_INSUFFICIENT","retryable":false}"#);
        assert_eq!(problem.code.as_deref(), Some("SCOPE_INSUFFICIENT"));
        assert_eq!(problem.retryable, Some(false));
    }

    #[test]
    fn reads_issues_of_zod_and_of_pydantic() {
        for body in [
            r#"{"error":"bad","issues":[{"code":"too_big","path":["limit",0],"message":"m"}]}"#,
            r#"{"detail":[{"type":"too_big","loc":["limit",0],"msg":"m"}]}"#,
        ] {
            let problem = decoded(body);
            let issue = problem.issues.first().unwrap();
            assert_eq!(issue.code.as_deref(), Some("too_big"));
            assert_eq!(issue.path, ["limit", "0"]);
            assert_eq!(issue.message.as_deref(), Some("m"));
        }
    }

    #[test]
    fn reads_the_delay_of_a_body() {
        let (_, delay) = decode(br#"{"error":"rate_limit_exceeded","retry_after":7}"#);
        assert_eq!(delay, Some(Duration::from_secs(7)));
        let (_, delay) = decode(br#"{"retry_after":-1}"#);
        assert_eq!(delay, None);
    }

    #[test]
    fn keeps_no_more_than_8_kib() {
        assert_eq!(decoded(&"x".repeat(100_000)).raw.len(), KEPT);
    }
}
