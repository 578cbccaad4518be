//! Numbers and bytes as texts: what formats anything at all would be a large part of what
//! an edge worker carries.

#[cfg(feature = "events")]
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a key and in a URL (RFC 3986).
#[cfg(feature = "events")]
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Adds the text percent-encoded (RFC 3986): all but letters, digits and `-._~`.
#[cfg(feature = "events")]
pub(crate) fn escape(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, ESCAPED));
}

/// Adds two lower-case hex digits for each byte.
#[cfg(feature = "events")]
pub(crate) fn hex(out: &mut String, bytes: &[u8]) {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    out.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
}

/// The number in decimal digits.
pub(crate) fn decimal(number: u64) -> String {
    let digit = |left: u64| char::from_digit((left % 10) as u32, 10);
    let mut digits: Vec<char> = digit(number).into_iter().collect();
    let mut left = number / 10;
    while left > 0 {
        digits.extend(digit(left));
        left /= 10;
    }
    digits.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_the_formatter_has_it(number in any::<u64>(), bytes in any::<Vec<u8>>(), small in 0..20_u64) {
            prop_assert_eq!(decimal(number), number.to_string());
            prop_assert_eq!(decimal(small), small.to_string());
            let mut text = String::new();
            hex(&mut text, &bytes);
            let formatted: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(text, formatted);
        }

        #[test]
        fn escaped_is_plain_and_says_the_same(text in any::<String>()) {
            let mut escaped = String::new();
            escape(&mut escaped, &text);
            prop_assert!(escaped.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            let decoded = percent_encoding::percent_decode_str(&escaped).decode_utf8().ok();
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
        }
    }
}
