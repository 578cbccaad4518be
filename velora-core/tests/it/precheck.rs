//! The check without the hash gives the same verdicts as the verifier.

use hmac::{Hmac, KeyInit, Mac};
use velora_core::{Precheck, Tolerance, UnixTime};

use super::support::{BODY, NOW, SCHEMES, SECRET, scheme, secret, signed, verifier};

fn host_mac(key: &[u8], prefix: &[u8], body: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(prefix);
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[test]
fn accepts_the_hosts_own_mac() {
    for name in SCHEMES {
        let signed = signed(name, BODY);
        let precheck = Precheck::new(scheme(name)).unwrap();
        let check = || precheck.check_at(&signed.headers, NOW).unwrap();
        let mac = host_mac(SECRET.as_bytes(), check().signed_prefix(), BODY);
        let other = host_mac(b"other", check().signed_prefix(), BODY);

        assert_eq!(check().candidates().collect::<Vec<_>>(), [mac], "{name}");
        let delivery = check().accept(BODY, &[other, mac]).unwrap();
        assert_eq!((delivery.scheme(), delivery.secret_index()), (name, 1));
        for macs in [vec![], vec![other]] {
            let error = check().accept(BODY, &macs).unwrap_err();
            assert_eq!(error.code().as_str(), "signature_mismatch", "{name}");
        }
    }
}

#[test]
fn puts_the_signed_prefix_before_the_body() {
    let prefix = |name| {
        let signed = signed(name, BODY);
        let precheck = Precheck::new(scheme(name)).unwrap();
        let pending = precheck.check_at(&signed.headers, NOW).unwrap();
        String::from_utf8(pending.signed_prefix().to_vec()).unwrap()
    };
    assert_eq!(
        SCHEMES.map(prefix),
        ["t=1717423320.", "", "1717423320.", "1717423320.", ""]
    );
}

#[test]
fn offers_every_candidate() {
    let secrets = ["one", "two", "three"];
    let signer = velora_core::Signer::new(scheme("curae"), secrets.map(secret)).unwrap();
    let signed = signer.sign_at(BODY, NOW);
    let precheck = Precheck::new(scheme("curae")).unwrap();
    let pending = precheck.check_at(&signed.headers, NOW).unwrap();
    let macs = secrets.map(|key| host_mac(key.as_bytes(), pending.signed_prefix(), BODY));
    assert_eq!(pending.candidates().collect::<Vec<_>>(), macs);
}

#[test]
fn checks_the_age_with_its_own_tolerance() {
    let signed = signed("health", BODY);
    let later = UnixTime::from_secs(NOW.as_secs() + 10);
    let precheck = Precheck::new(scheme("health")).unwrap();
    assert!(precheck.check_at(&signed.headers, later).is_ok());
    assert_eq!(
        precheck.check(&signed.headers).unwrap_err().code().as_str(),
        "timestamp_too_old",
        "the system's clock is the default"
    );
    let strict = precheck.with_tolerance(Tolerance::from_secs(9));
    let error = strict.check_at(&signed.headers, later).unwrap_err();
    assert_eq!(error.code().as_str(), "timestamp_too_old");
    let ten = Tolerance::from_secs(10);
    assert!(strict.check_within(ten, &signed.headers, later).is_ok());
}

#[test]
fn is_part_of_the_verifier() {
    let verifier = verifier("tv").with_tolerance(Tolerance::from_secs(1));
    let signed = signed("tv", BODY);
    let now = UnixTime::from_secs(NOW.as_secs() + 2);
    let error = verifier
        .precheck()
        .check_at(&signed.headers, now)
        .unwrap_err();
    assert_eq!(error.code().as_str(), "timestamp_too_old");
}

#[test]
fn keeps_the_headers_that_the_body_must_agree_with() {
    let mut signed = signed("tv", br#"{"id":"evt_1","type":"stream.online"}"#);
    for (name, value) in &mut signed.headers {
        if name == "X-Velora-Event" {
            *value = "stream.offline".to_owned();
        }
    }
    let precheck = Precheck::new(scheme("tv")).unwrap();
    let pending = precheck.check_at(&signed.headers, NOW).unwrap();
    let mac = host_mac(SECRET.as_bytes(), pending.signed_prefix(), &signed.body);
    let delivery = pending.accept(&signed.body, &[mac]).unwrap();
    assert_eq!(
        delivery.key().unwrap_err().code().as_str(),
        "header_body_mismatch"
    );
}
