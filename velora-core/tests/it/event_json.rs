//! Events as JSON, for hosts with their own JSON parser: the same events as the typed ones.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use velora_core::{Delivery, Envelope, Event, EventJson, Extra, tv};

use super::support::{NOW, signed, verifier};

fn delivery(name: &str, body: &str) -> Delivery<'static> {
    let signed = signed(name, body);
    let verifier = verifier(name);
    let delivery = verifier.verify_at(&signed.body, &signed.headers, NOW);
    delivery.unwrap().into_owned()
}

fn event_json(name: &str, body: &str) -> String {
    let event: EventJson = delivery(name, body).event().unwrap();
    event.into_string()
}

#[test]
fn documented_members_and_the_others() {
    let body = r#" {"new":[1, {"a":1e400}], "id":"e","type":"phi.read" ,"success":"yes",
      "actor":{"user_id":7,"user_role":"r","x":{}},"resource":"claim","phi_involved":true,
      "timestamp":"today","tenant_id":null,"details":[1],"schema_version":"1","\u006eew":2,
      "details2":1,"__proto__":{}}"#;
    assert_eq!(
        event_json("health", body),
        r#"{"type":"phi.read","id":"e","tenant_id":null,"#.to_owned()
            + r#""actor":{"user_role":"r","extra":{"user_id":7,"x":{}}},"phi_involved":true,"#
            + r#""details":[1],"schema_version":"1","extra":{"new":[1, {"a":1e400}],"#
            + r#""success":"yes","resource":"claim","timestamp":"today","\u006eew":2,"#
            + r#""details2":1,"__proto__":{}}}"#
    );
    assert_eq!(
        event_json(
            "curae",
            r#"{"eventType":"a","eventId":"b","data":{"c":1},"d":2}"#
        ),
        r#"{"eventType":"a","eventId":"b","data":{"c":1},"extra":{"d":2}}"#
    );
    assert_eq!(
        event_json(
            "tv",
            r#"{"type":"stream.online","id":"b","data":{"streamId":"s","userId":"u","n":1}}"#
        ),
        r#"{"type":"stream.online","id":"b","data":{"streamId":"s","userId":"u","extra":{"n":1}},"extra":{}}"#
    );
    assert_eq!(
        event_json(
            "tv",
            r#"{"type":"stream.online","id":"b","data":{"streamId":"s"}}"#
        ),
        r#"{"type":"stream.online","id":"b","extra":{"data":{"streamId":"s"}}}"#
    );
    assert_eq!(
        event_json(
            "tv-body-only",
            r#"{"event":"stream.offline","data":{"streamId":"s"}}"#
        ),
        r#"{"event":"stream.offline","data":{"streamId":"s"},"extra":{}}"#
    );
    let billing = r#" {"type":"a","extra":1}"#;
    assert_eq!(event_json("billing", billing), billing);
}

#[test]
fn half_a_character_is_no_text() {
    assert_eq!(
        event_json(
            "health",
            r#"{"type":"a","id":"b","tenant_id":"\ud800","schema_version":"\ud83d\ude00"}"#
        ),
        r#"{"type":"a","id":"b","schema_version":"\ud83d\ude00","extra":{"tenant_id":"\ud800"}}"#
    );
}

