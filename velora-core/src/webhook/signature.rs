//! Parsing of the signature header and the timestamp: untrusted bytes.
//!
//! Total functions over any bytes at all, and the targets of the fuzzers.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::headers::{HeaderName, trim_blanks};
use super::mac::Mac;
use super::scheme::{SignatureForm, TimeUnit};
use crate::error::VerificationError;

/// A header longer than this is not looked at.
pub(crate) const MAX_HEADER_BYTES: usize = 8 * 1024;

/// More `v1` values than any rotation needs; each costs a comparison.
const MAX_SIGNATURES: usize = 16;

/// What a signature header says, before anything of it is trusted.
pub(crate) struct Parsed<'h> {
    /// The text of `t`; only a list has one.
    pub(crate) timestamp: Option<&'h [u8]>,
    pub(crate) candidates: Candidates,
}

/// The well-formed signatures of a header; the first needs no allocation.
pub(crate) struct Candidates {
    pub(crate) first: Mac,
    pub(crate) others: Vec<Mac>,
}

impl Candidates {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mac> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

pub(crate) fn parse<'h>(
    form: &SignatureForm,
    name: &HeaderName,
    value: &'h [u8],
) -> Result<Parsed<'h>, VerificationError> {
    match form {
        SignatureForm::List => parse_list(name, value),
        SignatureForm::Prefixed(prefix) => {
            let hex = trim_blanks(value).strip_prefix(prefix.as_bytes());
            let first = hex.and_then(decode_hex).ok_or_else(|| {
                malformed(name, "not the scheme's prefix and 64 lower-case hex digits")
            })?;
            Ok(Parsed {
                timestamp: None,
                candidates: Candidates {
                    first,
                    others: Vec::new(),
                },
            })
        }
    }
}

/// `t=…,v1=…`: segments of other names, and `v1` values that are not 64 hex
/// digits, are skipped, so that they never hide a valid one.
fn parse_list<'h>(name: &HeaderName, value: &'h [u8]) -> Result<Parsed<'h>, VerificationError> {
    let mut timestamp = None;
    let mut timestamps = 0_usize;
    let mut signatures = 0_usize;
    let mut first = None;
    let mut others = Vec::new();

    for segment in value.split(|byte| *byte == b',') {
        let segment = trim_blanks(segment);
        if let Some(hex) = segment.strip_prefix(b"v1=") {
            signatures = signatures.saturating_add(1);
            if signatures > MAX_SIGNATURES {
                return Err(VerificationError::HeaderTooLarge {
                    header: name.to_text(),
                });
            }
            match (decode_hex(hex), first.is_some()) {
                (Some(mac), false) => first = Some(mac),
                (Some(mac), true) => others.push(mac),
                (None, _) => {}
            }
        } else if let Some(text) = segment.strip_prefix(b"t=") {
            timestamps = timestamps.saturating_add(1);
            timestamp = Some(text);
        }
    }

    if timestamps > 1 {
        return Err(malformed(name, "two `t`"));
    }
    if timestamp.is_none() {
        return Err(malformed(name, "no `t`"));
    }
    let first = first.ok_or_else(|| malformed(name, "no `v1` of 64 lower-case hex digits"))?;
    Ok(Parsed {
        timestamp,
        candidates: Candidates { first, others },
    })
}

fn malformed(name: &HeaderName, reason: &'static str) -> VerificationError {
    VerificationError::MalformedHeader {
        header: name.to_text(),
        reason,
    }
}

/// Exactly 64 lower-case hex digits. Without a branch on any digit, so that the
/// compiler can decode them side by side.
fn decode_hex(hex: &[u8]) -> Option<Mac> {
    let hex: &[u8; 64] = hex.try_into().ok()?;
    let mut nibbles = [0_u8; 64];
    let mut all_valid = true;
    for (nibble, byte) in nibbles.iter_mut().zip(hex) {
        let digit = byte.wrapping_sub(b'0');
        let letter = byte.wrapping_sub(b'a');
        all_valid &= (digit < 10) | (letter < 6);
        *nibble = if digit < 10 {
            digit
        } else {
            letter.wrapping_add(10)
        };
    }
    let mut bytes = [0_u8; 32];
    let (pairs, _) = nibbles.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (high << 4) | (low & 0x0f);
    }
    all_valid.then(|| Mac::from_bytes(&bytes))
}

/// A plain decimal number: `0`, or digits without a leading zero. At most 12
/// digits of seconds, or the same span in milliseconds.
pub(crate) fn parse_timestamp(text: &[u8], unit: TimeUnit) -> Result<i64, VerificationError> {
    let max_digits = match unit {
        TimeUnit::Seconds => 12,
        TimeUnit::Milliseconds => 15,
    };
    let plain = matches!(text, [b'0'] | [b'1'..=b'9', ..])
        && text.iter().all(u8::is_ascii_digit)
        && text.len() <= max_digits;
    if !plain {
        let millis =
            unit == TimeUnit::Seconds && text.len() == 13 && text.iter().all(u8::is_ascii_digit);
        return Err(VerificationError::MalformedTimestamp {
            hint: millis.then_some("; 13 digits look like milliseconds, this scheme has seconds"),
        });
    }
    Ok(text.iter().fold(0_i64, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        number.wrapping_mul(10).wrapping_add(i64::from(digit))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_of(text: &[u8]) -> Option<&'static str> {
        match parse_timestamp(text, TimeUnit::Seconds) {
            Err(VerificationError::MalformedTimestamp { hint }) => hint,
            _ => None,
        }
    }

    #[test]
    fn hints_at_milliseconds_for_thirteen_digits_only() {
        assert!(hint_of(b"1717423320000").is_some());
        assert!(hint_of(b"171742332000x").is_none());
        assert!(hint_of(b"17174233200000").is_none());
        assert!(hint_of(b"x").is_none());
    }

    #[test]
    fn hex_maps_every_digit() {
        let hex = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let mac = decode_hex(hex).map(Mac::to_bytes);
        let expected = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].repeat(4);
        assert_eq!(mac.map(|mac| mac.to_vec()), Some(expected));
    }

    #[test]
    fn hex_refuses_every_other_byte() {
        for byte in 0..=u8::MAX {
            let mut hex = [b'0'; 64];
            hex[17] = byte;
            let valid = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            assert_eq!(decode_hex(&hex).is_some(), valid, "byte {byte:#x}");
        }
    }
}
