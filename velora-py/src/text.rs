//! Strings of callers. They are read here because Python's own exceptions would show them.

use std::ops::Deref;

use pyo3::prelude::*;
use pyo3::types::{PySequence, PyString};

use crate::argument::wanted;
use crate::errors::invalid_option;

/// A string that can be encoded as UTF-8.
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

/// A string in which characters that cannot be encoded are replaced, not dropped, so that
/// the receiver refuses it.
pub(crate) struct Lossy(pub(crate) String);

impl<'py> FromPyObject<'_, 'py> for Lossy {
    type Error = PyErr;

    fn extract(text: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(written(text)?.to_string_lossy().into_owned()))
    }
}

/// A sequence of strings; not a single `str`, which would count as a sequence of its letters.
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
