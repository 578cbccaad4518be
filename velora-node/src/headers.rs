//! Converts header values from JavaScript.

use std::borrow::Cow;

use velora_core::{HeaderName, Headers, Verifier};

/// The bytes that a header had on the wire.
///
/// Node and `fetch` show each byte as one character. A string with a character above U+00FF
/// cannot have come from there, and is taken as UTF-8.
pub(crate) fn wire_bytes(text: &str) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return Cow::Borrowed(text.as_bytes());
    }
    let bytes: Option<Vec<u8>> = text
        .chars()
        .map(|character| u8::try_from(u32::from(character)).ok())
        .collect();
    bytes.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}

/// The names of the headers that a verifier looks at, in its order.
pub(crate) fn names(verifier: &Verifier) -> Vec<String> {
    let headers = verifier.precheck().headers();
    headers.map(|name| name.as_str().to_owned()).collect()
}

/// The values of just the headers that a verifier looks at, in its order.
pub(crate) struct Values<'v> {
    verifier: &'v Verifier,
    values: Vec<Vec<Cow<'v, [u8]>>>,
}

impl<'v> Values<'v> {
    pub(crate) fn new(verifier: &'v Verifier, texts: &'v [Vec<String>]) -> Self {
        let bytes = |texts: &'v Vec<String>| texts.iter().map(|text| wire_bytes(text)).collect();
        Self {
            verifier,
            values: texts.iter().map(bytes).collect(),
        }
    }
}

impl Headers for Values<'_> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        let named = self.verifier.precheck().headers().zip(&self.values);
        for (_, values) in named.filter(|(known, _)| known.as_str() == name.as_str()) {
            values.iter().for_each(|value| each(value));
        }
    }
}
