//! Signing, sending, and climbing the ladder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use velora_core::{ConfigError, Scheme, SignedDelivery, Signer, SigningSecret};

use super::ladder;
use super::registry::{DeliveryRecord, Endpoint, System};
use crate::state::App;
use crate::text::{mix, now_micros};

/// The billing system retains payloads up to this size for a re-fire.
pub(crate) const RETAINED_BYTES: usize = 16 << 10;

/// An event on its way to endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) event_type: String,
    pub(crate) event_id: String,
    pub(crate) body: Vec<u8>,
}

/// Delivers in the background, along the ladder.
pub(crate) fn dispatch(app: &Arc<App>, endpoint: Endpoint, outgoing: Outgoing) {
    let app = Arc::clone(app);
    let under_way = app.under_way.enter();
    let runtime = app.runtime.clone();
    runtime.spawn(async move {
        climb(&app, &endpoint.id, &outgoing).await;
        drop(under_way);
    });
}

async fn climb(app: &App, endpoint_id: &str, outgoing: &Outgoing) {
    let mut first = None;
    for attempt in 1.. {
        // Looked up again: it may have been disabled, deleted or rotated meanwhile.
        let Some(endpoint) = app.registry.endpoint(endpoint_id).filter(|e| e.active) else {
            return;
        };
        let record = attempt_once(app, &endpoint, outgoing, attempt, first.clone()).await;
        first.get_or_insert_with(|| record.id.clone());
        let (id, ok, status) = (record.id.clone(), record.ok, record.status_code);
        app.registry.attempted(record);
        if ok || ladder::is_final(endpoint.system, status) {
            return;
        }
        let wait = ladder::wait(endpoint.system, attempt, draw(app, &id));
        give_up(app, &endpoint, wait.is_none());
        let Some(wait) = wait else { return };
        tokio::time::sleep(wait.div_f64(app.options.time_scale)).await;
    }
}

/// Disables the endpoint if its system does so.
fn give_up(app: &App, endpoint: &Endpoint, ladder_ended: bool) {
    let failures = app
        .registry
        .endpoint(&endpoint.id)
        .map_or(0, |endpoint| endpoint.consecutive_failures);
    let disable = match endpoint.system {
        System::Health => failures >= ladder::HEALTH_FAILURES,
        // "After 5 failed attempts": the five of the ladder, after the first one.
        System::Tv | System::TvBodyOnly => ladder_ended,
        System::Billing | System::Curae => false,
    };
    if disable {
        app.registry.change(&endpoint.id, |e| e.active = false);
    }
}

fn draw(app: &App, id: &str) -> u64 {
    id.bytes().fold(app.options.data.seed, |hash, byte| {
        mix(hash ^ u64::from(byte))
    })
}

/// Sends once, with a signature of its own; nothing is recorded.
pub(crate) async fn attempt_once(
    app: &App,
    endpoint: &Endpoint,
    outgoing: &Outgoing,
    attempt: u32,
    retry_of: Option<String>,
) -> DeliveryRecord {
    let id = format!("del_{}", app.registry.unique(12));
    let at = now_micros();
    let started = Instant::now();
    let sent = match sign(endpoint, &outgoing.body) {
        Ok(signed) => post(app, endpoint, signed, &id).await,
        Err(error) => Err(error.to_string()),
    };
    let status_code = sent.as_ref().ok().copied();
    DeliveryRecord {
        id,
        endpoint_id: endpoint.id.clone(),
        system: endpoint.system,
        event_type: outgoing.event_type.clone(),
        event_id: outgoing.event_id.clone(),
        attempt,
        at,
        ok: status_code.is_some_and(|status| (200..300).contains(&status)),
        status_code,
        duration_ms: started.elapsed().as_millis() as u64,
        error: sent.err(),
        retry_of,
        body: (outgoing.body.len() <= RETAINED_BYTES).then(|| outgoing.body.clone()),
    }
}

/// Signs with every secret if the header can hold several signatures, as during a
/// rotation; else with the newest.
fn sign(endpoint: &Endpoint, body: &[u8]) -> Result<SignedDelivery, ConfigError> {
    let count = match endpoint.system {
        System::Health | System::Curae => endpoint.secrets.len(),
        _ => 1,
    };
    let secrets = endpoint.secrets.iter().take(count).map(SigningSecret::new);
    let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
    let scheme = Scheme::named(endpoint.system.scheme_name())?;
    Ok(Signer::new(scheme, secrets)?.sign(body))
}

async fn post(
    app: &App,
    endpoint: &Endpoint,
    signed: SignedDelivery,
    id: &str,
) -> Result<u16, String> {
    let mut request = app.client.post(&endpoint.url);
    for (name, value) in &signed.headers {
        let value = match name.as_str() {
            "X-Webhook-Delivery" => id,
            _ => value,
        };
        request = request.header(name, value);
    }
    match request.body(signed.body).send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) if error.is_timeout() => Err("timeout".to_owned()),
        Err(error) if error.is_connect() => Err("connection failed".to_owned()),
        Err(error) => Err(error.without_url().to_string()),
    }
}

/// The client of all deliveries: a redirect is a failure like any other non-2xx.
pub(crate) fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent("Velora-Simulator/0.0")
        .build()
}
