//! Converts signing secrets from JavaScript.

use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use velora_core::{ConfigError, SigningSecret};

use crate::failure::{Answer, answer};

/// A string, or raw bytes.
#[napi]
pub type SecretArgument = Either<String, Uint8Array>;

/// Checks a secret.
///
/// Errors: `empty_secret`, `secret_has_whitespace`.
#[napi(catch_unwind)]
pub fn check_secret(secret: SecretArgument) -> Answer<()> {
    answer(secrets(&[secret]).map(|_| ()))
}

/// The secrets in order; the first invalid one is the error.
pub(crate) fn secrets(arguments: &[SecretArgument]) -> Result<Vec<SigningSecret>, ConfigError> {
    let read = |argument: &SecretArgument| match argument {
        Either::A(text) => SigningSecret::new(text),
        Either::B(bytes) => SigningSecret::from_bytes(bytes),
    };
    arguments.iter().map(read).collect()
}
