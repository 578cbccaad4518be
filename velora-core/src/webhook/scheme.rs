//! What a system signs, and which headers carry the signature and the timestamp.

use std::borrow::Borrow;
#[cfg(feature = "full")]
use std::borrow::Cow;
#[cfg(feature = "full")]
use std::sync::Arc;

use super::headers::HeaderName;
use crate::error::ConfigError;
use crate::text::{Text, text};

/// How one system signs its deliveries: a plain value.
///
/// The schemes of the four systems come from [`Scheme::named`] or from the
/// system's own module. Describe a system of your own with [`Scheme::new`] and
/// the methods that follow. A scheme that cannot work is `invalid_scheme` when a
/// [`Verifier`](crate::Verifier) or [`Signer`](crate::Signer) is made from it.
///
/// ```
/// use velora_core::{Scheme, SignatureForm, SignedPayload, SigningSecret, TimeUnit, Verifier};
///
/// // Slack: `v0=<hex>` over `v0:<timestamp>:<body>`.
/// let slack = Scheme::new("slack", "X-Slack-Signature", SignatureForm::prefixed("v0="))
///     .timestamp_header("X-Slack-Request-Timestamp", TimeUnit::Seconds)
///     .signed_payload(SignedPayload::timestamped("v0:", ":"));
/// let verifier = Verifier::new(slack, [SigningSecret::new("8f742231b10e8888abcd99yyyzzz85a5")?])?;
/// # Ok::<(), velora_core::ConfigError>(())
/// ```
///
/// The MAC is always HMAC-SHA-256 in 64 lower-case hex digits.
///
/// Any body can be verified, but only a JSON object can be read as an event. For any other
/// body, such as a form, reading an event is `malformed_event`; let the handler take the
/// [`Delivery`](crate::Delivery) itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    pub(crate) name: Text,
    pub(crate) signature_header: Text,
    pub(crate) form: SignatureForm,
    pub(crate) timestamp_header: Option<(Text, TimeUnit)>,
    pub(crate) payload: SignedPayload,
    #[cfg(feature = "full")]
    pub(crate) handling: Handling,
}

/// How a delivery is handled after its verification.
#[cfg(feature = "full")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handling {
    pub(crate) identity: Identity,
    pub(crate) companions: &'static [Companion],
    pub(crate) reject_status: u16,
    pub(crate) client_errors_are_final: bool,
    /// Whether a caller described it, for a system of their own.
    pub(crate) own: bool,
}

/// The form of the signature header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureForm {
    /// `t=<seconds>,v1=<hex>[,v1=<hex>…]`: one timestamp, one or more signatures.
    List,
    /// A fixed text, which may be empty, then one `<hex>`.
    Prefixed(Text),
}

#[cfg(feature = "full")]
impl SignatureForm {
    /// `<prefix><hex>`, such as `sha256=<hex>`.
    pub fn prefixed(prefix: impl Into<Cow<'static, str>>) -> Self {
        Self::Prefixed(prefix.into())
    }

    /// The hex digits alone.
    pub fn bare() -> Self {
        Self::prefixed("")
    }
}

/// The unit of a timestamp header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds since the Unix epoch.
    Seconds,
    /// Milliseconds since the Unix epoch.
    Milliseconds,
}

/// The bytes under the MAC: the raw body, alone or behind the timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPayload(pub(crate) Option<(Text, Text)>);

#[cfg(feature = "full")]
impl SignedPayload {
    /// The raw body alone. A timestamp, if there is one, is not signed.
    pub fn body() -> Self {
        Self(None)
    }

    /// `<before><timestamp><after><body>`, with the timestamp as the header writes it.
    pub fn timestamped(
        before: impl Into<Cow<'static, str>>,
        after: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Some((before.into(), after.into())))
    }
}

/// What makes two deliveries the same event, from authenticated bytes alone.
#[cfg(feature = "full")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// These top-level members of the body, which must all be non-empty strings.
    Members(Cow<'static, [Cow<'static, str>]>),
    /// The SHA-256 of the raw body, where the system documents no id.
    BodyDigest,
}

/// A header outside the MAC that the system sends along.
#[cfg(feature = "full")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Companion {
    pub(crate) header: &'static str,
    pub(crate) value: CompanionValue,
}

#[cfg(feature = "full")]
impl Companion {
    pub(crate) const fn new(header: &'static str, value: CompanionValue) -> Self {
        Self { header, value }
    }
}

#[cfg(feature = "full")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CompanionValue {
    /// Repeats a member of the body: a delivery where it does not is refused.
    Repeats(&'static str),
    /// Names the event where the body may not: kept with the delivery, never trusted.
    Hint(&'static [&'static str]),
    /// Repeats the timestamp of the signature header.
    Timestamp,
    /// Tells nothing about the event; a signer writes this text.
    Fixed(&'static str),
}

// The schemes of the systems are constants, so what they need is `const`.
impl SignedPayload {
    pub(crate) const fn around(before: &'static str, after: &'static str) -> Self {
        Self(Some((text(before), text(after))))
    }
}

#[cfg(feature = "full")]
impl Identity {
    pub(crate) const fn of(members: &'static [Text]) -> Self {
        Self::Members(Cow::Borrowed(members))
    }
}

/// Longest fixed text in a signed payload: with 15 digits of timestamp the
/// whole prefix stays inside the first 64-byte block of the hash.
#[cfg(feature = "full")]
const MAX_PAYLOAD_TEXT: usize = 32;

