//! Every fault of the simulator: either the exact set of rows, each once, or the right code.

use std::time::Duration;

use crate::simulated::{
    EVENTS, EXPORT, builder, client, export, limited, list, read_timeout, sorted, truth, week,
};
use velora_core::api::RetryOptions;
use velora_core::health::{EventQuery, ExportQuery};
use velora_core::{ApiError, ApiKey, billing, curae, tv};
use velora_simulator::{BILLING_KEY, CURAE_KEY, Fault, FaultKind, Simulator, TV_TOKEN};

use FaultKind::*;

/// A new one for every fault: what a client gave up may still be on its way to the one
/// it asked, and would take the next fault upon itself.
fn simulator() -> Simulator {
    Simulator::builder()
        .events(23_456)
        .start_blocking()
        .unwrap()
}

fn faults() -> Vec<(FaultKind, &'static str, &'static str)> {
    let whole = "whole";
    vec![
        (RateLimited(1), whole, whole),
        (RateLimitedDate(1), whole, whole),
        (RateLimitedBare, whole, whole),
        (RateLimitedHour, "rate_limited", "rate_limited"),
        (Status(500), whole, whole),
        (Status(503), whole, whole),
        (Status(400), "invalid_request", "invalid_request"),
        (Status(401), "unauthorized", "unauthorized"),
        (Status(403), "forbidden", "forbidden"),
        (Status(404), "not_found", "not_found"),
        (Status(409), "conflict", "conflict"),
        (Status(422), "invalid_request", "invalid_request"),
        (Reset, whole, whole),
        (ResetAfter, whole, whole),
        (Hang, whole, whole),
        (Latency(50), whole, whole),
        (CutLength, whole, whole),
        (CutChunked, whole, whole),
        (CutRow, whole, whole),
        (CutReset, whole, whole),
        (Stall, whole, whole),
        (Endless, "response_too_large", whole),
        (Gzip, whole, whole),
        // More than either kind of client takes.
        (GzipBomb(17), "response_too_large", whole),
        (WrongContentType, whole, whole),
        (NotJson, "malformed_response", "malformed_response"),
        (BadRow, "malformed_response", "malformed_response"),
        (Pretty, whole, whole),
        (NoTruncationHeader, whole, whole),
        (RepeatCursor, "cursor_loop", whole),
        (LoopCursor, "cursor_loop", whole),
        (NoCursor, "cursor_loop", whole),
        (EmptyPage, whole, whole),
        (DuplicateRows, whole, whole),
        (
            Redirect(302, None),
            "unexpected_redirect",
            "unexpected_redirect",
        ),
        (
            Redirect(307, None),
            "unexpected_redirect",
            "unexpected_redirect",
        ),
        (
            Redirect(308, None),
            "unexpected_redirect",
            "unexpected_redirect",
        ),
    ]
}

/// Once, but for faults that once are none: a loop, and a body that is not read where
/// the header says that it was cut.
fn armed(fault: &FaultKind) -> Fault {
    match fault {
        LoopCursor | NotJson | BadRow => Fault::new(fault.clone()).always(),
        _ => Fault::new(fault.clone()),
    }
}

/// Without the breaks that a pretty printer puts between tokens, and the blanks.
fn plain(row: &str) -> String {
    row.replace("\r\n  ", "")
}

