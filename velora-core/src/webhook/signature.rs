//! Parsing of the signature header and the timestamp: untrusted bytes.
//!
//! Total functions over any bytes; the fuzzers target them.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use arrayvec::ArrayVec;

use super::headers::{HeaderName, trim_blanks};
use super::mac::Mac;
use super::scheme::{SignatureForm, TimeUnit};
use crate::error::VerificationError;
use crate::text::{Reason, reason};

/// A header longer than this is not read.
pub(crate) const MAX_HEADER_BYTES: usize = 8 * 1024;

/// More `v1` values than any rotation needs; each costs a comparison.
const MAX_SIGNATURES: usize = 16;

/// The well-formed signatures of a header.
pub(crate) type Candidates = ArrayVec<Mac, MAX_SIGNATURES>;

/// Adds the signatures of a header, at least one, and returns the text of its `t`, which only a
/// list has.
pub(crate) fn parse<'h>(
    form: &SignatureForm,
    name: &HeaderName,
    value: &'h [u8],
    candidates: &mut Candidates,
) -> Result<Option<&'h [u8]>, VerificationError> {
    match form {
        SignatureForm::List => parse_list(name, value, candidates).map(Some),
        SignatureForm::Prefixed(prefix) => {
            let hex = trim_blanks(value).strip_prefix(prefix.as_bytes());
            let hex = hex.and_then(|hex| hex.try_into().ok());
            let mac = hex.and_then(decode_hex).ok_or_else(|| {
                malformed(
                    name,
                    reason("not the scheme's prefix and 64 lower-case hex digits"),
                )
            })?;
            let _ = candidates.try_push(mac);
            Ok(None)
        }
    }
}

/// `t=…,v1=…`: skips segments of other names, and `v1` values that are not 64 hex digits, so
/// that they never hide a valid one.
fn parse_list<'h>(
    name: &HeaderName,
    value: &'h [u8],
    candidates: &mut Candidates,
) -> Result<&'h [u8], VerificationError> {
    let mut timestamp = None;
    let mut timestamps = 0_usize;
    let mut signatures = 0_usize;

    let mut left = Some(value);
    while let Some(value) = left {
        let value = trim_blanks(value);
        if value.starts_with(SIGNATURE) {
            signatures = signatures.saturating_add(1);
            if signatures > MAX_SIGNATURES {
                return Err(VerificationError::HeaderTooLarge {
                    header: name.to_text(),
                });
            }
        }
        if let Some((mac, after)) = signature(value) {
            left = after;
            // Each was counted above, so there is room.
            let _ = candidates.try_push(mac);
            continue;
        }
        let comma = value.iter().position(|byte| *byte == b',');
        let (segment, after) = value.split_at(comma.unwrap_or(value.len()));
        left = after.split_first().map(|(_, after)| after);
        if let Some(text) = trim_blanks(segment).strip_prefix(b"t=") {
            timestamps = timestamps.saturating_add(1);
            timestamp = Some(text);
        }
    }

    if timestamps > 1 {
        return Err(malformed(name, reason("two `t`")));
    }
    let timestamp = timestamp.ok_or_else(|| malformed(name, reason("no `t`")))?;
    if candidates.is_empty() {
        let reason = reason("no `v1` of 64 lower-case hex digits");
        return Err(malformed(name, reason));
    }
    Ok(timestamp)
}

fn malformed(name: &HeaderName, reason: Reason) -> VerificationError {
    VerificationError::MalformedHeader {
        header: name.to_text(),
        reason,
    }
}

const SIGNATURE: &[u8] = b"v1=";

/// The MAC of the first segment if it is a well-formed `v1`, and what follows its comma, if it
/// has one. Hex digits contain no comma, so its end need not be searched for.
fn signature(value: &[u8]) -> Option<(Mac, Option<&[u8]>)> {
    let (hex, after) = value.strip_prefix(SIGNATURE)?.split_first_chunk::<64>()?;
    let after = match trim_blanks(after) {
        [] => None,
        [b',', after @ ..] => Some(after),
        _ => return None,
    };
    Some((decode_hex(hex)?, after))
}

/// Lower-case hex digits only, eight at a time, without a branch on any of them.
fn decode_hex(hex: &[u8; 64]) -> Option<Mac> {
    /// The same byte in all eight places.
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    let (chunks, _) = hex.as_chunks::<8>();
    let mut words = [0_u32; 8];
    let mut valid = each(0x80);
    for (word, chunk) in words.iter_mut().zip(chunks) {
        let digits = u64::from_le_bytes(*chunk);
        // Bit 7 of each byte says whether it is at least `least`. A byte that is not
        // ASCII spoils its neighbour's bit, but is itself refused by `!digits`.
        let from = |least: u8| digits.wrapping_add(each(0x80_u8.wrapping_sub(least)));
        let number = from(b'0') & !from(b'9' + 1);
        let letter = from(b'a') & !from(b'f' + 1);
        valid &= (number | letter) & !digits;

        // A letter has bit 6 set, and counts nine more than its low half.
        let letters = (digits >> 6) & each(1);
        let halves = (digits & each(0x0f)).wrapping_add(letters.wrapping_mul(9));
        // The first digit is the lowest byte here, and the highest half of the word.
        let bytes = ((halves << 4) | (halves >> 8)) & 0x00ff_00ff_00ff_00ff;
        let pairs = (bytes | (bytes >> 8)) & 0x0000_ffff_0000_ffff;
        *word = ((pairs | (pairs >> 16)) as u32).swap_bytes();
    }
    (valid == each(0x80)).then_some(Mac(words))
}

/// A plain decimal number: `0`, or digits without a leading zero. At most 12
/// digits of seconds, or the same span in milliseconds.
pub(crate) fn parse_timestamp(text: &[u8], unit: TimeUnit) -> Result<i64, VerificationError> {
    let max_digits = match unit {
        TimeUnit::Seconds => 12,
        TimeUnit::Milliseconds => 15,
    };
    let mut number = 0_i64;
    let mut all_digits = true;
    for byte in text.iter().take(max_digits) {
        let digit = byte.wrapping_sub(b'0');
        all_digits &= digit < 10;
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    let plain = matches!(text, [b'0'] | [b'1'..=b'9', ..]);
    if plain && all_digits && text.len() <= max_digits {
        return Ok(number);
    }
    let millis =
        unit == TimeUnit::Seconds && text.len() == 13 && text.iter().all(u8::is_ascii_digit);
    Err(VerificationError::MalformedTimestamp {
        hint: millis.then_some(reason(
            "; 13 digits look like milliseconds, this scheme uses seconds",
        )),
    })
}
