//! The control calls under `/_sim/`, for what other languages have no handle to.

mod deliveries;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::{Fault, FaultRequest};
use crate::health::data::{Filter, Truth};
use crate::state::App;
use crate::text::parse_instant;

type Answer = Result<Response, (StatusCode, String)>;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/info", get(info))
        .route("/faults", get(faults).post(arm).delete(disarm))
        .route("/requests", get(requests).delete(forget_requests))
        .route("/truth", get(truth))
        .route("/latency", post(latency))
        .merge(deliveries::routes())
}

async fn info(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({
        "base_url": app.base_url,
        "other_host": app.other_host,
        "events": app.options.data.events,
        "seed": app.options.data.seed,
    }))
}

async fn faults(State(app): State<Arc<App>>) -> Response {
    Json(app.faults.list()).into_response()
}

/// One fault, or a list of them.
async fn arm(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Asked {
        Many(Vec<FaultRequest>),
        One(Box<FaultRequest>),
    }
    let asked: Asked = read(&body)?;
    let asked = match asked {
        Asked::Many(many) => many,
        Asked::One(one) => vec![*one],
    };
    for fault in asked {
        let fault = Fault::try_from(fault).map_err(|unknown| refuse(&unknown))?;
        app.faults.arm(fault);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn disarm(State(app): State<Arc<App>>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Requests {
    /// Only those whose path begins so.
    #[serde(default)]
    path: String,
}

async fn requests(State(app): State<Arc<App>>, Query(asked): Query<Requests>) -> Response {
    let mut requests = app.log.all();
    requests.retain(|request| request.path.starts_with(&asked.path));
    Json(requests).into_response()
}

async fn forget_requests(State(app): State<Arc<App>>) -> StatusCode {
    app.log.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Window {
    since: Option<String>,
    until: Option<String>,
    phi_involved: Option<bool>,
    action: Option<String>,
    resource_type: Option<String>,
    /// `count` (the default), `ids` or `rows`.
    give: Option<String>,
}

/// The number of events, or their ids or rows, one a line, oldest first.
async fn truth(State(app): State<Arc<App>>, Query(asked): Query<Window>) -> Answer {
    let instant = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) => parse_instant(&text)
            .map(Some)
            .ok_or_else(|| refuse(&format!("not an instant: {text}"))),
    };
    let filter = Filter {
        action: asked.action,
        resource_type: asked.resource_type,
        phi_involved: asked.phi_involved,
    };
    let (since, until) = (instant(asked.since)?, instant(asked.until)?);
    let truth = Truth::new(app.data.view(), since, until, filter);
    let count = truth.count();
    let rows = match asked.give.as_deref() {
        Some("rows") => true,
        Some("ids") => false,
        _ => return Ok(Json(json!({"count": count})).into_response()),
    };
    let chunks = stream::unfold((truth, 0), move |(truth, from)| async move {
        let chunk = truth.lines(from, 1_000, rows);
        let next = (truth, from + 1_000);
        (!chunk.is_empty()).then(|| (Ok::<_, std::io::Error>(Bytes::from(chunk)), next))
    });
    Ok(Body::from_stream(chunks).into_response())
}

#[derive(Deserialize)]
struct Latency {
    ms: u64,
}

async fn latency(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let asked: Latency = read(&body)?;
    app.set_latency(Duration::from_millis(asked.ms));
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| refuse(&error))
}

fn refuse(reason: &dyn std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, reason.to_string())
}
