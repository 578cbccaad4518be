//! Deliveries as the system would send them, for tests.

use std::borrow::Cow;
use std::fmt;

use super::fields::Outline;
use super::mac::{HashedSecret, Prefix, Secrets};
use super::precheck::Precheck;
use super::scheme::{CompanionValue, Scheme, Shared, SignatureForm, TimeUnit};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::error::ConfigError;
use crate::secret::SigningSecret;
use crate::spell::{decimal, hex};

/// Makes deliveries that are byte-identical to production: raw body and headers.
///
/// ```
/// use velora_core::{Scheme, Signer, SigningSecret, UnixTime};
///
/// let secret = SigningSecret::new("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")?;
/// let signer = Signer::new(Scheme::named("tv")?, [secret])?;
/// let signed = signer.sign_at(br#"{"id":"evt_1","n":1}"#, UnixTime::from_secs(1_717_423_320));
/// assert_eq!(
///     signed.header("X-Velora-Signature"),
///     Some("sha256=cfc3572bd1a826301b484d0426346b483691aa9a32b03327c48481d7f57edf30"),
/// );
/// # Ok::<(), velora_core::ConfigError>(())
/// ```
///
/// Source: CuraeAI, *Webhooks: Test deliveries* (`buildSignedWebhookRequest`).
#[derive(Clone)]
pub struct Signer {
    checked: Shared,
    secrets: Secrets,
}

impl Signer {
    /// A list (`t=…,v1=…`) is signed with every secret, as during a rotation.
    ///
    /// Errors: `invalid_scheme`; `no_secret`; `too_many_secrets` where the header carries
    /// one signature only.
    pub fn new(
        scheme: Scheme,
        secrets: impl IntoIterator<Item = SigningSecret>,
    ) -> Result<Self, ConfigError> {
        let secrets = secrets.into_iter();
        let secrets = secrets.map(|secret| HashedSecret::new(&secret));
        Self::of_hashed(&Precheck::new(scheme)?, secrets)
    }

    /// A signer with secrets that were hashed before, for the scheme of `precheck`.
    ///
    /// Errors: `no_secret`; `too_many_secrets`.
    pub fn of_hashed(
        precheck: &Precheck,
        secrets: impl IntoIterator<Item = HashedSecret>,
    ) -> Result<Self, ConfigError> {
        let checked = precheck.checked.clone();
        let secrets: Secrets = secrets.into_iter().collect();
        HashedSecret::are_enough(secrets.len())?;
        match (secrets.len(), &checked.scheme.form) {
            (1, _) | (_, SignatureForm::List) => Ok(Self { checked, secrets }),
            _ => Err(ConfigError::TooManySecrets {
                header: checked.signature_header.to_text(),
            }),
        }
    }

    /// The scheme that deliveries are signed for.
    pub fn scheme(&self) -> &Scheme {
        &self.checked.scheme
    }

    /// Signs the raw body as of now.
    pub fn sign(&self, body: impl AsRef<[u8]>) -> SignedDelivery {
        self.sign_at(body, SystemClock.now())
    }

    /// Signs the raw body as of `now`; a time before 1970 counts as 1970.
    ///
    /// Headers that repeat a member of the body are written if the body has it.
    pub fn sign_at(&self, body: impl AsRef<[u8]>, now: UnixTime) -> SignedDelivery {
        let body = body.as_ref();
        let scheme = &self.checked.scheme;
        let timestamp = match scheme.timestamp_header {
            Some((_, TimeUnit::Milliseconds)) => now.as_millis(),
            _ => now.as_secs(),
        };
        let timestamp = decimal(timestamp.max(0).unsigned_abs());

        let mut headers = vec![(
            String::from(&*scheme.signature_header),
            self.signature(&timestamp, body),
        )];
        if let Some((name, _)) = &scheme.timestamp_header {
            headers.push((String::from(&**name), timestamp.clone()));
        }
        let outline = Outline::read(body).ok();
        let member = |name: &str| outline.as_ref()?.peek_text(body, name);
        for companion in scheme.handling.companions {
            let value = match companion.value {
                CompanionValue::Timestamp => Some(Cow::Borrowed(timestamp.as_str())),
                CompanionValue::Fixed(text) => Some(Cow::Borrowed(text)),
                CompanionValue::Repeats(name) => member(name),
                CompanionValue::Hint(names) => names.iter().find_map(|name| member(name)),
            };
            // A control character would end the header and begin another one.
            if let Some(value) = value.filter(|value| !value.contains(char::is_control)) {
                headers.push((companion.header.to_owned(), value.into_owned()));
            }
        }
        SignedDelivery {
            body: body.to_vec(),
            headers,
        }
    }

    fn signature(&self, timestamp: &str, body: &[u8]) -> String {
        let scheme = &self.checked.scheme;
        let mut prefix = Prefix::EMPTY;
        if let Some((before, after)) = &scheme.payload.0 {
            for text in [before, timestamp, after] {
                // `Checked` limits both texts; a timestamp has 19 digits at most.
                let _ = prefix.push(text.as_bytes());
            }
        }
        let (before, between) = match &scheme.form {
            SignatureForm::Prefixed(text) => ([text, ""], ""),
            SignatureForm::List => (["t=", timestamp], ",v1="),
        };
        let mut header = before.concat();
        for secret in &*self.secrets {
            header.push_str(between);
            hex(&mut header, &secret.mac(&prefix, body).to_bytes());
        }
        header
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("scheme", &self.checked.scheme.name())
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// What a [`Signer`] made: send `body` with `headers`.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedDelivery {
    /// The raw body, unchanged.
    pub body: Vec<u8>,
    /// Names as the system writes them, and values.
    pub headers: Vec<(String, String)>,
}

impl SignedDelivery {
    /// The value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

impl fmt::Debug for SignedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedDelivery")
            .field("body_bytes", &self.body.len())
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}
