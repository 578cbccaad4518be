//! Verifiers. The host keeps them: the number of a scheme, a tolerance, hashed secrets.

use std::cell::Cell;

use velora_core::{ConfigError, Error, HashedSecret, Tolerance, UnixTime};

use crate::frame::{self, Items, Values};
use crate::{failure, scheme};

thread_local! {
    static INDEX: Cell<u32> = const { Cell::new(0) };
}

/// The flags with which the host describes the tolerance.
mod limit {
    pub(super) const GIVEN: u32 = 1;
    pub(super) const NONE: u32 = 2;
}

/// What comes after the secrets.
mod behind {
    pub(super) const BODY: u32 = 0;
    pub(super) const NOTHING: u32 = 1;
}

exports! {
    /// Hashes the secret in the frame, which is a string or bytes, and leaves the result in its
    /// place.
    ///
    /// Errors: `empty_secret`, `secret_has_whitespace`.
    fn hash_secret(length: usize, bytes: u32) -> f64 {
        failure::number(frame::with(|heard| {
            let secret = heard.get_mut(..length).unwrap_or_default();
            let hashed = match bytes {
                0 => HashedSecret::of_text(frame::text(secret)),
                _ => HashedSecret::of_bytes(secret),
            };
            secret.fill(0);
            frame::leave(heard, &hashed?.to_bytes());
            Ok::<_, ConfigError>(0.0)
        }))
    }

    /// The tolerance of a verifier with this many secrets, in milliseconds.
    ///
    /// Errors: `no_secret`, `invalid_tolerance`, `invalid_option`.
    fn verifier(secrets: usize, limit: u32, seconds: f64) -> f64 {
        let tolerance = HashedSecret::are_enough(secrets).and_then(|()| {
            let given = (limit & limit::GIVEN != 0).then_some(seconds);
            Tolerance::of_options(given, limit & limit::NONE != 0)
        });
        failure::number(tolerance.map(|tolerance| {
            tolerance.as_millis().map_or(NO_LIMIT, |millis| millis as f64)
        }))
    }

    /// Verifies the delivery in the frame: headers, hashed secrets, and what comes after them.
    /// That is the body, or one MAC for each secret; or nothing yet, in which case this leaves
    /// the signed payload's text before the body, and returns its length. Otherwise it returns
    /// the signed timestamp in milliseconds, or NaN if none is signed.
    fn verify(scheme: usize, tolerance: f64, headers: usize, secrets: usize, behind: usize, now: f64, what: u32) -> f64 {
        failure::number(frame::with(|heard| {
            let [headers, secrets, behind] = frame::parts(heard, [headers, secrets, behind]);
            let precheck = scheme::numbered(scheme)?;
            let values = Values { precheck: &precheck, items: Items(headers) };
            let (tolerance, now) = (within(tolerance), instant(now));
            let delivery = if what == behind::BODY {
                precheck.verify_within(tolerance, behind, &values, now, hashed(secrets))
            } else {
                let pending = precheck.check_within(tolerance, &values, now)?;
                if what == behind::NOTHING {
                    let prefix = pending.signed_prefix();
                    frame::leave(heard, prefix);
                    return Ok(prefix.len() as f64);
                }
                pending.accept(&[], behind.as_chunks().0)
            }?;
            INDEX.set(delivery.secret_index() as u32);
            let stamp = delivery.signed_timestamp();
            Ok::<_, Error>(stamp.map_or(f64::NAN, |time| time.as_millis() as f64))
        }))
    }

    /// Which secret matched last.
    fn secret_index() -> u32 {
        INDEX.get()
    }
}

/// Stands for no tolerance limit. Not NaN, so that an invalid number cannot mean this.
const NO_LIMIT: f64 = -1.0;

/// A tolerance of this many milliseconds.
pub(crate) fn within(millis: f64) -> Tolerance {
    if millis == NO_LIMIT {
        Tolerance::dangerous_no_tolerance()
    } else {
        Tolerance::from_millis(millis as u64)
    }
}

/// The hashed secrets, as `hash_secret` left them.
pub(crate) fn hashed(secrets: &[u8]) -> impl Iterator<Item = HashedSecret> {
    let (secrets, _) = secrets.as_chunks();
    secrets.iter().map(HashedSecret::from_bytes)
}

/// The instant of the host's clock; a value out of range becomes the first or last instant.
pub(crate) fn instant(millis: f64) -> UnixTime {
    UnixTime::from_millis(millis as i64)
}
