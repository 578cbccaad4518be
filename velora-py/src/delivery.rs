//! A delivery that has been verified.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use velora_core::{Envelope, Event};

use crate::errors::{Failure, Result};
use crate::unchecked::Kept;
use crate::{event, time};

/// A request that was proven to come from its system. Only a `Verifier` makes one.
#[pyclass(frozen, generic, module = "velora")]
pub(crate) struct Delivery {
    kept: Kept,
    event: PyOnceLock<Py<PyAny>>,
}

impl Delivery {
    #[inline]
    pub(crate) fn new(kept: Kept) -> Self {
        Self {
            kept,
            event: PyOnceLock::new(),
        }
    }

    /// A delivery whose event has already been read.
    pub(crate) fn with_event(py: Python<'_>, kept: Kept, event: Py<PyAny>) -> Self {
        let delivery = Self::new(kept);
        let _ = delivery.event.set(py, event);
        delivery
    }
}

#[pymethods]
impl Delivery {
    /// The name of the scheme it was verified against.
    #[getter]
    fn scheme(&self) -> &str {
        self.kept.delivery().scheme()
    }

    /// The raw body: the very bytes that were under the MAC.
    #[getter]
    fn body(&self, py: Python<'_>) -> Py<PyBytes> {
        self.kept.body().clone_ref(py)
    }

    /// When it was signed; `None` if the scheme does not sign its timestamp.
    #[getter]
    fn signed_timestamp<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::datetime(
            py,
            self.kept
                .delivery()
                .signed_timestamp()
                .and_then(time::of_unix),
        )
    }

    /// Which of the verifier's secrets matched, counted from 0.
    #[getter]
    fn secret_index(&self) -> usize {
        self.kept.delivery().secret_index()
    }

    /// The identity to deduplicate on, from authenticated bytes only.
    #[getter]
    fn key(&self) -> Result<String> {
        Ok(self.kept.delivery().key()?.as_str().to_owned())
    }

    /// The event's type as the system writes it.
    #[getter]
    fn event_type(&self) -> Result<Option<String>> {
        let envelope: Envelope = self.kept.delivery().event()?;
        Ok(envelope.event_type.map(Cow::into_owned))
    }

    /// The typed event, read once.
    #[getter]
    pub(crate) fn event(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let read = || {
            let delivery = self.kept.delivery();
            let event: Event = delivery.event().map_err(Failure::from)?;
            event::record(py, &event, delivery.body()).map(Bound::unbind)
        };
        Ok(self.event.get_or_try_init(py, read)?.clone_ref(py))
    }

    /// Checks that no header outside the MAC contradicts the verified body.
    fn check_headers(&self) -> Result<()> {
        Ok(self.kept.delivery().check_headers()?)
    }

    fn __repr__(&self) -> String {
        let delivery = self.kept.delivery();
        let (scheme, bytes) = (delivery.scheme(), delivery.body().len());
        format!("Delivery('{scheme}', {bytes} bytes)")
    }
}
