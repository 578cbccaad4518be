//! Numbers and bytes as texts: what formats anything at all would be a large part of what
//! an edge worker carries.

/// What stays as it is in a key and in a URL (RFC 3986), by byte.
#[cfg(feature = "events")]
const READABLE: [bool; 256] = {
    let mut readable = [false; 256];
    let mut byte = 0;
    while byte < readable.len() {
        readable[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    readable
};

/// Adds the text percent-encoded (RFC 3986): all but letters, digits and `-._~`.
#[cfg(feature = "events")]
pub(crate) fn escape(out: &mut String, text: &str) {
    let readable = |byte| READABLE[usize::from(byte)];
    // In most texts there is nothing to encode. Without a branch for each byte.
    if text.bytes().fold(true, |all, byte| all & readable(byte)) {
        return out.push_str(text);
    }
    for byte in text.bytes() {
        if readable(byte) {
            out.push(char::from(byte));
            continue;
        }
        let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
        out.push('%');
        out.extend(
            digits
                .into_iter()
                .flatten()
                .map(|digit| digit.to_ascii_uppercase()),
        );
    }
}

/// Adds two lower-case hex digits for each byte.
#[cfg(feature = "events")]
pub(crate) fn hex(out: &mut String, bytes: &[u8]) {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    out.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
}

/// The number in decimal digits.
pub(crate) fn decimal(number: u64) -> String {
    let mut digits = match number / 10 {
        0 => String::new(),
        before => decimal(before),
    };
    digits.extend(char::from_digit((number % 10) as u32, 10));
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_readable_is_not_escaped() {
        let readable: String = (' '..='~')
            .filter(|one| one.is_alphanumeric() || "-._~".contains(*one))
            .collect();
        let mut escaped = String::new();
        escape(&mut escaped, &readable);
        assert_eq!(escaped, readable);
    }

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
            prop_assert!(escaped.split('%').skip(1).all(|rest| rest.get(..2).is_some_and(|digits| !digits.contains(char::is_lowercase))));
            let decoded = percent_encoding::percent_decode_str(&escaped).decode_utf8().ok();
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
        }
    }
}
