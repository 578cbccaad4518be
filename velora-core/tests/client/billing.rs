//! The client of the billing system.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use velora_core::api::{Body, Method, RateLimit, Response};
use velora_core::billing::{Client, CsvRow, CsvRows, DeliveryQuery, DeliveryStatus, JournalFormat};
use velora_core::{ApiError, ApiErrorKind, ApiKey};
use velora_simulator::{
    BILLING_KEY, CSV_HEADER, History, NewEndpoint, Simulator, System, csv_record,
};

use crate::scripted::{Scripted, answer, header};
use crate::simulated::limited;

const KEY: &str = "vb_live_canary";

pub(crate) fn client(server: &Scripted) -> Client {
    let key = ApiKey::new(KEY).unwrap();
    server.of(Client::builder(key)).build().unwrap()
}

fn simulated(simulator: &Simulator) -> Client {
    let builder = Client::builder(ApiKey::new(BILLING_KEY).unwrap());
    // The base URL of the docs ends with `/api`, as the paths start.
    let url = format!("{}/api", simulator.base_url());
    builder.with_base_url(url).build().unwrap()
}

async fn rows(mut stream: CsvRows) -> Result<Vec<CsvRow>, ApiError> {
    let mut rows = Vec::new();
    while let Some(row) = limited(stream.next()).await {
        rows.push(row?);
    }
    Ok(rows)
}

