//! Signs deliveries for tests.

use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;
use velora_core::{Error, Signer};

use crate::failure::{Answer, answer};
use crate::scheme::{SchemeArgument, scheme};
use crate::secret::{SecretArgument, secrets};
use crate::verifier::instant;

/// The core's signer.
#[napi]
pub struct NativeSigner {
    signer: Signer,
}

/// A signed delivery.
#[napi(object, object_from_js = false)]
pub struct SignedParts {
    pub body: Buffer,
    pub headers: Vec<(String, String)>,
}

#[napi]
impl NativeSigner {
    /// Errors: those of the scheme, those of the secrets in order; `too_many_secrets`.
    #[napi(catch_unwind)]
    pub fn create(
        scheme_argument: SchemeArgument,
        secret_arguments: Vec<SecretArgument>,
    ) -> Answer<NativeSigner> {
        let signer = || {
            let scheme = scheme(scheme_argument)?;
            Ok::<_, Error>(Signer::new(scheme, secrets(&secret_arguments)?)?)
        };
        answer(signer().map(|signer| Self { signer }))
    }

    /// Signs a body, with the current time if none is given.
    #[napi(catch_unwind)]
    pub fn sign(&self, body: Uint8Array, now_millis: Option<f64>) -> SignedParts {
        let signed = match now_millis {
            Some(millis) => self.signer.sign_at(&body, instant(millis)),
            None => self.signer.sign(&body),
        };
        SignedParts {
            body: signed.body.into(),
            headers: signed.headers,
        }
    }
}
