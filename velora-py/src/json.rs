//! JSON as Python values, by Python's own reader.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use velora_core::{ApiError, ApiErrorKind, EventFault, RawJson, VerificationError};

use crate::errors::Failure;

/// Reads a part of an event that the core has found to be JSON.
///
/// Errors: `malformed_event` where Python does not read what is JSON all the same: a
/// number of over 4,300 digits, or nesting beyond its recursion limit.
pub(crate) fn loads<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    read(py, text).map_err(|error| {
        let fault = EventFault::NotJson { line: 1, column: 1 };
        unless_signal(py, error, || VerificationError::from(fault).into())
    })
}

/// Reads a part of an answer. Errors: `malformed_response`, for the same causes.
pub(crate) fn answered<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    read(py, text).map_err(|error| {
        let reason = "Python does not read this JSON: a number is too long, or it is too deep";
        let failure = || ApiError::new(ApiErrorKind::MalformedResponse, reason).into();
        unless_signal(py, error, failure)
    })
}

/// A part of an event that may be absent.
pub(crate) fn value<'py>(
    py: Python<'py>,
    json: Option<&RawJson>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    json.map(|json| loads(py, json.as_str())).transpose()
}

/// A part of an answer that may be absent.
pub(crate) fn answer<'py>(
    py: Python<'py>,
    json: Option<&RawJson>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    json.map(|json| answered(py, json.as_str())).transpose()
}

fn read<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    LOADS.import(py, "json", "loads")?.call1((text,))
}

fn unless_signal(py: Python<'_>, error: PyErr, failure: impl FnOnce() -> Failure) -> PyErr {
    match error.is_instance_of::<PyException>(py) {
        true => failure().into(),
        false => error,
    }
}
