//! The append-only log of deliveries, and manual re-fires.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{invalid, refuse};
use crate::deliveries::registry::{DeliveryRecord, System};
use crate::deliveries::send::{Outgoing, attempt_once};
use crate::faults::apply::Active;
use crate::faults::paging::{Onward, beginning, bend, is_emptied, place};
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::iso_z;

const NOT_RETAINED: &str = "Original payload was not retained";

/// Newest first; the cursor is the id of the last row returned.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(Active(fault)): Extension<Active>,
    Path(endpoint_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let asked = Asked::read(&query.unwrap_or_default())?;
    let endpoint = app.registry.endpoint(&endpoint_id);
    if endpoint.is_none_or(|endpoint| endpoint.system != System::Billing) {
        return Err(refuse(StatusCode::NOT_FOUND, "Webhook not found"));
    }
    let mut rows = app.registry.records();
    rows.retain(|row| row.endpoint_id == endpoint_id && asked.ok.is_none_or(|ok| row.ok == ok));
    rows.reverse();
    let first = match asked.cursor.as_deref().and_then(place) {
        None => 0,
        Some(id) => {
            let known = rows.iter().position(|row| row.id == id);
            let unknown = || invalid("Invalid query", "custom", "cursor", "Unknown cursor");
            known.ok_or_else(unknown)? + 1
        }
    };
    let fault = fault.as_ref();
    let left = &rows[beginning(first, fault)..];
    let given = &left[..left.len().min(asked.limit)];
    let has_more = given.len() < left.len();
    let onward = Onward {
        has_more,
        cursor: given
            .last()
            .filter(|_| has_more)
            .map(|last| last.id.clone()),
    };
    let onward = bend(onward, asked.cursor.as_deref(), fault);
    let shown: Vec<Value> = match is_emptied(fault) {
        true => Vec::new(),
        false => given.iter().map(shown).collect(),
    };
    Ok(Json(json!({"deliveries": shown, "nextCursor": onward.cursor})).into_response())
}

pub(super) async fn retry(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let row = app.registry.find_record(&id);
    let row = row
        .filter(|row| row.system == System::Billing)
        .ok_or_else(|| refuse(StatusCode::NOT_FOUND, "Delivery not found"))?;
    let endpoint = app
        .registry
        .endpoint(&row.endpoint_id)
        .ok_or_else(|| refuse(StatusCode::NOT_FOUND, "Webhook not found"))?;
    if row.ok {
        return Err(refuse(StatusCode::CONFLICT, "Delivery already succeeded"));
    }
    let body = row
        .body
        .ok_or_else(|| refuse(StatusCode::CONFLICT, NOT_RETAINED))?;
    let outgoing = Outgoing {
        event_type: row.event_type,
        event_id: row.event_id,
        body,
    };
    let made = attempt_once(&app, &endpoint, &outgoing, row.attempt + 1, Some(id)).await;
    let answer = json!({
        "deliveryId": made.id,
        "status": status(&made),
        "statusCode": made.status_code,
    });
    app.registry.attempted(made);
    Ok(Json(answer).into_response())
}

#[derive(Debug)]
struct Asked {
    ok: Option<bool>,
    limit: usize,
    cursor: Option<String>,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Refusal> {
        let mut asked = Self {
            ok: None,
            limit: 50,
            cursor: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let wrong = |code, message| invalid("Invalid query", code, &name, message);
            match (&*name, &*value) {
                ("status", "ok") => asked.ok = Some(true),
                ("status", "failed") => asked.ok = Some(false),
                ("status", _) => {
                    return Err(wrong("invalid_enum_value", "Expected 'ok' | 'failed'"));
                }
                ("limit", text) => match text.parse() {
                    Ok(limit @ 1..=200) => asked.limit = limit,
                    Ok(0) => return Err(wrong("too_small", "Number must be at least 1")),
                    Ok(_) => return Err(wrong("too_big", "Number must be at most 200")),
                    Err(_) => return Err(wrong("invalid_type", "Expected number")),
                },
                ("cursor", text) if !text.is_empty() => asked.cursor = Some(text.to_owned()),
                _ => {}
            }
        }
        Ok(asked)
    }
}

fn status(row: &DeliveryRecord) -> &'static str {
    if row.ok { "ok" } else { "failed" }
}

fn shown(row: &DeliveryRecord) -> Value {
    json!({
        "id": row.id,
        "event": row.event_type,
        "status": status(row),
        "statusCode": row.status_code,
        "duration": row.duration_ms,
        "errorMessage": row.error,
        "retryable": row.body.is_some(),
        "retryOfId": row.retry_of,
        "createdAt": iso_z(row.at),
    })
}
