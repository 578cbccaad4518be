//! Misuse is refused when a value is made, with its code.

use std::time::Duration;

use velora_core::dedupe::StoreSeconds;
use velora_core::{
    ConfigError, Identity, MemoryStore, Scheme, SignatureForm, SignedPayload, Signer,
    SigningSecret, StoreOptions, TimeUnit, Tolerance, UnixTime, Verifier,
};

use super::support::{SECRET, scheme, secret};

fn code<T>(result: Result<T, ConfigError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code().as_str(),
    }
}

#[test]
fn secrets() {
    assert_eq!(code(SigningSecret::new("")), "empty_secret");
    assert_eq!(code(SigningSecret::from_bytes([])), "empty_secret");
    for text in [" s", "s ", "s\n", "\ts", "s\u{a0}", "\u{2003}s", " "] {
        assert_eq!(
            code(SigningSecret::new(text)),
            "secret_has_whitespace",
            "{text:?}"
        );
        assert_eq!(code(SigningSecret::from_bytes(text)), "ok", "{text:?}");
    }
    assert_eq!(code(SigningSecret::new("a b")), "ok");
    assert_eq!(code(Verifier::new(scheme("health"), [])), "no_secret");
    assert_eq!(code(Signer::new(scheme("health"), [])), "no_secret");
}

#[test]
fn only_a_list_is_signed_with_several_secrets() {
    let two = || [secret(SECRET), secret("other")];
    for (name, expected) in [
        ("health", "ok"),
        ("curae", "ok"),
        ("billing", "too_many_secrets"),
        ("tv", "too_many_secrets"),
        ("tv-body-only", "too_many_secrets"),
    ] {
        assert_eq!(code(Signer::new(scheme(name), two())), expected, "{name}");
        assert_eq!(code(Verifier::new(scheme(name), two())), "ok", "{name}");
    }
}

#[test]
fn tolerances() {
    for seconds in [-1.0, -0.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            code(Tolerance::try_from_secs_f64(seconds)),
            "invalid_tolerance",
            "{seconds}"
        );
    }
    for seconds in [0.0, -0.0, 0.5, 300.0, 1e300] {
        assert_eq!(
            code(Tolerance::try_from_secs_f64(seconds)),
            "ok",
            "{seconds}"
        );
    }
    assert_eq!(
        Tolerance::try_from_secs_f64(300.0),
        Ok(Tolerance::default())
    );
    assert_eq!(
        Tolerance::try_from_secs_f64(2.0),
        Ok(Tolerance::from_secs(2))
    );
    assert_ne!(
        Tolerance::try_from_secs_f64(1.001),
        Ok(Tolerance::from_secs(1)),
        "a millisecond is not lost on the way"
    );
}

#[test]
fn instants() {
    let millis = |seconds| UnixTime::try_from_secs_f64(seconds).map(UnixTime::as_millis);
    assert_eq!(millis(1_780_000_000.001), Ok(1_780_000_000_001));
    assert_eq!(millis(0.000_9), Ok(0));
    assert_eq!(millis(-0.5), Ok(-500));
    assert_eq!(millis(1e13), Ok(10_000_000_000_000_000));
    assert_eq!(millis(f64::MAX), Ok(i64::MAX));
    assert_eq!(millis(f64::MIN), Ok(i64::MIN));
    for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let refused = UnixTime::try_from_secs_f64(seconds);
        assert_eq!(code(refused), "invalid_option");
    }
}

#[test]
fn the_secret_of_a_registration_can_be_stored() {
    let secret = SigningSecret::new("0123456789abcdef").unwrap();
    assert_eq!(secret.expose_secret(), b"0123456789abcdef");
}

