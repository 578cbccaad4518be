//! The billing system.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use velora_simulator::{
    BILLING_KEY, BILLING_READ_KEY, CSV_HEADER, Emission, Fault, FaultKind, History, NewEndpoint,
    RateLimit, RateLimits, Simulator, System, csv_record,
};

use crate::common::{Receiver, client, json_of};

async fn call(simulator: &Simulator, method: Method, path: &str, body: Value) -> Response {
    let url = format!("{}/api/{path}", simulator.base_url());
    let request = client()
        .request(method, url)
        .header("x-api-key", BILLING_KEY);
    request.body(body.to_string()).send().await.unwrap()
}

async fn get(simulator: &Simulator, path: &str) -> Response {
    call(simulator, Method::GET, path, Value::Null).await
}

async fn post(simulator: &Simulator, path: &str, body: Value) -> (u16, Value) {
    let response = call(simulator, Method::POST, path, body).await;
    (response.status().as_u16(), json_of(response).await)
}

/// Reads RFC 4180 the slow and plain way.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (vec![], vec![], String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            char => field.push(char),
        }
    }
    assert!(field.is_empty() && row.is_empty());
    rows
}

#[tokio::test]
async fn either_header_carries_the_key() {
    let simulator = Simulator::builder().start().await.unwrap();
    let url = format!("{}/api/integrations/recon-summary", simulator.base_url());
    let status = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        response.status().as_u16()
    };
    assert_eq!(status(client().get(&url)).await, 401);
    assert_eq!(
        status(client().get(&url).header("x-api-key", "vb_live_x")).await,
        401
    );
    assert_eq!(
        status(client().get(&url).header("x-api-key", BILLING_KEY)).await,
        200
    );
    assert_eq!(
        status(client().get(&url).bearer_auth(BILLING_READ_KEY)).await,
        200
    );
    let recon = format!("{}/api/recon", simulator.base_url());
    assert_eq!(
        status(client().post(recon).bearer_auth(BILLING_READ_KEY)).await,
        403
    );
    let logged = simulator.requests();
    assert!(logged[2].api_key && !logged[2].authorization);
}

#[tokio::test]
async fn the_summary_has_its_members() {
    let simulator = Simulator::builder().start().await.unwrap();
    let summary = json_of(get(&simulator, "integrations/recon-summary").await).await;
    for member in ["pendingTickets", "urgentTickets", "openDisputes"] {
        assert!(summary[member].is_u64());
    }
    assert_eq!(summary["lastReconAt"], Value::Null);
    let run = json!({"invoiceId": "inv_1", "runKey": "k"});
    post(&simulator, "recon", run).await;
    let summary = json_of(get(&simulator, "integrations/recon-summary").await).await;
    let at: Timestamp = summary["lastReconAt"].as_str().unwrap().parse().unwrap();
    assert!(Timestamp::now().duration_since(at).as_secs() < 60);
}

#[tokio::test]
async fn a_pair_of_invoice_and_key_is_one_run() {
    let simulator = Simulator::builder().start().await.unwrap();
    let run = async |invoice: &str, key: &str| {
        post(
            &simulator,
            "recon",
            json!({"invoiceId": invoice, "runKey": key}),
        )
        .await
    };
    let (status, first) = run("inv_1", "a").await;
    assert_eq!(status, 201);
    let (status, again) = run("inv_1", "a").await;
    assert_eq!((status, &again["runId"]), (200, &first["runId"]));
    assert_ne!(run("inv_1", "b").await.1["runId"], first["runId"]);
    assert_ne!(run("inv_2", "a").await.1["runId"], first["runId"]);
    assert_eq!(run("inv_missing", "a").await.0, 404);
    assert_eq!(run("inv_locked", "a").await.0, 409);

    let (status, error) = post(&simulator, "recon", json!({"invoiceId": 7})).await;
    assert_eq!(status, 400);
    let issue =
        json!({"code": "invalid_type", "path": ["invoiceId"], "message": "Expected string"});
    assert_eq!(error, json!({"error": "Invalid body", "issues": [issue]}));
}

