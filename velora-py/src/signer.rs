//! Signs deliveries for tests.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use velora_core::{Clock, SignedDelivery as CoreSigned, Signer as CoreSigner, SystemClock};

use crate::body::raw_body;
use crate::headers::wire_text;
use crate::{scheme, secret, time};

/// Makes deliveries that are byte-identical to production.
#[pyclass(frozen, module = "velora")]
pub(crate) struct Signer(CoreSigner);

#[pymethods]
impl Signer {
    #[new]
    fn new(scheme: &Bound<'_, PyAny>, secrets: &Bound<'_, PyAny>) -> crate::errors::Result<Self> {
        Ok(Self(CoreSigner::new(
            scheme::read(scheme)?,
            secret::read_all(secrets)?,
        )?))
    }

    /// Signs the raw body as of `now`.
    #[pyo3(signature = (body, now = None))]
    fn sign(
        &self,
        body: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<SignedDelivery> {
        let body = raw_body(body)?;
        let now = match now {
            Some(now) => time::now(now)?,
            None => SystemClock.now(),
        };
        Ok(SignedDelivery(self.0.sign_at(body.as_bytes(), now)))
    }

    /// The name of the scheme that deliveries are signed in.
    #[getter]
    fn scheme(&self) -> &str {
        self.0.scheme().name()
    }

    fn __repr__(&self) -> String {
        format!("Signer('{}')", self.0.scheme().name())
    }
}

/// A signed test delivery: send `body` with `headers`.
#[pyclass(frozen, eq, module = "velora")]
#[derive(PartialEq)]
pub(crate) struct SignedDelivery(CoreSigned);

#[pymethods]
impl SignedDelivery {
    /// The raw body, unchanged.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.body)
    }

    /// Names as the system writes them, and values: pairs, as HTTP libraries take them.
    #[getter]
    fn headers(&self) -> Vec<(&str, String)> {
        let headers = self.0.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), wire_text(value.as_bytes())))
            .collect()
    }

    fn __repr__(&self) -> String {
        format!("SignedDelivery({} bytes)", self.0.body.len())
    }
}
