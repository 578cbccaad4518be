//! The simulator's faults that concern a table or a log, against the billing system: either
//! all rows, each once, or the right code; never some of the rows.

use std::time::Duration;

use velora_core::api::RetryOptions;
use velora_core::billing::{Client, DeliveryQuery};
use velora_core::{ApiError, ApiKey};
use velora_simulator::FaultKind::*;
use velora_simulator::{
    BILLING_KEY, Fault, FaultKind, History, LoggedRequest, NewEndpoint, Simulator, System,
    csv_record,
};

use crate::simulated::{limited, read_timeout};

const RECORDS: u64 = 3_000;

/// A fault, and what becomes of a table and of a log in its face.
fn faults() -> Vec<(FaultKind, &'static str, &'static str)> {
    let whole = "whole";
    let redirect = "unexpected_redirect";
    vec![
        (RateLimited(1), whole, whole),
        (RateLimitedDate(1), whole, whole),
        (RateLimitedBare, whole, whole),
        (RateLimitedHour, "rate_limited", "rate_limited"),
        (Status(503), whole, whole),
        (Status(404), "not_found", "not_found"),
        (Reset, whole, whole),
        (ResetAfter, whole, whole),
        (Hang, whole, whole),
        // Behind the first row there is no going back.
        (CutLength, "connection", whole),
        (CutChunked, "connection", whole),
        (CutRow, "connection", whole),
        (CutReset, "connection", whole),
        (Stall, "timeout", whole),
        (Gzip, whole, whole),
        (GzipBomb(9), "response_too_large", "response_too_large"),
        (WrongContentType, whole, whole),
        (NotJson, "malformed_response", "malformed_response"),
        (Latency(20), whole, whole),
        (Pretty, whole, whole),
        (RepeatCursor, whole, "cursor_loop"),
        (EmptyPage, whole, whole),
        (DuplicateRows, whole, whole),
        (Redirect(302, None), redirect, redirect),
        (Redirect(307, None), redirect, redirect),
        (Redirect(308, None), redirect, redirect),
    ]
}

fn client(simulator: &Simulator, fault: &FaultKind) -> Client {
    let retry = RetryOptions::default();
    Client::builder(ApiKey::new(BILLING_KEY).unwrap())
        .with_base_url(simulator.base_url())
        .with_retry(retry.with_backoff(Duration::from_millis(5), Duration::from_millis(50)))
        .with_read_timeout(read_timeout(fault))
        .with_max_response_bytes(8 << 20)
        .build()
        .unwrap()
}

async fn table(client: &Client) -> Result<Vec<String>, ApiError> {
    let mut rows = client.audit_csv("run_demo");
    let mut ids = Vec::new();
    while let Some(row) = limited(rows.next()).await {
        ids.push(row?.field("lineId").unwrap().to_owned());
    }
    Ok(ids)
}

async fn log(client: &Client, endpoint_id: &str) -> Result<Vec<String>, ApiError> {
    let mut deliveries = client.deliveries(DeliveryQuery::new(endpoint_id));
    let mut ids = Vec::new();
    while let Some(delivery) = limited(deliveries.next()).await {
        ids.push(delivery?.id);
    }
    Ok(ids)
}

fn verdict(outcome: Result<Vec<String>, ApiError>, truth: &[String]) -> String {
    match outcome {
        Ok(rows) if rows == truth => "whole".to_owned(),
        Ok(rows) => format!("{} of {} rows", rows.len(), truth.len()),
        Err(error) => error.code().to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_whole_or_says_why_not() {
    let builder = Simulator::builder().billing_csv_records(RECORDS);
    let simulator = builder.start_blocking().unwrap();
    let endpoint = simulator.register(NewEndpoint::new(System::Billing, "https://example.com"));
    let history = History {
        count: 700,
        ok: false,
        retained: true,
    };
    simulator.add_history(&endpoint.id, history);
    let lines: Vec<String> = (0..RECORDS)
        .map(|number| csv_record(number)[0].clone())
        .collect();
    let logged: Vec<String> = simulator
        .deliveries()
        .into_iter()
        .rev()
        .map(|row| row.id)
        .collect();

    for (fault, of_table, of_log) in faults() {
        let armed = |path: &str, skip| Fault::new(fault.clone()).path(path).skip(skip);
        let client = client(&simulator, &fault);
        simulator.clear_faults();
        simulator.inject(armed("/api/audits/*", 0));
        let outcome = table(&client).await;
        assert_eq!(verdict(outcome, &lines), of_table, "{fault:?}");
        simulator.clear_faults();
        simulator.inject(armed("/api/webhooks/*", 1));
        let outcome = log(&client, &endpoint.id).await;
        assert_eq!(verdict(outcome, &logged), of_log, "{fault:?}");
        let struck = |request: &LoggedRequest| request.fault.as_deref() == Some(fault.name());
        assert!(simulator.requests().iter().any(struck), "{fault:?}");
    }
    assert!(
        simulator
            .requests()
            .iter()
            .all(|request| !request.other_host)
    );
}
