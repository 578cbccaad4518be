//! What went wrong, as a text: kind, code and message, with a line's end between them.
//!
//! The kind is `velora`, `verification`, `store` or `api`; the message of the last is JSON
//! that says it all. The verifier alone says the code once more instead of a message:
//! words are a tenth of its size.

use std::cell::RefCell;

use velora_core::Error;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::frame;

/// What a call gives that failed: no time, length or number that one gives otherwise.
pub(crate) const FAILED: f64 = f64::INFINITY;

thread_local! {
    static LAST: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Puts into the frame why the last call failed; gives the length.
#[wasm_bindgen]
pub fn failed() -> usize {
    LAST.take()
        .map_or(0, |error| frame::write(text(&error).as_bytes()))
}

/// The number that a call gives, or that it failed.
pub(crate) fn number<E: Into<Error>>(result: Result<f64, E>) -> f64 {
    result.unwrap_or_else(|error| {
        LAST.set(Some(error.into()));
        FAILED
    })
}

/// The text of a failure.
pub(crate) fn text(error: &Error) -> String {
    let kind = match error {
        Error::Verification(_) => "verification",
        Error::Store(_) => "store",
        #[cfg(feature = "client")]
        Error::Api(_) => "api",
        _ => "velora",
    };
    let code = error.code().as_str();
    #[cfg(feature = "client")]
    if let Error::Api(error) = error {
        return [kind, code, &crate::client::told(error)].join("\n");
    }
    #[cfg(feature = "receiver")]
    let message = &error.to_string();
    #[cfg(not(feature = "receiver"))]
    let message = code;
    [kind, code, message].join("\n")
}

/// What a call that takes time rejects with.
#[cfg(feature = "receiver")]
pub(crate) fn failure(error: impl Into<Error>) -> wasm_bindgen::JsValue {
    wasm_bindgen::JsValue::from_str(&text(&error.into()))
}