#[test]
fn nothing_of_it_is_printed() {
    let event: EventJson = delivery("curae", r#"{"eventType":"a","eventId":"b","data":"phi"}"#)
        .event()
        .unwrap();
    assert_eq!(format!("{event:?}"), "EventJson(55 bytes)");
    assert_eq!(event.as_str().len(), 55);
}

/// Text that may be of a documented kind or not.
fn value() -> impl Strategy<Value = String> {
    const FIXED: &[&str] = &[
        "null",
        "true",
        "false",
        "7",
        "\"\"",
        "\"a\"",
        "\"stream.online\"",
        "\"2026-05-03T14:22:01.5+02:00\"",
        "\"2026-05-03\"",
        "[]",
        "[{}]",
        "{}",
        r#"{"user_id":"u","x":1}"#,
        r#"{"user_id":"u","user_id":"v","user_role":null}"#,
        r#"{"type":"t","id":3}"#,
        r#"{"streamId":"s","userId":"u"}"#,
        r#"{"streamId":"s","userId":"u","title":4,"username":"n","startedAt":"2026-05-03T14:22:01Z"}"#,
        r#"{"streamId":"s","streamId":"s","userId":"u"}"#,
        r#"{"streamId":"","userId":"u"}"#,
        r#"{"userId":"u","startedAt":"2026-05-03 14:22:01","extra":{"a":1}}"#,
        r#"{"streamId":"s","userId":"u","startedAt":"now"}"#,
    ];
    let any = prop::sample::select(FIXED).prop_map(str::to_owned);
    let texts = "[a-c0-9: .TZ+-]{0,4}".prop_map(|text| json!(text).to_string());
    prop_oneof![4 => any, 1 => texts]
}

fn body() -> impl Strategy<Value = String> {
    let name = prop::sample::select(
        &[
            "type",
            "id",
            "event",
            "eventType",
            "eventId",
            "timestamp",
            "tenant_id",
            "actor",
            "resource",
            "phi_involved",
            "success",
            "details",
            "schema_version",
            "data",
            "extra",
            "new",
        ][..],
    );
    let member = (name, value()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let named = (
        any::<bool>(),
        prop::sample::select(&["a", "stream.online"][..]),
    );
    (prop::collection::vec(member, 0..12), named).prop_map(|(mut members, (named, kind))| {
        if named {
            let names = ["type", "event", "eventType"].map(|name| format!("\"{name}\":\"{kind}\""));
            let ids = ["id", "eventId"].map(|name| format!("\"{name}\":\"i\""));
            members.retain(|member| {
                let name = member
                    .split(':')
                    .next()
                    .unwrap_or_default()
                    .trim_matches('"');
                !["type", "event", "eventType", "id", "eventId"].contains(&name)
            });
            members.extend(names);
            members.extend(ids);
        }
        format!("{{{}}}", members.join(", "))
    })
}

fn object(members: Vec<(&str, Value)>, extra: &Extra) -> Value {
    let extra = extra
        .iter()
        .map(|(name, value)| (name.to_owned(), value.read().unwrap()));
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    let mut object: Map<String, Value> = members
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    object.insert("extra".to_owned(), Value::Object(extra.collect()));
    Value::Object(object)
}

/// What is to be written of the typed event.
fn expected(event: &Event) -> Value {
    let data = |data: &Option<tv::Data>| match data {
        Some(tv::Data::StreamOnline(online)) => object(
            vec![
                ("streamId", json!(online.stream_id)),
                ("userId", json!(online.user_id)),
                ("username", json!(online.username)),
                ("title", json!(online.title)),
                ("startedAt", json!(online.started_at)),
            ],
            &online.extra,
        ),
        data => json!(data),
    };
    match event {
        Event::Health(event) => {
            let actor = event.actor.as_ref().map(|actor| {
                let members = vec![
                    ("user_id", json!(actor.user_id)),
                    ("user_role", json!(actor.user_role)),
                ];
                object(members, &actor.extra)
            });
            let resource = event.resource.as_ref().map(|resource| {
                let members = vec![
                    ("type", json!(resource.resource_type)),
                    ("id", json!(resource.id)),
                ];
                object(members, &resource.extra)
            });
            let members = vec![
                ("type", json!(event.event_type)),
                ("id", json!(event.id)),
                ("timestamp", json!(event.timestamp)),
                ("tenant_id", json!(event.tenant_id)),
                ("actor", json!(actor)),
                ("resource", json!(resource)),
                ("phi_involved", json!(event.phi_involved)),
                ("success", json!(event.success)),
                ("details", json!(event.details)),
                ("schema_version", json!(event.schema_version)),
            ];
            object(members, &event.extra)
        }
        Event::Curae(event) => {
            let members = vec![
                ("eventType", json!(event.event_type)),
                ("eventId", json!(event.id)),
                ("data", json!(event.data)),
            ];
            object(members, &event.extra)
        }
        Event::Tv(event) => {
            let members = vec![
                ("type", json!(event.event_type)),
                ("id", json!(event.id)),
                ("timestamp", json!(event.timestamp)),
                ("data", data(&event.data)),
            ];
            object(members, &event.extra)
        }
        Event::TvBodyOnly(event) => {
            let members = vec![
                ("event", json!(event.event_type)),
                ("timestamp", json!(event.timestamp)),
                ("data", data(&event.data)),
            ];
            object(members, &event.extra)
        }
        other => json!(other),
    }
}

/// Without null, and times in one form.
fn plain(object: &mut Value, online: bool) {
    let Some(members) = object.as_object_mut() else {
        return;
    };
    members.retain(|_, value| !value.is_null());
    for (name, value) in members.iter_mut() {
        match name.as_str() {
            "timestamp" | "startedAt" => {
                *value = json!(value.as_str().unwrap().parse::<Timestamp>().unwrap());
            }
            "actor" | "resource" => plain(value, false),
            "data" if online => plain(value, false),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn it_is_the_typed_event(
        scheme in prop::sample::select(&["health", "billing", "curae", "tv", "tv-body-only"][..]),
        body in body(),
    ) {
        let delivery = delivery(scheme, &body);
        let envelope = delivery.event::<Envelope>();
        let text = delivery.event::<EventJson>();
        let both = (envelope.clone(), delivery.key().map(|key| key.to_string()));
        prop_assert_eq!(Envelope::with_key(&delivery), Ok(both), "{}", body);
        match delivery.event::<Event>() {
            Ok(event) => {
                let envelope = envelope.unwrap();
                prop_assert_eq!(envelope.event_type.as_deref(), event.event_type());
                let text = text.unwrap();
                let mut found: Value = serde_json::from_str(text.as_str()).unwrap();
                let names: Vec<_> = Envelope::names(scheme).map(|name| found[name].clone()).collect();
                let said = [&envelope.event_type, &envelope.id].map(|text| json!(text));
                prop_assert_eq!(&said[..names.len()], &names);
                if scheme == "billing" {
                    prop_assert_eq!(text.as_str(), &body);
                } else {
                    let online = matches!(
                        &event,
                        Event::Tv(tv::Event { data: Some(tv::Data::StreamOnline(_)), .. })
                            | Event::TvBodyOnly(tv::BodyOnlyEvent { data: Some(tv::Data::StreamOnline(_)), .. })
                    );
                    plain(&mut found, online);
                    prop_assert_eq!(found, expected(&event), "{}", body);
                }
            }
            Err(error) => {
                prop_assert_eq!(&envelope.unwrap_err(), &error, "{}", body);
                prop_assert_eq!(&text.unwrap_err(), &error, "{}", body);
            }
        }
    }
}
