//! Secrets that are never printed and are wiped when they are dropped.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::ConfigError;

/// The secret that a system signs its deliveries with.
///
/// The key of the MAC is the secret's own bytes: a secret that looks like hex
/// or base64 is not decoded. `Debug` shows nothing of it, there is no `Display`,
/// and its memory is wiped on drop.
///
/// ```
/// use velora_core::SigningSecret;
///
/// let secret = SigningSecret::new("0123456789abcdef0123456789abcdef")?;
/// assert_eq!(format!("{secret:?}"), "SigningSecret(..)");
/// # Ok::<(), velora_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SigningSecret(Zeroizing<Vec<u8>>);

impl SigningSecret {
    /// A secret that is text; its UTF-8 bytes are the key.
    ///
    /// Errors: `empty_secret`; `secret_has_whitespace` where the text starts or
    /// ends with white space, the usual trace of a careless copy.
    pub fn new(text: impl AsRef<str>) -> Result<Self, ConfigError> {
        let text = text.as_ref();
        if text.trim() != text {
            return Err(ConfigError::SecretHasWhitespace);
        }
        Self::from_bytes(text)
    }

    /// A secret that is raw bytes, taken as they are.
    ///
    /// Errors: `empty_secret`.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            return Err(ConfigError::EmptySecret);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// The one way out: the bytes, for keying a MAC.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}
