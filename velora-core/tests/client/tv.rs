//! The client of the TV system: webhooks, tokens and limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use velora_core::api::Method;
use velora_core::tv::{Client, EventType, StreamOptions, scheme};
use velora_core::{ApiError, ApiErrorKind, ApiKey, Verifier};
use velora_simulator::{Simulator, TV_TOKEN};

use crate::scripted::{Scripted, answer, header};
use crate::simulated::limited;

const URL: &str = "https://example.com/hook";
const EVENTS: [EventType; 1] = [EventType::StreamOnline];

fn token(text: &str) -> ApiKey {
    ApiKey::new(text).unwrap()
}

fn client(server: &Scripted) -> Client {
    server.of(Client::builder(token("canary"))).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_kept_and_its_secret_signs() {
    for (body, id, signs) in [
        (
            r#"{"id":"wh_1","secret":"whsec_canary"}"#,
            Some("wh_1"),
            true,
        ),
        (
            r#"{"data":{"id":"wh_1","secret":"whsec_canary"}}"#,
            Some("wh_1"),
            true,
        ),
        (
            r#"{"id":"wh_1","webhook":{"id":"other","secret":"whsec_canary"}}"#,
            Some("wh_1"),
            true,
        ),
        (r#"{"id":"wh_1","secret":" not one"}"#, Some("wh_1"), false),
        (r#"{"ok":1.50}"#, None, false),
        ("[]", None, false),
        ("", None, false),
    ] {
        let server = Scripted::new(move |_, _| answer(201, &[], body));
        let created = client(&server)
            .create_webhook("app/1", URL, &EVENTS)
            .await
            .unwrap();
        assert_eq!(
            (created.id.as_deref(), created.secret.is_some()),
            (id, signs),
            "{body}"
        );
        assert!(!format!("{created:?}").contains("canary"));
        let kept = created
            .response
            .as_ref()
            .map_or("", |response| response.as_str());
        assert_eq!(kept, body);
        if let Some(secret) = created.secret {
            Verifier::new(scheme(), [secret]).unwrap();
        }
        let sent = &server.seen()[0];
        assert_eq!(
            sent.url(),
            "https://api.example.com/api/developer/apps/app%2F1/webhooks"
        );
        assert_eq!(header(sent, "Authorization"), Some("Bearer canary"));
        let expected = br#"{"url":"https://example.com/hook","events":["stream.online"]}"#;
        assert_eq!(
            (sent.method(), &sent.body().unwrap()[..]),
            (Method::Post, &expected[..])
        );
    }
    let server = Scripted::new(|_, _| answer(204, &[], ""));
    let created = client(&server).create_webhook("app_1", URL, &EVENTS).await;
    assert_eq!(created.unwrap().response, None);
    let server = Scripted::new(|_, _| answer(201, &[], r#"<p>{"secret":"s"}"#));
    let error = client(&server)
        .create_webhook("app_1", URL, &EVENTS)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.raw()),
        ("malformed_response", "")
    );
}

#[tokio::test(start_paused = true)]
async fn registering_is_sent_once_whatever_happens() {
    for (status, code) in [
        (302, "unexpected_redirect"),
        (400, "invalid_request"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "invalid_request"),
        (429, "rate_limited"),
        (500, "server_error"),
    ] {
        let server = Scripted::new(move |_, _| {
            let headers = [("Location", "https://evil.example.com")];
            answer(
                status,
                &headers,
                r#"{"error":"e","message":"why","retry_after":7}"#,
            )
        });
        let client = client(&server);
        let error = client
            .create_webhook("app_1", URL, &EVENTS)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.status()),
            (code, Some(status))
        );
        assert_eq!((error.detail(), server.requests()), (Some("why"), 1));
        assert_eq!(
            error.retry_after().map(|delay| delay.as_secs()),
            (status == 429).then_some(7)
        );
        assert!(!format!("{error} {error:?} {client:?}").contains("canary"));
    }
    let error = client(&Scripted::new(|_, _| answer(200, &[], "")))
        .create_webhook("..", URL, &EVENTS)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.attempts()),
        ("invalid_request", 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_asked_for_before_each_request() {
    let server = Scripted::new(|_, _| answer(201, &[], "{}"));
    let asked = Arc::new(AtomicUsize::new(0));
    let tokens = move || {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        async move {
            match number {
                0 => Err(ApiError::new(ApiErrorKind::Forbidden, "no token today")),
                _ => Ok(token(&format!("canary-{number}"))),
            }
        }
    };
    let client = server
        .of(Client::builder_with_tokens(tokens))
        .build()
        .unwrap();
    let error = client
        .create_webhook("app_1", URL, &EVENTS)
        .await
        .unwrap_err();
    assert_eq!((error.code().as_str(), server.requests()), ("forbidden", 0));
    for _ in 0..2 {
        client.create_webhook("app_1", URL, &EVENTS).await.unwrap();
    }
    let seen = server.seen();
    let sent: Vec<_> = seen
        .iter()
        .map(|sent| header(sent, "Authorization").unwrap())
        .collect();
    assert_eq!(sent, ["Bearer canary-1", "Bearer canary-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_system_repeats_is_in_no_error() {
    let server = Scripted::new(|_, sent| {
        let sent = header(sent, "Authorization").unwrap().to_owned();
        answer(401, &[], &format!(r#"{{"message":"not valid: {sent}"}}"#))
    });
    let tokens = || async { Ok(token("canary-1")) };
    let client = server.of(Client::builder_with_tokens(tokens)).build();
    let mut events = client.unwrap().events(StreamOptions::new());
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!(error.detail(), Some("not valid: Bearer ***"));
    assert_eq!(error.raw(), r#"{"message":"not valid: Bearer ***"}"#);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_told_in_seconds_since_the_epoch() {
    let server = Scripted::new(|_, _| {
        let headers = [
            ("X-RateLimit-Limit", "100"),
            ("X-RateLimit-Remaining", "41"),
            ("X-RateLimit-Reset", "1780000000"),
        ];
        answer(201, &headers, "{}")
    });
    let client = client(&server);
    client.create_webhook("app_1", URL, &EVENTS).await.unwrap();
    let limit = client.rate_limit();
    assert_eq!((limit.limit, limit.remaining), (Some(100), Some(41)));
    assert_eq!(limit.reset.unwrap().as_second(), 1_780_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn registers_at_the_simulator() {
    let simulator = Simulator::builder().start_blocking().unwrap();
    let client = |text: &str| {
        let builder = Client::builder(token(text)).with_base_url(simulator.base_url());
        builder.build().unwrap()
    };
    let created = client(TV_TOKEN)
        .create_webhook("app_1", URL, &EVENTS)
        .await
        .unwrap();
    let registered = &simulator.endpoints()[0];
    assert_eq!(created.id.as_ref(), Some(&registered.id));
    Verifier::new(scheme(), [created.secret.unwrap()]).unwrap();
    let stranger = client("stranger");
    let error = stranger
        .create_webhook("app_1", URL, &EVENTS)
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "unauthorized");
    let mut stream = stranger.events(StreamOptions::new());
    let error = limited(stream.next()).await.unwrap().unwrap_err();
    assert_eq!(error.code().as_str(), "unauthorized");
}
