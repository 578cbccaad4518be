//! Endpoints: where the system delivers events to.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::client::{AUDIT, Client};
use crate::api::{Api, Method, Path, Request, malformed, not_json};
use crate::error::{ApiError, ApiErrorKind};
use crate::secret::SigningSecret;

/// More consecutive failures than this call for a human; at 10 the system disables
/// the endpoint. Source: Velora Health, *Webhooks: Operational checklist*.
const ALERT_ABOVE: u64 = 3;

/// An endpoint to be registered.
#[derive(Clone, Debug, Serialize)]
pub struct NewEndpoint {
    url: String,
    event_filter: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl NewEndpoint {
    /// An endpoint that receives every event.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            event_filter: Vec::new(),
            description: None,
        }
    }

    /// Only events whose type starts with one of these, such as `phi.`.
    #[must_use]
    pub fn with_event_filter<T: Into<String>>(
        mut self,
        prefixes: impl IntoIterator<Item = T>,
    ) -> Self {
        self.event_filter = prefixes.into_iter().map(Into::into).collect();
        self
    }

    /// A name for humans.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

/// A registered endpoint. All but its id may be absent from an answer; what cannot be
/// read is absent too, as no secret shall be lost for a member beside it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its id, such as `wh_8b2e5c11`.
    pub id: String,
    /// Where deliveries go.
    #[serde(default, deserialize_with = "if_readable")]
    pub url: Option<String>,
    /// The prefixes of the types it receives; none means every event.
    #[serde(default, deserialize_with = "if_readable")]
    pub event_filter: Vec<String>,
    /// A name for humans.
    #[serde(default, deserialize_with = "if_readable")]
    pub description: Option<String>,
    /// Whether deliveries are sent. There is no way back: register it again.
    #[serde(default, deserialize_with = "if_readable")]
    pub active: Option<bool>,
    /// Failed deliveries in a row; at 10 the system disables the endpoint.
    #[serde(default, deserialize_with = "if_readable")]
    pub consecutive_failures: u64,
    /// When a delivery was last sent.
    #[serde(default, deserialize_with = "instant_if_readable")]
    pub last_delivery_at: Option<Timestamp>,
    /// When it was registered.
    #[serde(default, deserialize_with = "instant_if_readable")]
    pub created_at: Option<Timestamp>,
}

/// What registering gives: the endpoint, and its secret, which is never shown again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What its deliveries are signed with, ready for a [`Verifier`](crate::Verifier).
    pub secret: SigningSecret,
}

/// The endpoints of a tenant: see [`Client::webhooks`].
#[derive(Clone)]
pub struct Webhooks {
    api: Api,
}

impl Client {
    /// The endpoints that events are delivered to.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks {
            api: self.api.clone(),
        }
    }
}

impl Webhooks {
    /// Registers an endpoint. Store the secret before anything else: it is shown
    /// once. Needs the scope `webhooks:write`.
    ///
    /// It is sent once, never again by itself: each success registers one more. After
    /// a `connection`, `timeout`, `server_error`, `malformed_response` or
    /// `response_too_large` the endpoint may exist, and its secret is lost: find it with
    /// [`list`](Self::list), [`delete`](Self::delete) it, register again.
    ///
    /// Errors: `invalid_request`, and those of any call.
    pub async fn create(&self, endpoint: &NewEndpoint) -> Result<Registration, ApiError> {
        let path = Path::new(AUDIT).then("/webhooks");
        let request = Request::new("health.webhooks.create", Method::Post, path)
            .answers_secret()
            .json(endpoint)?;
        let limit = self.api.max_response_bytes();
        let read = |text: Zeroizing<String>| {
            let wire: WireRegistration<'_> =
                serde_json::from_str(&text).map_err(|error| not_json(&error))?;
            let secret = Zeroizing::new(wire.secret.into_owned());
            Ok(Registration {
                endpoint: wire.endpoint,
                secret: SigningSecret::new(secret.as_str())
                    .map_err(|_| malformed("the secret of the endpoint is not one"))?,
            })
        };
        self.api
            .call(request, |response| async move {
                read(Zeroizing::new(response.text(limit).await?))
            })
            .await
    }

    /// All endpoints, disabled ones too. Needs the scope `audit:read`.
    ///
    /// Errors: those of any call.
    pub async fn list(&self) -> Result<Vec<Endpoint>, ApiError> {
        let path = Path::new(AUDIT).then("/webhooks");
        let request = Request::new("health.webhooks.list", Method::Get, path);
        let wire: WireEndpoints = self.api.json(request).await?;
        Ok(wire.endpoints)
    }

    /// Stops deliveries and keeps the history. There is no enabling: register the URL
    /// again, which gives a new id and a new secret.
    ///
    /// Errors: `not_found`, and those of any call.
    pub async fn disable(&self, id: &str) -> Result<(), ApiError> {
        let path = Path::new(AUDIT).then("/webhooks").segment(id)?;
        let path = path.then("/disable");
        let request = Request::new("health.webhooks.disable", Method::Post, path).idempotent();
        self.api.call(request, async |_| Ok(())).await
    }

    /// Removes the endpoint and its delivery history.
    ///
    /// Errors: `not_found`, and those of any call.
    pub async fn delete(&self, id: &str) -> Result<(), ApiError> {
        let path = Path::new(AUDIT).then("/webhooks").segment(id)?;
        let request = Request::new("health.webhooks.delete", Method::Delete, path);
        match self.api.call(request, async |_| Ok(())).await {
            // An earlier attempt got through, and only its answer was lost.
            Err(error) if error.kind() == ApiErrorKind::NotFound && error.perhaps_done() => Ok(()),
            outcome => outcome,
        }
    }
}

/// The endpoints with more than 3 consecutive failures: mend them before the tenth,
/// at which the system disables them.
pub fn failing(endpoints: &[Endpoint]) -> impl Iterator<Item = &Endpoint> {
    endpoints
        .iter()
        .filter(|endpoint| endpoint.consecutive_failures > ALERT_ABOVE)
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhooks(..)")
    }
}

#[derive(Deserialize)]
struct WireRegistration<'t> {
    endpoint: Endpoint,
    #[serde(borrow)]
    secret: Cow<'t, str>,
}

#[derive(Deserialize)]
struct WireEndpoints {
    endpoints: Vec<Endpoint>,
}

fn if_readable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(value.get()).unwrap_or_default())
}

fn instant_if_readable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = if_readable(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_lost_for_an_odd_member() {
        let text = r#"{"endpoint":{"id":"wh_1","url":"https://a.example","active":1,
            "event_filter":null,"consecutive_failures":"0","created_at":"2026-05-08T14:22:01"},
            "secret":"s\u0065cret"}"#;
        let wire: WireRegistration<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(wire.secret, "secret");
        let endpoint = wire.endpoint;
        assert_eq!(endpoint.url.as_deref(), Some("https://a.example"));
        assert_eq!((endpoint.active, endpoint.created_at), (None, None));
        assert_eq!(endpoint.consecutive_failures, 0);
        assert!(endpoint.event_filter.is_empty());
    }
}
