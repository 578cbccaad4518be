//! Calls that can be ended early, and streams that JavaScript asks for one thing after
//! the other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::{AbortHandle, AbortRegistration, Abortable};
use js_sys::{Array, Promise};
use velora_core::health::RawEvent;
use velora_core::{ApiError, Error};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

use crate::failure::failure;

/// Ends the one call that it is given to.
#[wasm_bindgen]
pub struct RawCancel {
    handle: AbortHandle,
    registration: Option<AbortRegistration>,
}

#[wasm_bindgen]
impl RawCancel {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        let (handle, registration) = AbortHandle::new_pair();
        Self {
            handle,
            registration: Some(registration),
        }
    }

    /// The call ends at once; what it had under way is dropped.
    pub fn cancel(&self) {
        self.handle.abort();
    }
}

/// A promise of what a call gives, or that it was ended: `aborted`.
pub(super) fn unless_cancelled(
    cancel: &mut RawCancel,
    call: impl Future<Output = Result<JsValue, Error>> + 'static,
) -> Promise {
    let registration = cancel.registration.take();
    future_to_promise(async move {
        let outcome = match registration {
            Some(registration) => Abortable::new(call, registration)
                .await
                .map_err(|_| JsValue::from_str("aborted\n\n"))?,
            None => call.await,
        };
        outcome.map_err(failure)
    })
}

/// A stream until it is closed; what it has under way ends with it.
pub(super) struct Held<S> {
    stream: Rc<RefCell<Option<S>>>,
    under_way: Rc<RefCell<Option<AbortHandle>>>,
    closed: Rc<Cell<bool>>,
}

impl<S: 'static> Held<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream: Rc::new(RefCell::new(Some(stream))),
            under_way: Rc::default(),
            closed: Rc::default(),
        }
    }

    /// The next thing; undefined at the end, or once it is closed.
    pub(super) fn next<F>(
        &self,
        cancel: &mut RawCancel,
        next: impl FnOnce(S) -> F + 'static,
    ) -> Promise
    where
        F: Future<Output = (S, Option<Result<JsValue, ApiError>>)> + 'static,
    {
        let (slot, closed) = (Rc::clone(&self.stream), Rc::clone(&self.closed));
        let (handle, registration) = AbortHandle::new_pair();
        *self.under_way.borrow_mut() = Some(handle);
        unless_cancelled(cancel, async move {
            let Some(stream) = slot.take() else {
                return Ok(JsValue::UNDEFINED);
            };
            let Ok((stream, value)) = Abortable::new(next(stream), registration).await else {
                return Ok(JsValue::UNDEFINED);
            };
            if !closed.get() {
                slot.replace(Some(stream));
            }
            Ok(value.transpose()?.unwrap_or(JsValue::UNDEFINED))
        })
    }

    /// Does not wait for what is under way: that ends, and gives nothing.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.stream.take();
        if let Some(under_way) = self.under_way.take() {
            under_way.abort();
        }
    }
}

/// Events as one text, how many they are, and where the next page starts.
///
/// The text is a JSON array with a line's end behind each event but the last: it can be
/// read at once, or taken apart at `"\n,"`, which stands nowhere else, as there are no
/// line's ends within an event.
pub(super) fn events(events: &[RawEvent], next_cursor: Option<&str>) -> JsValue {
    let mut text = String::from("[");
    for event in events {
        if text.len() > 1 {
            text.push_str("\n,");
        }
        text.push_str(&event.as_line());
    }
    text.push(']');
    let count = events.len() as f64;
    Array::of3(&text.into(), &count.into(), &next_cursor.into()).into()
}