#[tokio::test]
async fn discrepancies_are_csv_with_everything_in_it() {
    let simulator = Simulator::builder()
        .billing_csv_records(1_234)
        .start()
        .await
        .unwrap();
    let response = get(&simulator, "audits/run_demo/csv").await;
    assert_eq!(
        response.headers()["content-type"],
        "text/csv; charset=utf-8"
    );
    let rows = records(&response.text().await.unwrap());
    assert_eq!(rows[0], CSV_HEADER);
    assert_eq!(rows.len(), 1_235);
    for (number, row) in (0..).zip(&rows[1..]) {
        assert_eq!(*row, csv_record(number));
    }
    assert!(rows.iter().flatten().any(|field| field.contains("\r\n")));
    assert_eq!(get(&simulator, "audits/run_x/csv").await.status(), 404);
    let (_, run) = post(
        &simulator,
        "recon",
        json!({"invoiceId": "inv_1", "runKey": "a"}),
    )
    .await;
    let own = format!("audits/{}/csv", run["runId"].as_str().unwrap());
    assert_eq!(get(&simulator, &own).await.status(), 200);
}

#[tokio::test]
async fn journals_balance() {
    let simulator = Simulator::builder()
        .billing_csv_records(40)
        .start()
        .await
        .unwrap();
    for (format, debit) in [("qbo", "Debits"), ("netsuite", "Debit")] {
        let response = get(&simulator, &format!("audits/run_demo/gl?format={format}")).await;
        let rows = records(&response.text().await.unwrap());
        assert_eq!(rows.len(), 81);
        assert_eq!(rows[0][2], debit);
        let sum = |column: usize| -> f64 {
            rows[1..]
                .iter()
                .filter_map(|row| row[column].parse::<f64>().ok())
                .sum()
        };
        assert!(sum(2) > 0.0 && (sum(2) - sum(3)).abs() < 1e-6);
    }
    let wrong = get(&simulator, "audits/run_demo/gl?format=sap").await;
    assert_eq!(wrong.status(), 400);
    assert_eq!(json_of(wrong).await["issues"][0]["path"], json!(["format"]));
}

#[tokio::test]
async fn the_log_is_paged_and_filtered() {
    let simulator = Simulator::builder().start().await.unwrap();
    let endpoint = simulator.register(NewEndpoint::new(System::Billing, "http://127.0.0.1:9"));
    for (count, ok) in [(30, true), (45, false)] {
        let history = History {
            count,
            ok,
            retained: ok,
        };
        assert!(simulator.add_history(&endpoint.id, history));
    }
    let path = format!("webhooks/{}/deliveries", endpoint.id);
    let walk = async |query: &str| {
        let (mut ids, mut cursor) = (vec![], String::new());
        loop {
            let path = format!("{path}?{query}&cursor={cursor}");
            let page = json_of(get(&simulator, &path).await).await;
            for row in page["deliveries"].as_array().unwrap() {
                ids.push(row["id"].as_str().unwrap().to_owned());
            }
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return ids,
            }
        }
    };
    let newest_first = |wanted: Option<bool>| -> Vec<String> {
        let rows = simulator.deliveries().into_iter().rev();
        rows.filter(|row| wanted.is_none_or(|ok| row.ok == ok))
            .map(|row| row.id)
            .collect()
    };
    assert_eq!(walk("").await, newest_first(None));
    assert_eq!(
        walk("limit=7&status=failed").await,
        newest_first(Some(false))
    );
    assert_eq!(walk("limit=200&status=ok").await, newest_first(Some(true)));
    simulator.inject(Fault::new(FaultKind::EmptyPage).skip(1).times(2));
    assert_eq!(walk("limit=20").await, newest_first(None));
    simulator.inject(Fault::new(FaultKind::DuplicateRows).always());
    assert_eq!(walk("limit=20").await.len(), 78);
    simulator.clear_faults();
    for wrong in [
        "limit=201",
        "limit=0",
        "limit=x",
        "status=all",
        "cursor=del_x",
    ] {
        let response = get(&simulator, &format!("{path}?{wrong}")).await;
        assert_eq!(response.status(), 400, "{wrong}");
    }
    assert_eq!(
        get(&simulator, "webhooks/wh_x/deliveries").await.status(),
        404
    );
}

