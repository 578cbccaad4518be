//! Velora Health: the audit API under `/api/v2/public/audit/`.

pub(crate) mod data;
mod events;
mod export;
mod row;
mod timeline;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::state::App;

/// A key with every scope.
pub const HEALTH_KEY: &str = "vlk_live_00000001_0123456789abcdef0123456789abcdef";
/// A key with `audit:read` alone.
pub const HEALTH_READ_KEY: &str = "vlk_live_00000002_0123456789abcdef0123456789abcdef";
/// A key with `audit:export` alone.
pub const HEALTH_EXPORT_KEY: &str = "vlk_live_00000003_0123456789abcdef0123456789abcdef";
/// A key with `webhooks:write` alone.
pub const HEALTH_WEBHOOKS_KEY: &str = "vlk_live_00000004_0123456789abcdef0123456789abcdef";
/// A valid key without any scope.
pub const HEALTH_NO_SCOPE_KEY: &str = "vlk_live_00000005_0123456789abcdef0123456789abcdef";

/// What a key of the health system may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `audit:read`: list events, get one, list webhooks.
    Read,
    /// `audit:export`.
    Export,
    /// `webhooks:write`: create, disable and delete webhooks.
    Webhooks,
}

impl Scope {
    /// The vendor's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "audit:read",
            Self::Export => "audit:export",
            Self::Webhooks => "webhooks:write",
        }
    }
}

pub(crate) fn default_keys() -> Vec<(String, Vec<Scope>)> {
    let all = vec![Scope::Read, Scope::Export, Scope::Webhooks];
    [
        (HEALTH_KEY, all),
        (HEALTH_READ_KEY, vec![Scope::Read]),
        (HEALTH_EXPORT_KEY, vec![Scope::Export]),
        (HEALTH_WEBHOOKS_KEY, vec![Scope::Webhooks]),
        (HEALTH_NO_SCOPE_KEY, vec![]),
    ]
    .map(|(key, scopes)| (key.to_owned(), scopes))
    .into()
}

pub(crate) fn routes() -> Router<Arc<App>> {
    let audit = Router::new()
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::one))
        .route("/export", post(export::export))
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/webhooks/{id}", delete(webhooks::delete))
        .route("/webhooks/{id}/disable", post(webhooks::disable));
    Router::new().nest("/api/v2/public/audit", audit)
}

/// Whether the request is answered at all: 401, then 429, then 403.
fn authorize(app: &App, headers: &HeaderMap, write: bool, scope: Scope) -> Result<(), Refusal> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let key = given
        .next()
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .filter(|_| given.next().is_none())
        .ok_or_else(|| {
            refuse(
                StatusCode::UNAUTHORIZED,
                "Missing or malformed bearer token",
            )
        })?;
    let known = app
        .options
        .health_keys
        .iter()
        .find(|(known, _)| known == key);
    let (_, scopes) = known.ok_or_else(|| refuse(StatusCode::UNAUTHORIZED, "Invalid API key"))?;
    let limits = app.options.rate_limits;
    let (bucket, limit) = match write {
        true => ("write", limits.health_write),
        false => ("read", limits.health_read),
    };
    if let Some(limit) = limit {
        let standing = app.limiter.take(&format!("health {bucket} {key}"), limit);
        if !standing.allowed {
            let refusal = refuse(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded");
            let retry_after = [(header::RETRY_AFTER, standing.retry_after_secs().to_string())];
            return Err((retry_after, refusal).into_response().into());
        }
    }
    if scopes.contains(&scope) {
        return Ok(());
    }
    let detail = format!("Missing required scope: {}", scope.as_str());
    Err(refuse(StatusCode::FORBIDDEN, &detail))
}

/// An error as FastAPI writes one.
fn refuse(status: StatusCode, detail: &str) -> Refusal {
    let body = axum::Json(json!({"detail": detail}));
    (status, body).into_response().into()
}

/// 422, with the place and the kind of what is wrong.
fn invalid(place: [&str; 2], kind: &str, message: &str) -> Refusal {
    let detail: Value = json!([{"loc": place, "msg": message, "type": kind}]);
    let body = axum::Json(json!({"detail": detail}));
    (StatusCode::UNPROCESSABLE_ENTITY, body)
        .into_response()
        .into()
}
