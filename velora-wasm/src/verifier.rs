//! Verifiers, and what can be read of a delivery.

use std::cell::Cell;
use std::rc::Rc;

use velora_core::{ConfigError, Error, Tolerance, UnixTime, VerificationError, Verifier};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::failure;
use crate::frame::{self, Items, Values};
use crate::handles::Handles;
use crate::scheme;

const MAC: usize = 32;

thread_local! {
    static VERIFIERS: Handles<Held> = const { Handles::new() };
    static INDEX: Cell<u32> = const { Cell::new(0) };
}

/// A verifier that JavaScript holds.
pub(crate) struct Held {
    pub(crate) verifier: Verifier,
    /// For deliveries whose age was found right before: they do not age while they are
    /// worked on.
    #[cfg(feature = "receiver")]
    pub(crate) again: Verifier,
}

/// The verifier of this number.
///
/// Errors: `no_secret`, the code of a verifier that has none; there is no such number.
pub(crate) fn held(at: usize) -> Result<Rc<Held>, ConfigError> {
    VERIFIERS
        .with(|held| held.of(at))
        .ok_or(ConfigError::NoSecret)
}

/// Makes a verifier of the items in the frame. Without a tolerance, NaN aside, it is the
/// core's default.
///
/// Errors: those of the scheme, of the secrets in their order, of the tolerance.
#[wasm_bindgen]
pub fn verifier(items: usize, tolerance: Option<f64>, dangerous_no_limit: bool) -> f64 {
    failure::number(frame::read(items, 0, |items, _| {
        let (scheme, secrets) = scheme::read(items)?;
        let verifier = Verifier::new(scheme, secrets)?;
        let tolerance = match tolerance {
            _ if dangerous_no_limit => Tolerance::dangerous_no_limit(),
            Some(seconds) => Tolerance::try_from_secs_f64(seconds)?,
            None => Tolerance::default(),
        };
        let held = Held {
            #[cfg(feature = "receiver")]
            again: verifier
                .clone()
                .with_tolerance(Tolerance::dangerous_no_limit()),
            verifier: verifier.with_tolerance(tolerance),
        };
        let at = VERIFIERS.with(|verifiers| verifiers.put(held));
        Ok::<_, ConfigError>(at as f64)
    }))
}

/// Nobody holds it any more.
#[wasm_bindgen]
pub fn drop_verifier(at: usize) {
    VERIFIERS.with(|verifiers| verifiers.remove(at));
}

/// Puts into the frame the names of the headers whose values are to be handed over, in
/// this order, a line each; gives the length.
#[wasm_bindgen]
pub fn header_names(at: usize) -> usize {
    let mut names = Vec::new();
    if let Ok(held) = held(at) {
        for name in held.verifier.precheck().headers() {
            names.extend_from_slice(name.as_str().as_bytes());
            names.push(b'\n');
        }
    }
    frame::write(&names)
}

/// Verifies the headers and the body in the frame: gives the signed timestamp in
/// milliseconds, NaN where none is signed.
#[wasm_bindgen]
pub fn verify(at: usize, headers: usize, body: usize, now: f64) -> f64 {
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

/// The checks before the MAC: gives the length of what stands under the MAC before the
/// body, and puts it into the frame. With MACs behind the headers, one for each secret,
/// it decides instead, and gives what `verify` does.
#[wasm_bindgen]
pub fn precheck(at: usize, headers: usize, macs: usize, now: f64) -> f64 {
    failure::number(held(at).map_err(Error::from).and_then(|held| {
        let precheck = held.verifier.precheck();
        let checked = frame::read(headers, macs, |items, macs| {
            let items = Items(items);
            let pending = precheck.check_at(&Values { precheck, items }, instant(now))?;
            let (macs, _) = macs.as_chunks::<MAC>();
            if macs.is_empty() {
                return Ok::<_, VerificationError>(Err(pending.signed_prefix().to_vec()));
            }
            let delivery = pending.accept(&[], macs)?;
            Ok(Ok(verdict(
                delivery.signed_timestamp(),
                delivery.secret_index(),
            )))
        })?;
        Ok(checked.unwrap_or_else(|prefix| frame::write(&prefix) as f64))
    }))
}

/// Which secret matched last.
#[wasm_bindgen]
pub fn secret_index() -> u32 {
    INDEX.get()
}

fn verdict(stamp: Option<UnixTime>, index: usize) -> f64 {
    INDEX.set(index as u32);
    stamp.map_or(f64::NAN, |time| time.as_millis() as f64)
}

/// The instant that a host's clock shows; what is no instant is the first or the last.
pub(crate) fn instant(millis: f64) -> UnixTime {
    UnixTime::from_millis(millis as i64)
}
