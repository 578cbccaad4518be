//! Verifiers, and what can be read of a delivery.

use std::cell::Cell;
use std::rc::Rc;

use velora_core::{ConfigError, Error, Tolerance, UnixTime, VerificationError, Verifier};

use crate::frame::{self, Items, Values};
use crate::{failure, handles, scheme};

const MAC: usize = 32;

thread_local! {
    static INDEX: Cell<u32> = const { Cell::new(0) };
}

/// A verifier that the host holds.
pub(crate) struct Held {
    pub(crate) verifier: Verifier,
    /// For deliveries whose age was found right before: they do not age while they are
    /// worked on.
    #[cfg(feature = "receiver")]
    pub(crate) again: Verifier,
}

/// The verifier of this number.
pub(crate) fn held(at: usize) -> Result<Rc<Held>, ConfigError> {
    handles::of(at)
}

/// What the host says of the tolerance.
mod limit {
    pub(super) const GIVEN: u32 = 1;
    pub(super) const NONE: u32 = 2;
}

exports! {
    /// Makes a verifier of the items in the frame.
    ///
    /// Errors: those of the scheme, of the secrets in their order, of the tolerance.
    fn verifier(items: usize, limit: u32, seconds: f64) -> f64 {
        failure::number(frame::read(items, 0, |items, _| {
            let (scheme, secrets) = scheme::read(items)?;
            let verifier = Verifier::new(scheme, secrets)?;
            let tolerance = match limit {
                limit::GIVEN => Tolerance::try_from_secs_f64(seconds)?,
                limit::NONE => Tolerance::dangerous_no_limit(),
                _ => Tolerance::default(),
            };
            Ok::<_, ConfigError>(handles::put(Held {
                #[cfg(feature = "receiver")]
                again: verifier
                    .clone()
                    .with_tolerance(Tolerance::dangerous_no_limit()),
                verifier: verifier.with_tolerance(tolerance),
            }))
        }))
    }

    /// Says the names of the headers whose values are to be handed over, in this order, a
    /// line each.
    fn header_names(at: usize) {
        let mut names = Vec::new();
        if let Ok(held) = held(at) {
            for name in held.verifier.precheck().headers() {
                names.extend_from_slice(name.as_str().as_bytes());
                names.push(b'\n');
            }
        }
        frame::say(names);
    }

    /// Verifies the headers and the body in the frame: gives the signed timestamp in
    /// milliseconds, NaN where none is signed.
    fn verify(at: usize, headers: usize, body: usize, now: f64) -> f64 {
        failure::number(held(at).map_err(Error::from).and_then(|held| {
            frame::read(headers, body, |items, body| {
                let values = Values {
                    precheck: held.verifier.precheck(),
                    items: Items(items),
                };
                let delivery = held.verifier.verify_at(body, &values, instant(now))?;
                Ok(verdict(
                    delivery.signed_timestamp(),
                    delivery.secret_index(),
                ))
            })
        }))
    }

    /// The checks before the MAC: says what stands under the MAC before the body. With MACs
    /// behind the headers, one for each secret, it decides instead, and gives what `verify`
    /// does.
    fn precheck(at: usize, headers: usize, macs: usize, now: f64) -> f64 {
        failure::number(held(at).map_err(Error::from).and_then(|held| {
            let precheck = held.verifier.precheck();
            frame::read(headers, macs, |items, macs| {
                let items = Items(items);
                let pending = precheck.check_at(&Values { precheck, items }, instant(now))?;
                let (macs, _) = macs.as_chunks::<MAC>();
                if macs.is_empty() {
                    frame::say(pending.signed_prefix().to_vec());
                    return Ok(0.0);
                }
                let delivery = pending.accept(&[], macs)?;
                Ok::<_, VerificationError>(verdict(
                    delivery.signed_timestamp(),
                    delivery.secret_index(),
                ))
            })
            .map_err(Error::from)
        }))
    }

    /// Which secret matched last.
    fn secret_index() -> u32 {
        INDEX.get()
    }
}

fn verdict(stamp: Option<UnixTime>, index: usize) -> f64 {
    INDEX.set(index as u32);
    stamp.map_or(f64::NAN, |time| time.as_millis() as f64)
}

/// The instant that a host's clock shows; what is no instant is the first or the last.
pub(crate) fn instant(millis: f64) -> UnixTime {
    UnixTime::from_millis(millis as i64)
}
