//! CuraeAI: webhook endpoints under `/api/platform/v1/`.

mod endpoints;
mod replay;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};

pub(crate) use replay::Replays;

use crate::refusal::Refusal;
use crate::state::App;

/// A sandbox key with every scope.
pub const CURAE_KEY: &str = "cae_test_0123456789abcdef";
/// A production key with every scope.
pub const CURAE_LIVE_KEY: &str = "cae_live_0123456789abcdef";
/// A sandbox key without any scope.
pub const CURAE_NO_SCOPE_KEY: &str = "cae_test_without_scopes";

/// Which keys the CuraeAI system takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CuraeEnvironment {
    /// Both kinds: one simulator serves tests of either.
    #[default]
    Any,
    /// `cae_test_…` alone; others are `WRONG_ENVIRONMENT`.
    Sandbox,
    /// `cae_live_…` alone; others are `WRONG_ENVIRONMENT`.
    Production,
}

pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let endpoints = Router::new()
        .route("/", get(endpoints::list).post(endpoints::create))
        .route(
            "/{id}",
            get(endpoints::one)
                .patch(endpoints::update)
                .delete(endpoints::delete),
        )
        // The outer layer authenticates first, then the inner one replays.
        .route_layer(from_fn_with_state(Arc::clone(app), replay::layer))
        .route_layer(from_fn_with_state(Arc::clone(app), guard));
    Router::new()
        .nest("/api/platform/v1/webhook-endpoints", endpoints)
        .route("/api/platform/v0/{*rest}", any(retired))
}

/// An error of this system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: &'static str,
}

impl Problem {
    pub(crate) const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            code,
            detail,
        }
    }

    pub(crate) fn response(self, instance: &str, details: &Value) -> Response {
        let body = json!({
            "type": format!("https://api.curaeai.com/problems/{}", self.code.to_lowercase()),
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "details": details,
            "retryable": self.status.is_server_error() || self.status == 429,
        });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, Json(body).0.to_string()).into_response()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let instance = "/api/platform/v1/webhook-endpoints";
        problem.response(instance, &Value::Null).into()
    }
}

const UNAUTHENTICATED: Problem = Problem::new(
    StatusCode::UNAUTHORIZED,
    "UNAUTHENTICATED",
    "A valid API key is required",
);
const WRONG_ENVIRONMENT: Problem = Problem::new(
    StatusCode::FORBIDDEN,
    "WRONG_ENVIRONMENT",
    "The key belongs to the other environment",
);
const SCOPE_INSUFFICIENT: Problem = Problem::new(
    StatusCode::FORBIDDEN,
    "SCOPE_INSUFFICIENT",
    "The key lacks a scope",
);

async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match admit(&app, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(Denied::Because(problem)) => problem.response(&path, &Value::Null),
        Err(Denied::Limited(seconds)) => limited(&path, seconds),
    }
}

enum Denied {
    Because(Problem),
    Limited(u64),
}

fn admit(app: &App, headers: &HeaderMap) -> Result<(), Denied> {
    let key = key_of(headers).ok_or(Denied::Because(UNAUTHENTICATED))?;
    let known = [CURAE_KEY, CURAE_LIVE_KEY, CURAE_NO_SCOPE_KEY];
    let fits = match app.options.curae_environment {
        CuraeEnvironment::Any => true,
        CuraeEnvironment::Sandbox => key.starts_with("cae_test_"),
        CuraeEnvironment::Production => key.starts_with("cae_live_"),
    };
    let problem = match key {
        _ if !known.contains(&key) => UNAUTHENTICATED,
        _ if !fits => WRONG_ENVIRONMENT,
        CURAE_NO_SCOPE_KEY => SCOPE_INSUFFICIENT,
        _ => {
            let limit = app.options.rate_limits.curae;
            let standing = limit.map(|limit| app.limiter.take(&format!("curae {key}"), limit));
            return match standing {
                Some(standing) if !standing.allowed => {
                    Err(Denied::Limited(standing.retry_after_secs()))
                }
                _ => Ok(()),
            };
        }
    };
    Err(Denied::Because(problem))
}

fn key_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

/// 429 as this system writes it.
pub(crate) fn limited(path: &str, retry_after: u64) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let problem = Problem::new(status, "RATE_LIMITED", "Too many requests");
    let retry_after = [(header::RETRY_AFTER, retry_after.to_string())];
    (retry_after, problem.response(path, &Value::Null)).into_response()
}

async fn retired(request: Request) -> Response {
    let problem = Problem::new(StatusCode::GONE, "VERSION_RETIRED", "Use /api/platform/v1");
    problem.response(request.uri().path(), &Value::Null)
}
