//! The client of the audit API.

use std::time::Duration;

use js_sys::{Array, Function, Promise};
use send_wrapper::SendWrapper;
use serde_json::json;
use velora_core::api::RetryOptions;
use velora_core::health::{
    AuditEvent, Client, Endpoint, EventQuery, Export, ExportQuery, NewEndpoint, Pages, Progress,
    RawEvent, Truncation, Window,
};
use velora_core::{ApiKey, ConfigError};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::host::{Host, HostRuntime, HostTransport};
use super::streams::{Held, RawCancel, events, unless_cancelled};
use crate::failure::failure;
use crate::number::{duration, whole};

/// So many rows are handed over at once: enough to make the crossing cheap, few enough
/// to keep the event loop free.
const CHUNK: usize = 1_000;

/// The options of a client, times in seconds; what is absent is the core's default. The
/// timeouts of a connection and of each read are the host's.
#[wasm_bindgen(getter_with_clone)]
#[derive(Default)]
pub struct RawOptions {
    pub base_url: Option<String>,
    pub attempts: Option<f64>,
    pub backoff_base: Option<f64>,
    pub backoff_max: Option<f64>,
    pub max_retry_delay: Option<f64>,
    pub call_timeout: Option<f64>,
    pub max_response_bytes: Option<f64>,
}

#[wasm_bindgen]
impl RawOptions {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
}

impl RawOptions {
    fn client(&self, key: &str, host: &Host) -> Result<Client, ConfigError> {
        let mut builder = Client::builder(ApiKey::new(key)?)
            .with_transport(HostTransport::new(host))
            .with_runtime(HostRuntime::new(host));
        let mut retry = RetryOptions::default();
        if let Some(attempts) = self.attempts {
            retry = retry.with_attempts(whole("attempts", attempts)?)?;
        }
        if let Some((base, max)) = self.backoff_base.zip(self.backoff_max) {
            retry = retry.with_backoff(seconds("backoff", base)?, seconds("backoff", max)?);
        }
        if let Some(max) = self.max_retry_delay {
            retry = retry.with_max_retry_delay(seconds("maxRetryDelay", max)?);
        }
        if retry != RetryOptions::default() {
            builder = builder.with_retry(retry);
        }
        if let Some(url) = &self.base_url {
            builder = builder.with_base_url(url);
        }
        if let Some(timeout) = self.call_timeout {
            builder = builder.with_call_timeout(seconds("callTimeout", timeout)?);
        }
        if let Some(bytes) = self.max_response_bytes {
            builder = builder.with_max_response_bytes(whole("maxResponseBytes", bytes)?);
        }
        builder.build()
    }
}

/// Errors: `invalid_option` where it is negative or no number.
fn seconds(option: &'static str, value: f64) -> Result<Duration, ConfigError> {
    let reason = "it is not a number of seconds, zero or more";
    duration(value).ok_or(ConfigError::InvalidOption { option, reason })
}

/// A client of the audit API.
#[wasm_bindgen]
pub struct RawHealth {
    client: Client,
}

#[wasm_bindgen]
impl RawHealth {
    /// Errors: `invalid_api_key`, `invalid_base_url`, `invalid_option`.
    #[wasm_bindgen(constructor)]
    pub fn new(key: &str, options: &RawOptions, host: &Host) -> Result<RawHealth, JsValue> {
        let client = options.client(key, host).map_err(failure)?;
        Ok(Self { client })
    }

    /// The limit, what remains, when it starts anew, until when to wait.
    pub fn rate_limit(&self) -> Array {
        let limit = self.client.rate_limit();
        let count = |count: Option<u64>| JsValue::from(count.map(|count| count as f64));
        Array::of4(
            &count(limit.limit),
            &count(limit.remaining),
            &limit.reset.map(|at| at.to_string()).into(),
            &limit.retry_at.map(|at| at.to_string()).into(),
        )
    }

