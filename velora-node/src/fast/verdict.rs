//! What a verified delivery is handed over as.

use std::io::Write;

use velora_core::{Delivery, Envelope, Key};

/// A body is copied, and its envelope read before anyone asks, if that costs next to
/// nothing: up to so many bytes.
const COPIED_BYTES: usize = 4096;

/// One text, a byte in each character: four lines, and the body behind a fifth line's
/// end where it was copied.
///
/// 1. The signed timestamp in milliseconds, or nothing; a comma; the secret's index.
/// 2. The first two of [`lines`], or nothing where the envelope was not read.
/// 3. The id.
/// 4. The key.
pub(crate) struct Verdict(Vec<u8>);

impl Verdict {
    /// The envelope is read if it is wanted, but none that cannot be: there is an error
    /// to be thrown to whoever asks for it.
    pub(crate) fn of(delivery: &Delivery<'_>, envelope: bool, copy: bool) -> Self {
        let body = delivery.body();
        let small = body.len() <= COPIED_BYTES;
        let mut text = Vec::with_capacity(if small { body.len() } else { 0 }.saturating_add(192));
        // Writing to memory does not fail.
        let _ = match delivery.signed_timestamp() {
            Some(time) => write!(text, "{},{}", time.as_millis(), delivery.secret_index()),
            None => write!(text, ",{}", delivery.secret_index()),
        };
        if !(envelope && small && push_envelope(&mut text, delivery)) {
            text.extend_from_slice(b"\n\n\n");
        }
        if copy && small {
            text.push(b'\n');
            text.extend_from_slice(body);
        }
        Self(text)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_text(self) -> String {
        self.0.into_iter().map(char::from).collect()
    }
}

/// Three lines, of texts that a byte in each character can hold, and a line each.
fn push_envelope(text: &mut Vec<u8>, delivery: &Delivery<'_>) -> bool {
    let (Ok(envelope), Ok(key)) = (delivery.event(), delivery.key()) else {
        return false;
    };
    let [mark, event_type, id, key] = lines(&envelope, &key);
    let fits = |line: &&str| line.is_ascii() && !line.contains('\n');
    if ![event_type, id, key].iter().all(fits) {
        return false;
    }
    for part in ["\n", mark, event_type, "\n", id, "\n", key] {
        text.extend_from_slice(part.as_bytes());
    }
    true
}

/// A mark (`0`: no type, `1`: a signed one, `2`: one of an unsigned header), the type, the
/// id, the key.
pub(super) fn lines<'e>(envelope: &'e Envelope, key: &'e Key) -> [&'e str; 4] {
    let (mark, event_type) = match &envelope.event_type {
        None => ("0", ""),
        Some(event_type) if envelope.type_is_signed => ("1", event_type.as_str()),
        Some(event_type) => ("2", event_type.as_str()),
    };
    let id = envelope.id.as_deref().unwrap_or_default();
    [mark, event_type, id, key.as_str()]
}
