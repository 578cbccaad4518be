//! Deliveries for tests.

use velora_core::{ConfigError, Signer};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::failure::failure;
use crate::frame;
use crate::scheme;
use crate::verifier::instant;

/// A signer of the core.
#[wasm_bindgen]
pub struct RawSigner(Signer);

#[wasm_bindgen]
impl RawSigner {
    /// Of the items in the frame.
    ///
    /// Errors: those of the scheme, of the secrets in their order; `too_many_secrets`.
    #[wasm_bindgen(constructor)]
    pub fn new(items: usize) -> Result<RawSigner, JsValue> {
        let signer = frame::read(items, 0, |items, _| {
            let (scheme, secrets) = scheme::read(items)?;
            Ok::<_, ConfigError>(Self(Signer::new(scheme, secrets)?))
        });
        signer.map_err(failure)
    }

    /// Signs the body in the frame: gives the names and values of the headers in turn.
    pub fn sign(&self, body: usize, now_millis: f64) -> Vec<String> {
        let signed = frame::read(body, 0, |body, _| self.0.sign_at(body, instant(now_millis)));
        let headers = signed.headers.into_iter();
        headers.flat_map(|(name, value)| [name, value]).collect()
    }
}
