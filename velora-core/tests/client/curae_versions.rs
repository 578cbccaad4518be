//! What is sent with changes to endpoints: versions and idempotency keys.

use velora_core::api::Method;
use velora_core::curae::{EndpointChange, IfChanged};
use velora_core::{ApiError, ApiErrorKind};

use crate::curae::{CREATED, client, endpoint};
use crate::scripted::{Answer, Scripted, answer, header};

fn broken() -> ApiError {
    ApiError::new(ApiErrorKind::Connection, "reset by the test")
}

/// Three faults, then this.
fn after_faults(number: usize, then: impl FnOnce() -> Answer) -> Answer {
    match number {
        0 => answer(503, &[], ""),
        1 => Err(broken()),
        2 => answer(200, &[], r#"{"data":{"id":"wh"#),
        _ => then(),
    }
}

#[tokio::test(start_paused = true)]
async fn all_attempts_of_a_mutation_carry_one_key() {
    let server = Scripted::new(|number, _| after_faults(number % 4, || answer(200, &[], CREATED)));
    let webhooks = client(&server).webhooks();
    let change = EndpointChange::new().with_url("https://example.com/other");
    webhooks.create(&endpoint()).await.unwrap();
    webhooks.create(&endpoint()).await.unwrap();
    webhooks.update("whe_1", "\"v1\"", &change).await.unwrap();
    webhooks
        .create(&endpoint().with_idempotency_key("mine"))
        .await
        .unwrap();
    webhooks
        .update("whe_1", "*", &change.with_idempotency_key("ours"))
        .await
        .unwrap();

    let seen = server.seen();
    assert_eq!(seen.len(), 20);
    let keys: Vec<Vec<&str>> = seen
        .chunks(4)
        .map(|attempts| {
            attempts
                .iter()
                .map(|sent| header(sent, "Idempotency-Key").unwrap())
                .collect()
        })
        .collect();
    for attempts in &keys {
        assert!(
            attempts.iter().all(|key| *key == attempts[0]),
            "{attempts:?}"
        );
    }
    assert!(keys[0][0] != keys[1][0] && keys[1][0] != keys[2][0] && keys[0][0].len() > 32);
    assert_eq!((keys[3][0], keys[4][0]), ("mine", "ours"));
    assert!(
        seen[8..12]
            .iter()
            .all(|sent| header(sent, "If-Match") == Some("\"v1\""))
    );
    let body = br#"{"url":"https://example.com/other"}"#;
    assert!(
        seen[8..12]
            .iter()
            .all(|sent| sent.body().unwrap() == &body[..])
    );
    assert_eq!(seen[8].method(), Method::Patch);
}

#[tokio::test(start_paused = true)]
async fn deletes_the_version_that_is_meant() {
    let server = Scripted::new(|_, _| answer(204, &[], ""));
    client(&server)
        .webhooks()
        .delete("whe/1", "\"v3\"")
        .await
        .unwrap();
    let sent = &server.seen()[0];
    assert!(sent.url().ends_with("/webhook-endpoints/whe%2F1"));
    assert_eq!(
        (sent.method(), header(sent, "If-Match")),
        (Method::Delete, Some("\"v3\""))
    );
    assert!(header(sent, "Idempotency-Key").is_some());

    // The first attempt got through, and its answer was lost.
    let server = Scripted::new(|number, _| match number {
        0 => Err(broken()),
        _ => answer(404, &[], ""),
    });
    client(&server)
        .webhooks()
        .delete("whe_1", "*")
        .await
        .unwrap();
    let server = Scripted::new(|_, _| answer(404, &[], ""));
    let error = client(&server)
        .webhooks()
        .delete("whe_1", "*")
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "not_found");
}

#[tokio::test(start_paused = true)]
async fn asks_only_for_what_has_changed() {
    let server = Scripted::new(|_, request| match header(request, "If-None-Match") {
        Some("\"v1\"") => answer(304, &[("ETag", "\"v1\"")], ""),
        _ => answer(200, &[("ETag", "\"v1\"")], CREATED),
    });
    let webhooks = client(&server).webhooks();
    let found = webhooks.get("whe_1").await.unwrap();
    let etag = found.etag.clone().unwrap();
    assert_eq!(
        webhooks.get_if_changed("whe_1", &etag).await.unwrap(),
        IfChanged::NotModified
    );
    let changed = webhooks.get_if_changed("whe_1", "\"v0\"").await.unwrap();
    assert_eq!(changed, IfChanged::Changed(found));

    let server = Scripted::new(|_, _| answer(304, &[], ""));
    let error = client(&server).webhooks().get("whe_1").await.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.attempts()),
        ("unexpected_redirect", 1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_header_can_carry_is_not_sent() {
    let server = Scripted::new(|_, _| answer(200, &[], CREATED));
    let webhooks = client(&server).webhooks();
    for bad in ["", " ", "a\r\nX: y", "é", "\0"] {
        let change = EndpointChange::new()
            .with_status("ACTIVE")
            .with_idempotency_key(bad);
        for error in [
            webhooks
                .create(&endpoint().with_idempotency_key(bad))
                .await
                .unwrap_err(),
            webhooks.update("whe_1", "*", &change).await.unwrap_err(),
            webhooks
                .update("whe_1", bad, &EndpointChange::new())
                .await
                .unwrap_err(),
            webhooks.delete("whe_1", bad).await.unwrap_err(),
            webhooks.get_if_changed("whe_1", bad).await.unwrap_err(),
            webhooks.get("..").await.unwrap_err(),
        ] {
            assert_eq!(
                (error.code().as_str(), error.attempts()),
                ("invalid_request", 0)
            );
        }
    }
    assert_eq!(server.requests(), 0);
}
