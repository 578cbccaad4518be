//! Endpoints as values: what is asked for, and what is there.

use jiff::Timestamp;
use serde::Serialize;

use crate::api::{Method, Path, Request};
use crate::curae::EventType;
use crate::error::{ApiError, ConfigError, EventFault};
use crate::webhook::{Extra, Fields};

/// Where every path starts.
pub(super) const ENDPOINTS: &str = "/api/platform/v1/webhook-endpoints";

/// An endpoint to be registered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewEndpoint {
    url: String,
    event_types: Vec<EventType>,
    #[serde(skip)]
    pub(super) idempotency_key: Option<String>,
}

impl NewEndpoint {
    /// An endpoint that receives events of these types. The system takes only a public
    /// `https` URL on port 443.
    pub fn new(url: impl Into<String>, event_types: impl IntoIterator<Item = EventType>) -> Self {
        Self {
            url: url.into(),
            event_types: event_types.into_iter().collect(),
            idempotency_key: None,
        }
    }

    /// A key of your own, so that the registration is one even if this program runs
    /// again: for 24 hours the system answers the same key as it did first, the secret
    /// included. Without it each call has a new one.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// What is to be changed about an endpoint; the rest stays.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_types: Option<Vec<EventType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip)]
    pub(super) idempotency_key: Option<String>,
}

impl EndpointChange {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where deliveries go from now on.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The types it receives from now on, in place of those before.
    #[must_use]
    pub fn with_event_types(mut self, types: impl IntoIterator<Item = EventType>) -> Self {
        self.event_types = Some(types.into_iter().collect());
        self
    }

    /// Its status. `ACTIVE` is the one that is documented.
    #[must_use]
    pub fn with_status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// A key of your own: see [`NewEndpoint::with_idempotency_key`].
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// Which endpoints to list: all, 100 a page by default.
#[derive(Clone, Copy, Debug)]
pub struct EndpointQuery {
    limit: u16,
}

impl Default for EndpointQuery {
    fn default() -> Self {
        Self { limit: 100 }
    }
}

impl EndpointQuery {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many endpoints a page has at most. The system does not clamp it but refuses
    /// the call, so it is refused before.
    ///
    /// Errors: `invalid_option` outside of 1..=100.
    pub fn with_limit(mut self, limit: u16) -> Result<Self, ConfigError> {
        if !(1..=100).contains(&limit) {
            return Err(ConfigError::InvalidOption {
                option: "limit",
                reason: "it must be 1 to 100",
            });
        }
        self.limit = limit;
        Ok(self)
    }

    pub(super) fn request(self, cursor: Option<&str>) -> Result<Request, ApiError> {
        let mut path = Path::new(ENDPOINTS).query("limit", &self.limit.to_string());
        if let Some(cursor) = cursor {
            path = path.query("cursor", cursor);
        }
        Ok(Request::new("curae.webhooks.list", Method::Get, path))
    }
}

/// A registered endpoint. All but its id may be absent from an answer.
///
/// Source: CuraeAI, *API reference: webhook-endpoints*.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Where deliveries go.
    pub url: Option<String>,
    /// The types it receives.
    pub event_types: Vec<EventType>,
    /// `ACTIVE`, or what else there is.
    pub status: Option<String>,
    /// Failed deliveries in a row.
    pub consecutive_failures: Option<u64>,
    /// When a delivery was last sent.
    pub last_delivery_attempt_at: Option<Timestamp>,
    /// When a delivery was last accepted.
    pub last_successful_delivery_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// Raised by each change.
    pub version: Option<u64>,
    /// Every other member.
    pub extra: Extra,
}

impl Endpoint {
    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self, EventFault> {
        let event_types: Option<Vec<String>> = fields.optional("eventTypes");
        let event_types = event_types.unwrap_or_default().into_iter();
        Ok(Self {
            id: fields.text("id")?,
            url: fields.optional("url"),
            event_types: event_types.map(EventType::from).collect(),
            status: fields.optional("status"),
            consecutive_failures: fields.optional("consecutiveFailures"),
            last_delivery_attempt_at: fields.optional("lastDeliveryAttemptAt"),
            last_successful_delivery_at: fields.optional("lastSuccessfulDeliveryAt"),
            created_at: fields.optional("createdAt"),
            updated_at: fields.optional("updatedAt"),
            version: fields.optional("_version"),
            extra: fields.rest(),
        })
    }
}
