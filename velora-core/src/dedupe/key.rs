//! The identity that events are deduplicated on.

use std::fmt;
#[cfg(any(feature = "client", feature = "receiver"))]
use std::hash::DefaultHasher;
use std::sync::Arc;

use sha2::{Digest, Sha256};

#[cfg(any(feature = "client", feature = "receiver"))]
use crate::queue::{Hashed, hash_with};
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
        let room =
            |text: usize, member: &T| text.saturating_add(member.as_ref().len()).saturating_add(1);
        let mut text = String::with_capacity(members.iter().fold(scheme.len(), room));
        escape(&mut text, scheme);
        for member in members {
            text.push(':');
            escape(&mut text, member.as_ref());
        }
        if text.len() > MAX_BYTES {
            return Self::of_body(scheme, text.as_bytes());
        }
        Self(text.into())
    }

    /// The key of an event that its raw body identifies.
    pub fn of_body(scheme: &str, body: &[u8]) -> Self {
        // `=` is always escaped in a member, so no member can look like a digest.
        let digest = Sha256::digest(body);
        let mut text = String::new();
        escape(&mut text, scheme);
        text.push_str(":sha256=");
        hex(&mut text, &digest);
        Self(text.into())
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

#[cfg(any(feature = "client", feature = "receiver"))]
impl Hashed for Key {
    fn hashed(&self) -> u64 {
        hash_with(DefaultHasher::new(), self.as_str())
    }
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
