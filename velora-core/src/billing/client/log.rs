//! The delivery log, and re-firing one delivery from it.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::Client;
use crate::api::{
    Items, Listing, Method, Next, Page, Path, Request, malformed, not_json, start_cursor,
};
use crate::error::{ApiError, ConfigError, EventFault};
use crate::webhook::{Extra, Fields};

/// Which deliveries to list: by default all of an endpoint, 200 per page.
#[derive(Clone, Debug)]
pub struct DeliveryQuery {
    endpoint_id: String,
    status: Option<DeliveryStatus>,
    limit: u16,
    cursor: Option<String>,
}

impl DeliveryQuery {
    /// Every delivery to the endpoint.
    pub fn new(endpoint_id: impl Into<String>) -> Self {
        Self {
            endpoint_id: endpoint_id.into(),
            status: None,
            limit: 200,
            cursor: None,
        }
    }

    /// Only deliveries with this status.
    #[must_use]
    pub fn with_status(mut self, status: DeliveryStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets the most deliveries per page.
    ///
    /// Errors: `invalid_option` if it is not in 1..=200.
    pub fn with_limit(mut self, limit: u16) -> Result<Self, ConfigError> {
        if !(1..=200).contains(&limit) {
            return Err(ConfigError::InvalidOption {
                option: "limit",
                reason: "it must be 1 to 200",
            });
        }
        self.limit = limit;
        Ok(self)
    }

    /// Starts where a page ended: at its [`next_cursor`](Page::next_cursor). Everything else
    /// must be as in the query of that page.
    ///
    /// Errors: `invalid_option` if it is empty.
    pub fn with_cursor(mut self, cursor: impl Into<String>) -> Result<Self, ConfigError> {
        self.cursor = Some(start_cursor(cursor)?);
        Ok(self)
    }

    fn request(&self, cursor: Option<&str>) -> Result<Request, ApiError> {
        let path = Path::new("/api/webhooks").segment(&self.endpoint_id)?;
        let mut path = path
            .then("/deliveries")
            .query("limit", &self.limit.to_string());
        if let Some(status) = &self.status {
            path = path.query("status", status.as_str());
        }
        if let Some(cursor) = cursor {
            path = path.query("cursor", cursor);
        }
        Ok(Request::new("billing.deliveries", Method::Get, path))
    }
}

/// The status of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryStatus {
    /// `ok`: the endpoint accepted it.
    Ok,
    /// `failed`: the endpoint did not.
    Failed,
    /// A status that is newer than this version.
    Other(String),
}

impl DeliveryStatus {
    /// The status as the system writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for DeliveryStatus {
    fn from(text: String) -> Self {
        match text.as_str() {
            "ok" => Self::Ok,
            "failed" => Self::Failed,
            _ => Self::Other(text),
        }
    }
}

impl Serialize for DeliveryStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A row of the delivery log: one delivery attempt. Rows never change.
///
/// Source: Velora Billing, *API + Webhooks: Endpoints*, *Manual retry*.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LoggedDelivery {
    /// Its id, such as `del_abc123`.
    pub id: String,
    /// Its status.
    pub status: DeliveryStatus,
    /// The HTTP status of the endpoint's response, if there was one.
    pub status_code: Option<u16>,
    /// How long the endpoint took. The unit is not documented.
    pub duration: Option<f64>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// Whether the payload was retained, so that the delivery can be re-fired. Payloads over
    /// 16 KiB or from before 2026-04-28 were not.
    pub retryable: bool,
    /// The id of the delivery that this one re-fired.
    pub retry_of_id: Option<String>,
    /// Every other member.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The result of re-firing a delivery: a new attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Retried {
    /// The id of the new attempt in the log.
    pub delivery_id: String,
    /// Its status.
    pub status: DeliveryStatus,
    /// The HTTP status of the endpoint's response, if there was one.
    pub status_code: Option<u16>,
}

