//! JSON as Python values, by Python's own reader.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use velora_core::{EventFault, RawJson, VerificationError};

use crate::errors::Failure;

/// Reads a text that the core has found to be JSON.
///
/// Errors: `malformed_event` where Python does not read what is JSON all the same: a
/// number of over 4,300 digits, or nesting beyond its recursion limit.
pub(crate) fn loads<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let loads = LOADS.get_or_try_init(py, || {
        PyResult::Ok(py.import("json")?.getattr("loads")?.unbind())
    })?;
    loads
        .bind(py)
        .call1((text,))
        .map_err(|error| match error.is_instance_of::<PyException>(py) {
            true => {
                let fault = EventFault::NotJson { line: 1, column: 1 };
                Failure::from(VerificationError::from(fault)).into()
            }
            false => error,
        })
}

/// A part of an event or an answer.
pub(crate) fn value<'py>(
    py: Python<'py>,
    json: Option<&RawJson>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    json.map(|json| loads(py, json.as_str())).transpose()
}
