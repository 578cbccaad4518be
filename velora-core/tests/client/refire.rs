//! Sweeping a delivery log of the billing system.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use velora_core::api::{Method, Request};
use velora_core::billing::{Client, DeliveryStatus, RefireReport, Sweep, WhyNot};
use velora_core::{ApiError, ApiErrorKind, ApiKey};
use velora_simulator::{BILLING_KEY, History, NewEndpoint, RateLimits, Simulator, System};

use crate::scripted::{Answer, Scripted, answer};
use crate::simulated::limited;
use crate::wire::Server;

/// A log of these rows (`id status retryable retry_of`), newest first, two a page; a
/// re-fire is answered by a function of its number (from 0) and the delivery's id.
fn system(
    rows: Vec<String>,
    refire: impl Fn(usize, &str) -> Answer + Send + Sync + 'static,
) -> Scripted {
    let fired = Mutex::new(0);
    Scripted::new(move |_, request| match request.method() {
        Method::Post => {
            let mut fired = fired.lock().unwrap();
            *fired += 1;
            refire(*fired - 1, &id_of(request))
        }
        _ => log_page(&rows, request),
    })
}

fn log_page(rows: &[String], request: &Request) -> Answer {
    let from = request
        .url()
        .split("cursor=")
        .nth(1)
        .map_or(0, |at| at.parse().unwrap());
    let shown = rows.iter().skip(from).take(2).map(|row| {
        let parts: Vec<&str> = row.split(' ').collect();
        let retry_of = parts
            .get(3)
            .map_or("null".to_owned(), |id| format!("\"{id}\""));
        format!(
            r#"{{"id":"{}","status":"{}","retryable":{},"retryOfId":{retry_of}}}"#,
            parts[0],
            parts[1],
            parts[2] == "y"
        )
    });
    let next = match from + 2 < rows.len() {
        true => format!("\"{}\"", from + 2),
        false => "null".to_owned(),
    };
    let rows: Vec<_> = shown.collect();
    answer(
        200,
        &[],
        &format!(
            r#"{{"deliveries":[{}],"nextCursor":{next}}}"#,
            rows.join(",")
        ),
    )
}

fn id_of(request: &Request) -> String {
    let (_, rest) = request
        .url()
        .split_once("/api/webhooks/deliveries/")
        .unwrap();
    rest.strip_suffix("/retry").unwrap().to_owned()
}

fn rows(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| row.to_string()).collect()
}

fn many(count: usize) -> Vec<String> {
    (0..count)
        .rev()
        .map(|number| format!("del_{number} failed y"))
        .collect()
}

