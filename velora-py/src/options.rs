//! The options of a client, the same for every system.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use velora_core::api::{ClientBuilder, ClientOptions};

use crate::argument::argument;
use crate::errors::Result;
use crate::number::{Real, Whole};
use crate::text::Text;

/// The options that were given. The defaults are the core's.
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
    /// Errors: `TypeError`, as from any Python function, if an option is unknown or has a wrong
    /// type.
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

    /// Errors: `invalid_option`; those of `build`.
    pub(crate) fn build<C>(&self, builder: ClientBuilder<C>) -> Result<C> {
        let text = |text: &Option<Text>| text.as_deref().map(str::to_owned);
        let seconds = |number: Option<Real>| number.map(|Real(seconds)| seconds);
        let attempts = self.attempts.as_ref().map(|number| number.fit("attempts"));
        let bytes = self.max_response_bytes.as_ref();
        let bytes = bytes.map(|number| number.fit("max_response_bytes"));
        let options = ClientOptions {
            base_url: text(&self.base_url),
            proxy: text(&self.proxy),
            attempts: attempts.transpose()?,
            backoff: self.backoff.map(|(Real(base), Real(max))| (base, max)),
            max_retry_delay: seconds(self.max_retry_delay),
            connect_timeout: seconds(self.connect_timeout),
            read_timeout: seconds(self.read_timeout),
            call_timeout: seconds(self.call_timeout),
            max_response_bytes: bytes.transpose()?,
        };
        Ok(builder.with_options(options)?.build()?)
    }
}
