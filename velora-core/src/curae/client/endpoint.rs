//! Endpoints as values: requests for them, and what is registered.

use jiff::Timestamp;
use serde::Serialize;

use crate::api::{Method, Path, Request, start_cursor};
use crate::curae::EventType;
use crate::error::{ApiError, ConfigError, EventFault};
use crate::webhook::{Extra, Fields};

/// The prefix of every path.
pub(super) const ENDPOINTS: &str = "/api/platform/v1/webhook-endpoints";

/// An endpoint to register.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewEndpoint {
    url: String,
    event_types: Vec<EventType>,
    #[serde(skip)]
    pub(super) idempotency_key: Option<String>,
}

impl NewEndpoint {
    /// An endpoint that receives events of these types. The system accepts only a public
    /// `https` URL on port 443.
    pub fn new(url: impl Into<String>, event_types: impl IntoIterator<Item = EventType>) -> Self {
        Self {
            url: url.into(),
            event_types: event_types.into_iter().collect(),
            idempotency_key: None,
        }
    }

    /// Sets a key of your own, so that running the program again does not register a second
    /// endpoint: for 24 hours the system repeats its first response to the same key, including
    /// the secret. Without it each call has a new key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// The changes to an endpoint; everything else stays as it is.
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
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the URL that deliveries are sent to.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Replaces the event types that it receives.
    #[must_use]
    pub fn with_event_types(mut self, types: impl IntoIterator<Item = EventType>) -> Self {
        self.event_types = Some(types.into_iter().collect());
        self
    }

    /// Changes its status. Only `ACTIVE` is documented.
    #[must_use]
    pub fn with_status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Sets a key of your own: see [`NewEndpoint::with_idempotency_key`].
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// Which endpoints to list: by default all, 100 per page.
#[derive(Clone, Debug)]
pub struct EndpointQuery {
    limit: u16,
    pub(super) cursor: Option<String>,
}

impl Default for EndpointQuery {
    fn default() -> Self {
        Self {
            limit: 100,
            cursor: None,
        }
    }
}

impl EndpointQuery {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the most endpoints per page. The system refuses any other number instead of
    /// clamping it, so it is refused here.
    ///
    /// Errors: `invalid_option` if it is not in 1..=100.
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

    /// Starts where a page ended: at its [`next_cursor`](crate::api::Page::next_cursor).
    ///
    /// Errors: `invalid_option` if it is empty.
    pub fn with_cursor(mut self, cursor: impl Into<String>) -> Result<Self, ConfigError> {
        self.cursor = Some(start_cursor(cursor)?);
        Ok(self)
    }

    pub(super) fn request(&self, cursor: Option<&str>) -> Result<Request, ApiError> {
        let mut path = Path::new(ENDPOINTS).query("limit", &self.limit.to_string());
        if let Some(cursor) = cursor {
            path = path.query("cursor", cursor);
        }
        Ok(Request::new("curae.webhooks.list", Method::Get, path))
    }
}

/// A registered endpoint. A response may lack any member except the id.
///
/// Source: CuraeAI, *API reference: webhook-endpoints*.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// The URL that deliveries are sent to.
    pub url: Option<String>,
    /// The event types that it receives.
    pub event_types: Vec<EventType>,
    /// `ACTIVE`, or another status.
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
    /// The version number, which grows with each change.
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
            last_delivery_attempt_at: fields.timestamp("lastDeliveryAttemptAt"),
            last_successful_delivery_at: fields.timestamp("lastSuccessfulDeliveryAt"),
            created_at: fields.timestamp("createdAt"),
            updated_at: fields.timestamp("updatedAt"),
            version: fields.optional("_version"),
            extra: fields.rest(),
        })
    }
}