fn sent(status: &str) -> Answer {
    let code = if status == "ok" { 200 } else { 503 };
    answer(
        200,
        &[],
        &format!(r#"{{"deliveryId":"new","status":"{status}","statusCode":{code}}}"#),
    )
}

fn client(server: &Scripted) -> Client {
    let key = ApiKey::new("vb_live_canary").unwrap();
    server.of(Client::builder(key)).build().unwrap()
}

async fn sweep(server: &Scripted) -> RefireReport {
    client(server)
        .refire_failed(Sweep::new("wh_1"))
        .await
        .unwrap()
}

fn fired(server: &Scripted) -> Vec<String> {
    let requests = server.seen();
    let posts = requests
        .iter()
        .filter(|request| request.method() == Method::Post);
    posts.map(id_of).collect()
}

#[tokio::test(start_paused = true)]
async fn fires_each_once_and_says_what_came_of_it() {
    let log = rows(&[
        "i failed y",
        "h ok y g",
        "g failed y",
        "f failed y e",
        "e failed n",
        "d failed n",
        "c failed y",
        "b ok y",
        "a failed y",
    ]);
    let server = system(log, |_, id| match id {
        "a" => sent("ok"),
        "c" => sent("failed"),
        "f" => answer(409, &[], r#"{"error":"Original payload was not retained"}"#),
        _ => answer(409, &[], r#"{"error":"Delivery already succeeded"}"#),
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let sweep =
        Sweep::new("wh_1").on_progress(move |progress| listener.lock().unwrap().push(progress));
    let report = client(&server).refire_failed(sweep).await.unwrap();

    // `d` has no payload left, `g` arrived as `h`, `e` can be sent as `f`.
    assert_eq!(fired(&server), ["a", "c", "f", "i"]);
    assert_eq!(report.refired.len(), 1);
    assert_eq!(report.refired[0].of_id, "a");
    assert_eq!(report.refired[0].attempt.delivery_id, "new");
    assert_eq!(report.failed_again[0].of_id, "c");
    assert_eq!(report.failed_again[0].attempt.status_code, Some(503));
    let why: Vec<_> = report
        .not_refired
        .iter()
        .map(|not| {
            let why = match &not.why {
                WhyNot::NotRetryable => "not retryable",
                WhyNot::Refused(error) => {
                    assert_eq!((error.code().as_str(), error.attempts()), ("conflict", 1));
                    error.detail().unwrap()
                }
                other => panic!("{other:?}"),
            };
            (not.of_id.as_str(), why)
        })
        .collect();
    assert_eq!(
        why,
        [
            ("d", "not retryable"),
            ("f", "Original payload was not retained"),
            ("i", "Delivery already succeeded"),
        ]
    );
    assert!(report.stopped.is_none() && report.left.is_empty());
    let told = told.lock().unwrap();
    assert_eq!((told.len(), told[0].total, told[0].refired), (6, 5, 0));
    assert_eq!(
        (told[5].refired, told[5].failed_again, told[5].not_refired),
        (1, 1, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn keeps_within_the_write_limit() {
    // 30 at once, and 30 in each further minute.
    for (writes, minutes) in [(90, 2), (91, 3)] {
        let server = system(many(writes), |_, _| sent("ok"));
        let start = Instant::now();
        assert_eq!(sweep(&server).await.refired.len(), writes);
        assert_eq!(start.elapsed().as_secs(), minutes * 60);
    }

    let server = system(many(95), |_, _| sent("ok"));
    let start = Instant::now();
    let sweep = Sweep::new("wh_1").with_writes_per_minute(100).unwrap();
    client(&server).refire_failed(sweep).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    let none = Sweep::new("wh_1").with_writes_per_minute(0).unwrap_err();
    assert_eq!(none.code().as_str(), "invalid_option");
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_a_refusal_says_and_goes_on() {
    let server = system(many(3), |number, _| match number {
        1 => answer(429, &[("Retry-After", "12")], ""),
        2 => answer(429, &[], ""),
        _ => sent("ok"),
    });
    let start = Instant::now();
    assert_eq!(sweep(&server).await.refired.len(), 3);
    assert_eq!(start.elapsed().as_secs(), 13);
    assert_eq!(
        fired(&server),
        ["del_0", "del_1", "del_1", "del_1", "del_2"]
    );
}

#[tokio::test(start_paused = true)]
async fn stops_where_going_on_is_of_no_use() {
    for (status, code, requests) in [
        (401, "unauthorized", 1),
        (403, "forbidden", 1),
        (302, "unexpected_redirect", 1),
        (429, "rate_limited", 1),
    ] {
        let server = system(many(4), move |number, _| match number {
            0 => sent("ok"),
            _ => answer(status, &[("Retry-After", "3600")], ""),
        });
        let report = sweep(&server).await;
        assert_eq!(report.stopped.unwrap().code().as_str(), code);
        assert_eq!(report.left, ["del_1", "del_2", "del_3"]);
        assert_eq!(
            (report.refired.len(), fired(&server).len()),
            (1, 1 + requests)
        );
    }
    let server = system(many(4), |_, _| answer(429, &[("Retry-After", "1")], ""));
    let error = sweep(&server).await.stopped.unwrap();
    assert_eq!((error.attempts(), fired(&server).len()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_not_sent_for_again() {
    let server = system(many(4), |number, _| match number {
        0 => answer(500, &[], ""),
        1 => Err(ApiError::new(ApiErrorKind::Connection, "reset by the test")),
        2 => answer(200, &[], "<html>"),
        _ => sent("ok"),
    });
    let report = sweep(&server).await;
    assert_eq!(fired(&server), ["del_0", "del_1", "del_2", "del_3"]);
    let unknown = |why: &WhyNot| matches!(why, WhyNot::Unknown(_));
    assert!(report.not_refired.iter().all(|not| unknown(&not.why)));
    assert_eq!((report.not_refired.len(), report.refired.len()), (3, 1));

    let server = system(many(100), |_, _| answer(503, &[], ""));
    let report = sweep(&server).await;
    assert_eq!(report.stopped.unwrap().code().as_str(), "server_error");
    assert_eq!((report.not_refired.len(), report.left.len()), (5, 95));
}

#[tokio::test(start_paused = true)]
async fn a_system_in_trouble_is_given_the_time_it_asks_for() {
    let server = system(many(4), |number, _| match number {
        0 | 1 => answer(503, &[("Retry-After", "30")], ""),
        _ => sent("ok"),
    });
    let start = Instant::now();
    let report = sweep(&server).await;
    assert_eq!((report.not_refired.len(), report.refired.len()), (2, 2));
    assert_eq!(start.elapsed().as_secs(), 60);

    let server = system(many(4), |_, _| answer(503, &[("Retry-After", "3600")], ""));
    let start = Instant::now();
    let report = sweep(&server).await;
    let stopped = report.stopped.unwrap();
    assert_eq!(stopped.retry_after(), Some(Duration::from_secs(3_600)));
    assert_eq!((report.not_refired.len(), report.left.len()), (1, 3));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// Five calls in a row whose effect is not known end a sweep, and an answer ends the row.
#[tokio::test(start_paused = true)]
async fn a_system_that_answers_now_and_then_is_gone_on_with() {
    let server = system(many(14), |number, _| match number {
        4 => sent("ok"),
        9 => answer(409, &[], ""),
        _ => answer(503, &[], ""),
    });
    let report = sweep(&server).await;
    assert!(report.stopped.is_none() && report.left.is_empty());
    assert_eq!((report.refired.len(), report.not_refired.len()), (1, 13));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_fires_nothing() {
    let server = Scripted::new(|number, request| match number {
        0 => log_page(&many(9), request),
        _ => answer(404, &[], r#"{"error":"Webhook not found"}"#),
    });
    let error = client(&server)
        .refire_failed(Sweep::new("wh_1"))
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "not_found");
    assert!(fired(&server).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sweeps_the_simulator() {
    let limits = RateLimits::documented().within(Duration::from_secs(1));
    let simulator = Simulator::builder()
        .rate_limits(limits)
        .start_blocking()
        .unwrap();
    // Nobody listens there.
    let endpoint = simulator.register(NewEndpoint::new(System::Billing, "http://127.0.0.1:9"));
    for (count, ok, retained) in [(41, false, true), (5, true, true), (3, false, false)] {
        simulator.add_history(
            &endpoint.id,
            History {
                count,
                ok,
                retained,
            },
        );
    }
    let builder = Client::builder(ApiKey::new(BILLING_KEY).unwrap());
    let client = builder.with_base_url(simulator.base_url()).build().unwrap();
    let fast = || {
        Sweep::new(&endpoint.id)
            .with_writes_per_minute(1_000)
            .unwrap()
    };
    for _ in 0..2 {
        let report = limited(client.refire_failed(fast())).await.unwrap();
        assert_eq!(
            (report.failed_again.len(), report.not_refired.len()),
            (41, 3)
        );
        assert!(report.stopped.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_at_last_is_not_fired_again() {
    let simulator = Simulator::builder().start_blocking().unwrap();
    let taken = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let receiver = Server::start(taken, Duration::ZERO).await;
    let endpoint = simulator.register(NewEndpoint::new(System::Billing, &receiver.url));
    let failed = History {
        count: 7,
        ok: false,
        retained: true,
    };
    simulator.add_history(&endpoint.id, failed);
    let builder = Client::builder(ApiKey::new(BILLING_KEY).unwrap());
    let client = builder.with_base_url(simulator.base_url()).build().unwrap();
    for refired in [7, 0] {
        let sweep = Sweep::new(&endpoint.id);
        let report = limited(client.refire_failed(sweep)).await.unwrap();
        assert_eq!(report.refired.len(), refired);
        assert!(report.failed_again.is_empty() && report.not_refired.is_empty());
        assert!(
            report
                .refired
                .iter()
                .all(|refired| refired.attempt.status == DeliveryStatus::Ok)
        );
    }
    let deliveries = receiver.seen.lock().unwrap();
    assert_eq!(deliveries.len(), 7);
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.contains("x-webhook-signature: sha256="))
    );
}
