//! Signs deliveries for tests.

use velora_core::{ConfigError, Signer};

use crate::verifier::{hashed, instant};
use crate::{failure, frame, handles, scheme};

exports! {
    /// Creates a signer from the hashed secrets in the frame.
    ///
    /// Errors: `no_secret`, `too_many_secrets`.
    fn signer(scheme: usize, secrets: usize) -> f64 {
        failure::number(frame::read(secrets, 0, |secrets, _| {
            let signer = Signer::of_hashed(&*scheme::numbered(scheme)?, hashed(secrets))?;
            Ok::<_, ConfigError>(handles::put(signer))
        }))
    }

    /// Signs the body in the frame. Returns the names and values of the headers in turn, one per
    /// line.
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
