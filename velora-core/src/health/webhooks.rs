//! Endpoints: where the system delivers events to.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::client::{Client, audit};
use crate::api::{Api, Method, Request, malformed, undocumented, unreadable};
use crate::error::{ApiError, ApiErrorKind};
use crate::secret::SigningSecret;
use crate::{json, stamp};

/// More consecutive failures than this call for a human; at 10 the system disables
/// the endpoint. Source: Velora Health, *Webhooks: Operational checklist*.
const ALERT_ABOVE: u64 = 3;

/// An endpoint to be registered.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    url: String,
    event_filter: Vec<String>,
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

    /// A description for humans.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    fn to_json(&self) -> String {
        let mut json = String::from("{\"url\":");
        json::quote(&mut json, &self.url);
        json.push_str(",\"event_filter\":[");
        for (at, prefix) in self.event_filter.iter().enumerate() {
            json.push_str(if at == 0 { "" } else { "," });
            json::quote(&mut json, prefix);
        }
        json.push(']');
        if let Some(description) = &self.description {
            json.push_str(",\"description\":");
            json::quote(&mut json, description);
        }
        json.push('}');
        json
    }
}

/// A registered endpoint. Any member but the id may be absent from a response. A member that
/// cannot be read counts as absent too, so that no secret is lost because of the member next
/// to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its id, such as `wh_8b2e5c11`.
    pub id: String,
    /// Where deliveries go.
    pub url: Option<String>,
    /// The prefixes of the event types that it receives; empty means every event.
    pub event_filter: Vec<String>,
    /// A name for humans.
    pub description: Option<String>,
    /// Whether deliveries are sent. A disabled endpoint cannot be enabled again: register
    /// the URL anew.
    pub active: Option<bool>,
    /// Failed deliveries in a row; at 10 the system disables the endpoint. In a list, a
    /// number that cannot be read is `malformed_response`, so that no failing endpoint is
    /// hidden.
    pub consecutive_failures: u64,
    /// When a delivery was last sent.
    pub last_delivery_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Option<Timestamp>,
}

/// The result of registering an endpoint. Its secret is never shown again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The secret that its deliveries are signed with, ready for a
    /// [`Verifier`](crate::Verifier).
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
    /// Registers an endpoint. Store its secret before you do anything else: it is shown
    /// only once. Needs the scope `webhooks:write`.
    ///
    /// The call is never retried, because each success registers another endpoint. After
    /// `connection`, `timeout`, `server_error`, `malformed_response` or
    /// `response_too_large` the endpoint may exist, and its secret is lost. Find it with
    /// [`list`](Self::list), [`delete`](Self::delete) it, and register again.
    ///
    /// Errors: `invalid_request`, and those of any call.
    pub async fn create(&self, endpoint: &NewEndpoint) -> Result<Registration, ApiError> {
        let path = audit("/webhooks");
        let request = Request::new("health.webhooks.create", Method::Post, path)
            .answers_secret()
            .json_text(endpoint.to_json());
        self.api.text(request, registration).await
    }

    /// All endpoints, including disabled ones. Needs the scope `audit:read`.
    ///
    /// Errors: those of any call.
    pub async fn list(&self) -> Result<Vec<Endpoint>, ApiError> {
        let path = audit("/webhooks");
        let request = Request::new("health.webhooks.list", Method::Get, path);
        self.api.text(request, endpoints).await
    }

    /// Stops deliveries and keeps the history. A disabled endpoint cannot be enabled:
    /// register the URL again, which gives it a new id and a new secret.
    ///
    /// Errors: `not_found`, and those of any call.
    pub async fn disable(&self, id: &str) -> Result<(), ApiError> {
        let path = audit("/webhooks").segment(id)?;
        let path = path.then("/disable");
        let request = Request::new("health.webhooks.disable", Method::Post, path).idempotent();
        self.api.done(request).await
    }

    /// Removes the endpoint and its delivery history.
    ///
    /// Errors: `not_found`, and those of any call.
    pub async fn delete(&self, id: &str) -> Result<(), ApiError> {
        let path = audit("/webhooks").segment(id)?;
        let request = Request::new("health.webhooks.delete", Method::Delete, path);
        match self.api.done(request).await {
            // An earlier attempt succeeded, and only its response was lost.
            Err(error) if error.kind() == ApiErrorKind::NotFound && error.perhaps_done() => Ok(()),
            outcome => outcome,
        }
    }
}

impl Endpoint {
    /// Whether more than 3 deliveries in a row have failed. Fix it before the tenth, when
    /// the system disables the endpoint.
    pub fn is_failing(&self) -> bool {
        self.consecutive_failures > ALERT_ABOVE
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhooks(..)")
    }
}

