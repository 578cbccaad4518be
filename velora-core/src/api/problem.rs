//! Turns responses that are not a success into errors.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::select;

use super::retry::{asked_delay, seconds};
use super::{BoxFuture, Response};
use crate::clock::UnixTime;
use crate::error::{ApiError, ApiErrorKind, Issue, KEPT, Problem};
use crate::json;

/// How much of an error body is read, and how long it is waited for.
const READ: usize = 64 * 1024;
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The error for a response of this kind. `patience` limits how long its body may take. If the
/// request was `keyed`, the system may say that it can be sent again.
pub(crate) async fn error_of(
    kind: ApiErrorKind,
    response: Response,
    now: UnixTime,
    patience: BoxFuture<'static, ()>,
    keyed: bool,
) -> ApiError {
    let delay = asked_delay(&response, now);
    // The status is what counts: a body that cannot be read is treated as absent.
    let body = first_bytes(response, patience).await;
    let (mut problem, delay_in_body) = decode(&body);
    problem.retryable = problem.retryable.filter(|may| keyed || !may);
    let delay = delay.or(delay_in_body.filter(|_| kind == ApiErrorKind::RateLimited));
    let error = ApiError::new(kind, reason_of(kind)).with_problem(problem);
    let is_worth_it = kind.is_retryable() || error.is_retryable();
    error.with_retry_after(delay.filter(|_| is_worth_it))
}

/// The kind of failure that a status means; `None` for a success, and for `304` if the request
/// was conditional. A partial response (`206`) is a failure, because none is ever requested.
pub(crate) fn kind_of(status: u16, conditional: bool) -> Option<ApiErrorKind> {
    Some(match status {
        200..=205 | 207..=299 => return None,
        304 if conditional => return None,
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
        ApiErrorKind::Unauthorized => "the API key or token is missing, unknown or expired",
        ApiErrorKind::Forbidden => "the API key or token lacks a scope or a role",
        ApiErrorKind::NotFound => "not found in this tenant",
        ApiErrorKind::Conflict => "the call conflicts with the current state",
        ApiErrorKind::RateLimited => "too many requests",
        ApiErrorKind::ServerError => "the system failed",
        ApiErrorKind::UnexpectedRedirect => "the system redirects, which is never followed",
        ApiErrorKind::MalformedResponse => "not the status of a complete response",
        _ => "the system refused the request",
    }
}

async fn first_bytes(response: Response, patience: BoxFuture<'static, ()>) -> Vec<u8> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    let read = async {
        while let Some(Ok(chunk)) = body.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= READ {
                break;
            }
        }
    };
    select(pin!(read), patience).await;
    bytes.truncate(READ);
    bytes
}

/// Reads `{"error"|"detail"|"message", "code", "retryable", "issues"}` in any of their forms, and
/// problem+json; also returns a delay in the body (`retry_after`, in seconds).
pub(crate) fn decode(body: &[u8]) -> (Problem, Option<Duration>) {
    let kept = body.get(..KEPT).unwrap_or(body);
    let raw = String::from_utf8_lossy(kept).into_owned();
    let object = str::from_utf8(body).ok();
    let Some(object) = object.filter(|object| json::values(object, []).is_ok()) else {
        let raw_alone = Problem {
            raw,
            ..Problem::default()
        };
        return (raw_alone, None);
    };
    // Some systems nest all of it: `{"error":{"code":…,"message":…}}`.
    let inner = member(object, "error");
    let named = |name: &str| {
        let of_inner = inner.and_then(|inner| member(inner, name));
        of_inner.or_else(|| member(object, name))
    };
    let text = |name: &str| text_of(named(name)?);
    let issues = ["issues", "detail", "errors", "details"]
        .iter()
        .find_map(|name| json::items(named(name)?))
        .map(|issues| issues.into_iter().filter_map(issue).collect());
    let problem = Problem {
        code: text("code"),
        detail: ["message", "detail", "error", "title"]
            .iter()
            .find_map(|name| text(name)),
        retryable: match named("retryable") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        },
        issues: issues.unwrap_or_default(),
        raw,
    };
    (problem, named("retry_after").and_then(seconds))
}

fn issue(value: &str) -> Option<Issue> {
    if let Some(message) = text_of(value) {
        return Some(Issue {
            code: None,
            path: Vec::new(),
            message: Some(message),
        });
    }
    json::values(value, []).ok()?;
    let text = |names: [&str; 2]| {
        let mut found = names
            .iter()
            .filter_map(|name| text_of(member(value, name)?));
        found.next()
    };
    let path = ["path", "loc"]
        .iter()
        .find_map(|name| json::items(member(value, name)?))
        .map(|path| path.into_iter().map(step_of).collect());
    Some(Issue {
        code: text(["code", "type"]),
        path: path.unwrap_or_default(),
        message: text(["message", "msg"]),
    })
}

fn step_of(value: &str) -> String {
    text_of(value).unwrap_or_else(|| value.to_owned())
}

fn text_of(value: &str) -> Option<String> {
    json::text_of(value.as_bytes()).map(Cow::into_owned)
}

/// The member of this name in an object; the last one if it is repeated.
fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let [value] = json::values(object, [name]).ok()?;
    value
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
