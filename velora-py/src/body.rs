//! Reads the raw body from anything that holds bytes, with a clear error for anything else.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView, PyString};
use velora_core::ConfigError;

use crate::errors::Failure;

const REMEDY: &str = "pass the bytes as they were received: `await request.body()` in FastAPI \
    and Starlette, `request.get_data()` in Flask, `request.body` in Django";

/// The bytes of a body. `bytes` are not copied; any other buffer is.
///
/// Errors: `body_already_parsed`.
#[inline]
pub(crate) fn raw_body<'py>(body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    match body.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.clone()),
        Err(_) => copied(body),
    }
}

#[cold]
fn copied<'py>(body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = PyMemoryView::from(body).and_then(|view| view.call_method0("tobytes"));
    match bytes {
        Ok(bytes) => Ok(bytes.cast_into()?),
        // Ctrl-C says nothing about the body.
        Err(error) if !error.is_instance_of::<PyException>(body.py()) => Err(error),
        Err(_) => Err(Failure::from(ConfigError::BodyAlreadyParsed {
            found: what(body),
            remedy: REMEDY,
        })
        .into()),
    }
}

fn what(body: &Bound<'_, PyAny>) -> &'static str {
    if body.is_instance_of::<PyString>() {
        "a str, whose original bytes are unknown"
    } else if body.is_instance_of::<PyDict>() || body.is_instance_of::<PyList>() {
        "parsed JSON"
    } else if body.is_none() {
        "None"
    } else if body.hasattr("__await__").unwrap_or(false) {
        "a coroutine that was not awaited"
    } else if body.is_callable() {
        "a function that was not called"
    } else {
        "an object"
    }
}
