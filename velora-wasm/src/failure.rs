//! Failures as text: the code, the kind and the message, separated by line feeds.
//!
//! The kind is `config`, `verification`, `store` or `api`; for the last, `client::told` makes the
//! message. The smallest module, which only verifies, returns just the code: messages would be
//! a tenth of its size.

use velora_core::Error;

use crate::frame;

/// The result of a call that failed. No time, length or number has this value.
const FAILED: f64 = f64::INFINITY;
/// The same if a delivery was refused.
const REFUSED: f64 = f64::NEG_INFINITY;

/// The number that a call returns, or a mark that it failed; the reason is in the result buffer.
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