/// Schemes of your own (feature `full`).
#[cfg(feature = "full")]
impl Scheme {
    /// A scheme that signs the body alone, without a timestamp.
    ///
    /// `name` appears in keys and logs, and must differ from the names of
    /// [`all`](Self::all). `signature_header` is case-insensitive.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        signature_header: impl Into<Cow<'static, str>>,
        form: SignatureForm,
    ) -> Self {
        Self {
            name: name.into(),
            signature_header: signature_header.into(),
            form,
            timestamp_header: None,
            payload: SignedPayload::body(),
            handling: Handling {
                identity: Identity::BodyDigest,
                companions: &[],
                reject_status: 401,
                client_errors_are_final: false,
                own: true,
            },
        }
    }

    /// Reads the timestamp from a header of its own.
    #[must_use]
    pub fn timestamp_header(mut self, name: impl Into<Cow<'static, str>>, unit: TimeUnit) -> Self {
        self.timestamp_header = Some((name.into(), unit));
        self
    }

    /// Sets what is under the MAC. The default is the body alone.
    #[must_use]
    pub fn signed_payload(mut self, payload: SignedPayload) -> Self {
        self.payload = payload;
        self
    }

    /// Sets what makes two deliveries the same event. The default is the body's digest.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.handling.identity = identity;
        self
    }

    /// Sets the HTTP status for refused deliveries, 400 to 599. The default is 401. For
    /// `malformed_event` it is always 500.
    #[must_use]
    pub fn reject_status(mut self, status: u16) -> Self {
        self.handling.reject_status = status;
        self
    }

    /// Declares that the sender does not send again after a 4xx. A body over the limit is
    /// then answered with 500 instead of 413.
    #[must_use]
    pub fn client_errors_are_final(mut self) -> Self {
        self.handling.client_errors_are_final = true;
        self
    }

    /// Whether its parts are consistent.
    fn check(&self) -> Result<(), ConfigError> {
        let invalid = |reason| Err(ConfigError::InvalidScheme { reason });
        let list = self.form == SignatureForm::List;
        if self.name.is_empty() {
            return invalid("its name is empty");
        }
        // The name decides how a system's event is read.
        if self.handling.own && Self::named(self.name()).is_ok() {
            return invalid("its name is a built-in system's");
        }
        if let Some((header, _)) = &self.timestamp_header {
            if list {
                return invalid("a list has its own timestamp; drop the timestamp header");
            }
            if header.eq_ignore_ascii_case(&self.signature_header) {
                return invalid("one header cannot carry the signature and the timestamp");
            }
        }
        if let Some((before, after)) = &self.payload.0 {
            if !list && self.timestamp_header.is_none() {
                return invalid("the timestamp is under the MAC, but no header carries it");
            }
            if before.len().saturating_add(after.len()) > MAX_PAYLOAD_TEXT {
                return invalid("the text around the timestamp is longer than 32 bytes");
            }
        }
        if let SignatureForm::Prefixed(prefix) = &self.form
            && !prefix.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return invalid("the signature's prefix is not visible ASCII");
        }
        if let Identity::Members(members) = &self.handling.identity
            && (members.is_empty() || members.iter().any(|member| member.is_empty()))
        {
            return invalid("the identity names no member of the body");
        }
        if !(400..=599).contains(&self.handling.reject_status) {
            return invalid("the status of a refusal is not 4xx or 5xx");
        }
        Ok(())
    }
}

impl Scheme {
    /// The scheme's name, such as `health`.
    pub fn name(&self) -> &str {
        Borrow::borrow(&self.name)
    }
}

/// A checked scheme: shared by several owners in a `full` build, otherwise made of constants.
#[cfg(feature = "full")]
pub(crate) type Shared = Arc<Checked>;
#[cfg(not(feature = "full"))]
pub(crate) type Shared = Checked;

/// A scheme whose parts have been checked against each other.
#[derive(Debug)]
#[cfg_attr(not(feature = "full"), derive(Clone))]
pub(crate) struct Checked {
    pub(crate) scheme: Scheme,
    pub(crate) signature_header: HeaderName,
    pub(crate) timestamp_header: Option<(HeaderName, TimeUnit)>,
    /// The headers to look at beside the signature: those that repeat or hint at a member.
    #[cfg(feature = "events")]
    pub(crate) watched: Vec<(HeaderName, CompanionValue)>,
}

impl Checked {
    pub(crate) fn shared(scheme: Scheme) -> Result<Shared, ConfigError> {
        #[cfg(feature = "full")]
        scheme.check()?;
        let checked = Self {
            signature_header: HeaderName::parse(Text::clone(&scheme.signature_header))?,
            timestamp_header: match &scheme.timestamp_header {
                Some((name, unit)) => Some((HeaderName::parse(Text::clone(name))?, *unit)),
                None => None,
            },
            #[cfg(feature = "events")]
            watched: watched(scheme.handling.companions)?,
            scheme,
        };
        #[cfg(feature = "full")]
        let checked = Arc::new(checked);
        Ok(checked)
    }
}

#[cfg(feature = "events")]
fn watched(companions: &[Companion]) -> Result<Vec<(HeaderName, CompanionValue)>, ConfigError> {
    let mut watched = Vec::new();
    for companion in companions {
        if let CompanionValue::Repeats(_) | CompanionValue::Hint(_) = companion.value {
            let name = HeaderName::parse(companion.header.into())?;
            watched.push((name, companion.value.clone()));
        }
    }
    Ok(watched)
}
