//! The options of a client as other languages give them.

use std::time::Duration;

use super::ClientBuilder;
use crate::error::ConfigError;

/// The options of a client as other languages give them: times are in seconds. An option that
/// is `None` keeps its default.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// As of [`ClientBuilder::with_base_url`].
    pub base_url: Option<String>,
    /// As of [`ClientBuilder::with_proxy`].
    pub proxy: Option<String>,
    /// As of [`RetryOptions::with_attempts`](super::RetryOptions::with_attempts).
    pub attempts: Option<u32>,
    /// `base` and `max`, as of [`RetryOptions::with_backoff`](super::RetryOptions::with_backoff).
    pub backoff: Option<(f64, f64)>,
    /// As of [`RetryOptions::with_max_retry_delay`](super::RetryOptions::with_max_retry_delay).
    pub max_retry_delay: Option<f64>,
    /// As of [`ClientBuilder::with_connect_timeout`].
    pub connect_timeout: Option<f64>,
    /// As of [`ClientBuilder::with_read_timeout`].
    pub read_timeout: Option<f64>,
    /// As of [`ClientBuilder::with_call_timeout`].
    pub call_timeout: Option<f64>,
    /// As of [`ClientBuilder::with_max_response_bytes`].
    pub max_response_bytes: Option<usize>,
}

impl<C> ClientBuilder<C> {
    /// Sets all options that are given.
    ///
    /// Errors: `invalid_option` if a time is negative, NaN or infinite, or `attempts` is 0.
    pub fn with_options(mut self, options: ClientOptions) -> Result<Self, ConfigError> {
        let mut retry = self.retry();
        if let Some(attempts) = options.attempts {
            retry = retry.with_attempts(attempts)?;
        }
        if let Some((base, max)) = options.backoff {
            retry = retry.with_backoff(seconds("backoff", base)?, seconds("backoff", max)?);
        }
        if let Some(max) = options.max_retry_delay {
            retry = retry.with_max_retry_delay(seconds("max_retry_delay", max)?);
        }
        self = self.with_retry(retry);
        if let Some(url) = options.base_url {
            self = self.with_base_url(url);
        }
        if let Some(url) = options.proxy {
            self = self.with_proxy(url);
        }
        if let Some(timeout) = options.connect_timeout {
            self = self.with_connect_timeout(seconds("connect_timeout", timeout)?);
        }
        if let Some(timeout) = options.read_timeout {
            self = self.with_read_timeout(seconds("read_timeout", timeout)?);
        }
        if let Some(timeout) = options.call_timeout {
            self = self.with_call_timeout(seconds("call_timeout", timeout)?);
        }
        if let Some(bytes) = options.max_response_bytes {
            self = self.with_max_response_bytes(bytes);
        }
        Ok(self)
    }
}

fn seconds(option: &'static str, seconds: f64) -> Result<Duration, ConfigError> {
    Duration::try_from_secs_f64(seconds).map_err(|_| ConfigError::InvalidOption {
        option,
        reason: "it is not a number of seconds, zero or more",
    })
}
