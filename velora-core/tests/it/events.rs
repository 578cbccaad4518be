//! Reading events from verified bodies.

use serde_json::{Value, json};
use velora_core::{
    Delivery, Envelope, Event, FromDelivery, Identity, MemoryStore, Outcome, Receiver, Scheme,
    SignatureForm, Signer, VerificationError, Verifier, billing, curae, health, tv,
};

use super::support::{NOW, SECRET, scheme, secret, signed, verifier};

/// A delivery of this body, its headers changed by `edit`.
fn deliver(
    name: &str,
    body: &str,
    edit: impl FnOnce(&mut Vec<(String, String)>),
) -> Delivery<'static> {
    let mut signed = signed(name, body);
    edit(&mut signed.headers);
    let verifier = verifier(name);
    let delivery = verifier
        .verify_at(&signed.body, &signed.headers, NOW)
        .unwrap();
    delivery.into_owned()
}

fn delivery(name: &str, body: &str) -> Delivery<'static> {
    deliver(name, body, |_| ())
}

fn fault<E: FromDelivery>(name: &str, body: &str) -> &'static str {
    let event: Result<E, VerificationError> = delivery(name, body).event();
    event.map_or_else(|error| error.code().as_str(), |_| "ok")
}

const HEALTH: &str = r#"{"type":"phi.read","id":"8b2e5c11-1234-4abc-89de-0123456789ab",
  "timestamp":"2026-05-03T14:22:01+00:00","tenant_id":"acme",
  "actor":{"user_id":"u-1234","user_role":"data_analyst","device":{"os":"x"}},
  "resource":{"type":"claim","id":"C-7890"},"phi_involved":true,"success":true,
  "details":{"workflow":"renewal","n":123456789012345678901234567890},
  "schema_version":"1","new_member":[1,{"a":1e400}]}"#;

#[test]
fn health_envelope() {
    let event: health::Event = delivery("health", HEALTH).event().unwrap();
    assert_eq!(event.event_type, health::EventType::PhiRead);
    assert_eq!(event.id, "8b2e5c11-1234-4abc-89de-0123456789ab");
    assert_eq!(
        event.timestamp,
        Some("2026-05-03T14:22:01Z".parse().unwrap())
    );
    assert_eq!(event.tenant_id.as_deref(), Some("acme"));
    let actor = event.actor.as_ref().unwrap();
    assert_eq!(actor.user_id.as_deref(), Some("u-1234"));
    assert_eq!(actor.user_role.as_deref(), Some("data_analyst"));
    assert_eq!(
        actor.extra.member("device").unwrap().as_str(),
        r#"{"os":"x"}"#
    );
    let resource = event.resource.as_ref().unwrap();
    assert_eq!(resource.resource_type.as_deref(), Some("claim"));
    assert_eq!(resource.id.as_deref(), Some("C-7890"));
    assert_eq!(
        (event.phi_involved, event.success),
        (Some(true), Some(true))
    );
    assert_eq!(event.schema_version.as_deref(), Some("1"));
    assert_eq!(format!("{:?}", event.details), "Some(RawJson(57 bytes))");
    let details: Value = event.details.as_ref().unwrap().read().unwrap();
    assert_eq!(details["workflow"], "renewal");
    assert_eq!(
        event.extra.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["new_member"]
    );
}

/// To the digit, where a parsed number would have lost some.
#[test]
fn unknown_members_survive_a_round_trip() {
    let event: health::Event = delivery("health", HEALTH).event().unwrap();
    let text = serde_json::to_string(&event).unwrap();
    for kept in [
        r#""details":{"workflow":"renewal","n":123456789012345678901234567890}"#,
        r#""new_member":[1,{"a":1e400}]"#,
        r#""actor":{"user_id":"u-1234","user_role":"data_analyst","device":{"os":"x"}}"#,
        r#""resource":{"type":"claim","id":"C-7890"}"#,
        r#""type":"phi.read""#,
        r#""schema_version":"1""#,
    ] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    let again: health::Event = delivery("health", &text).event().unwrap();
    assert!(again == event);
}

