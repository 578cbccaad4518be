//! The checks in their order: headers, timestamp, age; then the MAC, whoever computes it.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Borrow;
use std::fmt;

#[cfg(feature = "events")]
use super::delivery::Watched;
use super::delivery::{Delivery, Rules};
use super::headers::{Found, HeaderName, Headers, find};
use super::mac::{HashedSecret, Mac, Prefix};
use super::scheme::{Checked, Scheme, Shared, TimeUnit};
use super::signature::{Candidates, MAX_HEADER_BYTES, parse, parse_timestamp};
use crate::clock::{Clock, SharedClock, Tolerance, UnixTime, system_clock};
use crate::error::{ConfigError, VerificationError};

/// The check without the hash: every rule of a [`Verifier`](crate::Verifier) but the MAC itself,
/// for hosts that compute HMAC-SHA-256 on their own (WebCrypto, a KMS, an HSM).
///
/// [`check`](Self::check) gives the bytes to put before the body; the host
/// computes one MAC for each of its secrets over `signed_prefix` and the raw
/// body; [`Pending::accept`] decides.
///
/// ```
/// # use hmac::{Hmac, KeyInit, Mac};
/// # fn host_hmac(prefix: &[u8], body: &[u8]) -> [u8; 32] {
/// #     let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"the host's own key").unwrap();
/// #     mac.update(prefix);
/// #     mac.update(body);
/// #     mac.finalize().into_bytes().into()
/// # }
/// use velora_core::{Precheck, Scheme, Signer, SigningSecret};
///
/// let signed = Signer::new(Scheme::named("curae")?, [SigningSecret::new("the host's own key")?])?
///     .sign(br#"{"eventType":"import.completed","eventId":"evt_1","data":{}}"#);
///
/// let precheck = Precheck::new(Scheme::named("curae")?)?;
/// let pending = precheck.check(&signed.headers)?;
/// let mac = host_hmac(pending.signed_prefix(), &signed.body);
/// let delivery = pending.accept(&signed.body, &[mac])?;
/// assert_eq!(delivery.body(), signed.body);
/// # Ok::<(), velora_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Precheck {
    pub(super) checked: Shared,
    pub(super) tolerance: Tolerance,
    pub(super) clock: SharedClock,
}

impl Precheck {
    /// The checks of a scheme, with the default tolerance and the system's clock.
    ///
    /// Errors: `invalid_scheme`.
    pub fn new(scheme: Scheme) -> Result<Self, ConfigError> {
        Ok(Self {
            checked: Checked::shared(scheme)?,
            tolerance: Tolerance::default(),
            clock: system_clock(),
        })
    }

    /// Sets the replay window.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The scheme that is checked.
    pub fn scheme(&self) -> &Scheme {
        &self.checked.scheme
    }

