//! How a rate limit of the system affects all calls of a client.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use velora_core::ApiKey;
use velora_core::api::{Body, Response, RetryOptions};
use velora_core::health::{Client, NewEndpoint};

use crate::scripted::{Answer, Scripted, answer, page};

const SECOND: Duration = Duration::from_secs(1);

fn fine() -> Answer {
    answer(200, &[], &page(0..0, None))
}

/// The first request is answered like this, all others well.
fn once(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> Scripted {
    Scripted::new(move |number, _| match number {
        0 => answer(status, headers, body),
        _ => fine(),
    })
}

/// A client that sends no call again.
fn single(server: &Scripted, options: RetryOptions) -> Client {
    let options = options.with_attempts(1).unwrap();
    server.builder().with_retry(options).build().unwrap()
}

/// In tenths of a second: a timer may be a millisecond late.
fn tenths(start: Instant) -> u128 {
    start.elapsed().as_millis() / 100
}

#[tokio::test(start_paused = true)]
async fn what_one_call_is_asked_to_wait_for_all_others_wait_for() {
    for (headers, body) in [
        (&[("Retry-After", "7")][..], ""),
        (&[], r#"{"error":"rate_limit_exceeded","retry_after":7}"#),
    ] {
        let server = once(429, headers, body);
        let client = single(&server, RetryOptions::default());
        let start = Instant::now();
        assert_eq!(
            client.probe().await.unwrap_err().code().as_str(),
            "rate_limited"
        );
        assert_eq!(start.elapsed(), Duration::ZERO);
        sleep(SECOND * 2).await;
        let calls = (0..4).map(|_| {
            let client = client.clone();
            async move { client.probe().await.unwrap() }
        });
        futures_util::future::join_all(calls).await;
        assert_eq!((tenths(start), server.requests()), (70, 5), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_already_waits_for_what_is_asked_for_meanwhile() {
    let server = Scripted::slow(SECOND, |number, _| match number {
        0 => answer(429, &[("Retry-After", "3")], ""),
        1 => answer(429, &[("Retry-After", "9")], ""),
        _ => fine(),
    });
    let client = server.client();
    let start = Instant::now();
    let late = async {
        sleep(SECOND / 2).await;
        client.probe().await
    };
    let (first, second) = tokio::join!(client.probe(), late);
    first.unwrap();
    second.unwrap();
    // The second answer came after 1.5 s.
    assert_eq!(tenths(start), 115);
    assert_eq!(server.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_the_wait_is_too_long() {
    let server = once(429, &[("Retry-After", "90")], "");
    let client = server.client();
    client.probe().await.unwrap_err();
    sleep(SECOND * 20).await;
    let start = Instant::now();
    let error = client.probe().await.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.status()),
        ("rate_limited", None)
    );
    let left = error.retry_after().unwrap().as_secs_f64();
    assert!((69.9..=70.0).contains(&left), "{left}");
    assert_eq!((error.attempts(), start.elapsed()), (0, Duration::ZERO));
    assert!(error.request_id().is_some() && error.is_retryable());
    sleep(SECOND * 10).await;
    client.probe().await.unwrap();
    assert_eq!((server.requests(), tenths(start)), (2, 700));
}

#[tokio::test(start_paused = true)]
async fn a_wait_past_the_deadline_is_told_at_once() {
    let server = once(429, &[("Retry-After", "30")], "");
    let client = server.builder().with_call_timeout(SECOND * 20);
    let client = client.build().unwrap();
    let start = Instant::now();
    assert_eq!(client.probe().await.unwrap_err().attempts(), 1);
    let error = client.probe().await.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.attempts()),
        ("rate_limited", 0)
    );
    assert_eq!(error.retry_after(), Some(SECOND * 30));
    assert_eq!((server.requests(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_given_up_with_its_call() {
    let server = once(429, &[("Retry-After", "30")], "");
    let client = single(&server, RetryOptions::default());
    client.probe().await.unwrap_err();
    let waiting = tokio::time::timeout(SECOND, client.probe()).await;
    assert!(waiting.is_err());
    sleep(SECOND * 60).await;
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn reads_writes_and_other_clients_do_not_wait_for_each_other() {
    let server = once(429, &[("Retry-After", "30")], "");
    let client = single(&server, RetryOptions::default());
    let endpoint = NewEndpoint::new("https://example.com");
    let start = Instant::now();
    client.webhooks().create(&endpoint).await.unwrap_err();
    client.probe().await.unwrap();
    server.client().webhooks().disable("wh_1").await.unwrap();
    let key = ApiKey::new("vb_live_test").unwrap();
    let billing = server.of(velora_core::billing::Client::builder(key));
    let _ = billing.build().unwrap().retry_delivery("d_1").await;
    assert_eq!((server.requests(), start.elapsed()), (4, Duration::ZERO));
    client.webhooks().disable("wh_1").await.unwrap();
    assert_eq!((server.requests(), tenths(start)), (5, 300));
}

#[tokio::test(start_paused = true)]
async fn what_a_503_asks_for_holds_no_other_call_back() {
    let server = once(503, &[("Retry-After", "30")], "");
    let client = single(&server, RetryOptions::default());
    let start = Instant::now();
    client.probe().await.unwrap_err();
    client.probe().await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_date_is_waited_for_by_the_clock_of_the_system() {
    let headers = &[
        ("Date", "Fri, 31 Dec 1999 23:59:49 GMT"),
        ("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"),
    ];
    let server = once(429, headers, "");
    let start = Instant::now();
    server.client().probe().await.unwrap();
    assert_eq!((server.requests(), tenths(start)), (2, 100));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_waited_for_costs_nothing_of_the_budget() {
    let server = Scripted::new(|number, _| match (number / 600, number % 4) {
        (0, 0..3) => answer(429, &[("Retry-After", "1")], ""),
        (0, _) => fine(),
        _ => answer(500, &[("Retry-After", "1")], ""),
    });
    let client = server.client();
    for _ in 0..150 {
        client.probe().await.unwrap();
    }
    assert_eq!(server.requests(), 600);
    for _ in 0..200 {
        client.probe().await.unwrap_err();
    }
    // All of the budget is left for an outage, whatever its answers ask for.
    assert_eq!(server.requests(), 600 + 300);
}

#[tokio::test(start_paused = true)]
async fn others_wait_though_the_body_of_the_answer_never_comes() {
    let server = Scripted::new(|number, _| match number {
        0 => {
            let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
            let never = Body::new(futures_util::stream::pending());
            Ok(Response::new(429, headers, never))
        }
        _ => fine(),
    });
    let client = single(&server, RetryOptions::default());
    let start = Instant::now();
    let other = async {
        sleep(SECOND).await;
        client.probe().await
    };
    let (first, other) = tokio::join!(client.probe(), other);
    first.unwrap_err();
    other.unwrap();
    assert_eq!((server.requests(), tenths(start)), (2, 70));
}
