//! The vectors that every language shares, against the crate itself: the quick
//! check behind each mutation. `conformance/run` puts them through the command.

use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use velora_core::{
    Envelope, Error, Event, Scheme, SigningSecret, Tolerance, UnixTime, Verifier, billing,
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

/// The type and the key where the event is read; nothing where it is only verified.
fn answer(case: &Value, read: bool) -> Result<Option<(Option<String>, String)>, Error> {
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
    let delivery = verifier.verify_at(&body, &headers, now)?;
    delivery.check_headers()?;
    if !read {
        return Ok(None);
    }
    let envelope = delivery.event::<Envelope>();
    let event: Event = match delivery.event() {
        Ok(event) => event,
        Err(error) => {
            // What cannot be read is refused either way, for the same reason.
            assert_eq!(envelope.unwrap_err(), error, "{}", case["id"]);
            return Err(error.into());
        }
    };
    let envelope = envelope?;
    assert_eq!(envelope.event_type.as_deref(), event.event_type());
    let unsigned =
        |event: &billing::Event| matches!(event.event_type, Some(billing::EventType::Unsigned(_)));
    let unsigned = matches!(&event, Event::Billing(event) if unsigned(event));
    assert_eq!(envelope.type_is_signed, !unsigned, "{}", case["id"]);
    Ok(Some((
        event.event_type().map(str::to_owned),
        delivery.key()?.to_string(),
    )))
}

fn assert_all(folder: &str, read: bool) {
    let cases = cases(folder);
    assert!(cases.len() >= 150, "only {} cases", cases.len());
    for case in cases {
        let (code, event) = match answer(&case, read) {
            Ok(event) => (None, event),
            Err(error) => (Some(error.code().as_str()), None),
        };
        let expect = &case["expect"];
        assert_eq!(code, expect["code"].as_str(), "{}", case["id"]);
        let (kind, key) = event.unwrap_or_default();
        assert_eq!(kind.as_deref(), expect["type"].as_str(), "{}", case["id"]);
        assert_eq!(
            key,
            expect["key"].as_str().unwrap_or_default(),
            "{}",
            case["id"]
        );
    }
}

#[test]
fn deliveries_are_verified_as_everywhere() {
    assert_all("", false);
}

#[test]
fn events_are_read_as_everywhere() {
    assert_all("events", true);
}
