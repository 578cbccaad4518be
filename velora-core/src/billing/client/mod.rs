//! The client of the integration API.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod chains;
mod csv;
mod log;
mod pace;
mod recon;
mod refire;
mod rows;

use std::fmt;

use crate::api::{Api, Auth, BaseUrl, ClientBuilder, RateLimit};
use crate::error::ConfigError;
use crate::secret::ApiKey;

pub use log::{DeliveryQuery, DeliveryStatus, LoggedDelivery, Retried};
pub use recon::{ReconRun, ReconSummary};
pub use refire::{NotRefired, Progress, RefireReport, Refired, Sweep, WhyNot};
pub use rows::{CsvRow, CsvRows, JournalFormat};

/// The client of Velora Billing's integration API. A clone is the same client.
///
/// ```no_run
/// use velora_core::ApiKey;
/// use velora_core::billing::{Client, Sweep};
///
/// # async fn sweep() -> Result<(), velora_core::Error> {
/// let client = Client::new(ApiKey::from_env("VELORA_BILLING_API_KEY")?)?;
/// println!("{:?}", client.recon_summary().await?);
///
/// let mut rows = client.audit_csv("run_1");
/// while let Some(row) = rows.next().await {
///     println!("{:?}", row?.field("severity"));
/// }
///
/// let report = client.refire_failed(Sweep::new("wh_abc")).await?;
/// println!("{} re-fired, {} could not be", report.refired.len(), report.not_refired.len());
/// # Ok(()) }
/// ```
///
/// The system allows each key 120 reads and 30 writes a minute. Reads, and
/// [`run_recon`](Self::run_recon), are retried: see
/// [`RetryOptions`](crate::api::RetryOptions). Every call may fail with
/// `unauthorized`, `forbidden`, `not_found`, `conflict`, `invalid_request` (also before it is
/// sent), `rate_limited`, `server_error`, `connection`, `timeout`, `malformed_response`,
/// `response_too_large`, `unexpected_redirect`.
///
/// Source: Velora Billing, *API + Webhooks*.
#[derive(Clone)]
pub struct Client {
    api: Api,
}

impl Client {
    /// A client of `https://velora-billing.vercel.app/api`, with all defaults.
    ///
    /// Errors: those of [`build`](ClientBuilder::build).
    pub fn new(key: ApiKey) -> Result<Self, ConfigError> {
        Self::builder(key).build()
    }

    /// Starts building a client of `https://velora-billing.vercel.app/api`. If you set a base
    /// URL, it may end with `/api` or not.
    pub fn builder(key: ApiKey) -> ClientBuilder<Self> {
        ClientBuilder::new(
            "https://velora-billing.vercel.app/api",
            Auth::header("X-Api-Key", key),
            |api| Ok(Self { api }),
        )
    }

    /// The base URL of the API.
    pub fn base_url(&self) -> &BaseUrl {
        self.api.base_url()
    }

    /// The rate limit, according to the last response that mentioned it. This system does so
    /// only in a 429.
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