fn registration(text: String) -> Result<Registration, ApiError> {
    let text = Zeroizing::new(text);
    let [endpoint, secret] =
        json::values(&text, ["endpoint", "secret"]).map_err(|fault| unreadable(&text, fault))?;
    let secret = secret.and_then(|secret| json::text_of(secret.as_bytes()));
    let secret = Zeroizing::new(secret.ok_or_else(undocumented)?.into_owned());
    Ok(Registration {
        endpoint: endpoint
            .and_then(|endpoint| Endpoint::read(endpoint, Some(0)))
            .ok_or_else(undocumented)?,
        secret: SigningSecret::new(secret.as_str())
            .map_err(|_| malformed("the endpoint's secret is not usable"))?,
    })
}

fn endpoints(text: String) -> Result<Vec<Endpoint>, ApiError> {
    let [endpoints] =
        json::values(&text, ["endpoints"]).map_err(|fault| unreadable(&text, fault))?;
    let endpoints = endpoints.and_then(json::items).ok_or_else(undocumented)?;
    let endpoints = endpoints.into_iter();
    let endpoints: Option<Vec<_>> = endpoints
        .map(|endpoint| Endpoint::read(endpoint, None))
        .collect();
    endpoints.ok_or_else(undocumented)
}

impl Endpoint {
    /// Only the id is required, so that the secret, which is shown once, is not lost because of
    /// a member of another type. `uncounted` replaces a number of failures that cannot be read.
    fn read(object: &str, uncounted: Option<u64>) -> Option<Self> {
        let [
            id,
            url,
            event_filter,
            description,
            active,
            failures,
            last_delivery_at,
            created_at,
        ] = json::values(
            object,
            [
                "id",
                "url",
                "event_filter",
                "description",
                "active",
                "consecutive_failures",
                "last_delivery_at",
                "created_at",
            ],
        )
        .ok()?;
        let text = |value: &str| json::text_of(value.as_bytes()).map(Cow::into_owned);
        let time = |value: &str| stamp::read(&json::text_of(value.as_bytes())?);
        let texts = |array: &str| json::items(array)?.into_iter().map(text).collect();
        Some(Self {
            id: text(id?)?,
            url: url.and_then(text),
            event_filter: event_filter.and_then(texts).unwrap_or_default(),
            description: description.and_then(text),
            active: match active {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            },
            consecutive_failures: match failures {
                None | Some("null") => 0,
                Some(count) => whole(count).or(uncounted)?,
            },
            last_delivery_at: last_delivery_at.and_then(time),
            created_at: created_at.and_then(time),
        })
    }
}

/// A whole number, as a number or as text: `9`, `9.0` or `"9"`.
fn whole(value: &str) -> Option<u64> {
    let text = json::text_of(value.as_bytes()).unwrap_or(Cow::Borrowed(value));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    whole.parse().ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;
    use crate::webhook::Signer;

    #[test]
    fn a_secret_is_not_lost_for_an_odd_member() {
        let text = r#"{"endpoint":{"id":"wh_1","url":"https://a.example","active":1,
            "event_filter":null,"consecutive_failures":"0","created_at":"2026-05-08T14:22:01"},
            "secret":"s\u0065cret"}"#;
        let registration = registration(text.to_owned()).unwrap();
        let signed = |secret| {
            let signer = Signer::new(crate::health::scheme(), [secret]).unwrap();
            signer.sign_at("{}", UnixTime::from_secs(0))
        };
        let secret = SigningSecret::new("secret").unwrap();
        assert_eq!(signed(registration.secret), signed(secret));
        let endpoint = registration.endpoint;
        assert_eq!(endpoint.url.as_deref(), Some("https://a.example"));
        assert_eq!((endpoint.active, endpoint.created_at), (None, None));
        assert_eq!(endpoint.consecutive_failures, 0);
        assert!(endpoint.event_filter.is_empty());
    }
    #[test]
    fn failures_that_cannot_be_counted_are_not_none() {
        let failures = |count: &str| {
            let member = format!(r#","consecutive_failures":{count}"#);
            let listed = format!(r#"{{"endpoints":[{{"id":"wh_1"{member}}}]}}"#);
            endpoints(listed).map(|listed| listed.first().unwrap().consecutive_failures)
        };
        for (count, read) in [("9", 9), ("\"9\"", 9), ("9.0", 9), ("0", 0), ("null", 0)] {
            assert_eq!(failures(count).unwrap(), read, "{count}");
        }
        for count in ["-1", "9.5", "\"\"", "\"many\"", "true", "[9]", "9e99"] {
            let error = failures(count).unwrap_err();
            assert_eq!(error.kind(), ApiErrorKind::MalformedResponse, "{count}");
        }
        let absent = endpoints(r#"{"endpoints":[{"id":"wh_1"}]}"#.to_owned()).unwrap();
        assert_eq!(absent.first().unwrap().consecutive_failures, 0);
        let created = r#"{"endpoint":{"id":"wh_1","consecutive_failures":"none"},"secret":"s"}"#;
        assert!(registration(created.to_owned()).is_ok());
    }
}
