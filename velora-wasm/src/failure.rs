//! What went wrong, as a text: the code, the kind and the message, with a line's end between
//! them.
//!
//! The kind is `config`, `verification`, `store` or `api`; of the last the message is what
//! `client::told` gives. The verifier alone says the code: words are a tenth of its size.

use velora_core::Error;

use crate::frame;

/// What a call gives that failed: no time, length or number that one gives otherwise.
const FAILED: f64 = f64::INFINITY;
/// The same where a delivery was refused.
const REFUSED: f64 = f64::NEG_INFINITY;

/// The number that a call gives, or that it failed; why is then what it has said.
pub(crate) fn number<E: Into<Error>>(result: Result<f64, E>) -> f64 {
    result.unwrap_or_else(|error| failed(&error.into()))
}

fn failed(error: &Error) -> f64 {
    #[cfg(feature = "receiver")]
    frame::say(told(error));
    #[cfg(not(feature = "receiver"))]
    frame::say(error.code().as_str().as_bytes());
    match error {
        Error::Verification(_) => REFUSED,
        _ => FAILED,
    }
}

/// A failure as the host reads it.
#[cfg(feature = "receiver")]
pub(crate) fn told(error: &Error) -> Vec<u8> {
    let kind = match error {
        Error::Verification(_) => "verification",
        Error::Store(_) => "store",
        #[cfg(feature = "client")]
        Error::Api(_) => "api",
        Error::Config(_) => "config",
        _ => "velora",
    };
    let head = [error.code().as_str(), "\n", kind, "\n"].concat();
    let message = &*error.message();
    #[cfg(feature = "client")]
    if let Error::Api(error) = error {
        return [head.as_bytes(), &crate::client::told(error, message)].concat();
    }
    [head.as_bytes(), message.as_bytes()].concat()
}