    /// The headers that are read; no other header can change a verdict. For hosts where reading
    /// a header is costly.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        let checked: &Checked = &self.checked;
        let timestamp = checked.timestamp_header.iter().map(|(name, _)| name);
        let headers = std::iter::once(&checked.signature_header).chain(timestamp);
        #[cfg(feature = "events")]
        let headers = headers.chain(checked.watched.iter().map(|(name, _)| name));
        headers
    }

    /// Verifies with hashed secrets that the host keeps, as of `now`.
    ///
    /// Errors: those of [`Verifier`](crate::Verifier).
    #[inline]
    pub fn verify_at<'b, H: Headers + ?Sized>(
        &'b self,
        body: &'b [u8],
        headers: &H,
        now: UnixTime,
        secrets: impl IntoIterator<Item: Borrow<HashedSecret>>,
    ) -> Result<Delivery<'b>, VerificationError> {
        self.verify_within(self.tolerance, body, headers, now, secrets)
    }

    /// Like [`verify_at`](Self::verify_at), within a tolerance that the host keeps too.
    ///
    /// Errors: those of [`Verifier`](crate::Verifier).
    #[inline]
    pub fn verify_within<'b, H: Headers + ?Sized>(
        &'b self,
        tolerance: Tolerance,
        body: &'b [u8],
        headers: &H,
        now: UnixTime,
        secrets: impl IntoIterator<Item: Borrow<HashedSecret>>,
    ) -> Result<Delivery<'b>, VerificationError> {
        let mut claims = Claims::NONE;
        self.claims(headers, now, tolerance, &mut claims)?;
        let secrets = secrets.into_iter();
        let macs = secrets.map(|secret| secret.borrow().mac(&claims.prefix, body));
        let secret_index = claims.matching(macs)?;
        Ok(Delivery::verified(
            Rules::Borrowed(&self.checked),
            body,
            claims.signed_timestamp,
            secret_index,
            #[cfg(feature = "events")]
            self.watch(headers),
        ))
    }

    /// Everything before the MAC, at the present time.
    ///
    /// Errors: those of [`Verifier`](crate::Verifier) but `signature_mismatch`.
    pub fn check<H: Headers + ?Sized>(
        &self,
        headers: &H,
    ) -> Result<Pending<'_>, VerificationError> {
        self.check_at(headers, self.clock.now())
    }

    /// Everything before the MAC, as of `now`.
    ///
    /// Errors: those of [`Verifier`](crate::Verifier) but `signature_mismatch`.
    pub fn check_at<H: Headers + ?Sized>(
        &self,
        headers: &H,
        now: UnixTime,
    ) -> Result<Pending<'_>, VerificationError> {
        self.check_within(self.tolerance, headers, now)
    }

    /// Like [`check_at`](Self::check_at), within a tolerance that the host keeps.
    ///
    /// Errors: those of [`Verifier`](crate::Verifier) but `signature_mismatch`.
    pub fn check_within<H: Headers + ?Sized>(
        &self,
        tolerance: Tolerance,
        headers: &H,
        now: UnixTime,
    ) -> Result<Pending<'_>, VerificationError> {
        let mut claims = Claims::NONE;
        self.claims(headers, now, tolerance, &mut claims)?;
        Ok(Pending {
            claims,
            #[cfg(feature = "events")]
            watched: self.watch(headers),
            checked: &self.checked,
        })
    }

    #[inline]
    fn claims<H: Headers + ?Sized>(
        &self,
        headers: &H,
        now: UnixTime,
        tolerance: Tolerance,
        claims: &mut Claims,
    ) -> Result<(), VerificationError> {
        let checked: &Checked = &self.checked;
        let raw = RawHeaders::read(checked, headers)?;
        let in_list = parse(
            &checked.scheme.form,
            &checked.signature_header,
            raw.signature,
            &mut claims.candidates,
        )?;

        let in_list = in_list.map(|text| (text, TimeUnit::Seconds));
        if let Some((text, unit)) = raw.timestamp.or(in_list) {
            let timestamp = parse_timestamp(text, unit)?;
            let timestamp = check_age(timestamp, unit, now, tolerance)?;
            if let Some((before, after)) = &checked.scheme.payload.0 {
                for part in [before.as_bytes(), text, after.as_bytes()] {
                    // `Checked` limits both texts, and 15 more digits still fit.
                    let pushed = claims.prefix.push(part);
                    pushed.ok_or(VerificationError::MalformedTimestamp { hint: None })?;
                }
                claims.signed_timestamp = Some(timestamp);
            }
        }
        Ok(())
    }

    #[cfg(feature = "events")]
    fn watch<H: Headers + ?Sized>(&self, headers: &H) -> Vec<Watched> {
        let mut watched = Vec::new();
        for (index, (name, _)) in self.checked.watched.iter().enumerate() {
            headers.each_value(name, &mut |value| {
                watched.push(Watched {
                    index,
                    value: value.into(),
                });
            });
        }
        watched
    }
}

/// A timestamp exactly the tolerance away passes. Seconds are compared as seconds: the sender
/// drops its fraction, so ours is dropped too.
#[inline]
fn check_age(
    timestamp: i64,
    unit: TimeUnit,
    now: UnixTime,
    tolerance: Tolerance,
) -> Result<UnixTime, VerificationError> {
    let now = now.as_millis();
    let (timestamp, now) = match unit {
        // 12 digits of seconds do not overflow.
        TimeUnit::Seconds => (
            timestamp.wrapping_mul(1_000),
            now.saturating_sub(now.rem_euclid(1_000)),
        ),
        TimeUnit::Milliseconds => (timestamp, now),
    };
    let age = now.saturating_sub(timestamp);
    let timestamp = UnixTime::from_millis(timestamp);
    let Some(tolerance) = tolerance.as_millis() else {
        return Ok(timestamp);
    };
    if age.unsigned_abs() <= tolerance {
        return Ok(timestamp);
    }
    let seconds = age.unsigned_abs().div_ceil(1_000);
    Err(if age > 0 {
        VerificationError::TimestampTooOld { seconds }
    } else {
        VerificationError::TimestampInFuture { seconds }
    })
}

