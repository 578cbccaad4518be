//! The options of a client, the same for every system.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use velora_core::api::{ClientBuilder, RetryOptions};

use crate::argument::argument;
use crate::errors::Result;
use crate::number::{Real, Whole};
use crate::text::Text;
use crate::time::duration;

/// What of them was given. The defaults are the core's.
#[derive(Default)]
pub(crate) struct Options {
    base_url: Option<Text>,
    proxy: Option<Text>,
    attempts: Option<Whole>,
    backoff: Option<(Real, Real)>,
    max_retry_delay: Option<Real>,
    connect_timeout: Option<Real>,
    read_timeout: Option<Real>,
    call_timeout: Option<Real>,
    max_response_bytes: Option<Whole>,
}

impl Options {
    /// Errors: `TypeError`, as any function of Python raises it, where one is unknown or
    /// of another type.
    pub(crate) fn read(given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut options = Self::default();
        for (name, value) in given.into_iter().flatten() {
            let name: &str = name.extract()?;
            match name {
                "base_url" => options.base_url = argument(name, &value)?,
                "proxy" => options.proxy = argument(name, &value)?,
                "attempts" => options.attempts = argument(name, &value)?,
                "backoff" => options.backoff = argument(name, &value)?,
                "max_retry_delay" => options.max_retry_delay = argument(name, &value)?,
                "connect_timeout" => options.connect_timeout = argument(name, &value)?,
                "read_timeout" => options.read_timeout = argument(name, &value)?,
                "call_timeout" => options.call_timeout = argument(name, &value)?,
                "max_response_bytes" => options.max_response_bytes = argument(name, &value)?,
                unknown => {
                    let message = format!("unexpected keyword argument '{unknown}'");
                    return Err(PyTypeError::new_err(message));
                }
            }
        }
        Ok(options)
    }

    pub(crate) fn build<C>(&self, mut builder: ClientBuilder<C>) -> Result<C> {
        if let Some(url) = &self.base_url {
            builder = builder.with_base_url(&**url);
        }
        if let Some(url) = &self.proxy {
            builder = builder.with_proxy(&**url);
        }
        if let Some(seconds) = self.connect_timeout {
            builder = builder.with_connect_timeout(duration("connect_timeout", seconds)?);
        }
        if let Some(seconds) = self.read_timeout {
            builder = builder.with_read_timeout(duration("read_timeout", seconds)?);
        }
        if let Some(seconds) = self.call_timeout {
            builder = builder.with_call_timeout(duration("call_timeout", seconds)?);
        }
        if let Some(bytes) = &self.max_response_bytes {
            builder = builder.with_max_response_bytes(bytes.fit("max_response_bytes")?);
        }
        Ok(builder.with_retry(self.retry()?).build()?)
    }

    fn retry(&self) -> Result<RetryOptions> {
        let mut retry = RetryOptions::default();
        if let Some(attempts) = &self.attempts {
            retry = retry.with_attempts(attempts.fit("attempts")?)?;
        }
        if let Some(seconds) = self.max_retry_delay {
            retry = retry.with_max_retry_delay(duration("max_retry_delay", seconds)?);
        }
        if let Some((base, max)) = self.backoff {
            retry = retry.with_backoff(duration("backoff", base)?, duration("backoff", max)?);
        }
        Ok(retry)
    }
}
