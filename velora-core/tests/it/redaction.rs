//! No secret, body or expected signature is ever shown.

use velora_core::{
    ConfigError, MemoryStore, Precheck, Receiver, Signer, SigningSecret, Verifier, health, tv,
};

use super::support::{NOW, SCHEMES, scheme, signed};

const CANARY: &str = "canary-7f3a";

fn assert_clean(what: &str, text: &str) {
    assert!(!text.contains("7f3a"), "{what} shows a secret: {text}");
}

#[test]
fn secrets_are_not_shown() {
    let secret = || SigningSecret::new(CANARY).unwrap();
    assert_clean("secret", &format!("{:?}", secret()));
    for name in SCHEMES {
        let verifier = Verifier::new(scheme(name), [secret()]).unwrap();
        assert_clean("verifier", &format!("{verifier:?} {verifier:#?}"));
        let signer = Signer::new(scheme(name), [secret()]).unwrap();
        assert_clean("signer", &format!("{signer:?}"));
        assert!(format!("{signer:?}{verifier:?}").contains("secrets: 1"));
        let receiver = Receiver::new(verifier, MemoryStore::default());
        let shown = format!("{receiver:?}");
        assert_clean("receiver", &shown);
        assert!(shown.contains(&format!("{name:?}")) && shown.contains("body_limit: 1048576"));
    }
    let error = SigningSecret::new(format!(" {CANARY}")).unwrap_err();
    assert_eq!(error, ConfigError::SecretHasWhitespace);
    assert_clean("error", &format!("{error} {error:?}"));
}

#[test]
fn bodies_and_signatures_are_not_shown() {
    let bodies = [
        r#"{"id":"1","type":"phi.read","tenant_id":"canary-7f3a","actor":{"user_id":"canary-7f3a"},"resource":{"id":"canary-7f3a"},"details":"canary-7f3a"}"#,
        r#"{"type":"a","amount":"canary-7f3a"}"#,
        r#"{"eventType":"a","eventId":"1","data":"canary-7f3a"}"#,
        r#"{"id":"1","type":"stream.online","data":{"streamId":"1","userId":"1","title":"canary-7f3a"}}"#,
        r#"{"event":"a","data":"canary-7f3a"}"#,
    ];
    for (name, body) in SCHEMES.into_iter().zip(bodies) {
        let signed = signed(name, body);
        assert_clean("signed delivery", &format!("{signed:?}"));
        assert!(format!("{signed:?}").contains(&format!("body_bytes: {}", body.len())));
        let verifier = super::support::verifier(name);
        let delivery = verifier
            .verify_at(&signed.body, &signed.headers, NOW)
            .unwrap();
        assert_clean("delivery", &format!("{delivery:?} {:?}", delivery.fields()));
        assert_clean(
            "event",
            &format!("{:?}", delivery.event::<velora_core::Event>().unwrap()),
        );
        let precheck = Precheck::new(scheme(name)).unwrap();
        let pending = precheck.check_at(&signed.headers, NOW).unwrap();
        assert_clean("pending", &format!("{precheck:?} {pending:?}"));
        assert!(
            format!("{precheck:?}").contains("tolerance") && format!("{pending:?}").contains(name)
        );

        let forged = body.replace("canary", "Canary");
        let error = verifier
            .verify_at(forged.as_bytes(), &signed.headers, NOW)
            .unwrap_err();
        assert_clean("mismatch", &format!("{error} {error:?}"));
        let signature = &signed.headers[0].1;
        assert!(!format!("{error:?}").contains(&signature[signature.len() - 8..]));
    }
    let actor: health::Event = delivery("health", bodies[0]).event().unwrap();
    assert_clean("actor", &format!("{:?} {:?}", actor.actor, actor.resource));
    let online: tv::Event = delivery("tv", bodies[3]).event().unwrap();
    assert_clean("data", &format!("{:?}", online.data));
}

#[test]
fn faults_of_a_body_do_not_quote_it() {
    for body in [
        r#"{"id":"1","type":"t","id":"canary-7f3a"}"#,
        r#"{"id":["canary-7f3a"],"type":"t"}"#,
        r#"{"canary-7f3a"}"#,
        r#""canary-7f3a""#,
    ] {
        let error = delivery("health", body)
            .event::<health::Event>()
            .unwrap_err();
        assert_clean("fault", &format!("{error} {error:?}"));
    }
}

fn delivery(name: &str, body: &str) -> velora_core::Delivery<'static> {
    let signed = signed(name, body);
    let verifier = super::support::verifier(name);
    verifier
        .verify_at(&signed.body, &signed.headers, NOW)
        .unwrap()
        .into_owned()
}
