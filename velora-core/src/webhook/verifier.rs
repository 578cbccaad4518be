//! Verifies deliveries of one scheme with the secrets it holds.

use std::fmt;
#[cfg(feature = "full")]
use std::sync::Arc;

use super::delivery::Delivery;
use super::headers::Headers;
use super::mac::{HashedSecret, Secrets};
use super::precheck::Precheck;
use super::scheme::Scheme;
use crate::clock::{Clock, Tolerance, UnixTime};
use crate::error::{ConfigError, VerificationError};
use crate::secret::SigningSecret;

/// Verifies deliveries of one scheme under one or more secrets.
///
/// Create it once and keep it, because creating it computes the keyed hash state. Cloning
/// is cheap, and a verifier can be shared between threads. The caller always names the
/// scheme; it is never guessed from a header. During a rotation give both secrets; either
/// may match.
///
/// The checks run in this order, and the first failure is the error: `missing_header`,
/// `duplicate_header`, `header_too_large`, `malformed_header`,
/// `malformed_timestamp`, `timestamp_too_old`, `timestamp_in_future`,
/// `signature_mismatch`. The body is not parsed before its MAC has held.
///
/// ```
/// use velora_core::{Scheme, SigningSecret, UnixTime, Verifier};
///
/// let secret = SigningSecret::new("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")?;
/// let verifier = Verifier::new(Scheme::named("health")?, [secret])?;
///
/// let body = br#"{"id":"evt_1","n":1}"#;
/// let headers = [(
///     "X-Velora-Signature",
///     "t=1717423320,v1=eee5b5f8d76f97b123cfe84749225d48e0db85f730646189af34cdbe2f904f46",
/// )];
/// let now = UnixTime::from_secs(1_717_423_400);
/// let delivery = verifier.verify_at(body, &headers, now)?;
/// assert_eq!(delivery.body(), body);
///
/// let forged = verifier.verify_at(br#"{"id":"evt_2","n":1}"#, &headers, now);
/// assert_eq!(forged.unwrap_err().code().as_str(), "signature_mismatch");
/// # Ok::<(), velora_core::Error>(())
/// ```
///
/// Sources: Velora Health, *Webhooks: Verify the signature*; Velora Billing,
/// *API + Webhooks: Verifying signatures*; CuraeAI, *Webhooks: Verify every
/// delivery*; Velora TV, *Webhooks: Verifying Signatures*.
#[derive(Clone)]
pub struct Verifier {
    precheck: Precheck,
    secrets: Secrets,
}

impl Verifier {
    /// A verifier with the default tolerance (300 s) and the [`SystemClock`](crate::SystemClock).
    ///
    /// Errors: `invalid_scheme`, `no_secret`.
    pub fn new(
        scheme: Scheme,
        secrets: impl IntoIterator<Item = SigningSecret>,
    ) -> Result<Self, ConfigError> {
        let secrets = secrets.into_iter();
        Self::of_hashed(
            Precheck::new(scheme)?,
            secrets.map(|secret| HashedSecret::new(&secret)),
        )
    }

    /// A verifier with secrets that were hashed before; scheme, tolerance and clock are
    /// those of `precheck`.
    ///
    /// Errors: `no_secret`.
    pub fn of_hashed(
        precheck: Precheck,
        secrets: impl IntoIterator<Item = HashedSecret>,
    ) -> Result<Self, ConfigError> {
        let secrets: Secrets = secrets.into_iter().collect();
        HashedSecret::are_enough(secrets.len())?;
        Ok(Self { precheck, secrets })
    }

    /// Sets the replay window.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
        self.precheck.tolerance = tolerance;
        self
    }

    /// Sets the clock that [`verify`](Self::verify) reads.
    #[cfg(feature = "full")]
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.precheck.clock = Arc::new(clock);
        self
    }

    /// The checks before the MAC, for hosts that compute the MAC themselves.
    pub fn precheck(&self) -> &Precheck {
        &self.precheck
    }

    /// The scheme that deliveries are verified against.
    pub fn scheme(&self) -> &Scheme {
        self.precheck.scheme()
    }

    /// Verifies the raw body, exactly as received, at the present time.
    ///
    /// Errors: see [`Verifier`].
    pub fn verify<'b, H: Headers + ?Sized>(
        &'b self,
        body: &'b [u8],
        headers: &H,
    ) -> Result<Delivery<'b>, VerificationError> {
        self.verify_at(body, headers, self.precheck.clock.now())
    }

    /// Verifies the raw body, exactly as received, as of `now`.
    ///
    /// Errors: see [`Verifier`].
    pub fn verify_at<'b, H: Headers + ?Sized>(
        &'b self,
        body: &'b [u8],
        headers: &H,
        now: UnixTime,
    ) -> Result<Delivery<'b>, VerificationError> {
        self.precheck.verify_at(body, headers, now, &*self.secrets)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.scheme().name())
            .field("secrets", &self.secrets.len())
            .field("tolerance", &self.precheck.tolerance)
            .finish_non_exhaustive()
    }
}
