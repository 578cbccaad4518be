//! Headers, in whatever a framework keeps them.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use smallvec::SmallVec;
use velora_core::{ConfigError, HeaderName, Headers, Precheck};

use crate::errors::{Failure, is_ours};
use crate::unchecked::{OtherKeys, matching};

/// The values of the headers that a verifier looks at, each as often as it was sent.
///
/// A scheme looks at up to three headers, each of which stands once.
pub(crate) struct Found<'p, 'py>(SmallVec<[(&'p HeaderName, Value<'py>); 4]>);

/// A value as the bytes it was on the wire.
enum Value<'py> {
    /// ASCII: its UTF-8 is what was sent.
    Text(Bound<'py, PyString>),
    Bytes(Bound<'py, PyBytes>),
    Decoded(Vec<u8>),
}

impl<'py> Value<'py> {
    /// A text or bytes. Python code has no part in it.
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

    /// Python shows the bytes of a header as ISO-8859-1, PEP 3333. What no header can
    /// hold is taken as UTF-8.
    fn of_text(text: &Bound<'py, PyString>) -> Self {
        let Ok(utf8) = text.to_str() else {
            // Half a surrogate pair: it matches nothing.
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
    /// Finds them in a dict (of texts or lists of texts), a WSGI environ, the header
    /// objects of the frameworks, or pairs as ASGI has them.
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
            // A list among them may run Python code when it is read, which may change the dict.
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

    /// A scope of ASGI; or names as CGI has them, PEP 3333, where one that was sent twice
    /// has been joined.
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

    /// `raw` has the bytes, `multi_items` and `items` of a multi-dict give each header as
    /// often as it was sent; what has none of them is asked for its pairs.
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

    /// Keeps the value if its name is one that is looked at. A name that is no text is
    /// no header.
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
            // What `headers.get(name)` gave: it is absent.
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            for value in value.try_iter()? {
                let value = value?;
                // One level alone, as a list could hold itself.
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

    /// The same, to be read without Python.
    pub(crate) fn detached(&self) -> Vec<(&str, Vec<u8>)> {
        let own = |(name, value): &(&'p HeaderName, Value<'_>)| {
            (name.as_str(), value.as_bytes().to_vec())
        };
        self.0.iter().map(own).collect()
    }
}

/// All headers that are looked at, to be read without Python and at any time.
pub(crate) fn owned(
    precheck: &Precheck,
    headers: &Bound<'_, PyAny>,
) -> PyResult<Vec<(String, Vec<u8>)>> {
    let found = Found::read(precheck, headers)?;
    let own = |(name, value): (&str, Vec<u8>)| (name.to_owned(), value);
    Ok(found.detached().into_iter().map(own).collect())
}

/// The bytes that a text of a header stands for.
pub(crate) fn wire_bytes(text: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = text.chars().map(|each| u8::try_from(each).ok()).collect();
    bytes.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// The text that stands for these bytes of a header.
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

/// Whatever an object raises when it is asked for headers. Ctrl-C is no such thing, and
/// what is one of ours already says more.
fn unreadable(error: PyErr) -> PyErr {
    Python::attach(
        |py| match error.is_instance_of::<PyException>(py) && !is_ours(py, &error) {
            true => NO_HEADERS.into_error(),
            false => error,
        },
    )
}
