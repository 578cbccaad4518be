//! The order of the checks, the forms of headers, and the members of a delivery. The
//! individual rules are in `conformance/vectors`, for all languages.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use velora_core::{
    Clock, ManualClock, Scheme, SignatureForm, Signer, SystemClock, Tolerance, UnixTime,
    VerificationError, Verifier,
};

use super::support::{BODY, NOW, SECRET, scheme, secret, signed, verdict, verifier};

#[test]
fn every_container_of_headers_is_read_alike() {
    let verifier = verifier("tv");
    let signed = signed("tv", BODY);
    let pairs: Vec<(String, String)> = signed.headers.clone();
    let bytes: Vec<(Vec<u8>, Vec<u8>)> = pairs
        .iter()
        .map(|(name, value)| (name.to_uppercase().into(), value.clone().into()))
        .collect();
    let hash: HashMap<String, String> = pairs.iter().cloned().collect();
    let tree: BTreeMap<&str, &str> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let mut map = http::HeaderMap::new();
    for (name, value) in &pairs {
        map.append(
            http::HeaderName::try_from(name).unwrap(),
            http::HeaderValue::try_from(value).unwrap(),
        );
    }
    let [first, second] = [&pairs[0], &pairs[1]].map(|(n, v)| (n.as_str(), v.as_str()));

    assert_eq!(verdict(&verifier, BODY, &pairs), "ok");
    assert_eq!(verdict(&verifier, BODY, pairs.as_slice()), "ok");
    assert_eq!(verdict(&verifier, BODY, &bytes), "ok");
    assert_eq!(verdict(&verifier, BODY, &hash), "ok");
    assert_eq!(verdict(&verifier, BODY, &tree), "ok");
    assert_eq!(verdict(&verifier, BODY, &map), "ok");
    assert_eq!(verdict(&verifier, BODY, &&map), "ok");
    assert_eq!(verdict(&verifier, BODY, &[first, second]), "ok");
    assert_eq!(verdict(&verifier, BODY, &[first]), "missing_header");

    map.append("x-velora-timestamp", "1717423320".parse().unwrap());
    assert_eq!(verdict(&verifier, BODY, &map), "duplicate_header");
    assert_eq!(
        verdict(&verifier, BODY, &[first, second, first]),
        "duplicate_header"
    );
}

/// A container of the caller's own, which looks the name up by its text.
struct Single(&'static str, String);

impl velora_core::Headers for Single {
    fn each_value<'h>(&'h self, name: &velora_core::HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        if name.as_str() == self.0 {
            each(self.1.as_bytes());
        }
    }
}

#[test]
fn a_container_of_ones_own_is_asked_by_name() {
    let signed = signed("health", BODY);
    let value = signed.header("x-velora-signature").unwrap().to_owned();
    let headers = Single("X-Velora-Signature", value);
    assert_eq!(verdict(&verifier("health"), BODY, &headers), "ok");
}

/// Each delivery has every fault from its own on; the first in order is reported.
#[test]
fn the_first_failing_check_is_the_error() {
    let verifier = verifier("tv");
    let long = "9".repeat(9_000);
    let signature = format!("sha256={}", "0".repeat(64));
    let short = ("x-velora-signature", "sha256=0");
    let good = ("x-velora-signature", signature.as_str());
    fn stamp(text: &str) -> (&str, &str) {
        ("X-Velora-Timestamp", text)
    }
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[short, short], "missing_header"),
        (&[short, short, stamp(&long)], "duplicate_header"),
        (&[short, stamp(&long)], "header_too_large"),
        (&[short, stamp("x")], "malformed_header"),
        (&[good, stamp("x")], "malformed_timestamp"),
        (&[good, stamp("1")], "timestamp_too_old"),
        (&[good, stamp("999999999999")], "timestamp_in_future"),
        (&[good, stamp("1717423320")], "signature_mismatch"),
        (&[stamp("x"), stamp("x")], "missing_header"),
    ];
    for (headers, expected) in cases {
        assert_eq!(verdict(&verifier, BODY, headers), expected, "{headers:?}");
    }
}

