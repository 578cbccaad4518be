//! The client of the audit API.

use std::fmt;
use std::sync::Arc;

use super::{AuditEvent, EventQuery, Events, Pages, RawEvent};
use crate::api::{
    Api, Auth, BaseUrl, ClientBuilder, Method, Path, RateLimit, Request, malformed, undocumented,
    unreadable,
};
use crate::error::{ApiError, ConfigError};
use crate::json;
use crate::secret::ApiKey;

/// The path of `rest` under the audit API.
pub(crate) fn audit(rest: &str) -> Path {
    Path::new("/api/v2/public/audit").then(rest)
}

/// The client of Velora Health's audit API. A clone is the same client.
///
/// ```no_run
/// use velora_core::health::{Client, EventQuery};
///
/// # async fn read() -> Result<(), velora_core::Error> {
/// let client = Client::from_env()?;
/// client.probe().await?;
///
/// let mut events = client.events(EventQuery::new().with_phi_involved(true));
/// while let Some(event) = events.next().await {
///     let event = event?;
///     println!("{:?} {:?}", event.timestamp(), event.event_type());
/// }
/// # Ok(()) }
/// ```
///
/// Reads, and other calls that are safe to repeat, are retried: see
/// [`RetryOptions`](crate::api::RetryOptions). Every call may fail with
/// `unauthorized`, `forbidden`, `not_found`, `conflict`, `invalid_request` (also before it is
/// sent), `rate_limited`, `server_error`, `connection`, `timeout`, `malformed_response`,
/// `response_too_large`, `unexpected_redirect`.
///
/// Source: Velora Health, *Code samples*, *Audit events*, *Webhooks*.
#[derive(Clone)]
pub struct Client {
    pub(crate) api: Api,
}

impl Client {
    /// A client of `https://api.velora.health`, with all defaults.
    ///
    /// Errors: those of [`build`](ClientBuilder::build).
    pub fn new(key: ApiKey) -> Result<Self, ConfigError> {
        Self::builder(key).build()
    }

    /// Starts building a client of `https://api.velora.health`.
    pub fn builder(key: ApiKey) -> ClientBuilder<Self> {
        let finish = |api| Ok(Self { api });
        ClientBuilder::new("https://api.velora.health", Auth::bearer(key), finish)
    }

    /// A client from the environment, with all defaults: see
    /// [`builder_from_env`](Self::builder_from_env).
    ///
    /// Errors: those of `builder_from_env` and of [`build`](ClientBuilder::build).
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder_from_env()?.build()
    }

    /// Starts building a client from the environment: `VELORA_API_KEY`, and `VELORA_BASE_URL`
    /// if the API is not at the vendor's URL (an empty one is ignored).
    /// [`with_base_url`](ClientBuilder::with_base_url) takes precedence over it.
    ///
    /// Errors: `invalid_api_key`, also if it is not set.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>, ConfigError> {
        let builder = Self::builder(ApiKey::from_env("VELORA_API_KEY")?);
        Ok(match std::env::var_os("VELORA_BASE_URL") {
            // Text that is not UTF-8 is not ignored: no URL has a replacement character.
            Some(url) if !url.is_empty() => builder.with_base_url(url.to_string_lossy()),
            _ => builder,
        })
    }

    /// Requests one event, to check that the key, its scope and the URL are right.
    ///
    /// Errors: those of any call. `unauthorized` means that the key is unknown, `forbidden`
    /// that it lacks the scope `audit:read`.
    pub async fn probe(&self) -> Result<(), ApiError> {
        let one = EventQuery::one();
        self.api
            .text(one.request(None), |text| {
                let [events] =
                    json::values(&text, ["events"]).map_err(|fault| unreadable(&text, fault))?;
                let events = events.and_then(json::items);
                events.map(drop).ok_or_else(undocumented)
            })
            .await
    }

    /// Lists events, newest first. Nothing is sent until the first event is requested.
    /// Needs the scope `audit:read`.
    ///
    /// The pages are chained by cursors that encode a timestamp. If very many events share
    /// one timestamp, the system may skip some at the edge of a page. For anything that must
    /// be complete, use [`export`](Self::export), which proves it.
    pub fn events(&self, query: EventQuery) -> Events {
        Events::new(Pages::new(self.api.clone(), query))
    }

    /// One event by its id. Needs the scope `audit:read`.
    ///
    /// Errors: `not_found`, and those of any call.
    pub async fn event(&self, id: &str) -> Result<AuditEvent, ApiError> {
        let path = audit("/events").segment(id)?;
        let request = Request::new("health.event", Method::Get, path);
        self.api.text(request, one_event).await
    }

    /// The base URL of the API.
    pub fn base_url(&self) -> &BaseUrl {
        self.api.base_url()
    }

    /// The rate limit, according to the last response that mentioned it. This system
    /// mentions it only in a 429.
    pub fn rate_limit(&self) -> RateLimit {
        self.api.rate_limit()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", self.api.base_url())
            .finish_non_exhaustive()
    }
}

/// Reads the bare event or `{"event": …}`: it is not documented which one is sent.
fn one_event(text: String) -> Result<AuditEvent, ApiError> {
    let [id, event] =
        json::values(&text, ["event_id", "event"]).map_err(|fault| unreadable(&text, fault))?;
    let at = match (id, event) {
        (None, Some(event)) => {
            let start = event.as_ptr().addr().saturating_sub(text.as_ptr().addr());
            start..start.saturating_add(event.len())
        }
        (Some(_), _) => 0..text.len(),
        (None, None) => return Err(malformed("the response is not an event")),
    };
    RawEvent::new(&Arc::new(text), at)
        .filter(|event| event.as_str().trim_ascii_start().starts_with('{'))
        .map(RawEvent::parse)
        .ok_or_else(|| malformed("the response is not an event"))
}