/// What came of it; a part of the rows, or one twice, is none of the allowed answers.
fn verdict(outcome: Result<Vec<String>, ApiError>, truth: &[String]) -> String {
    let outcome: Result<Vec<_>, _> =
        outcome.map(|rows| rows.iter().map(|row| plain(row)).collect());
    match outcome {
        Ok(rows) if sorted(rows.clone()) == truth => "whole".to_owned(),
        Ok(rows) => format!("{} of {} rows", rows.len(), truth.len()),
        Err(error) => error.code().to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_whole_or_says_why_not() {
    let truth = truth(&simulator(), week());
    for (fault, expected, _) in faults() {
        let simulator = simulator();
        let impatient = builder(&simulator)
            .with_max_response_bytes(8 << 20)
            .with_read_timeout(read_timeout(&fault));
        let client = impatient.build().unwrap();
        simulator.inject(armed(&fault).path(EVENTS).skip(2));
        let outcome = list(&client, EventQuery::new().with_window(week())).await;
        assert_eq!(verdict(outcome, &truth), expected, "{fault:?}");
        check_requests(&simulator, expected, 3, &fault);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_whole_or_says_why_not() {
    let truth = truth(&simulator(), week());
    for (fault, _, expected) in faults() {
        let simulator = simulator();
        let impatient = builder(&simulator)
            .with_max_response_bytes(16 << 20)
            .with_read_timeout(read_timeout(&fault));
        let client = impatient.build().unwrap();
        simulator.inject(armed(&fault).path(EXPORT).skip(3));
        let outcome = export(&client, ExportQuery::new(week())).await;
        assert_eq!(verdict(outcome, &truth), expected, "{fault:?}");
        check_requests(&simulator, expected, usize::MAX, &fault);
    }
}

/// What is terminal costs one request; and nothing goes to another host, ever.
fn check_requests(simulator: &Simulator, expected: &str, until: usize, fault: &FaultKind) {
    let requests = simulator.requests();
    assert!(
        requests.iter().all(|request| !request.other_host),
        "{fault:?}"
    );
    let terminal = [
        "unauthorized",
        "forbidden",
        "not_found",
        "conflict",
        "invalid_request",
        "rate_limited",
        "unexpected_redirect",
    ];
    if terminal.contains(&expected) {
        let failed = requests
            .iter()
            .filter(|request| request.fault.is_some())
            .count();
        assert_eq!(failed, 1, "{fault:?}");
        assert!(
            requests.len() <= until,
            "{fault:?}: {} requests",
            requests.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_again_and_again_are_survived_or_reported() {
    let simulator = simulator();
    let truth = truth(&simulator, week());
    // Calls that run beside each other share the faults out: five attempts of one of them
    // may meet a third of all requests, now and then.
    let backoff = Duration::from_millis(5);
    let retry = RetryOptions::default()
        .with_backoff(backoff, backoff)
        .with_attempts(20)
        .unwrap();
    let client = builder(&simulator).with_retry(retry).build().unwrap();
    for fault in [
        Status(503),
        CutChunked,
        CutRow,
        CutLength,
        Reset,
        RateLimitedBare,
    ] {
        simulator.clear_faults();
        simulator.inject(Fault::new(fault.clone()).every(3));
        let rows = list(&client, EventQuery::new().with_window(week())).await;
        assert_eq!(verdict(rows, &truth), "whole", "{fault:?}");
        let rows = export(&client, ExportQuery::new(week())).await;
        assert_eq!(verdict(rows, &truth), "whole", "{fault:?}");
    }
    for (fault, code) in [
        (EmptyPage, "cursor_loop"),
        (Status(500), "server_error"),
        (Hang, "timeout"),
    ] {
        simulator.clear_faults();
        simulator.inject(Fault::new(fault.clone()).path(EVENTS).always());
        let builder = match fault {
            Hang => builder(&simulator).with_read_timeout(Duration::from_millis(200)),
            _ => builder(&simulator),
        };
        let rows = list(
            &builder.build().unwrap(),
            EventQuery::new().with_window(week()),
        )
        .await;
        assert_eq!(verdict(rows, &truth), code, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_style_of_the_header_is_read() {
    let simulator = simulator();
    let truth = truth(&simulator, week());
    let client = client(&simulator);
    for style in ["1", "yes", "TRUE", "True", "maybe", ""] {
        simulator.clear_faults();
        simulator.inject(Fault::new(TruncationHeader(style.to_owned())).always());
        let rows = export(&client, ExportQuery::new(week())).await;
        assert_eq!(verdict(rows, &truth), "whole", "{style:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_is_in_the_error_at_once() {
    let simulator = simulator();
    simulator.inject(Fault::new(RateLimitedHour));
    let error = limited(client(&simulator).probe()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "rate_limited");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    assert_eq!(simulator.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_ends_with_the_call() {
    let simulator = simulator();
    simulator.inject(Fault::new(Drip(20)).always());
    let builder = builder(&simulator).with_call_timeout(Duration::from_millis(800));
    let client = builder.build().unwrap();
    let error = list(&client, EventQuery::new()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_a_connection_fault() {
    let simulator = simulator();
    let client = client(&simulator);
    drop(simulator);
    let error = limited(client.probe()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "connection");
    assert_eq!(error.attempts(), 5);
}

/// `Authorization` and `X-Api-Key`, of every system.
#[tokio::test(flavor = "multi_thread")]
async fn no_credential_follows_a_redirect() {
    let simulator = simulator();
    let url = simulator.base_url();
    let token = || async { Ok(ApiKey::new(TV_TOKEN).unwrap()) };
    let key = |text: &str| ApiKey::new(text).unwrap();
    let billing = billing::Client::builder(key(BILLING_KEY)).with_base_url(url);
    let curae = curae::Client::builder(key(CURAE_KEY)).with_base_url(url);
    let tv = tv::Client::builder_with_tokens(token).with_base_url(url);
    let (billing, curae) = (billing.build().unwrap(), curae.build().unwrap());
    let tv = tv.build().unwrap();
    for status in [302, 307, 308] {
        simulator.clear_faults();
        simulator.clear_requests();
        simulator.inject(Fault::new(Redirect(status, None)).always());
        let errors = [
            limited(client(&simulator).probe()).await.unwrap_err(),
            limited(billing.retry_delivery("del_1")).await.unwrap_err(),
            limited(curae.webhooks().get("whe_1")).await.unwrap_err(),
            limited(tv.events(tv::StreamOptions::new()).next())
                .await
                .unwrap()
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code().as_str(), "unexpected_redirect");
            assert_eq!((error.status(), error.attempts()), (Some(status), 1));
        }
        let requests = simulator.requests();
        assert_eq!(requests.len(), 4);
        assert!(requests.iter().all(|request| !request.other_host));
        assert_eq!(requests.iter().filter(|request| request.api_key).count(), 1);
    }
}