#[test]
fn errors_say_which_header() {
    let verifier = verifier("billing");
    let error = verifier.verify_at(BODY, &[("X-Webhook-Signature", "x")], NOW);
    assert_eq!(
        error.unwrap_err(),
        VerificationError::MissingHeader {
            header: "X-Webhook-Timestamp".into()
        }
    );
}

#[test]
fn the_age_in_an_error_is_the_distance() {
    let signed = signed("health", BODY);
    let at = |seconds| {
        let now = UnixTime::from_secs(NOW.as_secs() + seconds);
        verifier("health")
            .verify_at(BODY, &signed.headers, now)
            .map(drop)
    };
    assert_eq!(
        at(301),
        Err(VerificationError::TimestampTooOld { seconds: 301 })
    );
    assert_eq!(
        at(-302),
        Err(VerificationError::TimestampInFuture { seconds: 302 })
    );
    assert_eq!(at(300), Ok(()));
    assert_eq!(at(-300), Ok(()));
}

#[test]
fn the_clock_at_its_ends_is_an_age_like_any_other() {
    let signed = signed("health", BODY);
    for (millis, code) in [
        (i64::MIN, "timestamp_in_future"),
        (i64::MAX, "timestamp_too_old"),
    ] {
        let now = UnixTime::from_millis(millis);
        let error = verifier("health")
            .verify_at(BODY, &signed.headers, now)
            .unwrap_err();
        assert_eq!(error.code().as_str(), code);
    }
    assert_eq!(UnixTime::from_secs(i64::MAX).as_millis(), i64::MAX);
    assert_eq!(UnixTime::from_millis(-1).as_secs(), -1);
}

#[test]
fn seconds_are_compared_without_our_fraction() {
    let signed = signed("health", BODY);
    let now = UnixTime::from_millis(NOW.as_millis() + 300_999);
    assert!(
        verifier("health")
            .verify_at(BODY, &signed.headers, now)
            .is_ok()
    );

    let millis = super::support::signed("tv-body-only", BODY);
    let at = |extra| {
        let now = UnixTime::from_millis(NOW.as_millis() + extra);
        let verifier = verifier("tv-body-only");
        let verified = verifier.verify_at(BODY, &millis.headers, now);
        verified.map_or_else(|error| error.code().as_str(), |_| "ok")
    };
    assert_eq!([at(300_000), at(300_001)], ["ok", "timestamp_too_old"]);
    assert_eq!([at(-300_000), at(-300_001)], ["ok", "timestamp_in_future"]);
}

#[test]
fn tolerance_and_clock_are_the_callers() {
    let signed = signed("curae", BODY);
    let later = UnixTime::from_secs(NOW.as_secs() + 1);
    let with = |tolerance| {
        let verifier = verifier("curae").with_tolerance(tolerance);
        verifier.verify_at(BODY, &signed.headers, later).is_ok()
    };
    assert!(!with(Tolerance::from_secs(0)));
    assert!(with(Tolerance::from_secs(1)));
    assert!(!with(Tolerance::try_from_secs_f64(0.999).unwrap()));
    assert!(with(Tolerance::dangerous_no_tolerance()));
    for (seconds, none, millis) in [
        (None, false, Ok(Some(300_000))),
        (Some(0.0), false, Ok(Some(0))),
        (None, true, Ok(None)),
        (Some(f64::NAN), false, Err("invalid_tolerance")),
        (Some(300.0), true, Err("invalid_option")),
    ] {
        let tolerance = Tolerance::of_options(seconds, none);
        let tolerance = tolerance.map_err(|error| error.code().as_str());
        assert_eq!(tolerance.map(Tolerance::as_millis), millis);
    }

    let at = |now| verifier("curae").with_clock(ManualClock::new(now));
    assert!(at(later).verify(BODY, &signed.headers).is_ok());
    let error = verifier("curae").verify(BODY, &signed.headers).unwrap_err();
    assert_eq!(
        error.code().as_str(),
        "timestamp_too_old",
        "the system's clock is the default"
    );
}

