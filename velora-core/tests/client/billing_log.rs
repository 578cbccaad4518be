//! The delivery log of the billing system.

use velora_core::billing::{DeliveryQuery, DeliveryStatus};

use crate::billing::client;
use crate::scripted::{Scripted, answer};

fn deliveries(ids: &[&str], next: &str) -> String {
    let rows: Vec<_> = ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}","status":"failed","retryable":true}}"#))
        .collect();
    format!(
        r#"{{"deliveries":[{}],"nextCursor":{next}}}"#,
        rows.join(",")
    )
}

#[tokio::test(start_paused = true)]
async fn walks_the_log_and_gives_each_row_once() {
    let server = Scripted::new(|number, request| {
        if (0..4).contains(&number) {
            let cursor = request.url().split("cursor=").nth(1).map(str::to_owned);
            assert_eq!(cursor, number.checked_sub(1).map(|at| format!("del_{at}")));
        }
        answer(
            200,
            &[],
            &match number {
                0 => deliveries(&["a", "b"], r#""del_0""#),
                1 => deliveries(&[], r#""del_1""#),
                2 => deliveries(&["b", "c"], r#""del_2""#),
                _ => deliveries(&["d"], "null"),
            },
        )
    });
    let query = DeliveryQuery::new("wh/1")
        .with_status(DeliveryStatus::Failed)
        .with_limit(50)
        .unwrap();
    let mut items = client(&server).deliveries(query.clone());
    let mut ids = Vec::new();
    while let Some(delivery) = items.next().await {
        ids.push(delivery.unwrap().id);
    }
    assert_eq!(ids, ["a", "b", "c", "d"]);
    assert_eq!(server.requests(), 4);
    let url = "https://api.example.com/api/webhooks/wh%2F1/deliveries?limit=50&status=failed";
    assert_eq!(server.seen()[0].url(), url);
    for limit in [0, 201] {
        let error = query.clone().with_limit(limit).unwrap_err();
        assert_eq!(error.code().as_str(), "invalid_option");
    }

    let query = query.with_cursor("del_9").unwrap();
    let _ = client(&server).deliveries(query.clone()).next().await;
    assert_eq!(server.seen()[4].url(), format!("{url}&cursor=del_9"));
    let error = query.with_cursor("").unwrap_err();
    assert_eq!(error.code().as_str(), "invalid_option");
}

#[tokio::test(start_paused = true)]
async fn a_log_without_end_is_an_error() {
    for (script, code) in [
        (vec![r#""a""#, r#""a""#], "cursor_loop"),
        (vec![r#""a""#, r#""b""#, r#""a""#], "cursor_loop"),
        (vec![r#""""#], "cursor_loop"),
        (vec!["7"], "malformed_response"),
    ] {
        let server = Scripted::new(move |number, _| {
            let id = number.to_string();
            answer(200, &[], &deliveries(&[&id], script[number % script.len()]))
        });
        let mut pages = client(&server)
            .deliveries(DeliveryQuery::new("wh_1"))
            .pages();
        let error = loop {
            match pages.next().await.unwrap() {
                Ok(page) => assert_eq!(page.items().len(), 1),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code().as_str(), code);
        assert!(pages.next().await.is_none());
    }
    let server =
        Scripted::new(|number, _| answer(200, &[], &deliveries(&[], &format!("\"{number}\""))));
    let mut items = client(&server).deliveries(DeliveryQuery::new("wh_1"));
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.code().as_str(), server.requests()),
        ("cursor_loop", 1_001)
    );
}

#[tokio::test(start_paused = true)]
async fn a_row_is_read_liberally() {
    let body = r#"{"deliveries":[{"id":"a","status":"queued","statusCode":"?","duration":12.5,
        "errorMessage":"secret words","retryOfId":"b","event":"x"}]}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let mut items = client(&server).deliveries(DeliveryQuery::new("wh_1"));
    let row = items.next().await.unwrap().unwrap();
    assert_eq!(row.status, DeliveryStatus::Other("queued".to_owned()));
    assert_eq!(
        (row.status_code, row.duration, row.retryable),
        (None, Some(12.5), false)
    );
    assert!(row.extra.member("statusCode").is_some() && row.extra.member("event").is_some());
    assert!(!format!("{row:?}").contains("secret words"));
    assert!(items.next().await.is_none());
}
