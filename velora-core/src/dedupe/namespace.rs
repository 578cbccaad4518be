//! What keeps the keys of several endpoints apart in one place.

use arrayvec::ArrayString;

use crate::error::ConfigError;

/// The name of one endpoint's keys.
pub(super) type Namespace = ArrayString<64>;

/// What a name is set behind. No key of a delivery begins so: there `=` stands behind a `:`
/// alone.
pub(super) const MARK: &str = "ns=";

/// So that no name runs into the key behind it, and each is one in any database.
pub(super) fn named(text: &str) -> Result<Namespace, ConfigError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match Namespace::from(text) {
        Ok(name) if !name.is_empty() && name.bytes().all(is_plain) => Ok(name),
        _ => Err(ConfigError::InvalidOption {
            option: "namespace",
            reason: "it must be 1 to 64 letters, digits, `.`, `_` or `-`",
        }),
    }
}
