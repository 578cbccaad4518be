//! The endpoint registry of the health system.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Scope, authorize, invalid, refuse};
use crate::deliveries::registry::{Endpoint, NewEndpoint, System};
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::iso_offset;

pub(crate) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&app, &headers, true, Scope::Webhooks)?;
    let new = read(&body)?;
    let endpoint = app.registry.add(new);
    let body = json!({"endpoint": created(&endpoint), "secret": endpoint.secrets[0]});
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&app, &headers, false, Scope::Read)?;
    let endpoints = app.registry.of(System::Health);
    let shown: Vec<Value> = endpoints.iter().map(listed).collect();
    Ok(Json(json!({"endpoints": shown})).into_response())
}

pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    authorize(&app, &headers, true, Scope::Webhooks)?;
    find(&app, &id)?;
    let changed = app.registry.change(&id, |endpoint| endpoint.active = false);
    let endpoint = changed.ok_or_else(not_found)?;
    Ok(Json(json!({"endpoint": listed(&endpoint)})).into_response())
}

pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    authorize(&app, &headers, true, Scope::Webhooks)?;
    find(&app, &id)?;
    app.registry.remove(&id).ok_or_else(not_found)?;
    Ok(StatusCode::NO_CONTENT)
}

fn find(app: &App, id: &str) -> Result<Endpoint, Refusal> {
    app.registry
        .endpoint(id)
        .filter(|endpoint| endpoint.system == System::Health)
        .ok_or_else(not_found)
}

fn not_found() -> Refusal {
    refuse(StatusCode::NOT_FOUND, "Webhook endpoint not found")
}

fn read(body: &[u8]) -> Result<NewEndpoint, Refusal> {
    let body: Value = serde_json::from_slice(body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| invalid(["body", ""], "json_invalid", "JSON decode error"))?;
    let url = body["url"]
        .as_str()
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .ok_or_else(|| {
            invalid(
                ["body", "url"],
                "url_parsing",
                "Input should be a valid URL",
            )
        })?;
    let wrong_filter = || {
        let place = ["body", "event_filter"];
        invalid(place, "list_type", "Input should be a list of strings")
    };
    let filter = match &body["event_filter"] {
        Value::Null => Vec::new(),
        Value::Array(entries) => entries
            .iter()
            .map(|entry| entry.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(wrong_filter)?,
        _ => return Err(wrong_filter()),
    };
    let mut new = NewEndpoint::new(System::Health, url);
    new.events = filter;
    new.description = body["description"].as_str().map(str::to_owned);
    Ok(new)
}

fn created(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "event_filter": endpoint.events,
        "description": endpoint.description,
        "active": endpoint.active,
        "created_at": iso_offset(endpoint.created_at),
    })
}

fn listed(endpoint: &Endpoint) -> Value {
    let mut shown = created(endpoint);
    shown["consecutive_failures"] = endpoint.consecutive_failures.into();
    shown["last_delivery_at"] = endpoint.last_attempt_at.map(iso_offset).into();
    shown
}
