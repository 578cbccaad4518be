//! The client of the platform API.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod endpoint;
mod environment;
mod webhooks;

use std::fmt;

use crate::api::{Api, Auth, BaseUrl, ClientBuilder, RateLimit};
use crate::error::ConfigError;
use crate::secret::ApiKey;

pub use endpoint::{Endpoint, EndpointChange, EndpointQuery, NewEndpoint};
pub use webhooks::{IfChanged, Registration, Versioned, Webhooks};

use environment::Environment;

/// The client of CuraeAI's platform API. A clone is the same client.
///
/// ```no_run
/// use velora_core::curae::{Client, EventType, NewEndpoint};
/// use velora_core::{ApiKey, Verifier, curae};
///
/// # async fn register() -> Result<(), velora_core::Error> {
/// let client = Client::new(ApiKey::from_env("CURAEAI_API_KEY")?)?;
/// let endpoint = NewEndpoint::new("https://example.com/hook", [EventType::RecordsExportReady]);
/// let registered = client.webhooks().create(&endpoint).await?;
/// let verifier = Verifier::new(curae::scheme(), [registered.secret])?;
/// # Ok(()) }
/// ```
///
/// Every call is safe to repeat, and is retried. Mutations carry an `Idempotency-Key`, for
/// which the system repeats its first response for 24 hours. A failure that the system marks
/// as not retryable is not retried. See
/// [`RetryOptions`](crate::api::RetryOptions). Every call may fail with `unauthorized`,
/// `forbidden`, `not_found`, `conflict`, `invalid_request` (also before it is sent),
/// `rate_limited`, `server_error`, `connection`, `timeout`, `malformed_response`,
/// `response_too_large`, `unexpected_redirect`; the system's own
/// code, such as `SCOPE_INSUFFICIENT`, is in
/// [`vendor_code`](crate::ApiError::vendor_code).
///
/// Source: CuraeAI, *API conventions*, *Authentication*, *Platform webhooks*.
#[derive(Clone)]
pub struct Client {
    api: Api,
}

impl Client {
    /// A client with all defaults: of `https://api.curaeai.com` if the key starts with
    /// `cae_live_`, of `https://sandbox.curaeai.com` if it starts with `cae_test_`.
    ///
    /// Errors: `invalid_api_key` if it starts with neither; those of
    /// [`build`](ClientBuilder::build).
    pub fn new(key: ApiKey) -> Result<Self, ConfigError> {
        Self::builder(key).build()
    }

    /// Starts building a client of the environment that the key belongs to.
    ///
    /// If you set a base URL, building is `wrong_environment` if the URL is production's and
    /// the key the sandbox's, or the reverse. A key of neither environment is
    /// `invalid_api_key` at both; at any other host every key is accepted.
    pub fn builder(key: ApiKey) -> ClientBuilder<Self> {
        let of_key = Environment::of_key(&key);
        let base_url = of_key.unwrap_or(Environment::Production).base_url();
        ClientBuilder::new(base_url, Auth::bearer(key), move |api| {
            Environment::check(of_key, api.base_url())?;
            Ok(Self { api })
        })
    }

    /// The endpoints that events are delivered to.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks::new(self.api.clone())
    }

    /// The base URL of the API.
    pub fn base_url(&self) -> &BaseUrl {
        self.api.base_url()
    }

    /// The rate limit, according to the last response that mentioned it.
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