impl fmt::Debug for Precheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Precheck")
            .field("scheme", &self.scheme().name())
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

/// A delivery whose headers have passed and whose MAC is still to be computed.
pub struct Pending<'p> {
    claims: Claims,
    #[cfg(feature = "events")]
    watched: Vec<Watched>,
    checked: &'p Shared,
}

impl<'p> Pending<'p> {
    /// The bytes under the MAC before the raw body; may be empty.
    pub fn signed_prefix(&self) -> &[u8] {
        self.claims.prefix.as_bytes()
    }

    /// The signatures that the header offers, for hosts that can only compare.
    pub fn candidates(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        self.claims.candidates.iter().map(|mac| mac.to_bytes())
    }

    /// Decides, given one MAC for each secret, in the order of the secrets.
    ///
    /// Errors: `signature_mismatch`.
    pub fn accept<'b>(
        self,
        body: &'b [u8],
        macs: &[[u8; 32]],
    ) -> Result<Delivery<'b>, VerificationError>
    where
        'p: 'b,
    {
        let secret_index = self.claims.matching(macs.iter().map(Mac::from_bytes))?;
        Ok(Delivery::verified(
            Rules::Borrowed(self.checked),
            body,
            self.claims.signed_timestamp,
            secret_index,
            #[cfg(feature = "events")]
            self.watched,
        ))
    }
}

impl fmt::Debug for Pending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("scheme", &self.checked.scheme.name())
            .finish_non_exhaustive()
    }
}

/// What the headers claim, to be proven by the MAC.
struct Claims {
    prefix: Prefix,
    candidates: Candidates,
    signed_timestamp: Option<UnixTime>,
}

impl Claims {
    /// Filled in place, because it is half a kilobyte.
    const NONE: Self = Self {
        prefix: Prefix::EMPTY,
        candidates: Candidates::new_const(),
        signed_timestamp: None,
    };

    /// The index of the first MAC that any candidate equals. Every candidate is compared, so
    /// that the time does not reveal which one it was.
    fn matching(&self, macs: impl Iterator<Item = Mac>) -> Result<usize, VerificationError> {
        for (index, mac) in macs.enumerate() {
            let mut matches = false;
            for candidate in &self.candidates {
                matches |= mac.matches(candidate);
            }
            if matches {
                return Ok(index);
            }
        }
        Err(VerificationError::SignatureMismatch)
    }
}

/// The one or two headers of a scheme, each present once and not too large.
struct RawHeaders<'h> {
    signature: &'h [u8],
    timestamp: Option<(&'h [u8], TimeUnit)>,
}

impl<'h> RawHeaders<'h> {
    fn read<H: Headers + ?Sized>(
        checked: &Checked,
        headers: &'h H,
    ) -> Result<Self, VerificationError> {
        let signature_name = &checked.signature_header;
        let signature = find(headers, signature_name);
        let timestamp = checked
            .timestamp_header
            .as_ref()
            .map(|(name, unit)| (name, find(headers, name), *unit));

        // Missing headers are reported first, then repeated ones, then sizes.
        present(&signature, signature_name)?;
        if let Some((name, found, _)) = &timestamp {
            present(found, name)?;
        }
        let signature = once(signature, signature_name)?;
        let timestamp = match timestamp {
            Some((name, found, unit)) => Some((name, once(found, name)?, unit)),
            None => None,
        };
        bounded(signature, signature_name)?;
        if let Some((name, value, _)) = timestamp {
            bounded(value, name)?;
        }
        Ok(Self {
            signature,
            timestamp: timestamp.map(|(_, value, unit)| (value, unit)),
        })
    }
}

fn present(found: &Found<'_>, name: &HeaderName) -> Result<(), VerificationError> {
    match found {
        Found::Missing => Err(VerificationError::MissingHeader {
            header: name.to_text(),
        }),
        Found::Once(_) | Found::Repeated => Ok(()),
    }
}

fn once<'h>(found: Found<'h>, name: &HeaderName) -> Result<&'h [u8], VerificationError> {
    match found {
        Found::Once(value) => Ok(value),
        Found::Missing | Found::Repeated => Err(VerificationError::DuplicateHeader {
            header: name.to_text(),
        }),
    }
}

fn bounded(value: &[u8], name: &HeaderName) -> Result<(), VerificationError> {
    if value.len() > MAX_HEADER_BYTES {
        return Err(VerificationError::HeaderTooLarge {
            header: name.to_text(),
        });
    }
    Ok(())
}
