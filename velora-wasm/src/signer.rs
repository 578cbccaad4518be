//! Deliveries for tests.

use velora_core::{ConfigError, Signer};

use crate::frame;
use crate::verifier::instant;
use crate::{failure, handles, scheme};

exports! {
    /// Makes a signer of the items in the frame.
    ///
    /// Errors: those of the scheme, of the secrets in their order; `too_many_secrets`.
    fn signer(items: usize) -> f64 {
        failure::number(frame::read(items, 0, |items, _| {
            let (scheme, secrets) = scheme::read(items)?;
            Ok::<_, ConfigError>(handles::put(Signer::new(scheme, secrets)?))
        }))
    }

    /// Signs the body in the frame: says the names and values of the headers in turn, a line
    /// each.
    fn sign(at: usize, body: usize, now: f64) -> f64 {
        failure::number(handles::of::<Signer>(at).map(|signer| {
            let signed = frame::read(body, 0, |body, _| signer.sign_at(body, instant(now)));
            let mut lines = String::new();
            for (name, value) in signed.headers {
                for text in [name, value] {
                    lines.push_str(&text);
                    lines.push('\n');
                }
            }
            frame::say(lines.into_bytes());
            0.0
        }))
    }
}
