//! A delivery that has been verified.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use velora_core::{Delivery as CoreDelivery, Event};

use crate::errors::Result;
use crate::{event, time};

/// A request that was proven to come from its system. Only a `Verifier` makes one.
#[pyclass(frozen, generic, module = "velora")]
pub(crate) struct Delivery {
    delivery: CoreDelivery<'static>,
    body: Py<PyBytes>,
}

impl Delivery {
    pub(crate) fn new(delivery: CoreDelivery<'static>, body: Py<PyBytes>) -> Self {
        Self { delivery, body }
    }
}

#[pymethods]
impl Delivery {
    /// The name of the scheme it was verified against.
    #[getter]
    fn scheme(&self) -> &str {
        self.delivery.scheme()
    }

    /// The raw body: the very bytes that were under the MAC.
    #[getter]
    fn body(&self, py: Python<'_>) -> Py<PyBytes> {
        self.body.clone_ref(py)
    }

    /// When it was signed; `None` where the scheme does not sign its timestamp.
    #[getter]
    fn signed_timestamp<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::datetime(py, self.delivery.signed_timestamp().and_then(time::of_unix))
    }

    /// Which of the verifier's secrets matched, counted from 0.
    #[getter]
    fn secret_index(&self) -> usize {
        self.delivery.secret_index()
    }

    /// The identity to deduplicate on, from authenticated bytes alone.
    fn key(&self) -> Result<String> {
        Ok(self.delivery.key()?.as_str().to_owned())
    }

    /// The typed event.
    fn event<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event: Event = self
            .delivery
            .event()
            .map_err(crate::errors::Failure::from)?;
        event::record(py, &event, self.delivery.body())
    }

    /// Whether a header outside the MAC contradicts the verified body.
    fn check_headers(&self) -> Result<()> {
        Ok(self.delivery.check_headers()?)
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.delivery)
    }
}