impl Client {
    /// The delivery log of an endpoint, row by row, newest first. For pages see
    /// [`Items::pages`].
    ///
    /// ```no_run
    /// # use velora_core::billing::{Client, DeliveryQuery, DeliveryStatus};
    /// # async fn read(client: Client) -> Result<(), velora_core::Error> {
    /// let failed = DeliveryQuery::new("wh_abc").with_status(DeliveryStatus::Failed);
    /// let mut deliveries = client.deliveries(failed);
    /// while let Some(delivery) = deliveries.next().await {
    ///     println!("{:?}", delivery?.error_message);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Errors: `not_found` if there is no such endpoint; those of [`Items`].
    pub fn deliveries(&self, query: DeliveryQuery) -> Items<LoggedDelivery> {
        let listing = Listing {
            start: query.cursor.clone(),
            request: Box::new(move |cursor| query.request(cursor)),
            read: read_page,
            peek: |_| None,
        };
        Items::new(self.api.clone(), listing)
    }

    /// Re-fires a delivery, with exactly the same payload and signature. The new attempt gets
    /// its own row in the log, which refers to this one; the receiver sees a duplicate.
    ///
    /// The call is never retried, because each success is one more attempt. If the endpoint
    /// refuses the delivery again, that is not an error: see [`Retried::status`].
    ///
    /// Errors: `conflict` if the payload was not retained, or the endpoint has already
    /// accepted the delivery ([`detail`](ApiError::detail) tells which); `not_found`; those of
    /// any call.
    pub async fn retry_delivery(&self, id: &str) -> Result<Retried, ApiError> {
        let path = Path::new("/api/webhooks/deliveries").segment(id)?;
        let path = path.then("/retry");
        let request = Request::new("billing.retry_delivery", Method::Post, path);
        self.api.json_text(request, Retried::parse).await
    }
}

fn read_page(text: String) -> Result<(Page<LoggedDelivery>, Next), ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WirePage<'t> {
        #[serde(borrow)]
        deliveries: Vec<&'t RawValue>,
        next_cursor: Option<String>,
    }

    let page: WirePage<'_> = serde_json::from_str(&text).map_err(|error| not_json(&error))?;
    let rows = page.deliveries.into_iter();
    let rows = rows.map(|row| Fields::read(row.get(), LoggedDelivery::read));
    let rows: Result<Vec<_>, EventFault> = rows.collect();
    let next = match page.next_cursor {
        None => Next::End,
        cursor => Next::More(cursor),
    };
    let rows = rows.map_err(|_| malformed("a delivery is not in the documented form"))?;
    Ok((Page::new(rows, |delivery| &delivery.id), next))
}

impl LoggedDelivery {
    fn read(mut fields: Fields<'_>) -> Result<Self, EventFault> {
        Ok(Self {
            id: fields.text("id")?,
            status: fields.text("status")?.into(),
            status_code: fields.optional("statusCode"),
            duration: fields.optional("duration"),
            error_message: fields.optional("errorMessage"),
            retryable: fields.optional("retryable").unwrap_or_default(),
            retry_of_id: fields.optional("retryOfId"),
            extra: fields.rest(),
        })
    }
}

impl Retried {
    fn parse(text: &str) -> Result<Self, ApiError> {
        Fields::read(text, |mut fields| {
            Ok(Self {
                delivery_id: fields.text("deliveryId")?,
                status: fields.text("status")?.into(),
                status_code: fields.optional("statusCode"),
            })
        })
        .map_err(|_| malformed("the response is not in the documented form"))
    }
}

/// The endpoint's response may repeat what it was sent, so `Debug` shows none of it.
impl fmt::Debug for LoggedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedDelivery")
            .field("id", &self.id)
            .field("status", &self.status)
            .field("status_code", &self.status_code)
            .field("retryable", &self.retryable)
            .field("retry_of_id", &self.retry_of_id)
            .finish_non_exhaustive()
    }
}
