//! What a text says, and how it is written.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

/// What a value of a JSON text says, if it is a text itself: borrowed where it has no
/// escapes. `None` where an escape stands for half a character.
pub(crate) fn text_of(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    // Without a branch for each byte: most have none.
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
    let mut pieces = inner.split('\\');
    text.push_str(pieces.next()?);
    // Half of a character in UTF-16, until the other half comes.
    let mut high: Option<u32> = None;
    while let Some(piece) = pieces.next() {
        let mut rest = piece.chars();
        let unit = match rest.next() {
            Some('u') => {
                let unit = u32::from_str_radix(piece.get(1..5)?, 16).ok()?;
                rest = piece.get(5..)?.chars();
                unit
            }
            Some('b') => 0x08,
            Some('f') => 0x0c,
            Some('n') => 0x0a,
            Some('r') => 0x0d,
            Some('t') => 0x09,
            Some(other) => other.into(),
            // Two in a row: the piece between them is empty, the next one is plain.
            None => {
                rest = pieces.next()?.chars();
                '\\'.into()
            }
        };
        match (high.take(), unit) {
            (None, 0xd800..=0xdbff) => high = Some(unit),
            (None, _) => text.push(char::from_u32(unit)?),
            (Some(high), 0xdc00..=0xdfff) => {
                // Ten bits of each, above all that one unit can say.
                let pair = ((high & 0x3ff) << 10) | (unit & 0x3ff);
                text.push(char::from_u32(pair.wrapping_add(0x1_0000))?);
            }
            (Some(_), _) => return None,
        }
        if high.is_some() && !rest.as_str().is_empty() {
            return None;
        }
        text.push_str(rest.as_str());
    }
    high.is_none().then_some(text)
}

/// Adds a text as JSON has it.
#[cfg(feature = "client")]
pub(crate) fn quote(out: &mut String, text: &str) {
    out.push('"');
    for one in text.chars() {
        match one {
            '"' | '\\' => out.extend(['\\', one]),
            '\0'..' ' => {
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or_default();
                out.push_str("\\u00");
                out.extend([digit(u32::from(one) >> 4), digit(u32::from(one) & 15)]);
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
