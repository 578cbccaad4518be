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
/// Every call may be repeated, and is retried: mutations carry an `Idempotency-Key`,
/// for which the system gives its first answer again for 24 hours. A failure that the
/// system itself calls not retryable is not. See
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
    /// A client of `https://api.curaeai.com` for a key that starts with `cae_live_`, of
    /// `https://sandbox.curaeai.com` for one with `cae_test_`, with all defaults.
    ///
    /// Errors: `invalid_api_key` where it starts with neither; those of
    /// [`build`](ClientBuilder::build).
    pub fn new(key: ApiKey) -> Result<Self, ConfigError> {
        Self::builder(key).build()
    }

    /// Starts building a client of the environment that the key is of.
    ///
    /// With a base URL of your own, building it is `wrong_environment` where that is
    /// production's and the key the sandbox's, or the reverse. A key of neither is
    /// `invalid_api_key` at either; at any other host every key is taken.
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

    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        self.api.base_url()
    }

    /// The rate limit as the last answer that spoke of it left it.
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
