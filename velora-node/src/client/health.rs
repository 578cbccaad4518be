//! Velora Health: the audit API.

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Result};
use napi_derive::napi;
use velora_core::health::{
    AuditEvent, Client, Endpoint, EventQuery, NewEndpoint, Pages, Registration, Window,
};
use velora_core::{ApiError, ApiKey, ConfigError, Error, RawJson};

use super::events_text::EventsText;
use super::options::{ClientParts, RateLimitParts};
use super::streams::{Held, Stream};
use crate::cancel::{NativeCancel, promise};
use crate::failure::{Answer, answer};
use crate::number::whole;

/// A client of the audit API.
#[napi]
pub struct NativeHealth {
    pub(super) client: Client,
}

/// Which events to list.
#[napi(object, object_to_js = false)]
pub struct EventQueryParts {
    pub action: Option<String>,
    pub resource_type: Option<String>,
    pub phi_involved: Option<bool>,
    pub since: Option<String>,
    pub until: Option<String>,
    pub limit: Option<f64>,
    pub cursor: Option<String>,
}

/// A page of events.
#[napi(object, object_from_js = false)]
pub struct PageParts {
    pub events: EventsText,
    pub next_cursor: Option<String>,
}

/// An endpoint that events are delivered to.
#[napi(object, object_from_js = false)]
pub struct HealthEndpoint {
    pub id: String,
    pub url: Option<String>,
    pub event_filter: Vec<String>,
    pub description: Option<String>,
    pub active: Option<bool>,
    pub consecutive_failures: f64,
    pub last_delivery_at: Option<String>,
    pub created_at: Option<String>,
    pub is_failing: bool,
}

/// An endpoint that was just registered, and its secret.
#[napi(object, object_from_js = false)]
pub struct HealthRegistration {
    pub endpoint: HealthEndpoint,
    pub secret: String,
}

#[napi]
impl NativeHealth {
    /// Errors: `invalid_api_key`, `invalid_base_url`, `invalid_option`.
    #[napi(catch_unwind)]
    pub fn create(api_key: String, parts: ClientParts) -> Answer<NativeHealth> {
        let client = || parts.build(Client::builder(ApiKey::new(&api_key)?));
        answer(client().map(|client| Self { client }))
    }

    #[napi(getter, catch_unwind)]
    pub fn base_url(&self) -> String {
        self.client.base_url().as_str().to_owned()
    }

    #[napi(catch_unwind)]
    pub fn rate_limit(&self) -> RateLimitParts {
        self.client.rate_limit().into()
    }

    #[napi(catch_unwind)]
    pub fn probe<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<()>>> {
        let client = self.client.clone();
        promise(env, cancel, async move { client.probe().await })
    }

    #[napi(catch_unwind)]
    pub fn events(&self, query: EventQueryParts) -> Answer<NativeEventPages> {
        answer(query.read().map(|query| NativeEventPages {
            pages: Held::new(self.client.events(query).pages()),
        }))
    }

    /// The event's JSON, as received.
    #[napi(catch_unwind)]
    pub fn event<'env>(
        &self,
        env: &'env Env,
        id: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<String>>> {
        let client = self.client.clone();
        promise(env, cancel, async move {
            let event = client.event(&id).await?;
            Ok::<_, Error>(event.raw().as_line().into_owned())
        })
    }

    #[napi(catch_unwind)]
    pub fn create_webhook<'env>(
        &self,
        env: &'env Env,
        url: String,
        event_filter: Option<Vec<String>>,
        description: Option<String>,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<HealthRegistration>>> {
        let webhooks = self.client.webhooks();
        let mut endpoint =
            NewEndpoint::new(url).with_event_filter(event_filter.unwrap_or_default());
        if let Some(description) = description {
            endpoint = endpoint.with_description(description);
        }
        promise(env, cancel, async move {
            let registered = webhooks.create(&endpoint).await?;
            Ok::<_, Error>(HealthRegistration::from(registered))
        })
    }

    #[napi(catch_unwind)]
    pub fn list_webhooks<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Vec<HealthEndpoint>>>> {
        let webhooks = self.client.webhooks();
        promise(env, cancel, async move {
            let endpoints = webhooks.list().await?;
            let endpoints = endpoints.into_iter().map(HealthEndpoint::from);
            Ok::<_, Error>(endpoints.collect())
        })
    }

