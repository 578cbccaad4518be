//! The control calls that concern endpoints, deliveries and streams.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, read};
use crate::deliveries::actions::{self, History};
use crate::deliveries::registry::NewEndpoint;
use crate::deliveries::{self, Emission};
use crate::state::App;
use crate::tv::hub::Cut;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/endpoints", get(endpoints).post(register))
        .route("/endpoints/{id}/rotate", post(rotate))
        .route("/endpoints/{id}/history", post(history))
        .route("/emit", post(emit))
        .route("/deliveries", get(records))
        .route("/deliveries/{id}/resend", post(resend))
        .route("/settled", get(settled))
        .route("/tv/tokens", post(token))
        .route("/tv/cut", post(cut))
        .route("/tv/streams", get(streams))
}

async fn endpoints(State(app): State<Arc<App>>) -> Response {
    Json(app.registry.endpoints()).into_response()
}

async fn register(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let new: NewEndpoint = read(&body)?;
    Ok((StatusCode::CREATED, Json(app.registry.add(new))).into_response())
}

async fn rotate(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let secret = actions::rotate(&app, &id).ok_or_else(unknown)?;
    Ok(Json(json!({"secret": secret})).into_response())
}

async fn history(State(app): State<Arc<App>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let history: History = read(&body)?;
    match actions::add_history(&app, &id, history) {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(unknown()),
    }
}

async fn emit(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let emission: Emission = read(&body)?;
    let emitted = deliveries::emit(&app, &emission);
    let body = json!({"event_id": emitted.event_id, "deliveries": emitted.deliveries});
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

async fn records(State(app): State<Arc<App>>) -> Response {
    Json(app.registry.records()).into_response()
}

async fn resend(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    match actions::resend(&app, &id) {
        true => Ok(StatusCode::ACCEPTED.into_response()),
        false => Err(unknown()),
    }
}

/// Answers when no delivery is under way any more.
async fn settled(State(app): State<Arc<App>>) -> StatusCode {
    app.under_way.settled().await;
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Token {
    lifetime_ms: u64,
}

async fn token(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let asked: Token = read(&body)?;
    let token = format!("tv_{}", app.registry.unique(32));
    let lifetime = Duration::from_millis(asked.lifetime_ms);
    app.tv.add_token(token.clone(), lifetime);
    Ok((StatusCode::CREATED, Json(json!({"token": token}))).into_response())
}

#[derive(Deserialize)]
struct CutRequest {
    /// Whether the connections are reset, not ended.
    #[serde(default)]
    reset: bool,
}

async fn cut(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let asked: CutRequest = read(&body)?;
    app.tv.cut(if asked.reset { Cut::Reset } else { Cut::End });
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn streams(State(app): State<Arc<App>>) -> Response {
    Json(json!({"open": app.tv.open_streams()})).into_response()
}

fn unknown() -> (StatusCode, String) {
    (
        StatusCode::NOT_FOUND,
        "no such endpoint or delivery".to_owned(),
    )
}
