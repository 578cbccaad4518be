//! The receiver: JavaScript runs the handler, the core decides everything else.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, Function, Promise};
use velora_core::{Delivery, Envelope, Key, Outcome, Receiver, Reply, VerificationError, Work};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::failure::{self, failure};
use crate::frame::{self, Items, Values};
use crate::number::whole;
use crate::store::RawStore;
use crate::verifier::{held, instant};

/// Reads a delivery that was verified before, which is verified once more but for its age:
/// so what is read is what is signed. Puts into the frame what [`line`] gives.
#[wasm_bindgen]
pub fn read_event(at: usize, headers: usize, body: usize) -> f64 {
    failure::number(again(at, headers, body, |delivery| {
        Ok(line(delivery)?.into_bytes())
    }))
}

/// The same, to compare the headers outside the MAC with the body alone.
#[wasm_bindgen]
pub fn check_headers(at: usize, headers: usize, body: usize) -> f64 {
    failure::number(again(at, headers, body, |delivery| {
        delivery.check_headers().map(|()| Vec::new())
    }))
}

fn again(
    at: usize,
    headers: usize,
    body: usize,
    read: impl FnOnce(&Delivery<'_>) -> Result<Vec<u8>, VerificationError>,
) -> Result<f64, velora_core::Error> {
    let held = held(at)?;
    let bytes = frame::read(headers, body, |items, body| {
        let values = Values {
            precheck: held.again.precheck(),
            items: Items(items),
        };
        read(&held.again.verify_at(body, &values, instant(0.0))?)
    })?;
    // An event may be longer than what was handed over; then there is room made.
    frame::reserve(bytes.len());
    Ok(frame::write(&bytes) as f64)
}

/// A digit (0: no type, 1: a signed one, 2: one of an unsigned header), the type, a line's
/// end, the key.
fn line(delivery: &Delivery<'_>) -> Result<String, VerificationError> {
    let envelope: Envelope = delivery.event()?;
    let (digit, event_type) = match &envelope.event_type {
        None => ("0", ""),
        Some(event_type) if envelope.type_is_signed => ("1", event_type.as_str()),
        Some(event_type) => ("2", event_type.as_str()),
    };
    let key = delivery.key()?;
    Ok([digit, event_type, "\n", key.as_str()].concat())
}

/// A receiver of the core.
#[wasm_bindgen]
pub struct RawReceiver {
    receiver: Receiver,
}

#[wasm_bindgen]
impl RawReceiver {
    /// Errors: `invalid_option` where the limit is no number of bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(
        verifier: usize,
        store: &RawStore,
        body_limit: Option<f64>,
    ) -> Result<RawReceiver, JsValue> {
        let verifier = held(verifier).map_err(failure)?.verifier.clone();
        let receiver = Receiver::new(verifier, Arc::clone(&store.store));
        Ok(Self {
            receiver: match body_limit {
                Some(bytes) => {
                    receiver.with_body_limit(whole("bodyLimit", bytes).map_err(failure)?)
                }
                None => receiver,
            },
        })
    }

    #[wasm_bindgen(getter)]
    pub fn body_limit(&self) -> f64 {
        self.receiver.body_limit() as f64
    }

    /// The work to do, or the parts of the reply to give at once, for what is in the frame.
    pub fn begin(&self, headers: usize, body: usize) -> Promise {
        let receiver = self.receiver.clone();
        let (items, body) =
            frame::read(headers, body, |items, body| (items.to_vec(), body.to_vec()));
        future_to_promise(async move {
            let values = Values {
                precheck: receiver.verifier().precheck(),
                items: Items(&items),
            };
            let begun = receiver.begin_event::<_, Envelope>(&body, &values).await;
            Ok(
                match begun.and_then(|(work, _)| RawWork::of(&receiver, work)) {
                    Ok(work) => work.into(),
                    Err(reply) => told(&reply),
                },
            )
        })
    }

    /// The reply to a request whose body is over the limit.
    pub fn body_too_large(&self) -> JsValue {
        told(&self.receiver.reply(Outcome::BodyTooLarge))
    }

    /// The reply to a request whose body broke off.
    pub fn body_unreadable(&self) -> JsValue {
        told(&self.receiver.reply(Outcome::BodyUnreadable))
    }

    /// Handles a listed event under the rules of a delivered one. `handler` gives a promise
    /// of whether it did, and never fails.
    pub fn backfill(&self, key: String, handler: Function) -> Promise {
        let receiver = self.receiver.clone();
        future_to_promise(async move {
            let handle = async || {
                let promise: Promise = handler.call0(&JsValue::NULL)?.dyn_into()?;
                match JsFuture::from(promise).await?.is_truthy() {
                    true => Ok(()),
                    false => Err(JsValue::UNDEFINED),
                }
            };
            let outcome = receiver.backfill(Key::from(key.as_str()), handle).await;
            let retry_after = match &outcome {
                Outcome::InFlight { retry_after } => Some(retry_after.as_secs_f64()),
                _ => None,
            };
            Ok(parts(0, retry_after, &outcome))
        })
    }
}

/// A genuine event that is the caller's to handle.
#[wasm_bindgen]
pub struct RawWork {
    line: String,
    stamp: f64,
    secret_index: usize,
    work: Rc<RefCell<Option<Work<'static>>>>,
}

impl RawWork {
    fn of(receiver: &Receiver, work: Work<'_>) -> Result<Self, Reply> {
        let delivery = work.delivery();
        let refused = |error| receiver.reply(Outcome::Refused(error));
        let stamp = delivery.signed_timestamp();
        Ok(Self {
            line: line(delivery).map_err(refused)?,
            stamp: stamp.map_or(f64::NAN, |time| time.as_millis() as f64),
            secret_index: delivery.secret_index(),
            work: Rc::new(RefCell::new(Some(work.into_owned()))),
        })
    }
}

#[wasm_bindgen]
impl RawWork {
    /// What [`read_event`] gives.
    #[wasm_bindgen(getter)]
    pub fn line(&self) -> String {
        self.line.clone()
    }

    #[wasm_bindgen(getter)]
    pub fn stamp(&self) -> f64 {
        self.stamp
    }

    #[wasm_bindgen(getter)]
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// The event was, or was not, handled: gives the reply; undefined where the work had
    /// ended before.
    pub fn end(&self, done: bool) -> Promise {
        let work = self.work.borrow_mut().take();
        future_to_promise(async move {
            Ok(match work {
                Some(work) if done => told(&work.done().await),
                Some(work) => told(&work.release().await),
                None => JsValue::UNDEFINED,
            })
        })
    }
}

fn told(reply: &Reply) -> JsValue {
    let retry_after = reply.retry_after_seconds().map(|seconds| seconds as f64);
    parts(reply.status, retry_after, &reply.outcome)
}

/// Status, seconds to wait, outcome and code.
fn parts(status: u16, retry_after: Option<f64>, outcome: &Outcome) -> JsValue {
    let code = outcome.code().map(|code| code.as_str());
    Array::of4(
        &status.into(),
        &retry_after.into(),
        &outcome.as_str().into(),
        &code.into(),
    )
    .into()
}
