//! Texts of callers. An exception of Python's own about one would show it.

use std::ops::Deref;

use pyo3::prelude::*;
use pyo3::types::{PySequence, PyString};

use crate::argument::wanted;
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
        match written(text)?.to_str() {
            Ok(text) => Ok(Self(text.to_owned())),
            Err(_) => Err(invalid_option("text", "it cannot be encoded as UTF-8").into()),
        }
    }
}

/// A text of which whatever cannot be written is not hidden but replaced, for those who
/// refuse it then.
pub(crate) struct Lossy(pub(crate) String);

impl<'py> FromPyObject<'_, 'py> for Lossy {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(written(text)?.to_string_lossy().into_owned()))
    }
}

/// Several texts. One alone would be taken for its letters.
pub(crate) struct Texts(pub(crate) Vec<Text>);

impl<'py> FromPyObject<'_, 'py> for Texts {
    type Error = PyErr;

    fn extract(texts: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match texts.cast::<PySequence>() {
            Ok(_) if !texts.is_instance_of::<PyString>() => Ok(Self(texts.extract()?)),
            _ => Err(wanted("a list of str", texts)),
        }
    }
}

fn written<'a, 'py>(text: Borrowed<'a, 'py, PyAny>) -> PyResult<Borrowed<'a, 'py, PyString>> {
    text.cast().map_err(|_| wanted("a str", text))
}
