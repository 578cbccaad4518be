//! `Idempotency-Key`: for 24 hours the original answer is repeated.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::response::Parts;
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;

use super::key_of;
use crate::state::App;

const KEPT_FOR: Duration = Duration::from_hours(24);

#[derive(Debug, Default)]
pub(crate) struct Replays {
    kept: Mutex<HashMap<String, Answer>>,
    /// Held while a call is carried out: a second one with the same key waits for the
    /// answer of the first.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Answer {
    at: Instant,
    parts: Parts,
    body: Bytes,
}

pub(super) async fn layer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mutates = request.method() != Method::GET;
    let headers = request.headers();
    let idempotency_key = headers
        .get("idempotency-key")
        .filter(|_| mutates)
        .and_then(|value| value.to_str().ok());
    let Some(idempotency_key) = idempotency_key else {
        return next.run(request).await;
    };
    // Equal keys of different callers, or of different calls, are independent.
    let caller = key_of(headers).unwrap_or_default();
    let key = format!(
        "{caller} {} {} {idempotency_key}",
        request.method(),
        request.uri()
    );
    let _turn = app.replays.turn.lock().await;
    if let Some(answer) = app.replays.find(&key) {
        return answer;
    }
    let (parts, body) = next.run(request).await.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let body = body.unwrap_or_default();
    // Server errors are not repeated.
    if !parts.status.is_server_error() {
        app.replays.keep(key, &parts, &body);
    }
    Response::from_parts(parts, Body::from(body))
}

impl Replays {
    fn find(&self, key: &str) -> Option<Response> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, answer| answer.at.elapsed() < KEPT_FOR);
        let mut answer = kept.get(key)?.clone();
        let replayed = HeaderValue::from_static("true");
        answer.parts.headers.insert("idempotent-replayed", replayed);
        Some(Response::from_parts(answer.parts, Body::from(answer.body)))
    }

    fn keep(&self, key: String, parts: &Parts, body: &Bytes) {
        let answer = Answer {
            at: Instant::now(),
            parts: parts.clone(),
            body: body.clone(),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(key, answer);
    }
}
