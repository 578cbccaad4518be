//! What went wrong, as a text: kind, code and message, with a line's end between them.
//!
//! The kind is `velora`, `verification`, `store` or `api`; of the last the message is what
//! `client::told` gives. The verifier alone says no message: words are a tenth of its size.

use velora_core::Error;

use crate::frame;

/// What a call gives that failed: no time, length or number that one gives otherwise.
pub(crate) const FAILED: f64 = f64::INFINITY;

/// The number that a call gives, or that it failed; why is then what it has said.
pub(crate) fn number<E: Into<Error>>(result: Result<f64, E>) -> f64 {
    result.unwrap_or_else(|error| {
        frame::say(told(&error.into()));
        FAILED
    })
}

/// A failure as the host reads it.
pub(crate) fn told(error: &Error) -> Vec<u8> {
    let kind = match error {
        Error::Verification(_) => "verification\n",
        #[cfg(feature = "receiver")]
        Error::Store(_) => "store\n",
        #[cfg(feature = "client")]
        Error::Api(_) => "api\n",
        _ => "velora\n",
    };
    let code = error.code().as_str();
    #[cfg(feature = "receiver")]
    let message = &*error.message();
    #[cfg(feature = "client")]
    if let Error::Api(error) = error {
        let told = crate::client::told(error, message);
        return [kind.as_bytes(), code.as_bytes(), b"\n", &told].concat();
    }
    let mut told = kind.as_bytes().to_vec();
    told.extend_from_slice(code.as_bytes());
    #[cfg(feature = "receiver")]
    for text in ["\n", message] {
        told.extend_from_slice(text.as_bytes());
    }
    told
}
