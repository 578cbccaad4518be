//! Test deliveries have exactly the headers that the systems send.

use velora_core::{Signer, UnixTime, Verifier};

use super::support::{NOW, SECRET, scheme, secret, signed, verdict};

fn names_and_values(delivery: &velora_core::SignedDelivery) -> Vec<(&str, &str)> {
    let signature = |name: &str| name.ends_with("-Signature");
    let headers = delivery.headers.iter().filter(|(name, _)| !signature(name));
    headers
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn health_headers() {
    let signed = signed("health", r#"{"id":"evt_1","type":"phi.read"}"#);
    assert_eq!(
        names_and_values(&signed),
        [("Content-Type", "application/json")]
    );
}

#[test]
fn billing_headers() {
    let expected = |event| {
        let mut headers = vec![("X-Webhook-Timestamp", "1717423320")];
        headers.extend(event);
        headers.extend([
            ("X-Webhook-Delivery", "del_test"),
            ("Content-Type", "application/json"),
            ("User-Agent", "Velora-Billing-Webhook/1.0"),
        ]);
        headers
    };
    let event = Some(("X-Webhook-Event", "dispute.sla_breached"));
    for body in [
        r#"{"type":"dispute.sla_breached","event":"other"}"#,
        r#"{"event":"dispute.sla_breached"}"#,
    ] {
        assert_eq!(names_and_values(&signed("billing", body)), expected(event));
    }
    assert_eq!(names_and_values(&signed("billing", "{}")), expected(None));
}

#[test]
fn curae_headers() {
    let body = r#"{"eventType":"records.export_ready","eventId":"evt_1","data":{}}"#;
    let expected = [
        ("CuraeAI-Timestamp", "1717423320"),
        ("CuraeAI-Event-Id", "evt_1"),
        ("CuraeAI-Event-Type", "records.export_ready"),
        ("Content-Type", "application/json"),
    ];
    assert_eq!(names_and_values(&signed("curae", body)), expected);
}

#[test]
fn tv_headers() {
    let expected = |timestamp| {
        [
            ("X-Velora-Timestamp", timestamp),
            ("X-Velora-Event", "stream.online"),
            ("Content-Type", "application/json"),
        ]
    };
    let seed = signed("tv", r#"{"id":"evt_1","type":"stream.online"}"#);
    assert_eq!(names_and_values(&seed), expected("1717423320"));
    let body_only = signed("tv-body-only", r#"{"event":"stream.online"}"#);
    assert_eq!(names_and_values(&body_only), expected("1717423320000"));
}

#[test]
fn a_list_carries_one_signature_a_secret() {
    let signer = Signer::new(scheme("curae"), [secret("old"), secret("new")]).unwrap();
    let signed = signer.sign_at("{}", NOW);
    let header = signed.header("curaeai-signature").unwrap();
    assert_eq!(header.matches(",v1=").count(), 2);
    for (index, text) in ["old", "new"].into_iter().enumerate() {
        let verifier = Verifier::new(scheme("curae"), [secret("none"), secret(text)]).unwrap();
        let delivery = verifier.verify_at(b"{}", &signed.headers, NOW).unwrap();
        assert_eq!(delivery.secret_index(), 1, "secret {index}");
    }
}

#[test]
fn a_member_cannot_smuggle_a_header() {
    let signed = signed("tv", r#"{"id":"evt_1","type":"a\r\nX-Evil: 1"}"#);
    assert_eq!(signed.header("X-Velora-Event"), None);
}

#[test]
fn a_time_before_1970_counts_as_1970() {
    let signer = Signer::new(scheme("tv"), [secret(SECRET)]).unwrap();
    let signed = signer.sign_at("{}", UnixTime::from_secs(-5));
    assert_eq!(signed.header("X-Velora-Timestamp"), Some("0"));
    let verifier = Verifier::new(scheme("tv"), [secret(SECRET)]).unwrap();
    let now = UnixTime::from_secs(0);
    assert!(verifier.verify_at(b"{}", &signed.headers, now).is_ok());
    assert_eq!(
        verdict(&verifier, b"{}", &signed.headers),
        "timestamp_too_old"
    );
}