#[test]
fn the_systems_clock_is_that_of_the_system() {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let apart = SystemClock
        .now()
        .as_millis()
        .abs_diff(since.as_millis() as i64);
    assert!(apart < 60_000, "{apart} ms apart");
}

#[test]
fn the_systems_clock_goes_on() {
    let start = SystemClock.monotonic();
    std::thread::sleep(Duration::from_millis(2));
    let elapsed = SystemClock.monotonic() - start;
    assert!(elapsed >= Duration::from_millis(2), "{elapsed:?}");
}

#[test]
fn the_systems_clock_tells_the_time() {
    let signed = Signer::new(scheme("tv"), [secret(SECRET)])
        .unwrap()
        .sign(BODY);
    assert!(verifier("tv").verify(BODY, &signed.headers).is_ok());
}

#[test]
fn a_delivery_tells_what_was_proven() {
    let secrets = [secret("new"), secret(SECRET)];
    let verifier = Verifier::new(scheme("health"), secrets).unwrap();
    let signed = signed("health", BODY);
    let delivery = verifier.verify_at(BODY, &signed.headers, NOW).unwrap();
    assert_eq!(delivery.scheme(), "health");
    assert_eq!(delivery.body(), BODY);
    assert_eq!(delivery.signed_timestamp(), Some(NOW));
    assert_eq!(delivery.secret_index(), 1);
    assert_eq!(
        format!("{delivery:?}"),
        "Delivery { scheme: \"health\", body_bytes: 20, \
         signed_timestamp: Some(UnixTime(1717423320000)), secret_index: 1, .. }"
    );
    let owned = delivery.into_owned();
    assert_eq!((owned.body(), owned.secret_index()), (BODY, 1));
}

#[test]
fn the_first_secret_has_index_0() {
    let verifier = Verifier::new(scheme("health"), [secret(SECRET), secret("old")]).unwrap();
    let signed = signed("health", BODY);
    let delivery = verifier.verify_at(BODY, &signed.headers, NOW).unwrap();
    assert_eq!(delivery.secret_index(), 0);
}

#[test]
fn an_unsigned_timestamp_is_not_told() {
    for name in ["billing", "tv-body-only"] {
        let signed = signed(name, BODY);
        let verifier = verifier(name);
        let delivery = verifier.verify_at(BODY, &signed.headers, NOW).unwrap();
        assert_eq!(delivery.signed_timestamp(), None, "{name}");
    }
}

#[test]
fn the_last_of_sixteen_signatures_counts() {
    let Some(valid) = signed("health", BODY)
        .header("X-Velora-Signature")
        .map(str::to_owned)
    else {
        panic!("no signature");
    };
    let (t, v1) = valid.split_once(',').unwrap();
    let wrong = |count| format!(",v1={}", "0".repeat(64)).repeat(count);
    let verifier = verifier("health");
    let sixteen = format!("{t}{},{v1}", wrong(15));
    let seventeen = format!("{t}{},{v1}", wrong(16));
    assert_eq!(
        verdict(&verifier, BODY, &[("X-Velora-Signature", &sixteen)]),
        "ok"
    );
    assert_eq!(
        verdict(&verifier, BODY, &[("X-Velora-Signature", &seventeen)]),
        "header_too_large"
    );
}

#[test]
fn a_body_of_any_length_is_hashed_whole() {
    use hmac::{Hmac, KeyInit, Mac};
    let bare = Scheme::new("own", "Mac", SignatureForm::bare());
    for secret_len in [1, 63, 64, 65, 200] {
        let key = vec![7_u8; secret_len];
        let secret = velora_core::SigningSecret::from_bytes(&key).unwrap();
        let signer = Signer::new(bare.clone(), [secret]).unwrap();
        for len in (0..200).chain([1_000, 4_096, 65_536]) {
            let body: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
            mac.update(&body);
            let expected: String = mac
                .finalize()
                .into_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let signed = signer.sign_at(&body, NOW);
            assert_eq!(
                signed.header("Mac"),
                Some(expected.as_str()),
                "{secret_len} {len}"
            );
        }
    }
}

