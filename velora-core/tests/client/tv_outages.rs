//! The event stream of the TV system: when to reconnect, and when not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use velora_core::tv::{Client, StreamOptions};
use velora_core::{ApiError, ApiErrorKind, ApiKey};

use crate::scripted::{Scripted, answer};
use crate::tv_stream::Step::{Hang, Say, Wait};
use crate::tv_stream::{CONNECTED, client, connection, listen, words};

#[tokio::test(start_paused = true)]
async fn what_no_attempt_would_mend_ends_the_stream() {
    for (status, headers, code) in [
        (401, vec![], "unauthorized"),
        (403, vec![], "forbidden"),
        (404, vec![], "not_found"),
        (400, vec![], "invalid_request"),
        (
            302,
            vec![("Location", "https://evil.example.com")],
            "unexpected_redirect",
        ),
        (429, vec![("Retry-After", "3600")], "rate_limited"),
        (503, vec![("Retry-After", "3600")], "rate_limited"),
        (204, vec![], "malformed_response"),
        (
            200,
            vec![("Content-Type", "text/html")],
            "malformed_response",
        ),
    ] {
        // At the first connection, and at the second.
        for good in [0, 1] {
            let headers = headers.clone();
            let server = Scripted::new(move |number, _| match number < good {
                true => connection(&[Say(CONNECTED)]),
                false => answer(status, &headers, ""),
            });
            let mut stream = listen(&server);
            let words = words(&mut stream, 9).await;
            assert_eq!(words.last().unwrap(), &format!("error {code}"));
            assert_eq!((words.len(), server.requests()), (2 * good + 1, good + 1));
            assert!(stream.next().await.is_none() && stream.next().await.is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_connection_fails_like_any_call() {
    let server = Scripted::new(|_, _| answer(503, &[], ""));
    let error = listen(&server).next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.attempts()),
        ("server_error", 5)
    );
    assert_eq!(server.requests(), 5);
    assert!(!format!("{error} {error:?}").contains("canary"));

    let server = Scripted::new(|number, _| match number {
        0 => answer(429, &[("Retry-After", "7")], ""),
        _ => connection(&[Say(CONNECTED), Hang]),
    });
    let start = Instant::now();
    assert_eq!(words(&mut listen(&server), 1).await, ["connected"]);
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_sat_out_for_as_long_as_allowed() {
    // Down for an hour, by attempts.
    let server = Scripted::new(|number, _| match number {
        0 | 300 => connection(&[Say(CONNECTED)]),
        _ => answer(503, &[], ""),
    });
    let mut stream = listen(&server);
    let expected = ["connected", "gap connection", "connected"];
    assert_eq!(words(&mut stream, 3).await, expected);

    let server = Scripted::new(|number, _| match number {
        0 => connection(&[Say(CONNECTED)]),
        _ => answer(503, &[], ""),
    });
    let options = StreamOptions::new().with_max_outage(Duration::from_secs(100));
    let start = Instant::now();
    let words = words(&mut client(&server).events(options), 9).await;
    assert_eq!(words, ["connected", "gap connection", "error server_error"]);
    assert!(
        (100..121).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_system_that_hangs_up_at_once_is_not_hammered() {
    let server = Scripted::new(|_, _| connection(&[Say(CONNECTED)]));
    let mut stream = listen(&server);
    let ten_minutes = tokio::time::sleep(Duration::from_secs(600));
    tokio::select! {
        () = ten_minutes => {}
        _ = async { while stream.next().await.is_some() {} } => {}
    }
    // One in 10 s on average, once the wait has grown to up to 20 s.
    assert!(
        (30..130).contains(&server.requests()),
        "{}",
        server.requests()
    );
}

#[tokio::test(start_paused = true)]
async fn a_system_that_asks_for_time_is_given_it_before_another_connection() {
    let server = Scripted::new(|number, _| match number {
        1 | 2 => answer(503, &[("Retry-After", "40")], ""),
        3 => answer(429, &[("Retry-After", "50")], ""),
        _ => connection(&[Say(CONNECTED)]),
    });
    let start = Instant::now();
    let expected = ["connected", "gap connection", "connected"];
    assert_eq!(words(&mut listen(&server), 3).await, expected);
    assert_eq!(start.elapsed().as_secs(), 40 + 40 + 50);
}

/// Which is how a system ends a stream whose token runs out, or that has lasted long enough.
#[tokio::test(start_paused = true)]
async fn a_connection_that_held_is_made_again_at_once() {
    let server = Scripted::new(|_, _| connection(&[Say(CONNECTED), Wait(30)]));
    let start = Instant::now();
    words(&mut listen(&server), 60).await;
    // Half a second is the longest first wait.
    let waits = start.elapsed() - Duration::from_secs(30 * 30);
    assert!(waits <= Duration::from_millis(500 * 29), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_had_is_asked_for_again_or_not() {
    for (kind, expected) in [
        (ApiErrorKind::Connection, "connected"),
        (ApiErrorKind::Forbidden, "error forbidden"),
    ] {
        let server = Scripted::new(|_, _| connection(&[Say(CONNECTED)]));
        let asked = Arc::new(AtomicUsize::new(0));
        let tokens = move || {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            async move {
                match number {
                    1..9 => Err(ApiError::new(kind, "no token now")),
                    _ => Ok(ApiKey::new("canary").unwrap()),
                }
            }
        };
        let client = server
            .of(Client::builder_with_tokens(tokens))
            .build()
            .unwrap();
        let mut stream = client.events(StreamOptions::new());
        assert_eq!(
            words(&mut stream, 3).await,
            ["connected", "gap connection", expected]
        );
    }
}
