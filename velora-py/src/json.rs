//! Converts JSON to Python values, with Python's own parser.

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use velora_core::{ApiError, ApiErrorKind, RawJson};

use crate::errors::Failure;

/// Parses text that the core has found to be JSON.
pub(crate) fn loads<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    LOADS.import(py, "velora._json", "loads")?.call1((text,))
}

/// Parses a part of a response, which may be of any depth. Errors: `malformed_response` if it
/// is nested beyond Python's recursion limit.
pub(crate) fn answered<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    loads(py, text).map_err(|error| {
        if !error.is_instance_of::<PyRecursionError>(py) {
            return error;
        }
        let reason = "the JSON is nested too deeply for Python to read";
        Failure::from(ApiError::new(ApiErrorKind::MalformedResponse, reason)).into()
    })
}

/// A part of an event that may be absent.
pub(crate) fn value<'py>(
    py: Python<'py>,
    json: Option<&RawJson>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    json.map(|json| loads(py, json.as_str())).transpose()
}

/// A part of a response that may be absent.
pub(crate) fn answer<'py>(
    py: Python<'py>,
    json: Option<&RawJson>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    json.map(|json| answered(py, json.as_str())).transpose()
}
