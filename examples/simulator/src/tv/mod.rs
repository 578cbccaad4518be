//! Velora TV: webhooks of an app, and the Events API.

pub(crate) mod hub;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::deliveries::registry::{NewEndpoint, System};
use crate::limits::{RateLimit, Standing};
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::{iso_z, now_micros};

/// An access token that never expires.
pub const TV_TOKEN: &str = "velora-tv-token-0123456789abcdef";

const EVENT_TYPES: [&str; 10] = [
    "stream.online",
    "stream.offline",
    "stream.update",
    "channel.follow",
    "channel.subscribe",
    "channel.update",
    "channel.subscription.gift",
    "channel.subscription.end",
    "user.authorization.grant",
    "user.authorization.revoke",
];
/// What the headers say if there is no limit.
const UNLIMITED: RateLimit = RateLimit {
    requests: 1_000_000,
    window: Duration::from_secs(60),
};

pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/api/developer/apps/{client_id}/webhooks", post(create))
        .route("/api/events/stream", get(stream::stream))
        .route_layer(from_fn_with_state(Arc::clone(app), guard))
}

/// Checks token and limit, and reports the limit's state on every answer.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let limit = app.options.rate_limits.tv.unwrap_or(UNLIMITED);
    let Some(token) = token(request.headers()).filter(|token| app.tv.is_good(token)) else {
        let mut response = refuse(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Invalid or expired token",
        );
        tell(
            response.headers_mut(),
            &app.limiter.take("tv nobody", limit),
        );
        return response;
    };
    let standing = app.limiter.take(&format!("tv {token}"), limit);
    let mut response = match standing.allowed {
        true => next.run(request).await,
        false => limited(standing.retry_after_secs()),
    };
    tell(response.headers_mut(), &standing);
    response
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

fn tell(headers: &mut HeaderMap, standing: &Standing) {
    let now = now_micros() / 1_000_000;
    let reset = now + standing.retry_after_secs() as i64;
    headers.insert("x-ratelimit-limit", standing.limit.into());
    headers.insert("x-ratelimit-remaining", standing.remaining.into());
    headers.insert("x-ratelimit-reset", HeaderValue::from(reset));
}

/// 429 as the TV system writes it.
pub(crate) fn limited(retry_after: u64) -> Response {
    let body = json!({
        "error": "rate_limit_exceeded",
        "message": "Too many requests",
        "retry_after": retry_after,
    });
    let retry_after = [(header::RETRY_AFTER, retry_after.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, retry_after, Json(body)).into_response()
}

fn refuse(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({"error": error, "message": message}))).into_response()
}

async fn create(
    State(app): State<Arc<App>>,
    Path(client_id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let new = read(&body, client_id)
        .map_err(|message| refuse(StatusCode::BAD_REQUEST, "invalid_request", message))?;
    let endpoint = app.registry.add(new);
    let body = json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "secret": endpoint.secrets[0],
        "active": endpoint.active,
        "createdAt": iso_z(endpoint.created_at),
    });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

fn read(body: &[u8], client_id: String) -> Result<NewEndpoint, &'static str> {
    let body: Value = serde_json::from_slice(body).map_err(|_| "The body is no JSON")?;
    let url = body["url"].as_str().ok_or("url is required")?;
    if !is_deliverable(url) {
        return Err("Webhook endpoints must use HTTPS");
    }
    let events = body["events"].as_array().ok_or("events is required")?;
    let events: Option<Vec<String>> = events
        .iter()
        .map(|event| event.as_str().filter(|text| EVENT_TYPES.contains(text)))
        .map(|event| event.map(str::to_owned))
        .collect();
    let mut new = NewEndpoint::new(System::Tv, url);
    new.events = events
        .filter(|events| !events.is_empty())
        .ok_or("events must name known event types")?;
    new.owner = Some(client_id);
    Ok(new)
}

/// `https`, or, as this is a simulator, a loopback address.
pub(crate) fn is_deliverable(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return url.starts_with("https://");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name == "[::1]" || name.starts_with("127.")
}
