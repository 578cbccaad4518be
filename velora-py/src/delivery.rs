//! A delivery that has been verified.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use velora_core::{Envelope, Event};

use crate::errors::Result;
use crate::unchecked::Kept;
use crate::{event, time};

/// A request that was proven to come from its system. Only a `Verifier` makes one.
#[pyclass(frozen, generic, module = "velora")]
pub(crate) struct Delivery(pub(crate) Kept);

#[pymethods]
impl Delivery {
    /// The name of the scheme it was verified against.
    #[getter]
    fn scheme(&self) -> &str {
        self.0.delivery().scheme()
    }

    /// The raw body: the very bytes that were under the MAC.
    #[getter]
    fn body(&self, py: Python<'_>) -> Py<PyBytes> {
        self.0.body().clone_ref(py)
    }

    /// When it was signed; `None` where the scheme does not sign its timestamp.
    #[getter]
    fn signed_timestamp<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::datetime(
            py,
            self.0.delivery().signed_timestamp().and_then(time::of_unix),
        )
    }

    /// Which of the verifier's secrets matched, counted from 0.
    #[getter]
    fn secret_index(&self) -> usize {
        self.0.delivery().secret_index()
    }

    /// The identity to deduplicate on, from authenticated bytes alone.
    fn key(&self) -> Result<String> {
        Ok(self.0.delivery().key()?.as_str().to_owned())
    }

    /// What happened, as the system writes it.
    #[getter]
    fn event_type(&self) -> Result<Option<String>> {
        let envelope: Envelope = self.0.delivery().event()?;
        Ok(envelope.event_type.map(Cow::into_owned))
    }

    /// The typed event.
    fn event<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event: Event = self
            .0
            .delivery()
            .event()
            .map_err(crate::errors::Failure::from)?;
        event::record(py, &event, self.0.delivery().body())
    }

    /// Whether a header outside the MAC contradicts the verified body.
    fn check_headers(&self) -> Result<()> {
        Ok(self.0.delivery().check_headers()?)
    }

    fn __repr__(&self) -> String {
        let delivery = self.0.delivery();
        let (scheme, bytes) = (delivery.scheme(), delivery.body().len());
        format!("Delivery('{scheme}', {bytes} bytes)")
    }
}
