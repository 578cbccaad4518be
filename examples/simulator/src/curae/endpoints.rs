//! Create, list, get, update and delete.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::Problem;
use crate::deliveries::registry::{Endpoint, NewEndpoint, System};
use crate::faults::apply::Active;
use crate::faults::paging::{Onward, beginning, bend, is_emptied, place};
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::iso_z;
use crate::tv::is_deliverable;

const EVENT_TYPES: [&str; 22] = [
    "patient.created",
    "patient.updated",
    "observation.created",
    "observation.updated",
    "import.completed",
    "connection.authorized",
    "connection.reconnected",
    "connection.expired",
    "connection.action_required",
    "connection.revoked",
    "records.export_queued",
    "records.export_ready",
    "records.export_failed",
    "records.export_expired",
    "entry.initiated",
    "entry.completed",
    "entry.limited_provisioned",
    "entry.transferred",
    "entry.folded",
    "consolidation.completed",
    "consolidation.reversed",
    "user.graduated",
];

const fn bad_request(detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", detail)
}

const NOT_FOUND: Problem = Problem::new(
    StatusCode::NOT_FOUND,
    "NOT_FOUND",
    "No such webhook endpoint",
);
const CHANGED: Problem = Problem::new(
    StatusCode::PRECONDITION_FAILED,
    "PRECONDITION_FAILED",
    "The endpoint has been changed meanwhile",
);

