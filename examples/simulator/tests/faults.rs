//! Every fault, by handle, by header and by control call.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::{Method, Response};
use serde_json::Value;
use velora_simulator::Simulator;

use crate::common::{
    EVENTS, client, export_request, get, health, ids_of_page, ids_of_rows, json_of, newest_first,
};

async fn simulator() -> Simulator {
    Simulator::builder().events(300).start().await.unwrap()
}

/// One request with `X-Sim-Fault`.
async fn with(simulator: &Simulator, fault: &str) -> reqwest::Result<Response> {
    health(simulator, Method::GET, &format!("{EVENTS}?limit=50"))
        .header("x-sim-fault", fault)
        .send()
        .await
}

async fn export_with(simulator: &Simulator, fault: &str) -> reqwest::Result<Response> {
    export_request(simulator, None, None)
        .header("x-sim-fault", fault)
        .send()
        .await
}

#[tokio::test]
async fn rate_limits_in_all_forms() {
    let simulator = simulator().await;
    let retry_after = async |fault: &str| {
        let response = with(&simulator, fault).await.unwrap();
        assert_eq!(response.status(), 429);
        let header = response.headers().get("retry-after");
        header.map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(retry_after("rate_limited").await.as_deref(), Some("1"));
    assert_eq!(retry_after("rate_limited=7").await.as_deref(), Some("7"));
    assert_eq!(
        retry_after("rate_limited_hour").await.as_deref(),
        Some("3600")
    );
    assert_eq!(retry_after("rate_limited_bare").await, None);
    let date = retry_after("rate_limited_date=30").await.unwrap();
    let then = rfc2822::parse(&date).unwrap().timestamp();
    let ahead = then.as_second() - Timestamp::now().as_second();
    assert!((28..=31).contains(&ahead), "{date}");
}

#[tokio::test]
async fn statuses() {
    let simulator = simulator().await;
    for status in [400, 401, 403, 404, 409, 422, 500, 502, 503, 504] {
        let response = with(&simulator, &format!("status={status}")).await.unwrap();
        assert_eq!(response.status(), status);
        assert!(json_of(response).await["detail"].is_string());
    }
}

#[tokio::test]
async fn resets_before_an_answer() {
    let simulator = simulator().await;
    for fault in ["reset", "reset_after"] {
        let error = with(&simulator, fault).await.unwrap_err();
        assert!(error.is_request() || error.is_connect(), "{error:?}");
    }
    let logged = simulator.requests();
    assert_eq!(logged.len(), 2);
    assert!(logged.iter().all(|request| request.status.is_none()));
    assert_eq!(logged[1].fault.as_deref(), Some("reset_after"));
}

#[tokio::test]
async fn hangs_until_the_client_gives_up() {
    let simulator = simulator().await;
    let request = health(&simulator, Method::GET, EVENTS)
        .header("x-sim-fault", "hang")
        .timeout(Duration::from_millis(100));
    assert!(request.send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn latency_once_and_for_all() {
    let simulator = simulator().await;
    let started = Instant::now();
    assert_eq!(with(&simulator, "latency=60").await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(60));
    simulator.set_latency(Duration::from_millis(70));
    let started = Instant::now();
    get(&simulator, EVENTS).await;
    assert!(started.elapsed() >= Duration::from_millis(70));
}

#[tokio::test]
async fn cuts_bodies() {
    let simulator = simulator().await;
    for fault in ["cut_length", "cut_chunked", "cut_row", "cut_reset"] {
        let mut response = export_with(&simulator, fault).await.unwrap();
        assert_eq!(response.status(), 200);
        let promised = response.content_length();
        assert_eq!(promised.is_some(), fault == "cut_length", "{fault}");
        let mut got = Vec::new();
        let error = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => got.extend_from_slice(&chunk),
                Ok(None) => panic!("{fault}: the body ended well"),
                Err(error) => break error,
            }
        };
        assert!(
            error.is_body() || error.is_decode() || error.is_request(),
            "{error:?}"
        );
        // A reset may overtake what was sent before it.
        if fault != "cut_reset" {
            let whole: Vec<u8> = simulator.all().rows().flatten().collect();
            assert!(
                got.len() > whole.len() / 3 && got.len() < whole.len(),
                "{fault}"
            );
        }
        assert_eq!(got.ends_with(b"\n"), fault == "cut_row", "{fault}");
    }
}

#[tokio::test]
async fn stalls_and_drips() {
    let simulator = simulator().await;
    let stalled = health(&simulator, Method::GET, EVENTS).header("x-sim-fault", "stall");
    let stalled = stalled.send().await.unwrap();
    let body = tokio::time::timeout(Duration::from_millis(200), stalled.bytes());
    assert!(body.await.is_err());

    let started = Instant::now();
    let dripping = health(&simulator, Method::GET, &format!("{EVENTS}?limit=1"))
        .header("x-sim-fault", "drip=10");
    let page = json_of(dripping.send().await.unwrap()).await;
    assert_eq!(ids_of_page(&page).len(), 1);
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn endless_bodies() {
    let simulator = simulator().await;
    let page = with(&simulator, "endless").await.unwrap();
    let rows = export_with(&simulator, "endless").await.unwrap();
    for mut response in [page, rows] {
        let mut got = 0;
        while got < 8 << 20 {
            got += response.chunk().await.unwrap().unwrap().len();
        }
    }
}

#[tokio::test]
async fn gzip_bodies() {
    let simulator = simulator().await;
    let plain = get(&simulator, &format!("{EVENTS}?limit=50")).await;
    let plain = plain.bytes().await.unwrap();
    let decoded = async |fault: &str| {
        let response = with(&simulator, fault).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let bytes = response.bytes().await.unwrap();
        let mut decoded = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&bytes[..]);
        std::io::Read::read_to_end(&mut decoder, &mut decoded).unwrap();
        (bytes.len(), decoded)
    };
    let (sent, body) = decoded("gzip").await;
    assert!(sent < plain.len());
    assert_eq!(body, plain);
    let (sent, body) = decoded("gzip_bomb=16").await;
    assert!(sent < 1 << 20 && body.len() > 16 << 20);
}

#[tokio::test]
async fn wrong_types_and_texts() {
    let simulator = simulator().await;
    let response = with(&simulator, "wrong_content_type").await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    assert_eq!(ids_of_page(&json_of(response).await).len(), 50);
    let response = with(&simulator, "not_json").await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let text = response.text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn rows_that_are_no_json_or_come_twice() {
    let simulator = simulator().await;
    let text = export_with(&simulator, "bad_row").await.unwrap();
    let text = text.text().await.unwrap();
    let bad = text
        .lines()
        .filter(|row| serde_json::from_str::<Value>(row).is_err());
    assert_eq!(bad.count(), 1);
    assert_eq!(text.lines().count(), 300);

    let text = export_with(&simulator, "duplicate_rows").await.unwrap();
    let mut ids = ids_of_rows(&text.text().await.unwrap());
    assert_eq!(ids.len(), 306);
    ids.dedup();
    assert_eq!(ids, newest_first(&simulator));
}

#[tokio::test]
async fn truncation_headers() {
    let simulator = Simulator::builder().events(20).export_cap(10);
    let simulator = simulator.start().await.unwrap();
    for (fault, expected) in [
        ("no_truncation_header", None),
        ("truncation_header=yes", Some("yes")),
        ("truncation_header=1", Some("1")),
        ("truncation_header=false", Some("false")),
        ("truncation_header=perhaps", Some("perhaps")),
    ] {
        let response = export_with(&simulator, fault).await.unwrap();
        let header = response.headers().get("x-velora-truncated");
        assert_eq!(header.map(|value| value.to_str().unwrap()), expected);
        assert_eq!(ids_of_rows(&response.text().await.unwrap()).len(), 10);
    }
}

#[tokio::test]
async fn redirects_lead_to_another_host() {
    let simulator = simulator().await;
    for (fault, status) in [
        ("redirect", 302),
        ("redirect_307", 307),
        ("redirect_308", 308),
    ] {
        let response = with(&simulator, fault).await.unwrap();
        assert_eq!(response.status(), status);
        let location = response.headers()["location"].to_str().unwrap();
        assert_eq!(
            location,
            format!("{}{EVENTS}?limit=50", simulator.other_host())
        );
        assert_eq!(client().get(location).send().await.unwrap().status(), 200);
    }
    let there = simulator
        .requests()
        .into_iter()
        .filter(|request| request.other_host);
    assert_eq!(there.filter(|request| !request.authorization).count(), 3);
    let response = with(&simulator, "redirect=http://example.com/x")
        .await
        .unwrap();
    assert_eq!(response.headers()["location"], "http://example.com/x");
}
