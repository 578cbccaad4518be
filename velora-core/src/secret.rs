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
    /// Errors: `empty_secret`; `secret_has_whitespace` if the text starts or ends with
    /// white space, which usually comes from copy and paste.
    pub fn new(text: impl AsRef<str>) -> Result<Self, ConfigError> {
        of_text(text.as_ref()).map(Self::of)
    }

    /// A secret that is raw bytes, taken as they are.
    ///
    /// Errors: `empty_secret`.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        of_bytes(bytes.as_ref()).map(Self::of)
    }

    fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes of the secret: to key a MAC, or to store the secret of an endpoint that
    /// was just registered, which the system shows only once. Keep them out of logs.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

/// The bytes of a text that can be a secret.
pub(crate) fn of_text(text: &str) -> Result<&[u8], ConfigError> {
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(ConfigError::SecretHasWhitespace);
    }
    of_bytes(text.as_bytes())
}

/// Bytes that can be a secret.
pub(crate) fn of_bytes(bytes: &[u8]) -> Result<&[u8], ConfigError> {
    match bytes {
        [] => Err(ConfigError::EmptySecret),
        _ => Ok(bytes),
    }
}

/// The API key (or access token) that authorises a client's calls.
///
/// `Debug` shows nothing of it, there is no `Display`, and its memory is wiped on
/// drop. It is sent to the host of the client's base URL and to no other.
///
/// ```
/// use velora_core::ApiKey;
///
/// let key = ApiKey::new("vlk_live_0123abcd_0123456789abcdef0123456789abcdef")?;
/// assert_eq!(format!("{key:?}"), "ApiKey(..)");
/// assert_eq!(ApiKey::new("vlk live").unwrap_err().code().as_str(), "invalid_api_key");
/// # Ok::<(), velora_core::ConfigError>(())
/// ```
#[cfg(feature = "client")]
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

#[cfg(feature = "client")]
impl ApiKey {
    /// A key of any length and prefix: the vendors' descriptions of theirs differ.
    ///
    /// Errors: `invalid_api_key` if it is empty, or holds anything but visible ASCII,
    /// which a header could not carry.
    pub fn new(text: impl AsRef<str>) -> Result<Self, ConfigError> {
        let text = text.as_ref();
        let reason = match text {
            "" => "it is missing or empty",
            _ if text.contains(char::is_whitespace) => "it has white space; copy it again",
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => "it is not visible ASCII",
            _ => return Ok(Self(Zeroizing::new(text.to_owned()))),
        };
        Err(ConfigError::InvalidApiKey {
            reason: reason.into(),
        })
    }

    /// The key in an environment variable.
    ///
    /// Errors: `invalid_api_key`, also if the variable is not set.
    pub fn from_env(variable: &str) -> Result<Self, ConfigError> {
        match std::env::var(variable) {
            Ok(text) => Self::new(Zeroizing::new(text).as_str()),
            Err(_) => Err(ConfigError::InvalidApiKey {
                reason: format!("{variable} is not set, or not UTF-8").into(),
            }),
        }
    }

    /// Whether it is of a kind, which its first characters tell.
    pub(crate) fn starts_with(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }

    /// The one way out: the text, for the header that authorises a request.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "client")]
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}
