//! The codes that exist, the codes that are documented and the codes that can be
//! reached are the same.

use std::collections::BTreeSet;

use velora_core::{
    Code, ConfigError, Error, ManualClock, MemoryStore, Outcome, Receiver, Scheme, Signer,
    SigningSecret, Store, StoreError, StoreOptions, Tolerance, Verifier,
};

use super::support::{NOW, scheme, secret, signed, verifier};

/// The first cell of each row of the table below `## Error codes`.
fn documented() -> BTreeSet<String> {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("## Error codes").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let cell = row.split('|').next().unwrap();
        cell.split(['`', ',', ' '])
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
    })
    .collect()
}

#[test]
fn every_code_is_documented_and_no_other() {
    let existing: BTreeSet<String> = Code::ALL.iter().map(Code::to_string).collect();
    assert_eq!(existing.len(), Code::ALL.len(), "two codes have one text");
    assert_eq!(existing, documented());
}

fn verification(name: &str, headers: &[(&str, &str)]) -> Code {
    verifier(name)
        .verify_at(b"{}", headers, NOW)
        .unwrap_err()
        .code()
}

fn reached_by_construction() -> Vec<Code> {
    let options = StoreOptions::default();
    // These are for hosts without types.
    let untyped = [
        ConfigError::BodyAlreadyParsed {
            found: "",
            remedy: "",
        },
        ConfigError::UnreadableHeaders { reason: "" },
    ];
    let second = std::time::Duration::from_secs(1);
    let errors: Vec<Error> = vec![
        SigningSecret::new("").unwrap_err().into(),
        SigningSecret::new(" ").unwrap_err().into(),
        Verifier::new(scheme("tv"), []).unwrap_err().into(),
        Signer::new(scheme("tv"), [secret("a"), secret("b")])
            .unwrap_err()
            .into(),
        Tolerance::try_from_secs_f64(-1.0).unwrap_err().into(),
        Verifier::new(scheme("tv").reject_status(1), [secret("a")])
            .unwrap_err()
            .into(),
        Scheme::named("x").unwrap_err().into(),
        options.with_retention(second).unwrap_err().into(),
        options
            .with_lease(std::time::Duration::ZERO)
            .unwrap_err()
            .into(),
        MemoryStore::new(options, 0).unwrap_err().into(),
    ];
    let untyped = untyped.iter().map(ConfigError::code);
    errors.iter().map(Error::code).chain(untyped).collect()
}

fn reached_by_verification() -> Vec<Code> {
    let zeros = format!("sha256={}", "0".repeat(64));
    let signature = |value| ("X-Velora-Signature", value);
    let timestamp = |value| ("X-Velora-Timestamp", value);
    let long = "0".repeat(8_193);
    let contradicting = [("CuraeAI-Event-Id", "other")];
    let curae = signed("curae", r#"{"eventId":"1","eventType":"x"}"#);
    let mut headers: Vec<(&str, &str)> = curae
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    headers.extend(contradicting);
    let key = |body: &[u8], headers: &[(&str, &str)], name| {
        let delivery = verifier(name)
            .verify_at(body, headers, NOW)
            .unwrap()
            .into_owned();
        Error::from(delivery.key().unwrap_err()).code()
    };
    let plain = signed("tv", "{}");
    let plain: Vec<(&str, &str)> = plain
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    vec![
        verification("tv", &[]),
        verification("tv", &[signature("a"), signature("a"), timestamp("1")]),
        verification("tv", &[signature(&long), timestamp("1")]),
        verification("tv", &[signature("a"), timestamp("1")]),
        verification("tv", &[signature(&zeros), timestamp("x")]),
        verification("tv", &[signature(&zeros), timestamp("1")]),
        verification("tv", &[signature(&zeros), timestamp("999999999999")]),
        verification("tv", &[signature(&zeros), timestamp("1717423320")]),
        key(&curae.body, &headers, "curae"),
        key(b"{}", &plain, "tv"),
    ]
}

async fn reached_by_receiving() -> Vec<Code> {
    let store = MemoryStore::new(StoreOptions::default(), 1).unwrap();
    let clock = ManualClock::new(NOW);
    let receiver = Receiver::new(verifier("health").with_clock(clock), store).with_body_limit(100);
    let first = signed("health", r#"{"id":"1","type":"t"}"#);
    let second = signed("health", r#"{"id":"2","type":"t"}"#);
    let fails = async |_: velora_core::Event| Err(());
    let panics = async |_: velora_core::Event| -> Result<(), ()> { panic!("on purpose") };
    let mut replies = vec![
        receiver.receive(&[0; 101], &first.headers, fails).await,
        receiver.receive(&first.body, &first.headers, fails).await,
        receiver.receive(&first.body, &first.headers, panics).await,
    ];
    let _work = receiver.begin(&first.body, &first.headers).await.unwrap();
    replies.push(receiver.receive(&second.body, &second.headers, fails).await);
    let mut codes: Vec<Code> = replies
        .iter()
        .filter_map(|reply| reply.outcome.code())
        .collect();

    let lost = MemoryStore::default()
        .commit(&"key".into(), 1)
        .await
        .unwrap_err();
    codes.push(Error::from(lost).code());
    codes
}

/// Of what the calls themselves fail with, `tests/client` reaches each in earnest.
#[cfg(feature = "client")]
fn reached_by_clients() -> Vec<Code> {
    use velora_core::api::BaseUrl;
    use velora_core::health::{EventQuery, Window};
    use velora_core::{ApiErrorKind, ApiKey, FileError};

    let (early, late) = ("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z");
    let backwards = Window::new(late.parse().unwrap(), early.parse().unwrap());
    let misuse = [
        ApiKey::new("").unwrap_err(),
        BaseUrl::new("ftp://example.com").unwrap_err(),
        backwards.unwrap_err(),
        EventQuery::new().with_limit(0).unwrap_err(),
        ConfigError::NoTransport { reason: "".into() },
        ConfigError::WrongEnvironment { key: "", url: "" },
    ];
    let files = [
        FileError::Unusable {
            path: "x".into(),
            doing: "read",
            reason: String::new(),
        },
        FileError::Mismatch {
            path: "x".into(),
            reason: "",
        },
    ];
    let kinds = ApiErrorKind::ALL.iter().map(|kind| kind.code());
    kinds
        .chain(misuse.iter().map(ConfigError::code))
        .chain(files.iter().map(FileError::code))
        .collect()
}

#[cfg(feature = "client")]
#[tokio::test]
async fn every_code_can_be_reached() {
    let mut reached = reached_by_construction();
    reached.extend(reached_by_clients());
    reached.extend(reached_by_verification());
    reached.extend(reached_by_receiving().await);
    // These need a server that fails: `receiver.rs` and `axum.rs` have one.
    let unavailable = StoreError::Unavailable {
        reason: String::new(),
    };
    reached.push(unavailable.code());
    reached.extend(Outcome::BodyUnreadable.code());
    let reached: BTreeSet<&str> = reached.into_iter().map(Code::as_str).collect();
    let existing: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(reached, existing);
}
