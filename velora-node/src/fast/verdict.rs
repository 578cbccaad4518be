//! What a verified delivery is handed over as.

use velora_core::{Delivery, Envelope};

/// A body is copied, and its envelope read before anyone asks, up to so many bytes: of a
/// longer one the copy costs as much as verifying it once more.
const COPIED_BYTES: usize = 4096;

/// What a part of a verdict may have at most, for its length is one character.
const MOST_BYTES: usize = u8::MAX as usize;

/// One text, a byte in each character: four lengths, a mark (1 where there is a copy), and
/// then the parts of these lengths and the copy of the body.
///
/// 1. The signed timestamp in milliseconds, or nothing; a comma; the secret's index.
/// 2. The first two of [`lines`]; nothing where the envelope and the key were not both read.
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

    /// The verdict on this delivery, in the memory of the one before. The envelope is read
    /// if it is wanted, but none that cannot be: there is an error to be thrown to whoever
    /// asks for it.
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

/// Adds what a byte in each character can hold, and a character each length.
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

/// A mark (`0`: no type, `1`: a signed one, `2`: one of an unsigned header), the type, the
/// id, the key. The mark is empty where the envelope cannot be read, and so is the key.
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
