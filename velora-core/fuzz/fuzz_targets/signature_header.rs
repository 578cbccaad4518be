//! Any bytes in the signature header get a verdict, and never a pass: whoever does
//! not know the secret cannot write a header that verifies.

#![no_main]

use libfuzzer_sys::fuzz_target;
use velora_core::{Code, Scheme, SigningSecret, UnixTime, Verifier};

const NOW: UnixTime = UnixTime::from_secs(1_717_423_320);

fuzz_target!(|header: &[u8]| {
    for name in ["health", "billing", "curae", "tv", "tv-body-only"] {
        let secret = SigningSecret::from_bytes([7; 32]).unwrap();
        let verifier = Verifier::new(Scheme::named(name).unwrap(), [secret]).unwrap();
        let headers = [
            (&b"X-Velora-Signature"[..], header),
            (&b"X-Webhook-Signature"[..], header),
            (&b"CuraeAI-Signature"[..], header),
            (&b"X-Velora-Timestamp"[..], &b"1717423320"[..]),
            (&b"X-Webhook-Timestamp"[..], &b"1717423320"[..]),
        ];
        let error = verifier.verify_at(b"{}", &headers, NOW).unwrap_err();
        assert!(matches!(
            error.code(),
            Code::HeaderTooLarge
                | Code::MalformedHeader
                | Code::MalformedTimestamp
                | Code::TimestampTooOld
                | Code::TimestampInFuture
                | Code::SignatureMismatch
        ));
    }
});
