//! Reads headers from whatever type the host keeps them in.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};

use crate::error::ConfigError;
use crate::text::{Header, Text, header};

/// A header's name, checked once and compared without regard to case.
#[derive(Clone, Debug)]
pub struct HeaderName {
    text: Text,
    #[cfg(feature = "http")]
    http: http::HeaderName,
}

impl HeaderName {
    /// Errors: `invalid_scheme` if the text is not a header name.
    pub(crate) fn parse(text: Text) -> Result<Self, ConfigError> {
        #[cfg(feature = "full")]
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(INVALID);
        }
        Ok(Self {
            #[cfg(feature = "http")]
            http: text.parse().map_err(|_| INVALID)?,
            text,
        })
    }

    /// The name as its system writes it.
    pub fn as_str(&self) -> &str {
        Borrow::borrow(&self.text)
    }

    pub(crate) fn to_text(&self) -> Header {
        header(&self.text)
    }

    /// Whether this is the same name, in whatever case.
    pub fn names(&self, other: &[u8]) -> bool {
        self.text.as_bytes().eq_ignore_ascii_case(other)
    }
}

#[cfg(any(feature = "full", feature = "http"))]
const INVALID: ConfigError = ConfigError::InvalidScheme {
    reason: "a header name has an invalid character",
};

/// RFC 9110, section 5.6.2.
#[cfg(feature = "full")]
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The headers of a request.
///
/// Implemented for `http::HeaderMap` (feature `http`), for slices, arrays and
/// vectors of pairs, and for `HashMap` and `BTreeMap`, with names and values that
/// are text or bytes. Names are found in any case. Pairs and `HeaderMap` show a
/// header that was sent twice; a map that has already joined or dropped one
/// cannot, so prefer the former.
pub trait Headers {
    /// Calls `each` with every value of the header `name`, in the order received.
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8]));
}

impl<H: Headers + ?Sized> Headers for &H {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        (**self).each_value(name, each);
    }
}

#[cfg(feature = "http")]
const FEW_HEADERS: usize = 32;

#[cfg(feature = "http")]
impl Headers for http::HeaderMap {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        // Comparing a few dozen names costs less than hashing one.
        if self.len() > FEW_HEADERS {
            self.get_all(&name.http)
                .iter()
                .for_each(|value| each(value.as_bytes()));
            return;
        }
        for (key, value) in self {
            if *key == name.http {
                each(value.as_bytes());
            }
        }
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        each_match(self.iter().map(|(key, value)| (key, value)), name, each);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const LEN: usize> Headers for [(N, V); LEN] {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        self.as_slice().each_value(name, each);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        self.as_slice().each_value(name, each);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, S> Headers for HashMap<N, V, S> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        each_match(self.iter(), name, each);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for BTreeMap<N, V> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        each_match(self.iter(), name, each);
    }
}

fn each_match<'h, N: AsRef<[u8]> + 'h, V: AsRef<[u8]> + 'h>(
    pairs: impl Iterator<Item = (&'h N, &'h V)>,
    name: &HeaderName,
    each: &mut dyn FnMut(&'h [u8]),
) {
    for (key, value) in pairs {
        if name.names(key.as_ref()) {
            each(value.as_ref());
        }
    }
}

/// How often a header occurs in a request, and its value if it occurs once.
pub(crate) enum Found<'h> {
    Missing,
    Once(&'h [u8]),
    Repeated,
}

pub(crate) fn find<'h, H: Headers + ?Sized>(headers: &'h H, name: &HeaderName) -> Found<'h> {
    let mut found = Found::Missing;
    headers.each_value(name, &mut |value| {
        found = match found {
            Found::Missing => Found::Once(value),
            Found::Once(_) | Found::Repeated => Found::Repeated,
        };
    });
    found
}

/// The value without the blanks (space, tab) around it.
pub(crate) fn trim_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