#[test]
fn thirteen_digits_get_a_hint_at_milliseconds() {
    let hint = |name: &str, timestamp: &str| {
        let signed = signed(name, BODY);
        let signature = signed.header("X-Velora-Signature").unwrap();
        let headers = [
            ("X-Velora-Signature", signature),
            ("X-Velora-Timestamp", timestamp),
        ];
        match verifier(name).verify_at(BODY, &headers, NOW) {
            Err(VerificationError::MalformedTimestamp { hint }) => hint.is_some(),
            other => panic!("{timestamp}: {other:?}"),
        }
    };
    assert!(hint("tv", "1717423320000"));
    for timestamp in ["171742332000x", "17174233200000", "171742332x", "x"] {
        assert!(!hint("tv", timestamp), "{timestamp}");
    }
    assert!(!hint("tv-body-only", "171742332000x"));
    assert!(!hint("tv-body-only", "0171742332000"));
}

#[test]
fn every_byte_of_a_signature_counts() {
    let signed = signed("health", BODY);
    let valid = signed.header("X-Velora-Signature").unwrap().as_bytes();
    let start = valid.len() - 64;
    for at in [
        start,
        start + 1,
        start + 7,
        start + 8,
        start + 31,
        start + 63,
    ] {
        for byte in 0..=u8::MAX {
            let mut header = valid.to_vec();
            header[at] = byte;
            let expected = match byte {
                same if same == valid[at] => "ok",
                b'0'..=b'9' | b'a'..=b'f' => "signature_mismatch",
                // A comma in the last place leaves a value that is too short.
                _ => "malformed_header",
            };
            let headers = [("X-Velora-Signature", &header[..])];
            assert_eq!(
                verdict(&verifier("health"), BODY, &headers),
                expected,
                "{at} {byte:#x}"
            );
        }
    }
}

#[test]
fn every_byte_of_a_timestamp_counts() {
    let signed = signed("tv", BODY);
    let signature = signed.header("X-Velora-Signature").unwrap();
    for byte in 0..=u8::MAX {
        let mut timestamp = *b"1717423320";
        timestamp[9] = byte;
        let expected = match byte {
            b'0' => "ok",
            b'1'..=b'9' => "signature_mismatch",
            _ => "malformed_timestamp",
        };
        let headers = [
            ("X-Velora-Signature", signature.as_bytes()),
            ("X-Velora-Timestamp", &timestamp[..]),
        ];
        assert_eq!(
            verdict(&verifier("tv"), BODY, &headers),
            expected,
            "{byte:#x}"
        );
    }
}

/// The hash of a name is only asked where there are more than a few.
#[test]
fn finds_a_header_among_many() {
    for others in [0, 30, 31, 32, 100] {
        let mut map = http::HeaderMap::new();
        for n in 0..others {
            let name = http::HeaderName::try_from(format!("x-other-{n}")).unwrap();
            map.insert(name, http::HeaderValue::from_static("x"));
        }
        let signed = signed("health", BODY);
        let value = signed.header("X-Velora-Signature").unwrap();
        assert_eq!(
            verdict(&verifier("health"), BODY, &map),
            "missing_header",
            "{others}"
        );
        map.append("x-velora-signature", value.parse().unwrap());
        assert_eq!(verdict(&verifier("health"), BODY, &map), "ok", "{others}");
        map.append("x-velora-signature", value.parse().unwrap());
        assert_eq!(
            verdict(&verifier("health"), BODY, &map),
            "duplicate_header",
            "{others}"
        );
    }
}
