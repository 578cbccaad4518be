//! Arguments of a wrong type.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// Reads an argument or an option. If it has a wrong type, the exception names it.
pub(crate) fn argument<'a, 'py, T: FromPyObject<'a, 'py>>(
    name: &str,
    given: &'a Bound<'py, PyAny>,
) -> PyResult<T> {
    given.extract().map_err(|error: T::Error| {
        let (py, error): (_, PyErr) = (given.py(), error.into());
        match error.is_instance_of::<PyTypeError>(py) {
            true => PyTypeError::new_err(format!("`{name}`: {}", error.value(py))),
            false => error,
        }
    })
}

/// Says what was expected. Of what was given it shows only the type: the value may be a secret.
pub(crate) fn wanted(what: &str, given: Borrowed<'_, '_, PyAny>) -> PyErr {
    match given.get_type().name() {
        Ok(kind) => PyTypeError::new_err(format!("expected {what}, not {kind}")),
        Err(error) => error,
    }
}
