//! What must hold for any input at all.

use proptest::prelude::*;
use velora_core::{Event, Signer, SigningSecret, UnixTime, VerificationError, Verifier};

use super::support::{NOW, SCHEMES, SECRET, scheme, secret};

fn any_scheme() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&SCHEMES[..])
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn any_secret() -> impl Strategy<Value = SigningSecret> {
    prop::collection::vec(any::<u8>(), 1..140)
        .prop_map(|bytes| SigningSecret::from_bytes(bytes).unwrap())
}

/// Headers that look like the real ones often enough to get past the first checks.
fn near_header() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"t=".to_vec()),
        Just(b"v1=".to_vec()),
        Just(b"sha256=".to_vec()),
        Just(b"1717423320".to_vec()),
        Just(vec![b'0'; 64]),
        Just(b",".to_vec()),
        Just(b" ".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_verifies(
        name in any_scheme(),
        body in any_body(),
        secret in any_secret(),
        now in 0..999_999_999_999_i64,
    ) {
        let now = UnixTime::from_secs(now);
        let signed = Signer::new(scheme(name), [secret.clone()]).unwrap().sign_at(&body, now);
        let verifier = Verifier::new(scheme(name), [secret]).unwrap();
        let delivery = verifier.verify_at(&body, &signed.headers, now).unwrap();
        prop_assert_eq!(delivery.body(), &body[..]);
    }

    #[test]
    fn one_changed_byte_of_the_body_is_refused(
        name in any_scheme(),
        mut body in prop::collection::vec(any::<u8>(), 1..300),
        at in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
    ) {
        let signed = super::support::signed(name, &body);
        let at = at.index(body.len());
        body[at] ^= change;
        let verifier = super::support::verifier(name);
        let error = verifier.verify_at(&body, &signed.headers, NOW);
        prop_assert_eq!(error.unwrap_err(), VerificationError::SignatureMismatch);
    }

    #[test]
    fn one_changed_byte_of_a_signed_header_is_refused(
        name in any_scheme(),
        body in any_body(),
        header in 0..2_usize,
        at in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
    ) {
        let signed = super::support::signed(name, &body);
        let mut headers: Vec<(String, Vec<u8>)> = signed
            .headers
            .into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect();
        // The second header of `tv` is its signed timestamp; elsewhere it is unsigned.
        let header = if name == "tv" { header } else { 0 };
        let value = &mut headers[header].1;
        let at = at.index(value.len());
        value[at] ^= change;
        let changed = value.clone();
        let verifier = super::support::verifier(name);
        let verdict = verifier.verify_at(&body, &headers, NOW);
        // A comma between two segments may become part of one, never of a proof.
        prop_assert!(verdict.is_err(), "{:?}", String::from_utf8_lossy(&changed));
    }

    #[test]
    fn one_changed_byte_of_the_secret_is_refused(
        name in any_scheme(),
        body in any_body(),
        mut secret in prop::collection::vec(any::<u8>(), 1..140),
        at in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
    ) {
        let signer = SigningSecret::from_bytes(&secret).unwrap();
        let signed = Signer::new(scheme(name), [signer]).unwrap().sign_at(&body, NOW);
        let at = at.index(secret.len());
        secret[at] ^= change;
        let other = SigningSecret::from_bytes(&secret).unwrap();
        let verifier = Verifier::new(scheme(name), [other]).unwrap();
        let error = verifier.verify_at(&body, &signed.headers, NOW).unwrap_err();
        prop_assert_eq!(error.code().as_str(), "signature_mismatch");
    }

    #[test]
    fn any_headers_get_a_verdict(
        name in any_scheme(),
        body in any_body(),
        signature in prop_oneof![near_header(), prop::collection::vec(any::<u8>(), 0..200)],
        timestamp in near_header(),
        now in any::<i64>(),
    ) {
        let headers = [
            (&b"x-velora-signature"[..], &signature[..]),
            (&b"X-Webhook-Signature"[..], &signature[..]),
            (&b"CuraeAI-Signature"[..], &signature[..]),
            (&b"X-Velora-Timestamp"[..], &timestamp[..]),
            (&b"X-Webhook-Timestamp"[..], &timestamp[..]),
        ];
        let verifier = super::support::verifier(name);
        let verdict = verifier.verify_at(&body, &headers, UnixTime::from_millis(now));
        prop_assert!(verdict.is_err());
    }

    #[test]
    fn any_verified_body_is_an_event_or_malformed(
        name in any_scheme(),
        body in prop_oneof![
            any_body(),
            r#"\{("(id|type|event|eventId|eventType|data)":(1|null|"[a-z]{0,3}"|\{\}|\[\])(,|\})){0,5}"#
                .prop_map(String::into_bytes),
        ],
    ) {
        let signed = super::support::signed(name, &body);
        let verifier = Verifier::new(scheme(name), [secret(SECRET)]).unwrap();
        let delivery = verifier.verify_at(&body, &signed.headers, NOW).unwrap();
        if let Err(error) = delivery.event::<Event>() {
            prop_assert_eq!(error.code().as_str(), "malformed_event");
        }
        if let Err(error) = delivery.key() {
            prop_assert_eq!(error.code().as_str(), "malformed_event");
        }
    }
}
