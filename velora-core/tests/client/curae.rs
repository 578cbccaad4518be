//! The client of the CuraeAI system.

use std::time::Duration;

use tokio::time::Instant;
use velora_core::curae::{
    Client, EndpointChange, EndpointQuery, EventType, IfChanged, NewEndpoint, scheme,
};
use velora_core::{ApiKey, ConfigError, Verifier};
use velora_simulator::{
    CURAE_KEY, CURAE_LIVE_KEY, CURAE_NO_SCOPE_KEY, CuraeEnvironment, Fault, FaultKind, Simulator,
};

use crate::scripted::{Scripted, answer, header};
use crate::simulated::limited;

pub(crate) const CREATED: &str = r#"{"data":{"id":"whe_1","url":"https://example.com/hook",
    "eventTypes":["records.export_ready","a.new_one"],"status":"ACTIVE","consecutiveFailures":0,
    "createdAt":"2026-05-01T00:00:00Z","_version":1,"resourceType":"WebhookEndpoint",
    "signingSecret":"whsec_canary"}}"#;

fn key(text: &str) -> ApiKey {
    ApiKey::new(text).unwrap()
}

pub(crate) fn client(server: &Scripted) -> Client {
    server
        .of(Client::builder(key("cae_test_canary")))
        .build()
        .unwrap()
}

