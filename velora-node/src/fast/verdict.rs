//! The form in which a verified delivery is handed over.

use velora_core::{Delivery, Envelope};

/// Up to this many bytes, a body is copied and its envelope read in advance. For a longer
/// one, the copy costs as much as verifying it again.
const COPIED_BYTES: usize = 4096;

/// The most that a part of a verdict may have, because its length is one character.
const MOST_BYTES: usize = u8::MAX as usize;

/// One string with a byte in each character: four lengths, a mark (1 if there is a copy), then
/// the parts of these lengths, then the copy of the body.
///
/// 1. The signed timestamp in milliseconds, or nothing; a comma; the secret's index.
/// 2. The first two of [`lines`]; nothing unless both the envelope and the key were read.
/// 3. The id.
/// 4. The key.
#[derive(Default)]
pub(crate) struct Verdict(Vec<u8>);

impl Verdict {
    pub(crate) fn of(delivery: &Delivery<'_>, read: bool) -> Self {
        let mut verdict = Self::default();
        verdict.write(delivery, read);
        verdict
    }

    /// The verdict on this delivery, in the memory of the previous one. The envelope is read
    /// if it is wanted. If it cannot be read, it is left out: the error is thrown to whoever
    /// asks for it later.
    pub(super) fn write(&mut self, delivery: &Delivery<'_>, read: bool) -> &[u8] {
        let body = delivery.body();
        let read = read && body.len() <= COPIED_BYTES;
        let text = &mut self.0;
        text.clear();
        text.extend_from_slice(&[0, 0, 0, 0, u8::from(read)]);
        let mut digits = itoa::Buffer::new();
        if let Some(time) = delivery.signed_timestamp() {
            text.extend_from_slice(digits.format(time.as_millis()).as_bytes());
        }
        text.push(b',');
        text.extend_from_slice(digits.format(delivery.secret_index()).as_bytes());
        let signed = text.len().saturating_sub(5);
        text[0] = u8::try_from(signed).unwrap_or(u8::MAX);
        if read {
            push_envelope(text, delivery);
            text.extend_from_slice(body);
        }
        text
    }

    pub(crate) fn into_text(self) -> String {
        self.0.into_iter().map(char::from).collect()
    }
}

/// Adds text with a byte in each character, and each length as one character.
fn push_envelope(text: &mut Vec<u8>, delivery: &Delivery<'_>) {
    let Ok((Ok(envelope), Ok(key))) = Envelope::with_key(delivery) else {
        return;
    };
    let [mark, event_type, id, key] = lines(Some(&envelope), &key);
    let fits = |part: &&str| part.is_ascii() && part.len() < MOST_BYTES;
    if ![event_type, id, key].iter().all(fits) {
        return;
    }
    for (at, part) in [event_type, id, key].into_iter().enumerate() {
        let before = text.len();
        if at == 0 {
            text.extend_from_slice(mark.as_bytes());
        }
        text.extend_from_slice(part.as_bytes());
        let length = text.len().saturating_sub(before);
        text[at + 1] = u8::try_from(length).unwrap_or(u8::MAX);
    }
}

/// A mark (`0`: no type, `1`: a signed type, `2`: a type from an unsigned header), the type,
/// the id, the key. The mark is empty if the envelope cannot be read, and so is the key.
pub(super) fn lines<'e>(envelope: Option<&'e Envelope<'_>>, key: &'e str) -> [&'e str; 4] {
    let Some(envelope) = envelope else {
        return ["", "", "", key];
    };
    let (mark, event_type) = match &envelope.event_type {
        None => ("0", ""),
        Some(event_type) if envelope.type_is_signed => ("1", &**event_type),
        Some(event_type) => ("2", &**event_type),
    };
    let id = envelope.id.as_deref().unwrap_or_default();
    [mark, event_type, id, key]
}