#[test]
fn members_may_be_absent_null_or_of_another_type() {
    let body = r#"{"type":"admin.login","id":"1","timestamp":"yesterday","actor":null,
        "resource":"claim","phi_involved":"yes","success":null,"details":"{}"}"#;
    let event: health::Event = delivery("health", body).event().unwrap();
    assert_eq!(
        event.event_type,
        health::EventType::Other("admin.login".into())
    );
    assert_eq!(event.timestamp, None);
    assert_eq!(event.phi_involved, None);
    assert!(event.actor.is_none() && event.resource.is_none() && event.tenant_id.is_none());
    assert_eq!(event.details.unwrap().as_str(), r#""{}""#);
    let kept: Vec<_> = event
        .extra
        .iter()
        .map(|(name, value)| (name, value.as_str()))
        .collect();
    let expected = [
        ("timestamp", r#""yesterday""#),
        ("resource", r#""claim""#),
        ("phi_involved", r#""yes""#),
    ];
    assert_eq!(kept, expected);
}

#[test]
fn all_types_of_the_catalogues_have_names() {
    assert_eq!(curae::EventType::KNOWN.len(), 22);
    assert_eq!(tv::EventType::KNOWN.len(), 10);
    assert_eq!(health::EventType::KNOWN.len(), 4);
    for kind in curae::EventType::KNOWN {
        assert_eq!(curae::EventType::from(kind.to_string()), *kind);
    }
    for kind in tv::EventType::KNOWN {
        assert_eq!(tv::EventType::from(kind.to_string()), *kind);
    }
}

#[test]
fn curae_envelope_keeps_an_unknown_type_whole() {
    let body = r#"{"eventType":"records.export_ready","eventId":"evt_1","data":{"url":"u"},"v":2}"#;
    let event: curae::Event = delivery("curae", body).event().unwrap();
    assert_eq!(event.event_type, curae::EventType::RecordsExportReady);
    assert_eq!(
        (event.id.as_str(), event.data.as_ref().unwrap().as_str()),
        ("evt_1", r#"{"url":"u"}"#)
    );
    assert_eq!(serde_json::to_string(&event).unwrap(), body);

    let body = r#"{"eventType":"patient.merged","eventId":"evt_2","data":[1]}"#;
    let event: curae::Event = delivery("curae", body).event().unwrap();
    assert_eq!(event.event_type.as_str(), "patient.merged");
    assert_eq!(serde_json::to_string(&event).unwrap(), body);
}

#[test]
fn tv_types_the_data_that_the_vendor_shows() {
    let body = r#"{"id":"evt_abc123","type":"stream.online","timestamp":"2026-01-18T15:30:00Z","data":{"streamId":"stream_xyz","userId":"user_123","username":"coolstreamer","title":"T","startedAt":"2026-01-18T15:30:00Z","viewers":1}}"#;
    let event: tv::Event = delivery("tv", body).event().unwrap();
    let Some(tv::Data::StreamOnline(online)) = &event.data else {
        panic!("untyped");
    };
    assert_eq!(
        (online.stream_id.as_str(), online.user_id.as_str()),
        ("stream_xyz", "user_123")
    );
    assert_eq!(online.username.as_deref(), Some("coolstreamer"));
    assert_eq!(online.title.as_deref(), Some("T"));
    assert_eq!(online.started_at, event.timestamp);
    assert_eq!(online.extra.member("viewers").unwrap().as_str(), "1");
    assert_eq!(serde_json::to_string(&event).unwrap(), body);
}

#[test]
fn tv_keeps_the_data_of_other_types_as_received() {
    for (kind, data) in [
        ("stream.offline", r#"{"streamId":"s","userId":"u"}"#),
        ("channel.raid", "1"),
    ] {
        let body = format!(r#"{{"id":"1","type":"{kind}","data":{data}}}"#);
        let event: tv::Event = delivery("tv", &body).event().unwrap();
        let Some(tv::Data::Other(raw)) = event.data else {
            panic!("typed: {body}");
        };
        assert_eq!(raw.as_str(), data);
    }
    let event: tv::Event = delivery("tv", r#"{"id":"1","type":"x"}"#).event().unwrap();
    assert!(event.data.is_none());
}

#[test]
fn tv_keeps_undocumented_data_of_a_documented_type_in_extra() {
    for data in [
        r#"{"streamId":"s"}"#,
        r#"{"streamId":5,"userId":"u"}"#,
        "[]",
    ] {
        let body = format!(r#"{{"id":"1","type":"stream.online","data":{data}}}"#);
        let event: tv::Event = delivery("tv", &body).event().unwrap();
        assert_eq!(event.data, None);
        assert_eq!(event.extra.member("data").unwrap().as_str(), data);
        assert_eq!(serde_json::to_string(&event).unwrap(), body);
    }
}

#[test]
fn tv_body_only_envelope_has_no_id() {
    let body = r#"{"event":"channel.subscription.gift","timestamp":1717423320000,"data":{}}"#;
    let event: tv::BodyOnlyEvent = delivery("tv-body-only", body).event().unwrap();
    assert_eq!(event.event_type, tv::EventType::ChannelSubscriptionGift);
    assert_eq!(event.timestamp, None);
    assert_eq!(
        event.extra.member("timestamp").unwrap().as_str(),
        "1717423320000"
    );
    let again: Value = serde_json::to_value(&event).unwrap();
    assert_eq!(again, serde_json::from_str::<Value>(body).unwrap());
}

#[test]
fn billing_says_whether_the_type_is_signed() {
    let hint = |body: &str| {
        let event = deliver("billing", body, |headers| {
            headers.retain(|(name, _)| name != "X-Webhook-Event");
            headers.push(("x-webhook-event".into(), "from.header".into()));
        });
        event.event::<billing::Event>().unwrap().event_type
    };
    let signed = |text: &str| Some(billing::EventType::Signed(text.into()));
    assert_eq!(hint(r#"{"type":"a","event":"b"}"#), signed("a"));
    assert_eq!(hint(r#"{"event":"b"}"#), signed("b"));
    assert_eq!(hint(r#"{"type":5,"event":"b"}"#), signed("b"));
    assert_eq!(hint(r#"{"type":"","event":"b"}"#), signed("b"));
    let unsigned = Some(billing::EventType::Unsigned("from.header".into()));
    assert_eq!(hint("{}"), unsigned);

    let body = r#"{"type":"dispute.sla_breached","n":1.10}"#;
    let event: billing::Event = delivery("billing", body).event().unwrap();
    assert_eq!(
        event.event_type.as_ref().unwrap().as_str(),
        "dispute.sla_breached"
    );
    assert_eq!(serde_json::to_string(&event).unwrap(), body);
    let plain = delivery("billing", "{}");
    assert_eq!(plain.event::<billing::Event>().unwrap().event_type, None);
    for (body, is_signed) in [(body, true), ("{}", false)] {
        let envelope: Envelope = delivery("billing", body).event().unwrap();
        assert_eq!(envelope.type_is_signed, is_signed);
    }
}

#[test]
fn what_is_not_the_systems_json_is_malformed() {
    let deep = |levels: usize| {
        let inner = "[".repeat(levels - 1) + &"]".repeat(levels - 1);
        format!(r#"{{"type":"t","id":"i","x":{inner}}}"#)
    };
    let brackets_in_text = format!(r#"{{"type":"t","id":"i","x":"\"{}"}}"#, "[{".repeat(99));
    let wide = format!(r#"{{"type":"t","id":"i","x":[{}[]]}}"#, "[],{},".repeat(99));
    // As many brackets as make a closer look worth while, but none too deep.
    let deep_and_wide = deep(64)
        .replace("[]", "[[],[]]")
        .replacen("[[", "[", 1)
        .replacen("]]", "]", 1);
    for body in [&deep(64), &deep_and_wide, &brackets_in_text, &wide] {
        assert_eq!(fault::<health::Event>("health", body), "ok", "{body}");
    }
    for body in [
        "",
        "null",
        "[]",
        "\"text\"",
        "{",
        "{}",
        "{} {}",
        "\u{feff}{\"type\":\"t\",\"id\":\"i\"}",
        r#"{"type":"t"}"#,
        r#"{"type":"t","id":""}"#,
        r#"{"type":"t","id":null}"#,
        r#"{"type":"t","id":5}"#,
        r#"{"type":5,"id":"i"}"#,
        r#"{"type":"t","id":"i","id":"j"}"#,
        r#"{"type":"t","id":"i","\u0069d":"j"}"#,
        r#"{"type":"t","type":"t","id":"i"}"#,
        r#"{"type":"t","id":"\ud800"}"#,
        &deep(65),
        &deep(65)
            .replace('[', r#"["]\"]","#)
            .replace(r#"["]\"]",]"#, "[]"),
        &(brackets_in_text.clone() + "]"),
    ] {
        assert_eq!(
            fault::<health::Event>("health", body),
            "malformed_event",
            "{body}"
        );
    }
    assert_eq!(
        fault::<curae::Event>("curae", r#"{"eventType":"a"}"#),
        "malformed_event"
    );
    assert_eq!(
        fault::<curae::Event>("curae", r#"{"eventId":"a"}"#),
        "malformed_event"
    );
    assert_eq!(fault::<tv::Event>("tv", r#"{"id":"a"}"#), "malformed_event");
    assert_eq!(
        fault::<tv::Event>("tv", r#"{"type":"a"}"#),
        "malformed_event"
    );
    assert_eq!(
        fault::<tv::BodyOnlyEvent>("tv-body-only", "{}"),
        "malformed_event"
    );
    for body in [
        "[]",
        r#"{"type":"a","type":"a"}"#,
        r#"{"event":"a","event":"a"}"#,
    ] {
        assert_eq!(
            fault::<billing::Event>("billing", body),
            "malformed_event",
            "{body}"
        );
    }
}

#[test]
fn a_fault_says_what_is_wrong() {
    use velora_core::EventFault;
    let fault = |body: &str| match delivery("health", body).key() {
        Err(VerificationError::MalformedEvent { fault }) => fault,
        other => panic!("{other:?}"),
    };
    let member = || "id".into();
    assert_eq!(fault("[]"), EventFault::NotAnObject);
    assert_eq!(fault("{"), EventFault::NotJson { line: 1, column: 2 });
    assert_eq!(fault("{}"), EventFault::MissingMember { member: member() });
    assert_eq!(
        fault(r#"{"id":5}"#),
        EventFault::WrongType { member: member() }
    );
    assert_eq!(
        fault(r#"{"id":"","id":""}"#),
        EventFault::DuplicateMember { member: member() }
    );
    assert_eq!(fault(&"[".repeat(65)), EventFault::TooDeep);
    let arrays = "[".repeat(64) + &"]".repeat(64);
    assert_eq!(fault(&arrays), EventFault::NotAnObject);
}

#[test]
fn a_fault_names_the_place_not_the_content() {
    let error = delivery("health", "{\"type\":\n  secret}")
        .event::<health::Event>()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the verified body is not a valid event: not JSON (line 2, column 3)"
    );
}

#[test]
fn a_repeated_member_that_identifies_nothing_does_no_harm() {
    let body = r#"{"type":"t","id":"i","success":true,"x":1,"x":2,"success":false}"#;
    let event: health::Event = delivery("health", body).event().unwrap();
    assert_eq!(event.success, None, "which of the two would be a guess");
    let kept: Vec<_> = event
        .extra
        .iter()
        .map(|(name, value)| (name, value.as_str()))
        .collect();
    assert_eq!(
        kept,
        [
            ("success", "true"),
            ("x", "1"),
            ("x", "2"),
            ("success", "false")
        ]
    );
    assert_eq!(event.extra.member("x").unwrap().as_str(), "1");
    assert!(event.extra.member("y").is_none());
}

#[test]
fn keys_come_from_the_body() {
    let key = |name, body: &str| delivery(name, body).key().unwrap().to_string();
    assert_eq!(
        key("health", r#"{"id":"a:b","type":"phi.read","n":1}"#),
        "health:a%3Ab:phi.read"
    );
    assert_eq!(key("curae", r#"{"eventId":"evt_1"}"#), "curae:evt_1");
    assert_eq!(key("tv", r#"{"id":"ä/1"}"#), "tv:%C3%A4%2F1");
    let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(key("billing", "{}"), format!("billing:sha256={empty}"));
    assert_eq!(
        key("tv-body-only", "{}"),
        format!("tv-body-only:sha256={empty}")
    );
    assert_eq!(
        key("billing", "no json").len(),
        "billing:sha256=".len() + 64
    );
    for body in [
        "",
        "{}",
        r#"{"type":"t"}"#,
        r#"{"id":"","type":"t"}"#,
        r#"{"id":"i","type":3}"#,
    ] {
        let error = delivery("health", body).key().unwrap_err();
        assert_eq!(error.code().as_str(), "malformed_event", "{body}");
    }
}

#[test]
fn unsigned_headers_never_change_a_key() {
    let plain = delivery("billing", "{}").key().unwrap();
    let edited = deliver("billing", "{}", |headers| {
        for (name, value) in headers {
            if name == "X-Webhook-Delivery" {
                *value = "del_other".into();
            }
            if name == "X-Webhook-Timestamp" {
                *value = "1717423333".into();
            }
        }
    });
    assert_eq!(edited.key().unwrap(), plain);
}

#[test]
fn a_header_may_not_contradict_the_body() {
    let code = |name, body: &str, header: &str, value: &str| {
        let delivery = deliver(name, body, |headers| {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
            headers.push((header.into(), value.into()));
        });
        let read = [
            delivery
                .check_headers()
                .map_err(|error| error.code().as_str())
                .err(),
            delivery.key().map_err(|error| error.code().as_str()).err(),
            delivery
                .event::<Event>()
                .map_err(|error| error.code().as_str())
                .err(),
            delivery
                .fields()
                .map_err(|error| error.code().as_str())
                .err(),
            delivery
                .event::<Delivery<'static>>()
                .map_err(|error| error.code().as_str())
                .err(),
        ];
        assert!(read.iter().all(|code| *code == read[0]), "{read:?}");
        read[0]
    };
    let mismatch = Some("header_body_mismatch");
    let curae = r#"{"eventType":"import.completed","eventId":"evt_1","data":{}}"#;
    assert_eq!(code("curae", curae, "curaeai-event-id", "evt_1"), None);
    assert_eq!(code("curae", curae, "curaeai-event-id", "evt_2"), mismatch);
    assert_eq!(
        code("curae", curae, "CuraeAI-Event-Type", "import.completed"),
        None
    );
    assert_eq!(
        code("curae", curae, "CuraeAI-Event-Type", "import.failed"),
        mismatch
    );
    assert_eq!(code("curae", curae, "CuraeAI-Timestamp", "5"), None);
    let tv = r#"{"type":"stream.online","id":"1"}"#;
    assert_eq!(code("tv", tv, "X-Velora-Event", "stream.offline"), mismatch);
    let body_only = r#"{"event":"stream.online"}"#;
    assert_eq!(
        code(
            "tv-body-only",
            body_only,
            "X-Velora-Event",
            "stream.offline"
        ),
        mismatch
    );
    assert_eq!(
        code("tv-body-only", body_only, "X-Velora-Event", "stream.online"),
        None
    );
}

#[test]
fn one_of_two_contradicting_headers_is_enough() {
    let body = r#"{"type":"stream.online","id":"1"}"#;
    let delivery = deliver("tv", body, |headers| {
        headers.push(("X-Velora-Event".into(), "stream.offline".into()));
    });
    assert_eq!(
        delivery.key().unwrap_err().code().as_str(),
        "header_body_mismatch"
    );
}

#[test]
fn what_is_no_event_contradicts_no_header() {
    for body in ["no json", "{}", r#"{"type":7}"#] {
        let delivery = deliver("tv", body, |headers| {
            headers.push(("X-Velora-Event".into(), "stream.online".into()));
        });
        assert_eq!(delivery.check_headers(), Ok(()), "{body}");
        assert_eq!(
            delivery.key().unwrap_err().code().as_str(),
            "malformed_event",
            "{body}"
        );
    }
}

#[test]
fn any_event_is_that_of_its_scheme() {
    let event = |name, body: &str| delivery(name, body).event::<Event>().unwrap();
    let cases = [
        ("health", r#"{"id":"1","type":"phi.read"}"#, "phi.read"),
        (
            "billing",
            r#"{"type":"dispute.sla_breached"}"#,
            "dispute.sla_breached",
        ),
        (
            "curae",
            r#"{"eventType":"user.graduated","eventId":"1"}"#,
            "user.graduated",
        ),
        (
            "tv",
            r#"{"id":"1","type":"stream.update"}"#,
            "stream.update",
        ),
        (
            "tv-body-only",
            r#"{"event":"channel.follow"}"#,
            "channel.follow",
        ),
    ];
    for (name, body, kind) in cases {
        let event = event(name, body);
        assert_eq!(event.event_type(), Some(kind), "{name}");
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json, serde_json::from_str::<Value>(body).unwrap(), "{name}");
    }
}

/// What the documentation of `Scheme` says of bodies that are no JSON.
#[tokio::test]
async fn a_form_is_received_as_a_delivery() {
    let own = Scheme::new("own", "Signature", SignatureForm::bare());
    let signer = Signer::new(own.clone(), [secret(SECRET)]).unwrap();
    let verifier = Verifier::new(own, [secret(SECRET)]).unwrap();
    let receiver = Receiver::new(verifier, MemoryStore::default());
    let form = signer.sign("a=1&b=2");
    let event = receiver.receive(&form.body, &form.headers, async |_: Event| Ok::<_, ()>(()));
    let outcome = event.await.outcome;
    assert_eq!(outcome.as_str(), "malformed_event");
    let bytes = receiver.receive(&form.body, &form.headers, async |it: Delivery<'static>| {
        assert_eq!(it.body(), b"a=1&b=2");
        Ok::<_, ()>(())
    });
    assert_eq!(bytes.await.outcome, Outcome::Processed);
}

/// Of a scheme whose events are identified by their member `order`.
fn ordered(body: &str) -> Delivery<'static> {
    let own = Scheme::new("own", "Signature", SignatureForm::bare())
        .identity(Identity::Members(vec!["order".into()].into()));
    let signed = Signer::new(own.clone(), [secret(SECRET)])
        .unwrap()
        .sign_at(body, NOW);
    let verifier = Verifier::new(own, [secret(SECRET)]).unwrap();
    verifier
        .verify_at(body.as_bytes(), &signed.headers, NOW)
        .unwrap()
        .into_owned()
}

#[test]
fn event_without_what_identifies_it_is_an_event() {
    let delivery = ordered(r#"{"n":1}"#);
    let (envelope, key) = Envelope::with_key(&delivery).unwrap();
    assert_eq!(envelope, delivery.event());
    assert_eq!(key.unwrap_err().code().as_str(), "malformed_event");
    assert_eq!(
        delivery.key().unwrap_err().code().as_str(),
        "malformed_event"
    );
    assert_eq!(delivery.event::<Event>().unwrap().event_type(), None);
}

#[test]
fn a_scheme_of_ones_own_has_events_and_keys_too() {
    let delivery = ordered(r#"{"order":"7","n":1}"#);
    assert_eq!(delivery.key().unwrap().as_str(), "own:7");
    let event: Event = delivery.event().unwrap();
    assert_eq!(event.event_type(), None);
    assert_eq!(
        serde_json::to_value(&event).unwrap(),
        json!({"order": "7", "n": 1})
    );
    let fields = delivery.fields().unwrap();
    assert_eq!(format!("{fields:?}"), r#"["order", "n"]"#);
    assert_eq!(scheme("tv").name(), "tv");
}
