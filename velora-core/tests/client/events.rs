//! Listing: pages, cursors, repeats, prefetch.

use std::time::Duration;

use crate::scripted::{Scripted, answer, page};
use futures_util::StreamExt;
use tokio::time::Instant;
use velora_core::ApiError;
use velora_core::health::{Endpoint, EventQuery, NewEndpoint};

async fn list(server: &Scripted) -> Result<Vec<String>, ApiError> {
    let mut events = server.client().events(EventQuery::new());
    let mut ids = Vec::new();
    while let Some(event) = events.next().await {
        ids.push(event?.event_id().unwrap().into_owned());
    }
    Ok(ids)
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn walks_pages_empty_ones_too_and_drops_repeats() {
    let server = Scripted::new(|number, request| {
        let cursor = request.url().split("cursor=").nth(1).map(str::to_owned);
        assert_eq!(cursor, number.checked_sub(1).map(|at| format!("c%2B{at}")));
        let body = match number {
            0 => page(0..3, Some("c+0")),
            1 => page(0..0, Some("c+1")),
            2 => page(2..5, Some("c+2")),
            _ => page(5..6, None),
        };
        answer(200, &[], &body)
    });
    assert_eq!(list(&server).await.unwrap(), numbers(0..6));
    assert_eq!(server.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_list_starts_where_a_page_ended() {
    // The second page leads back to where the list started.
    let server = Scripted::new(|number, _| match number {
        0 => answer(200, &[], &page(0..2, Some("c+1"))),
        _ => answer(200, &[], &page(2..4, Some("c+0"))),
    });
    let query = EventQuery::new().with_cursor("c+0").unwrap();
    let mut pages = server.client().events(query).pages();
    let page = pages.next().await.unwrap().unwrap();
    assert_eq!(page.next_cursor(), Some("c+1"));
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 2);
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.code().as_str(), "cursor_loop");
    let cursors = server.seen().into_iter().map(|request| {
        let cursor = request.url().split("cursor=").nth(1);
        cursor.unwrap_or_default().to_owned()
    });
    assert_eq!(cursors.collect::<Vec<_>>(), ["c%2B0", "c%2B1"]);

    let error = EventQuery::new().with_cursor("").unwrap_err();
    assert_eq!(error.code().as_str(), "invalid_option");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_leads_nowhere_is_an_error() {
    for (cursors, code) in [
        (vec!["a", "a"], "cursor_loop"),
        (vec!["a", "b", "a"], "cursor_loop"),
        (vec![""], "cursor_loop"),
    ] {
        let server = Scripted::new(move |number, _| {
            let cursor = cursors[number % cursors.len()];
            answer(200, &[], &page(number..number + 1, Some(cursor)))
        });
        assert_eq!(list(&server).await.unwrap_err().code().as_str(), code);
    }
    for body in [
        r#"{"events":[],"page":{"has_more":true}}"#,
        r#"{"events":[],"page":{"has_more":true,"next_cursor":null}}"#,
    ] {
        let server = Scripted::new(move |_, _| answer(200, &[], body));
        assert_eq!(
            list(&server).await.unwrap_err().code().as_str(),
            "cursor_loop"
        );
    }
}

/// A thousand pages without an event are a circle if they come one after the other.
#[tokio::test(start_paused = true)]
async fn empty_pages_between_others_are_no_circle() {
    for (between, listed) in [(900, Ok(3)), (1_002, Err(("cursor_loop", Some(200))))] {
        let server = Scripted::new(move |number, _| {
            let (event, cursor) = (number / between, number.to_string());
            let events = match number % between {
                0 => event..event + 1,
                _ => 0..0,
            };
            let next = (number < 2 * between).then_some(cursor.as_str());
            answer(200, &[], &page(events, next))
        });
        let events = list(&server).await.map(|ids| ids.len());
        let events = events.map_err(|error| (error.code().as_str(), error.status()));
        assert_eq!(events, listed);
    }
}

/// Where nothing says whether there is more, a cursor does.
#[tokio::test(start_paused = true)]
async fn a_cursor_alone_leads_on() {
    let server = Scripted::new(|number, _| {
        let page = if number == 0 {
            r#"{"events":[{"event_id":"0"}],"page":{"next_cursor":"a"}}"#
        } else {
            r#"{"events":[{"event_id":"1"}],"page":{"has_more":false,"next_cursor":"b"}}"#
        };
        answer(200, &[], page)
    });
    assert_eq!(list(&server).await.unwrap(), numbers(0..2));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_page_is_malformed() {
    for body in [
        "<html>",
        "[]",
        r#"{"events":[]}"#,
        r#"{"events":[],"page":{}}"#,
        r#"{"events":[1],"page":{"has_more":false}}"#,
        r#"{"events":[],"page":{"has_more":"no"}}"#,
        r#"{"events":[],"page":{"has_more":0,"next_cursor":null}}"#,
        r#"{"events":[],"page":{"has_more":true,"next_cursor":7}}"#,
        r#"{"page":{"has_more":false}}"#,
    ] {
        let server = Scripted::new(move |_, _| answer(200, &[], body));
        let error = list(&server).await.unwrap_err();
        assert_eq!(error.code().as_str(), "malformed_response", "{body}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn fetches_the_next_page_while_the_caller_works() {
    let fetch = Duration::from_millis(20);
    let server = Scripted::slow(fetch, |number, _| {
        let cursor = number.to_string();
        let next = (number < 9).then_some(cursor.as_str());
        answer(200, &[], &page(number..number + 1, next))
    });
    let mut pages = server.client().events(EventQuery::new()).pages();
    let start = Instant::now();
    while let Some(page) = pages.next().await {
        assert_eq!(page.unwrap().len(), 1);
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert_eq!(server.requests(), 10);
    assert!(start.elapsed() <= fetch * 11, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn raw_events_are_the_bytes_received() {
    let body = r#"{"page":{"has_more":false},"events":[ {"b": 1.50, "event_id":"x"} ,{}]}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let mut events = server.client().events(EventQuery::new()).raw();
    assert_eq!(
        events.next().await.unwrap().unwrap().as_str(),
        r#"{"b": 1.50, "event_id":"x"}"#
    );
    assert_eq!(events.next().await.unwrap().unwrap().as_str(), "{}");
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn one_event_comes_bare_or_wrapped() {
    for body in [r#"{"event_id":"a/b"}"#, r#"{"event":{"event_id":"a/b"}}"#] {
        let server = Scripted::new(move |_, _| answer(200, &[], body));
        let event = server.client().event("a/b").await.unwrap();
        assert_eq!(event.event_id().unwrap(), "a/b");
        assert!(server.seen()[0].url().ends_with("/events/a%2Fb"));
    }
    let server = Scripted::new(|_, _| answer(200, &[], "{}"));
    let error = server.client().event("a").await.unwrap_err();
    assert_eq!(error.code().as_str(), "malformed_response");
    assert_eq!(server.client().event("..").await.unwrap_err().attempts(), 0);
}

#[tokio::test(start_paused = true)]
async fn names_the_endpoints_that_fail() {
    let body = r#"{"endpoints":[{"id":"a","consecutive_failures":3},{"id":"b","consecutive_failures":4,
        "event_filter":null,"last_delivery_at":null},{"id":"c"}]}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let endpoints = server.client().webhooks().list().await.unwrap();
    let failing: Vec<_> = endpoints.iter().map(Endpoint::is_failing).collect();
    assert_eq!(failing, [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn the_secret_of_a_new_endpoint_signs() {
    let body = r#"{"endpoint":{"id":"wh_1","created_at":"2026-05-08T14:22:01+00:00"},
        "secret":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}"#;
    let server = Scripted::new(move |_, _| answer(201, &[], body));
    let endpoint = NewEndpoint::new("https://example.com/hook").with_event_filter(["phi."]);
    let registered = server.client().webhooks().create(&endpoint).await.unwrap();
    assert!(!format!("{registered:?}").contains("0123"));
    velora_core::Verifier::new(velora_core::health::scheme(), [registered.secret]).unwrap();
    let sent = server.seen()[0].body().unwrap().clone();
    assert_eq!(
        sent,
        &br#"{"url":"https://example.com/hook","event_filter":["phi."]}"#[..]
    );
}

/// The next page is sent for at the first glance at this one; what the glance took for
/// the end of the page may be an event.
#[tokio::test(start_paused = true)]
async fn a_glance_at_a_page_decides_nothing() {
    let server = Scripted::new(|_, request| {
        let page = |has_more, cursor: &str, id: &str| {
            format!(
                r#"{{"page":{{"has_more":{has_more},"next_cursor":"{cursor}"}},"events":[{{"event_id":"{id}","details":{{"page":{{"has_more":true,"next_cursor":"wrong"}}}}}}]}}"#
            )
        };
        let cursor = request.url().split("cursor=").nth(1);
        answer(
            200,
            &[],
            &match cursor {
                None => page(true, "right", "1"),
                Some("right") => page(false, "", "2"),
                _ => page(true, "worse", "3"),
            },
        )
    });
    let mut events = server.client().events(EventQuery::new());
    let mut ids = Vec::new();
    while let Some(event) = events.next().await {
        ids.push(event.unwrap().event_id().unwrap().into_owned());
    }
    assert_eq!(ids, ["1", "2"]);
}

/// Whatever it is that tells an event: it is given once.
#[tokio::test(start_paused = true)]
async fn an_id_that_is_no_text_tells_an_event_too() {
    let server = Scripted::new(|number, _| {
        let more = number < 2;
        let events = r#"{"event_id":1},{"event_id":"1"},{"event_id":"\ud800"},{"\ud800":2,"event_id":"a"},{"event_id":"\u0061"}"#;
        let page = format!(
            r#"{{"events":[{events}],"page":{{"has_more":{more},"next_cursor":"c{number}"}}}}"#
        );
        answer(200, &[], &page)
    });
    let mut events = server.client().events(EventQuery::new()).raw();
    let mut given = Vec::new();
    while let Some(event) = events.next().await {
        given.push(event.unwrap().as_str().len());
    }
    assert_eq!((given.len(), server.requests()), (4, 3));
}

/// So nothing tells such events apart.
#[tokio::test(start_paused = true)]
async fn an_id_that_is_absent_or_empty_tells_no_event() {
    let events = r#"{"event_id":"","action":"a"},{"event_id":null,"action":"a"},{"action":"a"}"#;
    let page = format!(r#"{{"events":[{events},{events}],"page":{{"has_more":false}}}}"#);
    let server = Scripted::new(move |_, _| answer(200, &[], &page));
    let given = server.client().events(EventQuery::new()).raw();
    assert_eq!(given.count().await, 6);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_is_no_page_is_malformed() {
    for (status, body) in [
        (204, ""),
        (206, r#"{"events":[],"page":{"has_more":false}}"#),
    ] {
        let server = Scripted::new(move |_, _| answer(status, &[], body));
        let error = list(&server).await.unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.status()),
            ("malformed_response", Some(status))
        );
        assert_eq!(server.requests(), 1);
    }
}

/// Two actions are two events, as their deliveries are; and of a member that stands twice, the
/// last counts, as everywhere.
#[tokio::test(start_paused = true)]
async fn an_event_is_told_by_its_id_and_its_action() {
    let server = Scripted::new(|number, _| {
        let more = number < 2;
        let events = r#"{"event_id":"1","action":"a"},{"event_id":"1","action":"b"},{"event_id":"1","event_id":"2"},{"event_id":"1","event_id":"3"},{"event_id":"\u0031","action":"\u0061"}"#;
        let page = format!(
            r#"{{"events":[{events}],"page":{{"has_more":{more},"next_cursor":"c{number}"}}}}"#
        );
        answer(200, &[], &page)
    });
    assert_eq!(list(&server).await.unwrap(), ["1", "1", "2", "3"]);
}

/// On every page; a bound finer than can be asked for is moved outwards.
#[tokio::test(start_paused = true)]
async fn asks_for_what_is_wanted_on_every_page() {
    let server = Scripted::new(|number, _| {
        let next = (number < 2).then(|| number.to_string());
        answer(200, &[], &page(number..number + 1, next.as_deref()))
    });
    let query = EventQuery::new()
        .with_action("phi.read")
        .with_resource_type("claim")
        .with_phi_involved(false)
        .with_since("2026-05-01T00:00:00.0000005Z".parse().unwrap())
        .with_until("2026-05-08T00:00:00.0000005Z".parse().unwrap())
        .with_limit(7)
        .unwrap();
    let mut events = server.client().events(query);
    while let Some(event) = events.next().await {
        event.unwrap();
    }
    let asked = "?action=phi.read&resource_type=claim&phi_involved=false\
        &since=2026-05-01T00%3A00%3A00%2B00%3A00\
        &until=2026-05-08T00%3A00%3A00.000001%2B00%3A00&limit=7";
    let urls: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.url().to_owned())
        .collect();
    assert_eq!(urls.len(), 3);
    for (url, cursor) in urls.iter().zip(["", "&cursor=0", "&cursor=1"]) {
        let (_, query) = url.split_once("/events").unwrap();
        assert_eq!(query, format!("{asked}{cursor}"));
    }
}

#[test]
fn a_page_has_one_to_a_thousand_events() {
    for (limit, is_allowed) in [(0, false), (1, true), (1_000, true), (1_001, false)] {
        let outcome = EventQuery::new().with_limit(limit);
        let code = outcome.map(drop).map_err(|error| error.code().as_str());
        let expected = if is_allowed {
            Ok(())
        } else {
            Err("invalid_option")
        };
        assert_eq!(code, expected, "{limit}");
    }
}

/// The system's word for everything.
#[tokio::test(start_paused = true)]
async fn an_endpoint_without_a_filter_says_so() {
    let server = Scripted::new(|_, _| answer(422, &[], "{}"));
    let endpoint = NewEndpoint::new("https://example.com/hook");
    server
        .client()
        .webhooks()
        .create(&endpoint)
        .await
        .unwrap_err();
    let sent = server.seen()[0].body().unwrap().clone();
    assert_eq!(
        sent,
        &br#"{"url":"https://example.com/hook","event_filter":[]}"#[..]
    );
}
