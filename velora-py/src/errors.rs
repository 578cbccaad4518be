//! Errors of the core as exceptions: one class for each kind, one code for each cause.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};
use velora_core::{ApiError, ConfigError, Error, StoreError};

use crate::time::seconds;

/// The module of the exception classes.
const MODULE: &str = "velora.errors";

/// Any error of the core, on its way to Python.
#[derive(Clone)]
pub(crate) struct Failure(Box<Error>);

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// As a `StoreError`, for a store.
    pub(crate) fn of_store(self) -> StoreError {
        match *self.0 {
            Error::Store(error) => error,
            error => StoreError::Unavailable {
                reason: error.to_string(),
            },
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| exception(py, &failure.0).unwrap_or_else(|error| error))
    }
}

/// The exception for an error; the outer error if it could not be created.
fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let (message, code) = (error.to_string(), error.code().as_str());
    let made = match error {
        Error::Config(_) => class(py, &CONFIG, "ConfigError")?.call1((message, code)),
        Error::Verification(_) => {
            class(py, &VERIFICATION, "VerificationError")?.call1((message, code))
        }
        Error::Store(_) => class(py, &STORE, "StoreError")?.call1((message, code)),
        Error::File(_) => class(py, &FILE, "FileError")?.call1((message, code)),
        Error::Api(error) => api_exception(py, error, message, code),
        // New variants may be added to the enum; the code still identifies the error.
        _ => class(py, &VELORA, "VeloraError")?.call1((message, code)),
    };
    Ok(PyErr::from_value(made?))
}

static VELORA: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static CONFIG: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static VERIFICATION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static STORE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static FILE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static API: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static ISSUE: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyType>> {
    cell.import(py, MODULE, name)
}

fn api_exception<'py>(
    py: Python<'py>,
    error: &ApiError,
    message: String,
    code: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let issues = error
        .issues()
        .iter()
        .map(|issue| {
            let path = PyTuple::new(py, &issue.path)?;
            class(py, &ISSUE, "Issue")?.call1((&issue.code, path, &issue.message))
        })
        .collect::<PyResult<Vec<_>>>()?;
    class(py, &API, "ApiError")?.call1((
        message,
        code,
        error.status(),
        error.request_id(),
        error.attempts(),
        error.retry_after().map(seconds),
        error.is_retryable(),
        error.detail(),
        error.vendor_code(),
        PyTuple::new(py, issues)?,
        error.raw(),
    ))
}

/// An internal fault of this package.
pub(crate) fn internal(py: Python<'_>) -> PyErr {
    let said = ("an internal fault of velora", "internal");
    let made = class(py, &VELORA, "VeloraError").and_then(|class| class.call1(said));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Whether it is one of these exceptions.
pub(crate) fn is_ours(py: Python<'_>, error: &PyErr) -> bool {
    class(py, &VELORA, "VeloraError").is_ok_and(|class| error.is_instance(py, class))
}

/// An error that is a value, such as why a stream has a gap.
pub(crate) fn api_error<'py>(py: Python<'py>, error: &ApiError) -> PyResult<Bound<'py, PyAny>> {
    api_exception(py, error, error.to_string(), error.code().as_str())
}

/// An option that the core never sees, because its type is wrong.
pub(crate) fn invalid_option(option: &'static str, reason: &'static str) -> Failure {
    ConfigError::InvalidOption { option, reason }.into()
}