#[test]
fn names_the_headers_that_are_looked_at() {
    let looked_at = |name| {
        let verifier = Verifier::new(scheme(name), [secret("a")]).unwrap();
        let headers = verifier.precheck().headers();
        headers
            .map(|name| name.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(looked_at("health"), ["X-Velora-Signature"]);
    assert_eq!(
        looked_at("curae"),
        [
            "CuraeAI-Signature",
            "CuraeAI-Event-Id",
            "CuraeAI-Event-Type"
        ]
    );
    assert_eq!(
        looked_at("tv"),
        ["X-Velora-Signature", "X-Velora-Timestamp", "X-Velora-Event"]
    );
}

#[test]
fn unknown_scheme() {
    for name in ["", "Health", "health ", "tv_body_only", "stripe"] {
        assert_eq!(code(Scheme::named(name)), "unknown_scheme", "{name}");
    }
}

fn bare() -> Scheme {
    Scheme::new("own", "Signature", SignatureForm::bare())
}

#[test]
fn schemes_that_contradict_themselves() {
    let list = || Scheme::new("own", "Signature", SignatureForm::List);
    let cases = [
        (
            "no name",
            Scheme::new("", "Signature", SignatureForm::bare()),
        ),
        ("no header", Scheme::new("own", "", SignatureForm::bare())),
        (
            "blank in header",
            Scheme::new("own", "My Signature", SignatureForm::bare()),
        ),
        (
            "colon in header",
            Scheme::new("own", "Signature:", SignatureForm::bare()),
        ),
        (
            "header not ASCII",
            Scheme::new("own", "Sïgnature", SignatureForm::bare()),
        ),
        (
            "timestamp header",
            bare().timestamp_header("a b", TimeUnit::Seconds),
        ),
        (
            "one header for both",
            bare().timestamp_header("SIGNATURE", TimeUnit::Seconds),
        ),
        (
            "two timestamps",
            list().timestamp_header("Timestamp", TimeUnit::Seconds),
        ),
        (
            "no timestamp",
            bare().signed_payload(SignedPayload::timestamped("", ".")),
        ),
        (
            "long text",
            list().signed_payload(SignedPayload::timestamped("x".repeat(20), "y".repeat(13))),
        ),
        (
            "blank in prefix",
            Scheme::new("own", "Signature", SignatureForm::prefixed("v 1=")),
        ),
        (
            "prefix not ASCII",
            Scheme::new("own", "Signature", SignatureForm::prefixed("ü")),
        ),
        (
            "no member",
            bare().identity(Identity::Members(vec![].into())),
        ),
        (
            "empty member",
            bare().identity(Identity::Members(vec!["id".into(), "".into()].into())),
        ),
        ("status 399", bare().reject_status(399)),
        ("status 600", bare().reject_status(600)),
    ];
    for (what, scheme) in cases {
        assert_eq!(
            code(Verifier::new(scheme.clone(), [secret("s")])),
            "invalid_scheme",
            "{what}"
        );
        assert_eq!(
            code(Signer::new(scheme, [secret("s")])),
            "invalid_scheme",
            "{what}"
        );
    }
    for system in Scheme::all() {
        let named = |name: &str| Scheme::new(name.to_owned(), "Signature", SignatureForm::bare());
        let code = |scheme| code(Verifier::new(scheme, [secret("s")]));
        let name = system.name();
        assert_eq!(code(named(name)), "invalid_scheme", "{name}");
        assert_eq!(code(named(&name.to_uppercase())), "ok", "{name}");
        // The system's own scheme, of which something is set, is still the system's.
        assert_eq!(code(system.clone().reject_status(403)), "ok", "{name}");
    }
    let text = || SignedPayload::timestamped("x".repeat(20), "y".repeat(12));
    for scheme in [
        list().signed_payload(text()),
        list(),
        bare().reject_status(400),
        bare().reject_status(599),
        Scheme::new("own", "!#$%&'*+-.^_`|~09azAZ", SignatureForm::bare()),
    ] {
        assert_eq!(code(Verifier::new(scheme, [secret("s")])), "ok");
    }
}

#[test]
fn store_options() {
    let options = StoreOptions::default();
    let hour = Duration::from_secs(3600);
    assert_eq!(options.lease(), Duration::from_secs(60));
    assert_eq!(options.retention(), 72 * hour);
    assert_eq!(code(options.with_retention(24 * hour)), "ok");
    assert_eq!(
        code(options.with_retention(24 * hour - Duration::from_nanos(1))),
        "invalid_retention"
    );
    assert_eq!(code(options.dangerous_short_retention(hour)), "ok");
    assert_eq!(
        code(options.dangerous_short_retention(Duration::from_secs(60))),
        "invalid_lease"
    );
    assert_eq!(code(options.with_lease(Duration::ZERO)), "invalid_lease");
    assert_eq!(code(options.with_lease(72 * hour)), "invalid_lease");
    assert_eq!(code(options.with_lease(71 * hour)), "ok");
    assert_eq!(code(MemoryStore::new(options, 0)), "invalid_capacity");
    assert_eq!(code(MemoryStore::new(options, 1)), "ok");
}

#[test]
fn store_options_in_seconds() {
    let day = 86_400.0;
    let made = |edit: fn(&mut StoreSeconds, f64), seconds| {
        let mut given = StoreSeconds::default();
        edit(&mut given, seconds);
        StoreOptions::try_from_secs_f64(given)
    };
    let lease = |seconds| made(|given, seconds| given.lease = Some(seconds), seconds);
    let retention = |seconds| made(|given, seconds| given.retention = Some(seconds), seconds);
    let short = |seconds| {
        made(
            |given, seconds| given.dangerous_short_retention = Some(seconds),
            seconds,
        )
    };
    let timeout = |seconds| made(|given, seconds| given.timeout = Some(seconds), seconds);
    for no_time in [-1.0, -f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(code(lease(no_time)), "invalid_lease");
        assert_eq!(code(retention(no_time)), "invalid_retention");
        assert_eq!(code(short(no_time)), "invalid_retention");
        assert_eq!(code(timeout(no_time)), "invalid_option");
    }
    assert_eq!(code(lease(0.0)), "invalid_lease");
    assert_eq!(code(lease(3.0 * day)), "invalid_lease");
    assert_eq!(code(retention(day - 1.0)), "invalid_retention");
    assert_eq!(code(short(60.0)), "invalid_lease");
    assert_eq!(code(timeout(0.05)), "invalid_option");
    let none = StoreOptions::try_from_secs_f64(StoreSeconds::default());
    assert_eq!(none.unwrap(), StoreOptions::default());
    let options = StoreOptions::try_from_secs_f64(StoreSeconds {
        // Under the retention that is wanted, not under the default one.
        lease: Some(4.0 * day),
        retention: Some(5.0 * day),
        dangerous_short_retention: None,
        timeout: Some(0.5),
    });
    let options = options.unwrap();
    assert_eq!(options.lease().as_secs_f64(), 4.0 * day);
    assert_eq!(options.retention().as_secs_f64(), 5.0 * day);
    assert_eq!(options.timeout(), Duration::from_millis(500));
    let short = StoreOptions::try_from_secs_f64(StoreSeconds {
        lease: Some(1.0),
        dangerous_short_retention: Some(2.0),
        ..StoreSeconds::default()
    });
    assert_eq!(short.unwrap().retention(), Duration::from_secs(2));
}