pub(super) async fn create(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Refusal> {
    let body = read(&body)?;
    let url = url_of(&body)?.ok_or(bad_request("url is required"))?;
    let events = events_of(&body)?.ok_or(bad_request("eventTypes is required"))?;
    let mut new = NewEndpoint::new(System::Curae, url);
    new.events = events;
    let endpoint = app.registry.add(new);
    let mut data = shown(&endpoint);
    data["signingSecret"] = endpoint.secrets[0].clone().into();
    let etag = [(header::ETAG, etag(&endpoint))];
    Ok((StatusCode::CREATED, etag, Json(json!({"data": data}))).into_response())
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(Active(fault)): Extension<Active>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let (limit, cursor) = page_of(&query.unwrap_or_default())?;
    let fault = fault.as_ref();
    let endpoints = app.registry.of(System::Curae);
    let first = match cursor.as_deref().and_then(place) {
        None => 0,
        Some(id) => {
            let known = endpoints.iter().position(|endpoint| endpoint.id == id);
            known.ok_or(bad_request("cursor is not valid"))? + 1
        }
    };
    let left = &endpoints[beginning(first, fault)..];
    let given = &left[..left.len().min(limit)];
    let has_more = given.len() < left.len();
    let onward = Onward {
        has_more,
        cursor: given
            .last()
            .filter(|_| has_more)
            .map(|last| last.id.clone()),
    };
    let onward = bend(onward, cursor.as_deref(), fault);
    let data: Vec<Value> = match is_emptied(fault) {
        true => Vec::new(),
        false => given.iter().map(shown).collect(),
    };
    let pagination = json!({"nextCursor": onward.cursor, "hasMore": onward.has_more});
    Ok(Json(json!({"data": data, "pagination": pagination})).into_response())
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let endpoint = find(&app, &id)?;
    let etag = etag(&endpoint);
    if names(&headers, header::IF_NONE_MATCH, &etag) == Some(true) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let body = Json(json!({"data": shown(&endpoint)}));
    Ok(([(header::ETAG, etag)], body).into_response())
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    check(&headers, &find(&app, &id)?)?;
    let body = read(&body)?;
    let (url, events) = (url_of(&body)?.map(str::to_owned), events_of(&body)?);
    let active = match body["status"].as_str() {
        None => None,
        Some("ACTIVE") => Some(true),
        Some("DISABLED") => Some(false),
        Some(_) => return Err(bad_request("status is ACTIVE or DISABLED").into()),
    };
    let changed = app.registry.change(&id, |endpoint| {
        endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
        endpoint.events = events.unwrap_or_else(|| endpoint.events.clone());
        endpoint.active = active.unwrap_or(endpoint.active);
    });
    let endpoint = changed.ok_or(NOT_FOUND)?;
    let body = Json(json!({"data": shown(&endpoint)}));
    Ok(([(header::ETAG, etag(&endpoint))], body).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    check(&headers, &find(&app, &id)?)?;
    app.registry.remove(&id).ok_or(NOT_FOUND)?;
    Ok(StatusCode::NO_CONTENT)
}

fn find(app: &App, id: &str) -> Result<Endpoint, Refusal> {
    let endpoint = app.registry.endpoint(id);
    let ours = endpoint.filter(|endpoint| endpoint.system == System::Curae);
    Ok(ours.ok_or(NOT_FOUND)?)
}

/// Fails if `If-Match` names another version.
fn check(headers: &HeaderMap, endpoint: &Endpoint) -> Result<(), Refusal> {
    match names(headers, header::IF_MATCH, &etag(endpoint)) {
        Some(false) => Err(CHANGED.into()),
        _ => Ok(()),
    }
}

/// Whether a conditional header, if there is one, names this tag.
fn names(headers: &HeaderMap, name: header::HeaderName, etag: &str) -> Option<bool> {
    let value = headers.get(name)?.to_str().ok()?;
    let mut tags = value.split(',').map(str::trim);
    Some(tags.any(|tag| tag == "*" || tag == etag))
}

fn etag(endpoint: &Endpoint) -> String {
    format!("\"{}-{}\"", endpoint.id, endpoint.version)
}

fn read(body: &[u8]) -> Result<Value, Refusal> {
    let body = serde_json::from_slice(body).ok().filter(Value::is_object);
    Ok(body.ok_or(bad_request("The body is not a JSON object"))?)
}

fn url_of(body: &Value) -> Result<Option<&str>, Refusal> {
    match &body["url"] {
        Value::Null => Ok(None),
        Value::String(url) if is_public(url) => Ok(Some(url)),
        _ => Err(bad_request("url must be a public https URL on port 443").into()),
    }
}

/// `https` on port 443, or, as this is a simulator, a loopback address.
fn is_public(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return is_deliverable(url);
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = host.rsplit_once(':').map(|(_, port)| port);
    !host.is_empty() && port.is_none_or(|port| port == "443")
}

fn events_of(body: &Value) -> Result<Option<Vec<String>>, Refusal> {
    let wrong = bad_request("eventTypes must name known event types");
    let Some(events) = body.get("eventTypes") else {
        return Ok(None);
    };
    let known = |event: &Value| {
        let known = event.as_str().filter(|text| EVENT_TYPES.contains(text));
        known.map(str::to_owned)
    };
    let events: Option<Vec<String>> = events.as_array().ok_or(wrong)?.iter().map(known).collect();
    Ok(Some(
        events.filter(|events| !events.is_empty()).ok_or(wrong)?,
    ))
}

fn page_of(query: &str) -> Result<(usize, Option<String>), Refusal> {
    let (mut limit, mut cursor) = (25, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "limit" => match value.parse() {
                Ok(asked @ 1..=100) => limit = asked,
                _ => return Err(bad_request("limit is from 1 to 100").into()),
            },
            "cursor" if !value.is_empty() => cursor = Some(value.into_owned()),
            _ => {}
        }
    }
    Ok((limit, cursor))
}

fn shown(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "resourceType": "WebhookEndpoint",
        "url": endpoint.url,
        "eventTypes": endpoint.events,
        "status": if endpoint.active { "ACTIVE" } else { "DISABLED" },
        "consecutiveFailures": endpoint.consecutive_failures,
        "lastDeliveryAttemptAt": endpoint.last_attempt_at.map(iso_z),
        "lastSuccessfulDeliveryAt": endpoint.last_success_at.map(iso_z),
        "createdAt": iso_z(endpoint.created_at),
        "updatedAt": iso_z(endpoint.updated_at),
        "_version": endpoint.version,
    })
}