#[tokio::test(start_paused = true)]
async fn the_key_goes_in_its_own_header() {
    let server = Scripted::new(|_, _| answer(200, &[], r#"{"runId":"run_1"}"#));
    client(&server).run_recon("inv_1", "k").await.unwrap();
    let sent = &server.seen()[0];
    assert_eq!(header(sent, "X-Api-Key"), Some(KEY));
    assert_eq!(header(sent, "Authorization"), None);
    assert_eq!(sent.url(), "https://api.example.com/api/recon");
    assert!(!format!("{:?} {sent:?}", client(&server)).contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn every_call_knows_every_status() {
    for (status, code, requests) in [
        (302, "unexpected_redirect", 1),
        (400, "invalid_request", 1),
        (401, "unauthorized", 1),
        (403, "forbidden", 1),
        (404, "not_found", 1),
        (409, "conflict", 1),
        (422, "invalid_request", 1),
        (429, "rate_limited", 5),
        (500, "server_error", 5),
    ] {
        let server = Scripted::new(move |_, _| {
            let body = r#"{"error":"no","issues":[{"code":"c","path":["p"],"message":"m"}]}"#;
            answer(status, &[("Location", "https://evil.example.com")], body)
        });
        let client = client(&server);
        let errors = [
            client.recon_summary().await.unwrap_err(),
            client.run_recon("i", "k").await.unwrap_err(),
            client.audit_csv("r").next().await.unwrap().unwrap_err(),
            client
                .deliveries(DeliveryQuery::new("w"))
                .next()
                .await
                .unwrap()
                .unwrap_err(),
            client.retry_delivery("d").await.unwrap_err(),
        ];
        // All but the last may be repeated.
        assert_eq!(server.requests(), 4 * requests + 1, "{status}");
        for error in errors {
            assert_eq!(
                (error.code().as_str(), error.status()),
                (code, Some(status))
            );
            assert_eq!((error.detail(), error.issues().len()), (Some("no"), 1));
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
async fn reads_the_summary() {
    let body = r#"{"pendingTickets":7,"urgentTickets":2,"openDisputes":4,"lastInvoiceAt":null,
        "lastReconAt":"2026-04-28T14:01:23Z","new":1}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let summary = client(&server).recon_summary().await.unwrap();
    assert_eq!((summary.pending_tickets, summary.urgent_tickets), (7, 2));
    assert_eq!((summary.open_disputes, summary.last_invoice_at), (4, None));
    assert!(summary.last_recon_at.is_some() && summary.extra.member("new").is_some());
    for body in ["{}", "[]", "<html>", r#"{"pendingTickets":"7"}"#] {
        let server = Scripted::new(move |_, _| answer(200, &[], body));
        let error = client(&server).recon_summary().await.unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.attempts()),
            ("malformed_response", 1)
        );
    }
}

/// One rule reads the times of all systems: what it cannot read is kept as it came.
#[tokio::test(start_paused = true)]
async fn a_time_that_is_not_rfc_3339_is_none() {
    for (text, is_read) in [
        ("2026-05-01T00:00:00.5Z", true),
        ("2026-05-01T00:00:00,5Z", false),
        ("2026-05-01T00:00:00Z[UTC]", false),
        ("20260501T000000Z", false),
    ] {
        let body = format!(
            r#"{{"pendingTickets":1,"urgentTickets":1,"openDisputes":1,"lastInvoiceAt":"{text}",
                "lastReconAt":"{text}","asOf":"{text}"}}"#
        );
        let server = Scripted::new(move |_, _| answer(200, &[], &body));
        let summary = client(&server).recon_summary().await.unwrap();
        let times = [
            ("lastInvoiceAt", summary.last_invoice_at),
            ("lastReconAt", summary.last_recon_at),
            ("asOf", summary.as_of),
        ];
        for (member, time) in times {
            let kept = summary.extra.member(member).is_some();
            assert_eq!(
                (time.is_some(), kept),
                (is_read, !is_read),
                "{member} {text}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_repeated_and_keeps_its_answer() {
    for (status, body, id) in [
        (200, r#"{"runId":"run_1","n":1.50}"#, Some("run_1")),
        (201, r#"{"id":"run_2"}"#, Some("run_2")),
        (200, r#"{"runId":7}"#, None),
        (202, r#""queued""#, None),
        (200, "", None),
        (204, "", None),
    ] {
        let server = Scripted::new(move |number, _| match number {
            0 => answer(503, &[], ""),
            _ => answer(status, &[], body),
        });
        let run = client(&server).run_recon("inv_1", "2026-05").await.unwrap();
        assert_eq!(run.run_id.as_deref(), id);
        let kept = run
            .response
            .as_ref()
            .map_or("", |response| response.as_str());
        assert_eq!(kept, body);
        let sent = server.seen();
        let expected = &br#"{"invoiceId":"inv_1","runKey":"2026-05"}"#[..];
        assert!(sent.iter().all(|sent| sent.body().unwrap() == expected));
        assert_eq!((sent.len(), sent[0].method()), (2, Method::Post));
    }
}

fn chunked(chunks: Vec<Result<&'static str, ApiError>>) -> Result<Response, ApiError> {
    let chunks = chunks.into_iter().map(|chunk| chunk.map(Bytes::from));
    let headers = vec![("X-Request-Id".to_owned(), "req_1".to_owned())];
    Ok(Response::new(
        200,
        headers,
        Body::new(stream::iter(chunks.collect::<Vec<_>>())),
    ))
}

fn cut() -> ApiError {
    ApiError::new(ApiErrorKind::Connection, "cut by the test")
}

#[tokio::test(start_paused = true)]
async fn rows_are_read_by_their_header() {
    let server = Scripted::new(|number, _| match number {
        0 => chunked(vec![Ok("id,no"), Err(cut())]),
        1 => chunked(vec![
            Ok("id,note\r\n1,\"tw"),
            Ok("o\r\n\"\"lines"),
            Ok("\"\"\""),
        ]),
        _ => chunked(vec![Ok("id,note\r\n1,a\r\n"), Ok("2,\"b"), Err(cut())]),
    });
    let read = rows(client(&server).audit_csv("run/1")).await.unwrap();
    assert_eq!(read[0].field("note"), Some("two\r\n\"lines\""));
    assert_eq!((read.len(), read[0].field("none")), (1, None));
    let columns: Vec<_> = read[0].iter().map(|(name, _)| name).collect();
    assert_eq!(columns, ["id", "note"]);
    assert_eq!(serde_json::to_value(&read[0]).unwrap()["id"], "1");
    assert!(server.seen()[0].url().ends_with("/api/audits/run%2F1/csv"));

    // Behind the first row there is no going back.
    let mut stream = client(&server).audit_csv("run_1");
    assert_eq!(stream.next().await.unwrap().unwrap().field("id"), Some("1"));
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.request_id()),
        ("connection", Some("req_1"))
    );
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_table_is_no_rows() {
    for (body, expected) in [
        ("id,note\r\n1\r\n", Err("malformed_response")),
        ("id,note\r\n1,2,3\r\n", Err("malformed_response")),
        ("<html><body>\r\nno</body>", Err("malformed_response")),
        (r#"{"error":"no"}"#, Err("malformed_response")),
        ("id,note\r\n1,\"open", Err("connection")),
        ("id,note\r\n", Ok(0)),
        ("", Err("malformed_response")),
        ("[]", Err("malformed_response")),
    ] {
        let server = Scripted::new(move |_, _| answer(200, &[], body));
        let read = rows(client(&server).audit_csv("run_1")).await;
        let read = read.map(|rows| rows.len());
        assert_eq!(
            read.as_ref().map_err(|error| error.code().as_str()),
            expected.as_ref().map_err(|code| *code),
            "{body}"
        );
    }
    // A part of a table is one, too.
    for status in [202, 204, 206] {
        let server = Scripted::new(move |_, _| answer(status, &[], "id,note\r\n1,2\r\n"));
        let error = client(&server).audit_csv("run_1").next().await.unwrap();
        assert_eq!(error.unwrap_err().code().as_str(), "malformed_response");
    }
}

#[tokio::test(start_paused = true)]
async fn the_journal_is_where_the_caller_says() {
    let server = Scripted::new(|_, _| answer(200, &[], "JournalNo\r\n1\r\n"));
    let client = client(&server);
    for (format, text) in [
        (JournalFormat::QuickBooksOnline, "qbo"),
        (JournalFormat::NetSuite, "netsuite"),
    ] {
        let read = rows(client.journal_csv("/api/audits/run_1/gl", format))
            .await
            .unwrap();
        assert_eq!(read.len(), 1);
        let url = format!("https://api.example.com/api/audits/run_1/gl?format={text}");
        assert_eq!(server.seen().pop().unwrap().url(), url);
        assert_eq!(text.parse(), Ok(format));
    }
    let unknown: Result<JournalFormat, _> = "xero".parse();
    assert_eq!(unknown.unwrap_err().code().as_str(), "invalid_option");
    for path in ["https://evil.example.com/", "gl", "/gl?x=1", "/../gl", ""] {
        let error = rows(client.journal_csv(path, JournalFormat::NetSuite))
            .await
            .unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.attempts()),
            ("invalid_request", 0),
            "{path}"
        );
    }
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_told_by_its_own_reset() {
    let reset = "2026-04-29T13:00:00Z";
    let server = Scripted::new(move |_, _| {
        let headers = [
            ("Retry-After", "3600"),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", reset),
        ];
        answer(429, &headers, r#"{"error":"Rate limit exceeded"}"#)
    });
    let client = client(&server);
    assert_eq!(client.rate_limit(), RateLimit::default());
    let error = client.recon_summary().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    let limit = client.rate_limit();
    assert_eq!(
        (limit.remaining, limit.reset),
        (Some(0), Some(reset.parse().unwrap()))
    );
    assert_eq!(server.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_the_simulator() {
    let simulator = Simulator::builder()
        .billing_csv_records(2_345)
        .start_blocking()
        .unwrap();
    let client = simulated(&simulator);
    assert_eq!(client.recon_summary().await.unwrap().last_recon_at, None);
    let run = client.run_recon("inv_1", "k").await.unwrap();
    assert_eq!(
        client.run_recon("inv_1", "k").await.unwrap().run_id,
        run.run_id
    );
    let audit = rows(client.audit_csv(&run.run_id.unwrap())).await.unwrap();
    assert_eq!(audit.len(), 2_345);
    for (number, row) in audit.iter().enumerate() {
        let fields: Vec<_> = row.iter().collect();
        let record = csv_record(number as u64);
        let expected: Vec<_> = CSV_HEADER
            .into_iter()
            .zip(record.iter().map(String::as_str))
            .collect();
        assert_eq!(fields, expected);
    }
    let journal = client.journal_csv("/api/audits/run_demo/gl", JournalFormat::QuickBooksOnline);
    assert_eq!(rows(journal).await.unwrap().len(), 4_690);

    let endpoint = simulator.register(NewEndpoint::new(System::Billing, "https://example.com"));
    let history = |count, ok| History {
        count,
        ok,
        retained: true,
    };
    simulator.add_history(&endpoint.id, history(401, false));
    simulator.add_history(&endpoint.id, history(100, true));
    let query = DeliveryQuery::new(&endpoint.id);
    for (query, expected) in [
        (query.clone(), 501),
        (query.clone().with_status(DeliveryStatus::Failed), 401),
        (query.with_status(DeliveryStatus::Ok), 100),
    ] {
        let mut items = client.deliveries(query);
        let mut count = 0;
        while let Some(item) = limited(items.next()).await {
            item.unwrap();
            count += 1;
        }
        assert_eq!(count, expected);
    }
}
