//! Reads headers from whatever a framework keeps them in.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use smallvec::SmallVec;
use velora_core::{ConfigError, HeaderName, Headers, Precheck};

use crate::errors::{Failure, is_ours};
use crate::unchecked::{OtherKeys, matching};

/// The values of the headers that a verifier looks at, each as often as it was sent.
///
/// A scheme looks at up to three headers, each of which normally occurs once.
pub(crate) struct Found<'p, 'py>(SmallVec<[(&'p HeaderName, Value<'py>); 4]>);

/// A value as its bytes on the wire.
enum Value<'py> {
    /// ASCII: its UTF-8 is what was sent.
    Text(Bound<'py, PyString>),
    Bytes(Bound<'py, PyBytes>),
    Decoded(Vec<u8>),
}

impl<'py> Value<'py> {
    /// A `str` or `bytes`. Reading it runs no Python code.
    #[inline]
    fn of(value: &Bound<'py, PyAny>) -> Option<Self> {
        match value.cast::<PyString>() {
            Ok(text) => Some(Self::of_text(text)),
            Err(_) => {
                let bytes = value.cast::<PyBytes>().ok()?;
                Some(Self::Bytes(bytes.clone()))
            }
        }
    }

    /// Python shows the bytes of a header as ISO-8859-1 (PEP 3333). A string that cannot come
    /// from there is taken as UTF-8.
    fn of_text(text: &Bound<'py, PyString>) -> Self {
        let Ok(utf8) = text.to_str() else {
            // A lone surrogate matches nothing.
            return Self::Decoded(text.to_string_lossy().as_bytes().to_vec());
        };
        match utf8.is_ascii() {
            true => Self::Text(text.clone()),
            false => Self::Decoded(wire_bytes(utf8)),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.to_str().unwrap_or_default().as_bytes(),
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Decoded(bytes) => bytes,
        }
    }
}

impl Headers for Found<'_, '_> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        for (found, value) in &self.0 {
            if found.names(name.as_str().as_bytes()) {
                each(value.as_bytes());
            }
        }
    }
}

impl<'p, 'py> Found<'p, 'py> {
    /// Finds the values in a dict (of `str` or lists of `str`), a WSGI environ, a framework's
    /// header object, or name-value pairs as in ASGI.
    ///
    /// Errors: `unreadable_headers`.
    #[inline]
    pub(crate) fn read(precheck: &'p Precheck, headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut found = Self(SmallVec::new());
        match headers.cast_exact::<PyDict>() {
            Ok(dict) => found.read_dict(precheck, dict).map_err(unreadable)?,
            Err(_) => found.read_object(precheck, headers).map_err(unreadable)?,
        }
        Ok(found)
    }

    fn read_dict(&mut self, precheck: &'p Precheck, dict: &Bound<'py, PyDict>) -> PyResult<()> {
        let mut lists = Vec::new();
        let OtherKeys(others) = matching(
            dict,
            |name| precheck.headers().find(|header| header.names(name)),
            |header, value| match Value::of(&value) {
                Some(value) => self.0.push((header, value)),
                None => lists.push((header, value)),
            },
        );
        for (header, list) in lists {
            self.take_value(header, &list)?;
        }
        if others {
            // Reading a list may run Python code, which may change the dict.
            for (name, value) in dict.iter().collect::<Vec<_>>() {
                if !name.is_exact_instance_of::<PyString>() {
                    self.take(precheck, &name, &value)?;
                }
            }
        }
        match self.0.is_empty() {
            true => self.read_gateway(precheck, dict),
            false => Ok(()),
        }
    }

    /// An ASGI scope; or names as in CGI (PEP 3333), where the values of a repeated header have
    /// been joined.
    fn read_gateway(&mut self, precheck: &'p Precheck, dict: &Bound<'py, PyDict>) -> PyResult<()> {
        if dict.contains("asgi")?
            && let Some(pairs) = dict.get_item("headers")?
        {
            return self.read_pairs(precheck, &pairs);
        }
        if !dict.contains("REQUEST_METHOD")? {
            return Ok(());
        }
        for name in precheck.headers() {
            let cgi = format!("HTTP_{}", name.as_str().to_ascii_uppercase()).replace('-', "_");
            if let Some(value) = dict.get_item(cgi)? {
                self.take_value(name, &value)?;
            }
        }
        Ok(())
    }

