//! The verifier that people write by hand over a library's HMAC: the same header as
//! the core's, split at its commas, the `hex` crate, and the system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::contender::{SECRET, post_velora};
use crate::{Contender, Failure, Posted};

/// RustCrypto's `hmac` and `sha2`, keyed anew for every delivery, as its own
/// documentation shows it.
#[derive(Debug)]
pub struct RustCrypto;

impl Contender for RustCrypto {
    fn name(&self) -> &'static str {
        "rustcrypto"
    }

    fn post(&self, body: String) -> Result<Posted, Failure> {
        post_velora(body)
    }

    fn accepts(&self, posted: &Posted) -> bool {
        by_hand(posted, |timestamp, body, signature| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else {
                return false;
            };
            mac.update(b"t=");
            mac.update(timestamp);
            mac.update(b".");
            mac.update(body);
            mac.verify_slice(signature).is_ok()
        })
    }
}

/// `aws-lc-rs`, with a key made once.
#[derive(Debug)]
pub struct AwsLc(aws_lc_rs::hmac::Key);

impl AwsLc {
    /// A key, made once and kept.
    #[must_use]
    pub fn new() -> Self {
        use aws_lc_rs::hmac::{HMAC_SHA256, Key};
        Self(Key::new(HMAC_SHA256, SECRET.as_bytes()))
    }
}

impl Default for AwsLc {
    fn default() -> Self {
        Self::new()
    }
}

impl Contender for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc-rs"
    }

    fn post(&self, body: String) -> Result<Posted, Failure> {
        post_velora(body)
    }

    fn accepts(&self, posted: &Posted) -> bool {
        by_hand(posted, |timestamp, body, signature| {
            let mut mac = aws_lc_rs::hmac::Context::with_key(&self.0);
            mac.update(b"t=");
            mac.update(timestamp);
            mac.update(b".");
            mac.update(body);
            mac.sign().as_ref().ct_eq(signature).into()
        })
    }
}

/// `ring`, with a key made once.
#[derive(Debug)]
pub struct Ring(ring::hmac::Key);

impl Ring {
    /// A key, made once and kept.
    #[must_use]
    pub fn new() -> Self {
        use ring::hmac::{HMAC_SHA256, Key};
        Self(Key::new(HMAC_SHA256, SECRET.as_bytes()))
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new()
    }
}

impl Contender for Ring {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn post(&self, body: String) -> Result<Posted, Failure> {
        post_velora(body)
    }

    fn accepts(&self, posted: &Posted) -> bool {
        by_hand(posted, |timestamp, body, signature| {
            let mut mac = ring::hmac::Context::with_key(&self.0);
            mac.update(b"t=");
            mac.update(timestamp);
            mac.update(b".");
            mac.update(body);
            mac.sign().as_ref().ct_eq(signature).into()
        })
    }
}

/// Reads the header and the clock, and asks `holds` (timestamp, body, signature).
fn by_hand(posted: &Posted, holds: impl Fn(&[u8], &[u8], &[u8]) -> bool) -> bool {
    const TOLERANCE: u64 = 300;

    let Some(Ok(header)) = posted.headers.get("x-velora-signature").map(|v| v.to_str()) else {
        return false;
    };
    let (mut timestamp, mut signature) = (None, None);
    for segment in header.split(',') {
        match segment.trim().split_once('=') {
            Some(("t", value)) => timestamp = Some(value),
            Some(("v1", value)) => signature = Some(value),
            _ => {}
        }
    }
    let (Some(timestamp), Some(signature)) = (timestamp, signature) else {
        return false;
    };

    let Ok(signed_at) = timestamp.parse::<u64>() else {
        return false;
    };
    let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH) else {
        return false;
    };
    if since.as_secs().abs_diff(signed_at) > TOLERANCE {
        return false;
    }

    let mut mac = [0_u8; 32];
    hex::decode_to_slice(signature, &mut mac).is_ok()
        && holds(timestamp.as_bytes(), posted.body.as_bytes(), &mac)
}
