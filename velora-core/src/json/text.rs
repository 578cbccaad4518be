//! Decodes and encodes JSON strings.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

#[cfg(feature = "client")]
use crate::spell::hex;

/// Decodes a JSON value that is a string; the result is borrowed if there are no escapes.
/// `None` if the value is not a string, or an escape is a lone surrogate.
pub(crate) fn text_of(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    // Without a branch for each byte: most strings have no escapes.
    let escaped = inner
        .iter()
        .fold(false, |found, byte| found | (*byte == b'\\'));
    let inner = str::from_utf8(inner).ok()?;
    if escaped {
        return unescaped(inner).map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    // The first half of a surrogate pair, until the other half comes.
    let mut high: Option<u32> = None;
    let mut rest = inner;
    loop {
        let escape = rest.bytes().position(|byte| byte == b'\\');
        let (plain, escape) = rest.split_at_checked(escape.unwrap_or(rest.len()))?;
        if high.is_some() && !plain.is_empty() {
            return None;
        }
        text.push_str(plain);
        let mut escape = escape.chars();
        if escape.next().is_none() {
            return high.is_none().then_some(text);
        }
        let unit = match escape.next()? {
            'u' => {
                let (digits, behind) = escape.as_str().split_at_checked(4)?;
                escape = behind.chars();
                u32::from_str_radix(digits, 16).ok()?
            }
            'b' => 0x08,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            other => other.into(),
        };
        match (high.take(), unit) {
            (None, 0xd800..=0xdbff) => high = Some(unit),
            (None, _) => text.push(char::from_u32(unit)?),
            (Some(high), 0xdc00..=0xdfff) => {
                // Ten bits of each half, above the range of a single unit.
                let pair = ((high & 0x3ff) << 10) | (unit & 0x3ff);
                text.push(char::from_u32(pair.wrapping_add(0x1_0000))?);
            }
            (Some(_), _) => return None,
        }
        rest = escape.as_str();
    }
}

/// Appends a string in JSON.
#[cfg(feature = "client")]
pub(crate) fn quote(out: &mut String, text: &str) {
    out.push('"');
    for one in text.chars() {
        match one {
            '"' | '\\' => out.extend(['\\', one]),
            '\0'..' ' => {
                out.push_str("\\u00");
                hex(out, &[one as u8]);
            }
            _ => out.push(one),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn says_what_a_parser_says(text in any::<String>(), units in prop::collection::vec(any::<u16>(), 0..4)) {
            let escaped = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(text_of(escaped.as_bytes()), Some(Cow::Borrowed(text.as_str())));
            let units: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let units = format!("\"{text}{units}\"", text = text.replace(['"', '\\'], ""));
            let said: Option<String> = serde_json::from_str(&units).ok();
            if !text.chars().any(|one| one < ' ') {
                prop_assert_eq!(text_of(units.as_bytes()), said.map(Cow::Owned));
            }
        }

        #[cfg(feature = "client")]
        #[test]
        fn a_parser_reads_what_is_written(text in "[\u{0}-\u{80}\u{d55c}\u{1f600}]{0,40}") {
            let mut quoted = String::new();
            quote(&mut quoted, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).ok(), Some(text));
        }
    }
}