    pub fn probe(&self, cancel: &mut RawCancel) -> Promise {
        let client = self.client.clone();
        unless_cancelled(cancel, async move {
            client.probe().await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    pub fn events(
        &self,
        action: Option<String>,
        resource_type: Option<String>,
        phi_involved: Option<bool>,
        since: Option<String>,
        until: Option<String>,
        limit: Option<f64>,
    ) -> Result<RawPages, JsValue> {
        let query = || {
            let mut query = EventQuery::new();
            if let Some(action) = action {
                query = query.with_action(action);
            }
            if let Some(resource_type) = resource_type {
                query = query.with_resource_type(resource_type);
            }
            if let Some(phi_involved) = phi_involved {
                query = query.with_phi_involved(phi_involved);
            }
            query = match (&since, &until) {
                (Some(since), Some(until)) => query.with_window(Window::parse(since, until)?),
                // A window from or to the instant itself says whether it is one.
                (Some(since), None) => query.with_since(Window::parse(since, since)?.since()),
                (None, Some(until)) => query.with_until(Window::parse(until, until)?.until()),
                (None, None) => query,
            };
            match limit {
                Some(limit) => query.with_limit(whole("limit", limit)?),
                None => Ok(query),
            }
        };
        let query = query().map_err(failure)?;
        Ok(RawPages {
            pages: Held::new(self.client.events(query).pages()),
        })
    }

    /// The event as received.
    pub fn event(&self, id: String, cancel: &mut RawCancel) -> Promise {
        let client = self.client.clone();
        unless_cancelled(cancel, async move {
            let event = client.event(&id).await?;
            Ok(JsValue::from_str(&event.raw().as_line()))
        })
    }

    /// The rows of an export; `progress` is told JSON.
    pub fn export(
        &self,
        since: &str,
        until: &str,
        phi_involved: Option<bool>,
        concurrency: Option<f64>,
        progress: Option<Function>,
    ) -> Result<RawExport, JsValue> {
        let mut query = export_query(since, until, phi_involved, concurrency).map_err(failure)?;
        if let Some(progress) = progress.map(SendWrapper::new) {
            query = query.on_progress(move |made| {
                // What it throws is kept on the other side.
                let _ = progress.call1(&JsValue::NULL, &told(&made).into());
            });
        }
        Ok(RawExport {
            rows: Held::new(self.client.export(query).raw()),
        })
    }

    /// Whether the cap cut it, then what a page gives.
    pub fn export_once(
        &self,
        since: &str,
        until: &str,
        phi_involved: Option<bool>,
        cancel: &mut RawCancel,
    ) -> Promise {
        let client = self.client.clone();
        let query = export_query(since, until, phi_involved, None);
        unless_cancelled(cancel, async move {
            let exported = client.export_once(query?).await?;
            let truncation = match exported.truncation() {
                Truncation::Yes => "yes",
                Truncation::No => "no",
                _ => "unknown",
            };
            let rows: Vec<RawEvent> = exported.raw().collect();
            Ok(Array::of2(&truncation.into(), &events(&rows, None)).into())
        })
    }

    /// The endpoint in JSON, and its secret.
    pub fn create_webhook(
        &self,
        url: String,
        event_filter: Vec<String>,
        description: Option<String>,
        cancel: &mut RawCancel,
    ) -> Promise {
        let webhooks = self.client.webhooks();
        let mut endpoint = NewEndpoint::new(url).with_event_filter(event_filter);
        if let Some(description) = description {
            endpoint = endpoint.with_description(description);
        }
        unless_cancelled(cancel, async move {
            let registered = webhooks.create(&endpoint).await?;
            let secret = String::from_utf8_lossy(registered.secret.expose_secret());
            let endpoint = described(&registered.endpoint).to_string();
            Ok(Array::of2(&endpoint.into(), &JsValue::from_str(&secret)).into())
        })
    }

    /// The endpoints in JSON.
    pub fn list_webhooks(&self, cancel: &mut RawCancel) -> Promise {
        let webhooks = self.client.webhooks();
        unless_cancelled(cancel, async move {
            let endpoints = webhooks.list().await?;
            let described: Vec<_> = endpoints.iter().map(described).collect();
            Ok(json!(described).to_string().into())
        })
    }

    /// Disables an endpoint, or deletes it.
    pub fn end_webhook(&self, id: String, delete: bool, cancel: &mut RawCancel) -> Promise {
        let webhooks = self.client.webhooks();
        unless_cancelled(cancel, async move {
            match delete {
                true => webhooks.delete(&id).await?,
                false => webhooks.disable(&id).await?,
            }
            Ok(JsValue::UNDEFINED)
        })
    }
}

/// Pages of events.
#[wasm_bindgen]
pub struct RawPages {
    pages: Held<Pages>,
}

#[wasm_bindgen]
impl RawPages {
    pub fn next(&self, cancel: &mut RawCancel) -> Promise {
        self.pages.next(cancel, async |mut pages: Pages| {
            let page = pages.next().await;
            let read = |page: velora_core::health::Page| {
                let rows: Vec<RawEvent> = page.raw().collect();
                events(&rows, page.next_cursor())
            };
            (pages, page.map(|page| page.map(read)))
        })
    }

    pub fn close(&self) {
        self.pages.close();
    }
}

/// The rows of an export.
#[wasm_bindgen]
pub struct RawExport {
    rows: Held<Export<RawEvent>>,
}

#[wasm_bindgen]
impl RawExport {
    pub fn next(&self, cancel: &mut RawCancel) -> Promise {
        self.rows
            .next(cancel, async |mut export: Export<RawEvent>| {
                let rows = export.next_chunk(CHUNK).await;
                (
                    export,
                    rows.map(|rows| rows.map(|rows| events(&rows, None))),
                )
            })
    }

    pub fn close(&self) {
        self.rows.close();
    }
}

/// The key of a listed event, given in JSON: that of its delivery.
#[wasm_bindgen]
pub fn key_of_event(json: &str) -> Option<String> {
    let key = AuditEvent::from_json(json).ok()?.key()?;
    Some(key.as_str().to_owned())
}

fn export_query(
    since: &str,
    until: &str,
    phi_involved: Option<bool>,
    concurrency: Option<f64>,
) -> Result<ExportQuery, ConfigError> {
    let mut query = ExportQuery::new(Window::parse(since, until)?);
    if let Some(phi_involved) = phi_involved {
        query = query.with_phi_involved(phi_involved);
    }
    match concurrency {
        Some(calls) => query.with_concurrency(whole("concurrency", calls)?),
        None => Ok(query),
    }
}

fn told(progress: &Progress) -> String {
    let told = json!({
        "since": progress.window.since().to_string(),
        "until": progress.window.until().to_string(),
        "doneUntil": progress.done_until.to_string(),
        "rows": progress.rows,
        "leaves": progress.leaves,
        "calls": progress.calls,
    });
    told.to_string()
}

fn described(endpoint: &Endpoint) -> serde_json::Value {
    json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "eventFilter": endpoint.event_filter,
        "description": endpoint.description,
        "active": endpoint.active,
        "consecutiveFailures": endpoint.consecutive_failures,
        "lastDeliveryAt": endpoint.last_delivery_at.map(|at| at.to_string()),
        "createdAt": endpoint.created_at.map(|at| at.to_string()),
    })
}
