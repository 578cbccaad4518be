//! A secret that the host keeps hashed gives the same verdicts as the secret itself.

use velora_core::{
    ConfigError, HashedSecret, Precheck, Scheme, Signer, SigningSecret, Tolerance, UnixTime,
    VerificationError, Verifier,
};

use super::support::{BODY, NOW, SCHEMES, SECRET, scheme, secret, signed};

fn kept(text: &str) -> HashedSecret {
    let bytes = HashedSecret::of_text(text).unwrap().to_bytes();
    HashedSecret::from_bytes(&bytes)
}

#[test]
fn accepts_what_the_verifier_accepts() {
    for name in SCHEMES {
        let signed = signed(name, BODY);
        let precheck = Precheck::new(scheme(name)).unwrap();
        let verdict = |body, secrets: &[HashedSecret]| {
            let delivery = precheck.verify_at(body, &signed.headers, NOW, secrets)?;
            Ok::<_, VerificationError>(delivery.into_owned())
        };
        let delivery = verdict(BODY, &[kept("other"), kept(SECRET)]).unwrap();
        assert_eq!((delivery.scheme(), delivery.secret_index()), (name, 1));
        assert_eq!(delivery.body(), BODY);

        for (body, secrets) in [
            (&b"{}"[..], &[kept(SECRET)][..]),
            (BODY, &[kept("other")]),
            (BODY, &[]),
        ] {
            let error = verdict(body, secrets).unwrap_err();
            assert_eq!(error.code().as_str(), "signature_mismatch", "{name}");
        }
    }
}

#[test]
fn verifies_within_the_tolerance_that_the_host_keeps() {
    let signed = signed("health", BODY);
    let later = UnixTime::from_secs(NOW.as_secs() + 10);
    let precheck = Precheck::new(scheme("health")).unwrap();
    let verdict = |tolerance| {
        precheck
            .verify_within(tolerance, BODY, &signed.headers, later, [kept(SECRET)])
            .map(|delivery| delivery.secret_index())
    };
    assert_eq!(verdict(Tolerance::from_secs(10)), Ok(0));
    assert_eq!(
        verdict(Tolerance::from_secs(9)),
        Err(VerificationError::TimestampTooOld { seconds: 10 })
    );
}

#[test]
fn is_the_same_however_it_is_made() {
    // As long as a block of the hash, and longer.
    for text in ["s".to_owned(), "s".repeat(64), "s".repeat(65)] {
        let bytes = HashedSecret::of_text(&text).unwrap().to_bytes();
        assert_eq!(
            HashedSecret::of_bytes(text.as_bytes()).unwrap().to_bytes(),
            bytes
        );
        assert_eq!(HashedSecret::new(&secret(&text)).to_bytes(), bytes);
        assert_eq!(HashedSecret::from_bytes(&bytes).to_bytes(), bytes);
        assert_ne!(kept("other").to_bytes(), bytes);
    }
    let shown = format!("{:?}", kept(SECRET));
    assert_eq!(shown, "HashedSecret(..)");
}

#[test]
fn is_refused_where_the_secret_is() {
    let of_text = |text| HashedSecret::of_text(text).map(|_| ()).unwrap_err();
    assert_eq!(of_text(""), ConfigError::EmptySecret);
    for text in [" s", "s\n", "\u{a0}s", "s\u{3000}", " "] {
        assert_eq!(of_text(text), ConfigError::SecretHasWhitespace, "{text:?}");
        assert_eq!(SigningSecret::new(text).unwrap_err(), of_text(text));
    }
    let of_bytes = |bytes| HashedSecret::of_bytes(bytes).map(|_| ());
    assert_eq!(of_bytes(b""), Err(ConfigError::EmptySecret));
    assert_eq!(of_bytes(b" s"), Ok(()));
}

#[test]
fn verifies_and_signs() {
    for name in SCHEMES {
        let precheck = Precheck::new(scheme(name)).unwrap();
        let signer = Signer::of_hashed(&precheck, [kept(SECRET)]).unwrap();
        let made = signer.sign_at(BODY, NOW);
        assert_eq!(made.headers, signed(name, BODY).headers, "{name}");

        let late = UnixTime::from_millis(NOW.as_millis() + 1_000);
        let precheck = precheck.with_tolerance(Tolerance::from_millis(999));
        let verifier = Verifier::of_hashed(precheck, [kept(SECRET)]).unwrap();
        let verdict = |now| verifier.verify_at(BODY, &made.headers, now).map(|_| ());
        assert_eq!(verdict(NOW), Ok(()), "{name}");
        let error = verdict(late).unwrap_err();
        assert_eq!(error.code().as_str(), "timestamp_too_old", "{name}");
    }
    let precheck = || Precheck::new(scheme("tv")).unwrap();
    let none = Verifier::of_hashed(precheck(), []).unwrap_err();
    assert_eq!(none, ConfigError::NoSecret);
    let codes = [vec![], vec![kept("one"), kept("two")]]
        .map(|secrets| Signer::of_hashed(&precheck(), secrets).unwrap_err().code());
    assert_eq!(
        codes.map(|code| code.as_str()),
        ["no_secret", "too_many_secrets"]
    );
}

#[test]
fn all_schemes_are_those_that_have_names() {
    let names: Vec<_> = Scheme::all().iter().map(Scheme::name).collect();
    assert_eq!(names, SCHEMES);
    for scheme in Scheme::all() {
        assert_eq!(&Scheme::named(scheme.name()).unwrap(), scheme);
    }
    let error = Scheme::named("nobody").unwrap_err().to_string();
    assert!(error.contains(&names.join(", ")), "{error}");
}

#[test]
fn a_tolerance_says_its_milliseconds() {
    assert_eq!(Tolerance::default().as_millis(), Some(300_000));
    assert_eq!(
        Tolerance::from_secs(u32::MAX).as_millis(),
        Some(4_294_967_295_000)
    );
    assert_eq!(
        Tolerance::try_from_secs_f64(1.001).unwrap().as_millis(),
        Some(1_001)
    );
    assert_eq!(
        Tolerance::try_from_secs_f64(1e300).unwrap().as_millis(),
        Some(u64::MAX)
    );
    assert_eq!(Tolerance::dangerous_no_tolerance().as_millis(), None);
}