    #[napi(catch_unwind)]
    pub fn disable_webhook<'env>(
        &self,
        env: &'env Env,
        id: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<()>>> {
        let webhooks = self.client.webhooks();
        promise(env, cancel, async move { webhooks.disable(&id).await })
    }

    #[napi(catch_unwind)]
    pub fn delete_webhook<'env>(
        &self,
        env: &'env Env,
        id: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<()>>> {
        let webhooks = self.client.webhooks();
        promise(env, cancel, async move { webhooks.delete(&id).await })
    }
}

impl Stream for Pages {
    type Item = PageParts;

    async fn next(&mut self) -> Option<std::result::Result<PageParts, ApiError>> {
        let page = Pages::next(self).await?;
        Some(page.map(|page| PageParts {
            events: EventsText::of(page.raw()),
            next_cursor: page.next_cursor().map(str::to_owned),
        }))
    }
}

/// Pages of events.
#[napi]
pub struct NativeEventPages {
    pages: Held<Pages>,
}

#[napi]
impl NativeEventPages {
    /// The next page; null at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Option<PageParts>>>> {
        self.pages.next(env, cancel)
    }

    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        self.pages.close(env)
    }
}

/// The `details` of a listed event, in JSON.
#[napi(catch_unwind)]
pub fn details_of_event(json: String) -> Option<String> {
    json_of_event(&json, AuditEvent::details)
}

/// The `fields_accessed` of a listed event, in JSON.
#[napi(catch_unwind)]
pub fn fields_accessed_of_event(json: String) -> Option<String> {
    json_of_event(&json, AuditEvent::fields_accessed)
}

fn json_of_event(json: &str, read: fn(&AuditEvent) -> Option<RawJson>) -> Option<String> {
    let value = read(&AuditEvent::from_json(json).ok()?)?;
    Some(value.as_str().to_owned())
}

/// Whether a string is an instant in the form of a listed event's `timestamp`.
#[napi(catch_unwind)]
pub fn is_instant(text: String) -> bool {
    Window::parse(&text, &text).is_ok()
}

/// An event's JSON on one line.
///
/// Errors: `malformed_response` if it is not a JSON object.
#[napi(catch_unwind)]
pub fn line_of_event(json: String) -> Answer<String> {
    let event = AuditEvent::from_json(json);
    answer(event.map(|event| event.raw().as_line().into_owned()))
}

/// The key of a listed event, given in JSON. Its delivery has the same key.
#[napi(catch_unwind)]
pub fn key_of_event(json: String) -> Option<String> {
    let key = AuditEvent::from_json(&json).ok()?.key()?;
    Some(key.as_str().to_owned())
}

impl EventQueryParts {
    fn read(self) -> std::result::Result<EventQuery, ConfigError> {
        let mut query = EventQuery::new();
        if let Some(action) = self.action {
            query = query.with_action(action);
        }
        if let Some(resource_type) = self.resource_type {
            query = query.with_resource_type(resource_type);
        }
        if let Some(phi_involved) = self.phi_involved {
            query = query.with_phi_involved(phi_involved);
        }
        query = match (&self.since, &self.until) {
            (Some(since), Some(until)) => query.with_window(Window::parse(since, until)?),
            // A window from or to the instant itself says whether it is one.
            (Some(since), None) => query.with_since(Window::parse(since, since)?.since()),
            (None, Some(until)) => query.with_until(Window::parse(until, until)?.until()),
            (None, None) => query,
        };
        if let Some(limit) = self.limit {
            query = query.with_limit(whole("limit", limit)?)?;
        }
        match self.cursor {
            Some(cursor) => query.with_cursor(cursor),
            None => Ok(query),
        }
    }
}

impl From<Endpoint> for HealthEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        let is_failing = endpoint.is_failing();
        Self {
            id: endpoint.id,
            url: endpoint.url,
            event_filter: endpoint.event_filter,
            description: endpoint.description,
            active: endpoint.active,
            consecutive_failures: endpoint.consecutive_failures as f64,
            last_delivery_at: endpoint.last_delivery_at.map(|at| at.to_string()),
            created_at: endpoint.created_at.map(|at| at.to_string()),
            is_failing,
        }
    }
}

impl From<Registration> for HealthRegistration {
    fn from(registered: Registration) -> Self {
        let secret = registered.secret.expose_secret();
        Self {
            endpoint: registered.endpoint.into(),
            secret: String::from_utf8_lossy(secret).into_owned(),
        }
    }
}