#[tokio::test]
async fn failed_deliveries_are_fired_again() {
    let simulator = Simulator::builder().time_scale(1e9).start().await.unwrap();
    let receiver = Receiver::start(vec![500; 5]).await;
    let endpoint = simulator.register(NewEndpoint::new(System::Billing, &receiver.url));
    simulator.emit(&Emission::new(System::Billing, "dispute.sla_breached"));
    simulator.settled().await;
    let path = format!("webhooks/{}/deliveries?status=failed", endpoint.id);
    let failed = json_of(get(&simulator, &path).await).await;
    let row = &failed["deliveries"][0];
    assert_eq!(
        (&row["statusCode"], &row["retryable"]),
        (&json!(500), &json!(true))
    );
    let id = row["id"].as_str().unwrap();

    let retry = async |id: &str| {
        post(
            &simulator,
            &format!("webhooks/deliveries/{id}/retry"),
            Value::Null,
        )
        .await
    };
    let (status, made) = retry(id).await;
    assert_eq!(
        (status, &made["status"], &made["statusCode"]),
        (200, &json!("ok"), &json!(200))
    );
    let new = made["deliveryId"].as_str().unwrap();
    let rows = simulator.deliveries();
    let row = rows.iter().find(|row| row.id == new).unwrap();
    assert_eq!(row.retry_of.as_deref(), Some(id));
    let received = receiver.received();
    assert_eq!(received.len(), 6);
    assert_eq!(received[5].1, received[0].1);
    assert_eq!(
        received[5].0["x-webhook-signature"],
        received[0].0["x-webhook-signature"]
    );
    assert_eq!(received[5].0["x-webhook-delivery"], new);
    assert_eq!(retry(new).await.0, 409);
    assert_eq!(retry("del_x").await.0, 404);
}

#[tokio::test]
async fn what_was_not_retained_cannot_be_fired_again() {
    let simulator = Simulator::builder().time_scale(1e9).start().await.unwrap();
    let endpoint = simulator.register(NewEndpoint::new(System::Billing, "http://127.0.0.1:9"));
    let large = format!("{{\"type\":\"x\",\"pad\":\"{}\"}}", "x".repeat(16 << 10));
    simulator.emit(&Emission::new(System::Billing, "x").body(&large));
    simulator.settled().await;
    let history = History {
        count: 1,
        ok: false,
        retained: false,
    };
    simulator.add_history(&endpoint.id, history);
    let rows = simulator.deliveries();
    for row in [rows.first().unwrap(), rows.last().unwrap()] {
        let path = format!("webhooks/deliveries/{}/retry", row.id);
        let (status, error) = post(&simulator, &path, Value::Null).await;
        assert_eq!(status, 409);
        assert_eq!(error, json!({"error": "Original payload was not retained"}));
    }
}

#[tokio::test]
async fn limits_are_as_documented_and_say_when() {
    let simulator = Simulator::builder()
        .rate_limits(RateLimits::documented())
        .start()
        .await
        .unwrap();
    for _ in 0..30 {
        assert_eq!(post(&simulator, "recon", Value::Null).await.0, 400);
    }
    let refused = call(&simulator, Method::POST, "recon", Value::Null).await;
    assert_eq!(refused.status(), 429);
    let headers = refused.headers().clone();
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(headers["x-ratelimit-remaining"], "0");
    let reset: Timestamp = headers["x-ratelimit-reset"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(reset > Timestamp::now());
    assert_eq!(
        get(&simulator, "integrations/recon-summary").await.status(),
        200
    );
}

#[tokio::test]
async fn limits_slide() {
    let mut limits = RateLimits::default();
    limits.billing_write = Some(RateLimit {
        requests: 1,
        window: Duration::from_secs(1),
    });
    let simulator = Simulator::builder()
        .rate_limits(limits)
        .start()
        .await
        .unwrap();
    // The second within a second is refused.
    let mut passed = 0;
    let refused = loop {
        let response = call(&simulator, Method::POST, "recon", Value::Null).await;
        match response.status().as_u16() {
            429 => break response,
            status => assert_eq!(status, 400),
        }
        passed += 1;
        assert!(passed < 100, "nothing is refused");
    };
    assert!(passed > 0);
    let wait = refused.headers()["retry-after"].to_str().unwrap();
    tokio::time::sleep(Duration::from_secs(wait.parse().unwrap())).await;
    assert_eq!(post(&simulator, "recon", Value::Null).await.0, 400);
}

#[tokio::test]
async fn faults_have_the_form_of_the_system() {
    let simulator = Simulator::builder().start().await.unwrap();
    simulator.inject(Fault::new(FaultKind::RateLimited(9)));
    let refused = get(&simulator, "integrations/recon-summary").await;
    assert_eq!(refused.headers()["retry-after"], "9");
    assert!(refused.headers().contains_key("x-ratelimit-reset"));
    assert_eq!(json_of(refused).await["error"], "Rate limit exceeded");
}
