//! What several test modules share.

use velora_core::{Scheme, SignedDelivery, Signer, SigningSecret, UnixTime, Verifier};

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub(crate) const BODY: &[u8] = br#"{"id":"evt_1","n":1}"#;
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_717_423_320);
pub(crate) const SCHEMES: [&str; 5] = ["health", "billing", "curae", "tv", "tv-body-only"];

pub(crate) fn secret(text: &str) -> SigningSecret {
    SigningSecret::new(text).unwrap()
}

pub(crate) fn scheme(name: &str) -> Scheme {
    Scheme::named(name).unwrap()
}

pub(crate) fn verifier(name: &str) -> Verifier {
    Verifier::new(scheme(name), [secret(SECRET)]).unwrap()
}

pub(crate) fn signed(name: &str, body: impl AsRef<[u8]>) -> SignedDelivery {
    let signer = Signer::new(scheme(name), [secret(SECRET)]).unwrap();
    signer.sign_at(body, NOW)
}

/// The code that verifying ends with, or `ok`.
pub(crate) fn verdict<H: velora_core::Headers + ?Sized>(
    verifier: &Verifier,
    body: &[u8],
    headers: &H,
) -> &'static str {
    match verifier.verify_at(body, headers, NOW) {
        Ok(_) => "ok",
        Err(error) => error.code().as_str(),
    }
}