pub(crate) fn endpoint() -> NewEndpoint {
    NewEndpoint::new("https://example.com/hook", [EventType::RecordsExportReady])
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_not_rfc_3339_is_none() {
    let names = [
        "createdAt",
        "updatedAt",
        "lastDeliveryAttemptAt",
        "lastSuccessfulDeliveryAt",
    ];
    for (text, is_read) in [
        ("2026-05-01T00:00:00.5Z", true),
        ("2026-05-01T00:00:00,5Z", false),
        ("2026-05-01T00:00:00Z[UTC]", false),
    ] {
        let times = names.map(|name| format!(r#""{name}":"{text}""#)).join(",");
        let body = format!(r#"{{"data":{{"id":"whe_1",{times}}}}}"#);
        let server = Scripted::new(move |_, _| answer(200, &[], &body));
        let endpoint = client(&server).webhooks().get("whe_1").await.unwrap();
        let endpoint = endpoint.endpoint;
        let times = [
            endpoint.created_at,
            endpoint.updated_at,
            endpoint.last_delivery_attempt_at,
            endpoint.last_successful_delivery_at,
        ];
        for (name, time) in names.into_iter().zip(times) {
            let kept = endpoint.extra.member(name).is_some();
            assert_eq!((time.is_some(), kept), (is_read, !is_read), "{name} {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_picks_the_environment() {
    for (prefix, url) in [
        (
            "cae_live_canary",
            "https://api.curaeai.com/api/platform/v1/webhook-endpoints/whe_1",
        ),
        (
            "cae_test_canary",
            "https://sandbox.curaeai.com/api/platform/v1/webhook-endpoints/whe_1",
        ),
    ] {
        let server = Scripted::new(|_, _| answer(200, &[], CREATED));
        let builder = Client::builder(key(prefix)).with_transport(server.clone());
        let client = builder.build().unwrap();
        client.webhooks().get("whe_1").await.unwrap();
        let sent = &server.seen()[0];
        assert_eq!(sent.url(), url);
        assert_eq!(
            header(sent, "Authorization").unwrap(),
            format!("Bearer {prefix}")
        );
        assert!(!format!("{client:?} {sent:?}").contains("canary"));
    }
}

#[test]
fn a_key_of_the_other_environment_is_refused() {
    let code = |prefix: &str, url: Option<&str>| -> Result<(), &'static str> {
        let builder = Client::builder(key(prefix));
        let builder = match url {
            Some(url) => builder.with_base_url(url),
            None => builder,
        };
        let shown = |error: &ConfigError| format!("{error} {error:?}");
        let outcome = builder.build().map(drop);
        outcome.map_err(|error| {
            assert!(!shown(&error).contains("canary"));
            error.code().as_str()
        })
    };
    for url in ["https://api.curaeai.com", "https://API.curaeai.com.:443/v1"] {
        assert_eq!(code("cae_live_canary", Some(url)), Ok(()));
        assert_eq!(code("cae_test_canary", Some(url)), Err("wrong_environment"));
        assert_eq!(code("canary", Some(url)), Err("invalid_api_key"));
    }
    let sandbox = Some("https://sandbox.curaeai.com/");
    assert_eq!(code("cae_live_canary", sandbox), Err("wrong_environment"));
    assert_eq!(code("cae_test_canary", sandbox), Ok(()));
    for prefix in ["cae_live_canary", "cae_test_canary", "canary"] {
        assert_eq!(code(prefix, Some("http://127.0.0.1:1")), Ok(()));
    }
    assert_eq!(code("canary", None), Err("invalid_api_key"));
    assert!(Client::new(key("cae_test_canary")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn registering_gives_a_secret_that_signs() {
    let server = Scripted::new(|_, _| answer(201, &[("ETag", "\"v1\"")], CREATED));
    let registered = client(&server)
        .webhooks()
        .create(&endpoint())
        .await
        .unwrap();
    assert!(!format!("{registered:?}").contains("canary"));
    assert_eq!(registered.etag.as_deref(), Some("\"v1\""));
    let endpoint = registered.endpoint;
    assert_eq!((endpoint.id.as_str(), endpoint.version), ("whe_1", Some(1)));
    assert_eq!(endpoint.event_types[0], EventType::RecordsExportReady);
    assert_eq!(
        endpoint.event_types[1],
        EventType::Other("a.new_one".to_owned())
    );
    assert!(endpoint.extra.member("resourceType").is_some());
    assert!(endpoint.extra.member("signingSecret").is_none());
    Verifier::new(scheme(), [registered.secret]).unwrap();
    let sent = &server.seen()[0];
    let expected = br#"{"url":"https://example.com/hook","eventTypes":["records.export_ready"]}"#;
    assert_eq!(sent.body().unwrap(), &expected[..]);
}

#[tokio::test(start_paused = true)]
async fn every_call_knows_every_problem() {
    for (status, vendor, code, requests) in [
        (302, "MOVED", "unexpected_redirect", 1),
        (400, "BAD_REQUEST", "invalid_request", 1),
        (401, "PLATFORM_ACCESS_DENIED", "unauthorized", 1),
        (403, "SCOPE_INSUFFICIENT", "forbidden", 1),
        (403, "WRONG_ENVIRONMENT", "forbidden", 1),
        (404, "NOT_FOUND", "not_found", 1),
        (409, "CONFLICT", "conflict", 1),
        (410, "VERSION_RETIRED", "not_found", 1),
        (412, "PRECONDITION_FAILED", "conflict", 1),
        (422, "BAD_REQUEST", "invalid_request", 1),
        (429, "RATE_LIMITED", "rate_limited", 5),
        (500, "INTERNAL", "server_error", 5),
        // The system's own word.
        (503, "final", "server_error", 1),
    ] {
        let server = Scripted::new(move |_, _| {
            let retryable = requests > 1;
            let body = format!(
                r#"{{"type":"about:blank","title":"t","status":{status},"detail":"why",
                "instance":"/x","code":"{vendor}","details":null,"retryable":{retryable}}}"#
            );
            let headers = [
                ("Location", "https://evil.example.com"),
                ("Content-Type", "application/problem+json"),
            ];
            answer(status, &headers, &body)
        });
        let webhooks = client(&server).webhooks();
        let errors = [
            webhooks.create(&endpoint()).await.unwrap_err(),
            webhooks
                .list(EndpointQuery::new())
                .next()
                .await
                .unwrap()
                .unwrap_err(),
            webhooks.get("whe_1").await.unwrap_err(),
            webhooks.get_if_changed("whe_1", "\"1\"").await.unwrap_err(),
            webhooks
                .update("whe_1", "*", &EndpointChange::new())
                .await
                .unwrap_err(),
            webhooks.delete("whe_1", "*").await.unwrap_err(),
        ];
        assert_eq!(server.requests(), errors.len() * requests, "{vendor}");
        for error in errors {
            assert_eq!(
                (error.code().as_str(), error.status()),
                (code, Some(status))
            );
            assert_eq!(
                (error.vendor_code(), error.detail()),
                (Some(vendor), Some("why"))
            );
            assert_eq!(error.is_retryable(), requests > 1);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        assert!(
            server
                .seen()
                .iter()
                .all(|sent| sent.url().starts_with("https://api.example.com/"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn lists_page_by_page() {
    let page = |ids: &[&str], pagination: &str| {
        let data: Vec<_> = ids
            .iter()
            .map(|id| format!(r#"{{"id":"{id}","eventTypes":null}}"#))
            .collect();
        format!(
            r#"{{"data":[{}],"pagination":{pagination}}}"#,
            data.join(",")
        )
    };
    let more = r#"{"nextCursor":"c","hasMore":true}"#;
    for (second, expected) in [
        (
            page(&["b", "c"], r#"{"nextCursor":null,"hasMore":false}"#),
            Ok(3),
        ),
        (page(&["b"], r#"{"nextCursor":"x","hasMore":false}"#), Ok(2)),
        (page(&["b"], r#"{"hasMore":true}"#), Err("cursor_loop")),
        (page(&["b"], more), Err("cursor_loop")),
        (page(&["b"], "{}"), Err("malformed_response")),
        (page(&[""], "{}"), Err("malformed_response")),
        (r#"{"data":[]}"#.to_owned(), Err("malformed_response")),
    ] {
        let server = Scripted::new(move |number, _| match number {
            0 => answer(200, &[], &page(&["a", "b"], more)),
            _ => answer(200, &[], &second),
        });
        let query = EndpointQuery::new().with_limit(2).unwrap();
        let mut items = client(&server).webhooks().list(query);
        let mut count = 0;
        let outcome = loop {
            match items.next().await {
                Some(Ok(_)) => count += 1,
                Some(Err(error)) => break Err(error.code().as_str()),
                None => break Ok(count),
            }
        };
        assert_eq!(outcome, expected);
        let base = "https://api.example.com/api/platform/v1/webhook-endpoints?limit=2";
        assert_eq!(server.seen()[0].url(), base);
        assert_eq!(server.seen()[1].url(), format!("{base}&cursor=c"));

        let query = EndpointQuery::new().with_cursor("d").unwrap();
        let _ = client(&server).webhooks().list(query).next().await;
        let seen = server.seen();
        assert!(seen.last().unwrap().url().ends_with("?limit=100&cursor=d"));
    }
    let error = EndpointQuery::new().with_cursor("").unwrap_err();
    assert_eq!(error.code().as_str(), "invalid_option");
    for limit in [0, 101] {
        let error = EndpointQuery::new().with_limit(limit).unwrap_err();
        assert_eq!(error.code().as_str(), "invalid_option");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manages_endpoints_of_the_simulator() {
    let sandbox = Simulator::builder().curae_environment(CuraeEnvironment::Sandbox);
    let simulator = sandbox.start_blocking().unwrap();
    let client = |text: &str| {
        Client::builder(key(text))
            .with_base_url(simulator.base_url())
            .build()
            .unwrap()
    };
    let webhooks = client(CURAE_KEY).webhooks();
    // The first answer is lost: the endpoint is registered once all the same.
    simulator.inject(Fault::new(FaultKind::ResetAfter).path("/api/platform/*"));
    let registered = limited(webhooks.create(&endpoint())).await.unwrap();
    for _ in 0..6 {
        limited(webhooks.create(&endpoint())).await.unwrap();
    }
    simulator.inject(Fault::new(FaultKind::EmptyPage).path("/api/platform/*"));
    let mut items = webhooks.list(EndpointQuery::new().with_limit(2).unwrap());
    let mut ids = Vec::new();
    while let Some(endpoint) = limited(items.next()).await {
        ids.push(endpoint.unwrap().id);
    }
    assert_eq!((ids.len(), &ids[0]), (7, &registered.endpoint.id));

    let id = registered.endpoint.id;
    let found = webhooks.get(&id).await.unwrap();
    assert_eq!(found.etag, registered.etag);
    let old = found.etag.unwrap();
    assert_eq!(
        webhooks.get_if_changed(&id, &old).await.unwrap(),
        IfChanged::NotModified
    );
    let change = EndpointChange::new().with_event_types([EventType::UserGraduated]);
    simulator.inject(Fault::new(FaultKind::ResetAfter).path("/api/platform/*"));
    let changed = limited(webhooks.update(&id, &old, &change)).await.unwrap();
    assert_eq!(changed.endpoint.event_types, [EventType::UserGraduated]);
    for error in [
        webhooks.update(&id, &old, &change).await.unwrap_err(),
        webhooks.delete(&id, &old).await.unwrap_err(),
    ] {
        assert_eq!(
            (error.code().as_str(), error.status()),
            ("conflict", Some(412))
        );
    }
    let new = changed.etag.unwrap();
    let now = webhooks.get_if_changed(&id, &old).await.unwrap();
    assert!(matches!(now, IfChanged::Changed(now) if now.etag == Some(new.clone())));
    simulator.inject(Fault::new(FaultKind::ResetAfter).path("/api/platform/*"));
    limited(webhooks.delete(&id, &new)).await.unwrap();
    assert_eq!(
        webhooks.get(&id).await.unwrap_err().code().as_str(),
        "not_found"
    );

    for (text, vendor) in [
        (CURAE_LIVE_KEY, "WRONG_ENVIRONMENT"),
        (CURAE_NO_SCOPE_KEY, "SCOPE_INSUFFICIENT"),
    ] {
        let error = client(text).webhooks().get(&id).await.unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.vendor_code()),
            ("forbidden", Some(vendor))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_system_calls_worth_another_try_is_tried_again_under_its_key() {
    const IN_PROGRESS: &str =
        r#"{"status":409,"code":"IDEMPOTENCY_IN_PROGRESS","detail":"soon","retryable":true}"#;
    let answers = |delay: &'static str| {
        Scripted::new(move |number, _| match number {
            0 => answer(409, &[("Retry-After", delay)], IN_PROGRESS),
            _ => answer(201, &[], r#"{"data":{"id":"whe_1","signingSecret":"s"}}"#),
        })
    };
    let server = answers("3");
    let start = Instant::now();
    client(&server)
        .webhooks()
        .create(&endpoint())
        .await
        .unwrap();
    let seen = server.seen();
    let keys = seen.iter().map(|sent| header(sent, "Idempotency-Key"));
    let keys: Vec<_> = keys.collect();
    assert_eq!((keys.len(), keys[0].is_some(), keys[0]), (2, true, keys[1]));
    assert_eq!(start.elapsed(), Duration::from_secs(3));

    let server = answers("3600");
    let error = client(&server)
        .webhooks()
        .create(&endpoint())
        .await
        .unwrap_err();
    assert_eq!((error.code().as_str(), error.attempts()), ("conflict", 1));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    assert!(error.is_retryable());

    // Without a key the status counts.
    let server = answers("3");
    let error = client(&server).webhooks().get("whe_1").await.unwrap_err();
    assert_eq!((error.code().as_str(), error.attempts()), ("conflict", 1));
    assert!(!error.is_retryable() && error.retry_after().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_secret_of_a_malformed_registration_is_in_no_error() {
    let server = Scripted::new(|_, _| answer(201, &[], r#"{"data":{"signingSecret":"whsec_x"}}"#));
    let error = client(&server)
        .webhooks()
        .create(&endpoint())
        .await
        .unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.raw()),
        ("malformed_response", "")
    );
}
