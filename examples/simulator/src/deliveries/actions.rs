//! What a test can do to endpoints and deliveries that already exist.

use std::sync::Arc;

use serde::Deserialize;

use super::registry::DeliveryRecord;
use super::send::{Outgoing, dispatch};
use crate::state::App;
use crate::text::now_micros;

/// Delivers the body of an earlier attempt again, along a ladder of its own. False
/// where there is no such attempt, or its body was not retained.
pub(crate) fn resend(app: &Arc<App>, delivery_id: &str) -> bool {
    let record = app.registry.find_record(delivery_id);
    let again = record.and_then(|record| {
        let endpoint = app.registry.endpoint(&record.endpoint_id)?;
        let outgoing = Outgoing {
            event_type: record.event_type,
            event_id: record.event_id,
            body: record.body?,
        };
        Some((endpoint, outgoing))
    });
    let Some((endpoint, outgoing)) = again else {
        return false;
    };
    dispatch(app, endpoint, outgoing);
    true
}

/// Gives an endpoint a new secret beside its old ones.
pub(crate) fn rotate(app: &App, endpoint_id: &str) -> Option<String> {
    let secret = app.registry.unique(64);
    app.registry.change(endpoint_id, |endpoint| {
        endpoint.secrets.insert(0, secret.clone());
    })?;
    Some(secret)
}

/// Rows for a delivery log that do not come from deliveries.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// How many.
    pub count: u32,
    /// Whether they succeeded.
    pub ok: bool,
    /// Whether their payloads are still there for a re-fire.
    pub retained: bool,
}

/// Writes rows into an endpoint's log. False where there is no such endpoint.
pub(crate) fn add_history(app: &App, endpoint_id: &str, history: History) -> bool {
    let Some(endpoint) = app.registry.endpoint(endpoint_id) else {
        return false;
    };
    for _ in 0..history.count {
        let event_id = format!("evt_{}", app.registry.unique(16));
        let body =
            format!("{{\"id\":\"{event_id}\",\"type\":\"dispute.sla_breached\",\"data\":{{}}}}");
        app.registry.record(DeliveryRecord {
            id: format!("del_{}", app.registry.unique(12)),
            endpoint_id: endpoint.id.clone(),
            system: endpoint.system,
            event_type: "dispute.sla_breached".to_owned(),
            event_id,
            attempt: 1,
            at: now_micros(),
            ok: history.ok,
            status_code: Some(if history.ok { 200 } else { 503 }),
            duration_ms: 12,
            error: None,
            retry_of: None,
            body: history.retained.then(|| body.into_bytes()),
        });
    }
    true
}
