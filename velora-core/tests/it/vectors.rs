//! The vectors that all languages share, run against the crate itself: a fast check for
//! each mutation. `conformance/run` runs them through the command.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use velora_core::{
    Delivery, Envelope, Error, Event, EventJson, Scheme, SigningSecret, Tolerance, UnixTime,
    Verifier,
};

fn cases(folder: &str) -> Vec<Value> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/vectors");
    let files = fs::read_dir(vectors.join(folder)).unwrap();
    let texts = files.filter_map(|file| fs::read_to_string(file.unwrap().path()).ok());
    let lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn secrets(case: &Value) -> Result<Vec<SigningSecret>, Error> {
    let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
    let texts = list("secrets")
        .into_iter()
        .map(|text| SigningSecret::new(text.as_str().unwrap()));
    let bytes = list("secrets_b64").into_iter().map(|text| {
        SigningSecret::from_bytes(BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap())
    });
    Ok(texts.chain(bytes).collect::<Result<_, _>>()?)
}

fn delivery(case: &Value) -> Result<Delivery<'static>, Error> {
    let scheme = Scheme::named(case["scheme"].as_str().unwrap())?;
    let mut verifier = Verifier::new(scheme, secrets(case)?)?;
    // JSON has no NaN: it stands as a text.
    let text = || case["tolerance"].as_str()?.parse().ok();
    if let Some(seconds) = case["tolerance"].as_f64().or_else(text) {
        verifier = verifier.with_tolerance(Tolerance::try_from_secs_f64(seconds)?);
    }
    let body = BASE64_STANDARD
        .decode(case["body_b64"].as_str().unwrap())
        .unwrap();
    let headers: Vec<(String, String)> = serde_json::from_value(case["headers"].clone()).unwrap();
    let now = UnixTime::from_millis((case["now"].as_f64().unwrap() * 1000.0) as i64);
    Ok(verifier.verify_at(&body, &headers, now)?.into_owned())
}

fn verify(delivery: &Delivery<'_>) -> Result<Value, Error> {
    delivery.check_headers()?;
    Ok(json!({"ok": true}))
}

fn event(delivery: &Delivery<'_>) -> Result<Value, Error> {
    let Envelope { event_type, .. } = delivery.event()?;
    let event: EventJson = delivery.event()?;
    // Last, as all are refused for the same reason.
    assert_eq!(
        delivery.event::<Event>()?.event_type(),
        event_type.as_deref()
    );
    let key = delivery.key()?.to_string();
    Ok(json!({
        "ok": true, "type": event_type, "key": key, "extra": extra(delivery.scheme(), &event),
    }))
}

fn key(delivery: &Delivery<'_>) -> Result<Value, Error> {
    let key = delivery.key().map(|key| key.to_string());
    let beside = Envelope::with_key(delivery).and_then(|(_, key)| key);
    assert_eq!(beside, key);
    Ok(json!({"ok": true, "key": key?}))
}

/// As `conformance/run LANG event` names them.
fn extra(scheme: &str, event: &EventJson) -> Vec<String> {
    let objects: &[&str] = match scheme {
        "billing" => return Vec::new(),
        "health" => &["actor", "resource"],
        "tv" | "tv-body-only" if is_online(event) => &["data"],
        _ => &[],
    };
    let extra = |path: &str, object: &str| -> Vec<String> {
        let extra = members(object).remove("extra").map(RawValue::get);
        let names = members(extra.unwrap_or_default()).into_keys();
        names.map(|name| format!("{path}{name}")).collect()
    };
    let mut names = extra("", event.as_str());
    for name in objects {
        if let Some(object) = members(event.as_str()).get(*name) {
            names.extend(extra(&format!("{name}."), object.get()));
        }
    }
    names.sort_unstable();
    names
}

fn is_online(event: &EventJson) -> bool {
    let members = members(event.as_str());
    let kind = members.get("type").or(members.get("event"));
    kind.is_some_and(|kind| kind.get() == "\"stream.online\"")
}

/// Of an object, their values not looked at: no type holds every number.
fn members(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

fn assert_all(folder: &str, answer: fn(&Delivery<'_>) -> Result<Value, Error>) {
    let cases = cases(folder);
    assert!(cases.len() >= 100, "only {} cases", cases.len());
    for case in cases {
        let answer = delivery(&case).and_then(|delivery| answer(&delivery));
        let refused = |error: Error| json!({"ok": false, "code": error.code().as_str()});
        let found = answer.unwrap_or_else(refused);
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

#[test]
fn deliveries_are_verified_as_everywhere() {
    assert_all("", verify);
}

#[test]
fn events_are_read_as_everywhere() {
    assert_all("events", event);
}

#[test]
fn keys_are_read_as_everywhere() {
    assert_all("keys", key);
}