    /// `raw` has the bytes; `multi_items`, and `items` of a multi-dict, return each header as
    /// often as it was sent. An object with none of them is iterated over as pairs.
    fn read_object(&mut self, precheck: &'p Precheck, headers: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Some(raw) = headers.getattr_opt("raw")?
            && raw.is_instance_of::<PyList>()
        {
            return self.read_pairs(precheck, &raw);
        }
        let is_list = headers.is_instance_of::<PyList>() || headers.is_instance_of::<PyTuple>();
        let mut pairs = headers.clone();
        if !is_list {
            for method in ["multi_items", "items"] {
                if let Some(method) = headers.getattr_opt(method)? {
                    pairs = method.call0()?;
                    break;
                }
            }
        }
        self.read_pairs(precheck, &pairs)?;
        match headers.cast::<PyDict>() {
            Ok(dict) if self.0.is_empty() => self.read_gateway(precheck, dict),
            _ => Ok(()),
        }
    }

    fn read_pairs(&mut self, precheck: &'p Precheck, pairs: &Bound<'py, PyAny>) -> PyResult<()> {
        for pair in pairs.try_iter()? {
            let pair = pair?;
            let [name, value] = match pair.cast::<PyTuple>() {
                Ok(pair) => pair.extract::<[Bound<'py, PyAny>; 2]>()?,
                Err(_) => pair.cast::<PyList>()?.extract()?,
            };
            self.take(precheck, &name, &value)?;
        }
        Ok(())
    }

    /// Keeps the value if its name is one of those looked for. A name that is not a string is
    /// not a header.
    #[inline]
    fn take(
        &mut self,
        precheck: &'p Precheck,
        name: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let name = if let Ok(text) = name.cast::<PyString>() {
            text.to_str().unwrap_or_default().as_bytes()
        } else if let Ok(bytes) = name.cast::<PyBytes>() {
            bytes.as_bytes()
        } else {
            return Ok(());
        };
        match precheck.headers().find(|header| header.names(name)) {
            Some(header) => self.take_value(header, value),
            None => Ok(()),
        }
    }

    fn take_value(&mut self, name: &'p HeaderName, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Some(value) = Value::of(value) {
            self.0.push((name, value));
        } else if value.is_none() {
            // `headers.get(name)` returned it: the header is absent.
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            for value in value.try_iter()? {
                let value = value?;
                // Only one level, because a list could contain itself.
                match value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
                    true => self.take_value(name, &value)?,
                    false => return Err(NO_TEXT.into_error()),
                }
            }
        } else {
            return Err(NO_TEXT.into_error());
        }
        Ok(())
    }

    /// The same, readable while detached from Python.
    pub(crate) fn detached(&self) -> Vec<(&str, Vec<u8>)> {
        let own = |(name, value): &(&'p HeaderName, Value<'_>)| {
            (name.as_str(), value.as_bytes().to_vec())
        };
        self.0.iter().map(own).collect()
    }
}

/// All headers that are looked at, readable at any time and while detached from Python.
pub(crate) fn owned(
    precheck: &Precheck,
    headers: &Bound<'_, PyAny>,
) -> PyResult<Vec<(String, Vec<u8>)>> {
    let found = Found::read(precheck, headers)?;
    let own = |(name, value): (&str, Vec<u8>)| (name.to_owned(), value);
    Ok(found.detached().into_iter().map(own).collect())
}

/// The bytes on the wire of a header string.
pub(crate) fn wire_bytes(text: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = text.chars().map(|each| u8::try_from(each).ok()).collect();
    bytes.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// The header string for these bytes on the wire.
pub(crate) fn wire_text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

struct Unreadable(&'static str);

const NO_TEXT: Unreadable = Unreadable("a value is neither str nor bytes");
const NO_HEADERS: Unreadable = Unreadable("pass a dict, a framework's header object, or pairs");

impl Unreadable {
    fn into_error(self) -> PyErr {
        Failure::from(ConfigError::UnreadableHeaders { reason: self.0 }).into()
    }
}

/// Turns what an object raised when it was asked for headers into `unreadable_headers`; but
/// not Ctrl-C, and not an exception of this package, which says more.
fn unreadable(error: PyErr) -> PyErr {
    Python::attach(
        |py| match error.is_instance_of::<PyException>(py) && !is_ours(py, &error) {
            true => NO_HEADERS.into_error(),
            false => error,
        },
    )
}
