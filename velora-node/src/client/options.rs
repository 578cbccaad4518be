//! The options of clients; absent ones have the core's defaults.

use std::time::Duration;

use napi_derive::napi;
use velora_core::ConfigError;
use velora_core::api::{ClientBuilder, ClientOptions, RateLimit};

use crate::number::{duration, whole};

/// The options of every client. Times are in seconds.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ClientParts {
    pub base_url: Option<String>,
    pub attempts: Option<f64>,
    /// The first delay and the longest one.
    pub backoff: Option<(f64, f64)>,
    pub max_retry_delay: Option<f64>,
    pub connect_timeout: Option<f64>,
    pub read_timeout: Option<f64>,
    pub call_timeout: Option<f64>,
    pub max_response_bytes: Option<f64>,
    pub proxy: Option<String>,
}

impl ClientParts {
    /// Errors: `invalid_option`; those of `build`.
    pub(crate) fn build<C>(self, builder: ClientBuilder<C>) -> Result<C, ConfigError> {
        let attempts = self.attempts.map(|number| whole("attempts", number));
        let bytes = self.max_response_bytes;
        let bytes = bytes.map(|number| whole("max_response_bytes", number));
        let options = ClientOptions {
            base_url: self.base_url,
            proxy: self.proxy,
            attempts: attempts.transpose()?,
            backoff: self.backoff,
            max_retry_delay: self.max_retry_delay,
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            call_timeout: self.call_timeout,
            max_response_bytes: bytes.transpose()?,
        };
        builder.with_options(options)?.build()
    }
}

/// Errors: `invalid_option` if it is negative or NaN.
pub(crate) fn seconds(
    option: &'static str,
    value: Option<f64>,
) -> Result<Option<Duration>, ConfigError> {
    let Some(value) = value else {
        return Ok(None);
    };
    let reason = "it is not a number of seconds, zero or more";
    let read = duration(value).ok_or(ConfigError::InvalidOption { option, reason });
    read.map(Some)
}

/// The rate limit, as of the last response.
#[napi(object, object_from_js = false)]
pub struct RateLimitParts {
    pub limit: Option<f64>,
    pub remaining: Option<f64>,
    pub reset: Option<String>,
    pub retry_at: Option<String>,
}

impl From<RateLimit> for RateLimitParts {
    fn from(limit: RateLimit) -> Self {
        Self {
            limit: limit.limit.map(|count| count as f64),
            remaining: limit.remaining.map(|count| count as f64),
            reset: limit.reset.map(|at| at.to_string()),
            retry_at: limit.retry_at.map(|at| at.to_string()),
        }
    }
}
