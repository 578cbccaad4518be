//! How clients are built; what is absent is the core's default.

use std::time::Duration;

use napi_derive::napi;
use velora_core::ConfigError;
use velora_core::api::{ClientBuilder, RateLimit, RetryOptions};

use crate::number::{duration, whole};

/// The options of every client, times in seconds.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ClientParts {
    pub base_url: Option<String>,
    pub attempts: Option<f64>,
    /// The first wait and the longest one.
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
    pub(crate) fn build<C>(self, mut builder: ClientBuilder<C>) -> Result<C, ConfigError> {
        if let Some(retry) = self.retry()? {
            builder = builder.with_retry(retry);
        }
        if let Some(url) = self.base_url {
            builder = builder.with_base_url(url);
        }
        if let Some(timeout) = seconds("connectTimeout", self.connect_timeout)? {
            builder = builder.with_connect_timeout(timeout);
        }
        if let Some(timeout) = seconds("readTimeout", self.read_timeout)? {
            builder = builder.with_read_timeout(timeout);
        }
        if let Some(timeout) = seconds("callTimeout", self.call_timeout)? {
            builder = builder.with_call_timeout(timeout);
        }
        if let Some(bytes) = self.max_response_bytes {
            builder = builder.with_max_response_bytes(whole("maxResponseBytes", bytes)?);
        }
        if let Some(proxy) = self.proxy {
            builder = builder.with_proxy(proxy);
        }
        builder.build()
    }

    fn retry(&self) -> Result<Option<RetryOptions>, ConfigError> {
        let mut retry = RetryOptions::default();
        if let Some(attempts) = self.attempts {
            retry = retry.with_attempts(whole("attempts", attempts)?)?;
        }
        if let Some((base, max)) = self.backoff {
            let both = seconds("backoff", Some(base))?.zip(seconds("backoff", Some(max))?);
            let (base, max) = both.unwrap_or_default();
            retry = retry.with_backoff(base, max);
        }
        if let Some(max) = seconds("maxRetryDelay", self.max_retry_delay)? {
            retry = retry.with_max_retry_delay(max);
        }
        Ok((retry != RetryOptions::default()).then_some(retry))
    }
}

/// Errors: `invalid_option` where it is negative or no number.
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

/// The rate limit as the last answer left it.
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
