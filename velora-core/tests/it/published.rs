//! Test vectors that others have published.

use velora_core::{Scheme, SignatureForm, Signer, SigningSecret, Verifier};

use super::support::{BODY, NOW, SCHEMES, secret, signed, verdict, verifier};

/// The check vectors of the specification: `BODY` signed with `SECRET` at `NOW`.
#[test]
fn the_five_schemes_sign_as_specified() {
    let health = "eee5b5f8d76f97b123cfe84749225d48e0db85f730646189af34cdbe2f904f46";
    let body_only = "9bc2546bef83c2a529557d46d102da7faa6a069887b4bfb5069d3293a8fdc7fe";
    let stamped = "cfc3572bd1a826301b484d0426346b483691aa9a32b03327c48481d7f57edf30";
    let expected = [
        ("X-Velora-Signature", format!("t=1717423320,v1={health}")),
        ("X-Webhook-Signature", format!("sha256={body_only}")),
        ("CuraeAI-Signature", format!("t=1717423320,v1={stamped}")),
        ("X-Velora-Signature", format!("sha256={stamped}")),
        ("X-Velora-Signature", body_only.to_owned()),
    ];
    for (name, (header, value)) in SCHEMES.into_iter().zip(expected) {
        let signed = signed(name, BODY);
        assert_eq!(signed.header(header), Some(value.as_str()), "{name}");
        assert_eq!(
            verdict(&verifier(name), BODY, &signed.headers),
            "ok",
            "{name}"
        );
    }
}

/// GitHub, *Validating webhook deliveries: Testing the webhook payload validation*.
#[test]
fn github_as_a_scheme_of_ones_own() {
    let github = Scheme::new(
        "github",
        "X-Hub-Signature-256",
        SignatureForm::prefixed("sha256="),
    );
    let verifier = Verifier::new(github, [secret("It's a Secret to Everybody")]).unwrap();
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let headers = [("X-Hub-Signature-256", signature)];
    assert_eq!(verdict(&verifier, b"Hello, World!", &headers), "ok");
    assert_eq!(
        verdict(&verifier, b"Hello, World?", &headers),
        "signature_mismatch"
    );
}

/// RFC 4231, section 4; test case 5 is truncated and does not apply.
#[test]
fn rfc_4231() {
    let cases: [(Vec<u8>, Vec<u8>, &str); 6] = [
        (
            vec![0x0b; 20],
            b"Hi There".to_vec(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            vec![0xaa; 20],
            vec![0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            (1..=25).collect(),
            vec![0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            vec![0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size \
              data. The key needs to be hashed before being used by the HMAC algorithm."
                .to_vec(),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, data, mac) in cases {
        let secret = SigningSecret::from_bytes(key).unwrap();
        let bare = Scheme::new("rfc", "Mac", SignatureForm::bare());
        let signer = Signer::new(bare.clone(), [secret.clone()]).unwrap();
        assert_eq!(signer.sign_at(&data, NOW).header("Mac"), Some(mac));
        let verifier = Verifier::new(bare, [secret]).unwrap();
        assert_eq!(verdict(&verifier, &data, &[("Mac", mac)]), "ok");
    }
}

/// Slack, *Verifying requests from Slack*: its documented example.
#[test]
fn slack_as_a_scheme_of_ones_own() {
    use velora_core::{SignedPayload, TimeUnit, UnixTime};
    let slack = Scheme::new("slack", "X-Slack-Signature", SignatureForm::prefixed("v0="))
        .timestamp_header("X-Slack-Request-Timestamp", TimeUnit::Seconds)
        .signed_payload(SignedPayload::timestamped("v0:", ":"));
    let verifier = Verifier::new(slack, [secret("8f742231b10e8888abcd99yyyzzz85a5")]).unwrap();
    let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
        &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
        &command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands\
        %2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let headers = [
        (
            "X-Slack-Signature",
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        ),
        ("X-Slack-Request-Timestamp", "1531420618"),
    ];
    let now = UnixTime::from_secs(1_531_420_618);
    let delivery = verifier.verify_at(body, &headers, now).unwrap();
    assert_eq!(delivery.signed_timestamp(), Some(now));
}
