//! Numeric options. The core decides whether a number is valid.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;

use crate::argument::wanted;
use crate::errors::{Result, invalid_option};

/// A whole number of any size.
pub(crate) struct Whole(Option<i128>);

impl Whole {
    /// Errors: `invalid_option` if it does not fit.
    pub(crate) fn fit<T: TryFrom<i128>>(&self, option: &'static str) -> Result<T> {
        self.0
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| invalid_option(option, "it is out of range"))
    }
}

impl<'py> FromPyObject<'_, 'py> for Whole {
    type Error = PyErr;

    fn extract(number: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(unless_too_large(number, "an int")?))
    }
}

/// A number; infinite if it is too large for a float.
#[derive(Clone, Copy)]
pub(crate) struct Real(pub(crate) f64);

impl<'py> FromPyObject<'_, 'py> for Real {
    type Error = PyErr;

    fn extract(number: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let number = unless_too_large(number, "a number")?;
        Ok(Self(number.unwrap_or(f64::INFINITY)))
    }
}

fn unless_too_large<'a, 'py, T>(number: Borrowed<'a, 'py, PyAny>, what: &str) -> PyResult<Option<T>>
where
    T: FromPyObject<'a, 'py, Error = PyErr>,
{
    let py = number.py();
    match number.extract() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => Ok(None),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Err(wanted(what, number)),
        Err(error) => Err(error),
    }
}
