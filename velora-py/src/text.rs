//! Texts of callers. An exception of Python's own about one would show it.

use std::ops::Deref;

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::invalid_option;

/// A text that can be written as UTF-8.
pub(crate) struct Text(pub(crate) String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = text.cast::<PyString>()?;
        match text.to_str() {
            Ok(text) => Ok(Self(text.to_owned())),
            Err(_) => Err(invalid_option("text", "it cannot be written as UTF-8").into()),
        }
    }
}

/// A text of which whatever cannot be written is not hidden but replaced, for those who
/// refuse it then.
pub(crate) struct Lossy(pub(crate) String);

impl<'py> FromPyObject<'_, 'py> for Lossy {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(
            text.cast::<PyString>()?.to_string_lossy().into_owned(),
        ))
    }
}
