//! What all calls have in common: attempts, waits, deadlines, errors.

use std::time::Duration;

use crate::scripted::{Scripted, answer, header, page};
use crate::simulated::window;
use futures_util::TryStreamExt;
use tokio::time::Instant;
use velora_core::api::{Body, Response, RetryOptions};
use velora_core::health::{EventQuery, ExportQuery, NewEndpoint};
use velora_core::{ApiError, ApiErrorKind};

fn broken() -> ApiError {
    ApiError::new(ApiErrorKind::Connection, "reset by the test")
}

#[tokio::test(start_paused = true)]
async fn terminal_statuses_cost_one_request() {
    for (status, code) in [
        (301, "unexpected_redirect"),
        (302, "unexpected_redirect"),
        (400, "invalid_request"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (418, "invalid_request"),
        (422, "invalid_request"),
    ] {
        let server = Scripted::new(move |_, _| {
            answer(
                status,
                &[("Location", "https://evil.example.com")],
                r#"{"error":"no"}"#,
            )
        });
        let error = server.client().probe().await.unwrap_err();
        assert_eq!(error.code().as_str(), code, "{status}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.detail(), Some("no"));
        assert_eq!((server.requests(), error.attempts()), (1, 1));
        assert!(!error.is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn transient_faults_cost_five_requests_at_most() {
    for (fault, code) in [
        (500, "server_error"),
        (503, "server_error"),
        (429, "rate_limited"),
        (0, "connection"),
    ] {
        let server = Scripted::new(move |_, _| match fault {
            0 => Err(broken()),
            status => answer(status, &[], ""),
        });
        let error = server.client().probe().await.unwrap_err();
        assert_eq!(error.code().as_str(), code);
        assert_eq!((server.requests(), error.attempts()), (5, 5));
        assert!(error.is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_not_seen() {
    let server = Scripted::new(|number, _| match number {
        0 => answer(503, &[], "<html>"),
        1 => Err(broken()),
        2 => {
            let cut = futures_util::stream::iter([Ok("{\"events\":[".into()), Err(broken())]);
            Ok(Response::new(200, Vec::new(), Body::new(cut)))
        }
        3 => answer(200, &[], "{\"events\":[{\"event_id\":\"0\""),
        _ => answer(200, &[], &page(0..1, None)),
    });
    let mut events = server.client().events(EventQuery::new());
    assert_eq!(
        events.next().await.unwrap().unwrap().event_id().unwrap(),
        "0"
    );
    assert!(events.next().await.is_none());
    let ids: Vec<String> = server.seen().iter().map(request_id).collect();
    assert_eq!(ids.len(), 5);
    assert!(
        ids.iter().all(|id| *id == ids[0] && id.len() == 32),
        "{ids:?}"
    );
}

fn request_id(request: &velora_core::api::Request) -> String {
    let mut headers = request.headers();
    headers
        .find(|(name, _)| *name == "X-Request-Id")
        .unwrap()
        .1
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_it_is_asked_to() {
    for form in ["7", "Fri, 31 Dec 1999 23:59:59 GMT"] {
        let server = Scripted::new(move |number, _| match number {
            0 => answer(429, &[("Retry-After", form)], ""),
            _ => answer(200, &[], &page(0..0, None)),
        });
        let client = server.client();
        let start = Instant::now();
        client.probe().await.unwrap();
        let least = if form == "7" { 7 } else { 0 };
        assert!(start.elapsed() >= Duration::from_secs(least));
        assert!(start.elapsed() < Duration::from_secs(9));
        assert_eq!(server.requests(), 2);
        if form == "7" {
            let until = client.rate_limit().retry_at.unwrap();
            let left = until.duration_since(jiff::Timestamp::now()).as_secs_f64();
            assert!(left > 5.0 && left <= 7.1, "{left}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_is_too_long_to_wait() {
    for status in [429, 503] {
        let server = Scripted::new(move |_, _| answer(status, &[("Retry-After", "3600")], ""));
        let start = Instant::now();
        let error = server.client().probe().await.unwrap_err();
        assert_eq!(error.code().as_str(), "rate_limited");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
        assert_eq!((server.requests(), start.elapsed()), (1, Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_idempotent_is_sent_once() {
    let server = Scripted::new(|_, _| answer(503, &[], ""));
    let webhooks = server.client().webhooks();
    let endpoint = NewEndpoint::new("https://example.com");
    assert_eq!(webhooks.create(&endpoint).await.unwrap_err().attempts(), 1);
    assert_eq!(webhooks.disable("wh_1").await.unwrap_err().attempts(), 5);
    assert_eq!(webhooks.delete("wh_1").await.unwrap_err().attempts(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_whole_call_has_a_deadline() {
    let server = Scripted::slow(Duration::from_secs(3_600), |_, _| answer(200, &[], ""));
    let client = server.builder().with_call_timeout(Duration::from_secs(20));
    let start = Instant::now();
    let error = client.build().unwrap().probe().await.unwrap_err();
    assert_eq!(error.code().as_str(), "timeout");
    assert_eq!(start.elapsed().as_secs(), 20);

    let server = Scripted::new(|_, _| answer(503, &[("Retry-After", "30")], ""));
    let client = server.builder().with_call_timeout(Duration::from_secs(50));
    let error = client.build().unwrap().probe().await.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.attempts()),
        ("server_error", 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_down_is_not_hammered() {
    let server = Scripted::new(|_, _| answer(500, &[], ""));
    let client = server.client();
    for _ in 0..200 {
        client.probe().await.unwrap_err();
    }
    // 200 first attempts, and the 100 retries that the budget pays for.
    assert_eq!(server.requests(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_not_read() {
    let endless = || {
        let chunks = futures_util::stream::repeat_with(|| Ok(vec![b' '; 1 << 20].into()));
        Ok(Response::new(200, Vec::new(), Body::new(chunks)))
    };
    let server = Scripted::new(move |_, _| endless());
    let error = server.client().probe().await.unwrap_err();
    assert_eq!(error.code().as_str(), "response_too_large");
    assert_eq!(error.attempts(), 1);

    let server = Scripted::new(move |_, _| {
        let mut response = endless()?;
        response = Response::new(500, Vec::new(), response.into_body());
        Ok(response)
    });
    let options = RetryOptions::default().with_attempts(1).unwrap();
    let client = server.builder().with_retry(options).build().unwrap();
    assert_eq!(
        client.probe().await.unwrap_err().code().as_str(),
        "server_error"
    );
}

#[tokio::test(start_paused = true)]
async fn the_key_and_the_body_are_in_no_error() {
    let server = Scripted::new(|_, _| {
        answer(
            422,
            &[("X-Request-Id", "srv-1")],
            r#"{"detail":"patient Jane Doe"}"#,
        )
    });
    let error = server.client().probe().await.unwrap_err();
    assert_eq!(error.request_id(), Some("srv-1"));
    assert!(error.raw().contains("Jane"));
    for shown in [format!("{error}"), format!("{error:?}")] {
        assert!(
            !shown.contains("vlk_live") && !shown.contains("Jane"),
            "{shown}"
        );
    }
    let sent = &server.seen()[0];
    let headers: Vec<_> = sent.headers().collect();
    assert!(headers.contains(&("Authorization", "Bearer vlk_live_test")));
    assert!(
        headers
            .iter()
            .any(|(name, value)| *name == "User-Agent" && value.starts_with("velora-core/"))
    );
    assert!(!format!("{sent:?}").contains("vlk_live"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_system_repeats_is_in_no_error() {
    const KEY: &str = "vlk_live_test";
    for (status, body) in [
        (
            401,
            r#"{"detail":"Incorrect API key provided: vlk_live_test","code":"vlk_live_test"}"#,
        ),
        (
            422,
            r#"{"issues":["vlk_live_test",{"code":"vlk_live_test","path":["vlk_live_test"],"message":"of vlk_live_test"}]}"#,
        ),
        (500, "Bearer vlk_live_test"),
        (200, r#"{"authorization":"Bearer vlk_live_test"}"#),
    ] {
        let server = Scripted::new(move |_, _| answer(status, &[("X-Request-Id", KEY)], body));
        let error = server.client().probe().await.unwrap_err();
        assert_eq!(
            (error.raw(), error.request_id()),
            (&*body.replace(KEY, "***"), Some("***"))
        );
        let issues = error.issues().iter();
        let texts =
            issues.flat_map(|issue| issue.code.iter().chain(&issue.message).chain(&issue.path));
        let texts = texts.map(String::as_str);
        let mut texts = texts.chain(error.detail()).chain(error.vendor_code());
        assert!(
            texts.all(|text| text.contains("***") && !text.contains(KEY)),
            "{body}"
        );
        assert!(!format!("{error} {error:?}").contains(KEY));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_may_have_got_through_is_done_when_nothing_is_left() {
    for (first, outcome) in [
        (0, None),
        (503, None),
        (429, Some("not_found")),
        (404, Some("not_found")),
    ] {
        let server = Scripted::new(move |number, _| match (number, first) {
            (0, 0) => Err(broken()),
            (0, status) => answer(status, &[], ""),
            _ => answer(404, &[], ""),
        });
        let deleted = server.client().webhooks().delete("wh_1").await;
        let code = deleted.map_err(|error| error.code().as_str()).err();
        assert_eq!(code, outcome, "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn not_modified_is_no_answer_to_what_asked_for_no_version() {
    let server = Scripted::new(|_, _| answer(304, &[], ""));
    let webhooks = server.client().webhooks();
    let codes = [
        server.client().probe().await.unwrap_err().code(),
        webhooks.delete("wh_1").await.unwrap_err().code(),
        webhooks.disable("wh_1").await.unwrap_err().code(),
    ];
    assert!(
        codes
            .iter()
            .all(|code| code.as_str() == "unexpected_redirect")
    );
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_registration_is_not_called_refused_where_it_may_have_been_made() {
    let server = Scripted::new(|_, _| answer(503, &[("Retry-After", "3600")], ""));
    let endpoint = NewEndpoint::new("https://example.com");
    let error = server
        .client()
        .webhooks()
        .create(&endpoint)
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "server_error");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
}

#[tokio::test(start_paused = true)]
async fn a_page_cut_within_a_character_is_asked_for_again() {
    let server = Scripted::new(|number, _| match number {
        0 => {
            let cut = b"{\"events\":[{\"event_id\":\"\xc3".to_vec();
            Ok(Response::new(200, Vec::new(), Body::from(cut)))
        }
        _ => answer(200, &[], &page(0..1, None)),
    });
    server.client().probe().await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_leads_nowhere_is_given_before_the_error() {
    let server = Scripted::new(|number, _| match number {
        0 => answer(200, &[], &page(0..2, Some("a"))),
        _ => answer(200, &[], &page(2..4, Some("a"))),
    });
    let mut events = server.client().events(EventQuery::new());
    for id in ["0", "1", "2", "3"] {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.event_id().unwrap(), id);
    }
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!(error.code().as_str(), "cursor_loop");
    assert!(events.next().await.is_none());
    assert_eq!(server.requests(), 2);
}

/// What is found only after a call says which one it was, as an error of the call does.
#[tokio::test(start_paused = true)]
async fn what_is_found_in_an_answer_says_in_which() {
    let of = |error: &ApiError| {
        let id = error.request_id().map(str::to_owned);
        (error.code().as_str(), error.status(), id, error.attempts())
    };
    for (own, said) in [("srv-9", "srv-9"), ("for-vlk_live_test", "for-***")] {
        let server = Scripted::new(move |number, _| match number {
            0 => answer(200, &[("X-Request-Id", "srv-0")], &page(0..1, Some("a"))),
            1 => answer(503, &[], ""),
            _ => answer(200, &[("X-Request-Id", own)], &page(1..2, Some("a"))),
        });
        let events = server.client().events(EventQuery::new());
        let error = events.try_collect::<Vec<_>>().await.unwrap_err();
        let expected = ("cursor_loop", Some(200), Some(said.to_owned()), 2);
        assert_eq!(of(&error), expected);
    }

    let astray = r#"{"event_id":"1","timestamp":"2026-05-09T00:00:00+00:00"}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], astray));
    let day = window("2026-05-03T00:00:00Z", "2026-05-04T00:00:00Z");
    let rows = server.client().export(ExportQuery::new(day));
    let error = rows.try_collect::<Vec<_>>().await.unwrap_err();
    let sent = header(&server.seen()[0], "X-Request-Id").map(str::to_owned);
    assert_eq!(of(&error), ("incomplete_window", Some(200), sent, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_asks_for_nothing_more() {
    let second = Duration::from_secs(1);
    let server = Scripted::slow(second, |number, _| match number {
        0 => answer(200, &[], &page(0..1, Some("a"))),
        _ => answer(503, &[], ""),
    });
    let mut events = server.client().events(EventQuery::new());
    events.next().await.unwrap().unwrap();
    tokio::time::sleep(second / 2).await;
    assert_eq!(server.requests(), 2);
    drop(events);
    tokio::time::sleep(second * 3_600).await;
    assert_eq!(server.requests(), 2);
}
