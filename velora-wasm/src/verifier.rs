//! Verifiers, and what can be read of a delivery.

use std::cell::Cell;
use std::rc::Rc;

use velora_core::{ConfigError, Delivery, Error, Tolerance, UnixTime, Verifier};

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
    #[cfg(feature = "receiver")]
    return handles::of(at);
    #[cfg(not(feature = "receiver"))]
    handles::held(at)
}

/// What the host says of the tolerance.
mod limit {
    pub(super) const GIVEN: u32 = 1;
    pub(super) const NONE: u32 = 2;
}

/// What stands behind the headers.
mod behind {
    pub(super) const BODY: u32 = 0;
    pub(super) const NOTHING: u32 = 1;
}

exports! {
    /// Makes a verifier of the items in the frame, and says the names of the headers whose
    /// values are to be handed over, in this order, a line each.
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
            let mut names = Vec::new();
            for name in verifier.precheck().headers() {
                names.extend_from_slice(name.as_str().as_bytes());
                names.extend_from_slice(b"\n");
            }
            frame::say(names);
            Ok::<_, ConfigError>(handles::hold(Rc::new(Held {
                #[cfg(feature = "receiver")]
                again: verifier
                    .clone()
                    .with_tolerance(Tolerance::dangerous_no_limit()),
                verifier: verifier.with_tolerance(tolerance),
            })))
        }))
    }

    /// Verifies the headers and what is behind them in the frame: gives the signed timestamp
    /// in milliseconds, NaN where none is signed. Behind them is the body, or MACs, one for
    /// each secret; or nothing yet, and then it says what stands under the MAC before the body.
    fn verify(at: usize, headers: usize, behind: usize, now: f64, what: u32) -> f64 {
        failure::number(held(at).map_err(Error::from).and_then(|held| {
            frame::read(headers, behind, |items, behind| {
                let precheck = held.verifier.precheck();
                let items = Items(items);
                let values = Values { precheck, items };
                let now = instant(now);
                if what == behind::BODY {
                    return Ok(verdict(&held.verifier.verify_at(behind, &values, now)?));
                }
                let pending = precheck.check_at(&values, now)?;
                if what == behind::NOTHING {
                    frame::say(pending.signed_prefix().to_vec());
                    return Ok(0.0);
                }
                let (macs, _) = behind.as_chunks::<MAC>();
                Ok(verdict(&pending.accept(&[], macs)?))
            })
        }))
    }

    /// Which secret matched last.
    fn secret_index() -> u32 {
        INDEX.get()
    }
}

fn verdict(delivery: &Delivery<'_>) -> f64 {
    INDEX.set(delivery.secret_index() as u32);
    let stamp = delivery.signed_timestamp();
    stamp.map_or(f64::NAN, |time| time.as_millis() as f64)
}

/// The instant that a host's clock shows; what is no instant is the first or the last.
pub(crate) fn instant(millis: f64) -> UnixTime {
    UnixTime::from_millis(millis as i64)
}
