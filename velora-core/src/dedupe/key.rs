//! The identity that events are deduplicated on.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::spell::{escape, hex};

/// A longer key is replaced by its digest, so that it fits any store's column.
const MAX_BYTES: usize = 255;

/// The authenticated identity of an event: plain ASCII, at most 255 bytes.
///
/// `health:8b2e5c11-…:phi.read` is the scheme and the members that identify the
/// event; `billing:sha256=…` is the scheme and the body's digest. Two events of
/// different schemes never share a key.
///
/// ```
/// use velora_core::Key;
///
/// let delivered = Key::of_members("health", &["evt_1", "phi.read"]);
/// assert_eq!(delivered.as_str(), "health:evt_1:phi.read");
/// assert_ne!(delivered, Key::of_members("health", &["evt_1:phi.read"]));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of an event that these members of its body identify.
    pub fn of_members<T: AsRef<str>>(scheme: &str, members: &[T]) -> Self {
        let mut key = Members::of(scheme);
        for member in members {
            key.push(member.as_ref());
        }
        Self(key.into_text().into())
    }

    /// The key of an event that its raw body identifies.
    pub fn of_body(scheme: &str, body: &[u8]) -> Self {
        Self(text_of_body(scheme, body).into())
    }

    /// The text of the key, as stores keep it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key that was written down before, or one of the caller's own making.
impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// The text of a key that is still told its members.
pub(crate) struct Members<'s> {
    scheme: &'s str,
    text: String,
}

impl<'s> Members<'s> {
    pub(crate) fn of(scheme: &'s str) -> Self {
        let mut text = String::with_capacity(MAX_BYTES);
        escape(&mut text, scheme);
        Self { scheme, text }
    }

    pub(crate) fn push(&mut self, member: &str) {
        self.text.push(':');
        escape(&mut self.text, member);
    }

    pub(crate) fn into_text(self) -> String {
        if self.text.len() > MAX_BYTES {
            return text_of_body(self.scheme, self.text.as_bytes());
        }
        self.text
    }
}

/// The text of the key of an event that its raw body identifies.
pub(crate) fn text_of_body(scheme: &str, body: &[u8]) -> String {
    // `=` is always escaped in a member, so no member can look like a digest.
    let digest = Sha256::digest(body);
    let mut text = String::new();
    escape(&mut text, scheme);
    text.push_str(":sha256=");
    hex(&mut text, &digest);
    text
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.as_str())
    }
}
