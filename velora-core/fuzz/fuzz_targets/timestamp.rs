//! Any bytes as a timestamp: what is accepted is a plain decimal number near now,
//! and the same text the signature was made over.

#![no_main]

use libfuzzer_sys::fuzz_target;
use velora_core::{Code, Scheme, SigningSecret, UnixTime, Verifier};

const NOW: UnixTime = UnixTime::from_secs(1_717_423_320);
const SIGNATURE: &str = "sha256=0000000000000000000000000000000000000000000000000000000000000000";

fuzz_target!(|timestamp: &[u8]| {
    let secret = SigningSecret::from_bytes([7; 32]).unwrap();
    let verifier = Verifier::new(Scheme::named("tv").unwrap(), [secret]).unwrap();
    let headers = [
        (&b"X-Velora-Signature"[..], SIGNATURE.as_bytes()),
        (&b"X-Velora-Timestamp"[..], timestamp),
    ];
    let code = verifier.verify_at(b"{}", &headers, NOW).unwrap_err().code();

    let number = std::str::from_utf8(timestamp).ok().and_then(|text| {
        let number: i64 = text.parse().ok()?;
        let plain = number.to_string() == text && (0..1_000_000_000_000).contains(&number);
        plain.then_some(number)
    });
    let expected = match number.map(|number| NOW.as_secs() - number) {
        _ if timestamp.len() > 8192 => Code::HeaderTooLarge,
        None => Code::MalformedTimestamp,
        Some(age) if age > 300 => Code::TimestampTooOld,
        Some(age) if age < -300 => Code::TimestampInFuture,
        Some(_) => Code::SignatureMismatch,
    };
    assert_eq!(code, expected);
});
