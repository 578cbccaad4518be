//! `GET /events`: access, filters, pages and cursors.

use std::collections::BTreeSet;

use crate::common::{
    EVENTS, client, get, get_json, health, ids_of_page, json_of, newest_first, page_through, sorted,
};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use velora_simulator::{
    CursorMode, HEALTH_EXPORT_KEY, HEALTH_NO_SCOPE_KEY, HEALTH_READ_KEY, RateLimits, Resolution,
    Simulator,
};

async fn small() -> Simulator {
    Simulator::builder().events(500).start().await.unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

#[tokio::test]
async fn pages_hold_every_event_once_newest_first() {
    for seed in 1..4 {
        let simulator = Simulator::builder()
            .events(2_345)
            .seed(seed)
            .start()
            .await
            .unwrap();
        assert_eq!(simulator.all().count(), 2_345);
        for limit in [97, 1_000] {
            let ids = page_through(&simulator, &format!("limit={limit}")).await;
            assert_eq!(ids, newest_first(&simulator));
        }
    }
}

#[tokio::test]
async fn timestamps_never_rise_along_the_pages() {
    let simulator = Simulator::builder()
        .events(900)
        .resolution(Resolution::Microsecond)
        .start()
        .await
        .unwrap();
    let page = get_json(&simulator, &format!("{EVENTS}?limit=900")).await;
    let instants: Vec<Timestamp> = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["timestamp"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(instants.is_sorted_by(|newer, older| newer >= older));
    let truth: Vec<i64> = simulator.all().instants().rev().collect();
    let printed: Vec<i64> = instants.iter().map(|at| at.as_microsecond()).collect();
    assert_eq!(printed, truth);
    assert!(printed.iter().any(|at| at % 1_000 != 0));
}

#[tokio::test]
async fn refuses_keys_and_scopes() {
    let simulator = small().await;
    let url = format!("{}{EVENTS}", simulator.base_url());
    let asked = |header: Option<String>| {
        let request = client().get(&url);
        async move {
            let request = match header {
                Some(header) => request.header("authorization", header),
                None => request,
            };
            request.send().await.unwrap().status().as_u16()
        }
    };
    assert_eq!(asked(None).await, 401);
    assert_eq!(asked(Some("vlk_live_1".to_owned())).await, 401);
    assert_eq!(asked(Some("Bearer unknown".to_owned())).await, 401);
    assert_eq!(
        asked(Some(format!("Bearer {HEALTH_NO_SCOPE_KEY}"))).await,
        403
    );
    assert_eq!(
        asked(Some(format!("Bearer {HEALTH_EXPORT_KEY}"))).await,
        403
    );
    assert_eq!(asked(Some(format!("Bearer {HEALTH_READ_KEY}"))).await, 200);

    let logged = simulator.requests();
    let statuses: Vec<_> = logged.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [401, 401, 401, 403, 403, 200].map(Some));
    assert!(!logged[0].authorization && logged[1].authorization);
}

#[tokio::test]
async fn refuses_what_does_not_validate() {
    let simulator = small().await;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "phi_involved=maybe",
        "since=yesterday",
        "since=2026-05-01T00:00:00+00:00",
        "cursor=%20",
        "cursor=Zm9v",
    ] {
        let response = get(&simulator, &format!("{EVENTS}?{query}")).await;
        assert_eq!(response.status(), 422, "{query}");
        let place = query.split('=').next().unwrap();
        assert_eq!(json_of(response).await["detail"][0]["loc"][1], place);
    }
}

#[tokio::test]
async fn filters_agree_with_the_truth() {
    let simulator = Simulator::builder().events(3_000).start().await.unwrap();
    let all = || simulator.all();
    let cases = [
        ("action=phi.query", all().action("phi.query")),
        ("resource_type=patient", all().resource_type("patient")),
        ("phi_involved=true", all().phi_involved(true)),
        (
            "phi_involved=false&action=auth.login",
            all().phi_involved(false).action("auth.login"),
        ),
        ("action=no.such", all().action("no.such")),
    ];
    for (query, truth) in cases {
        let ids = page_through(&simulator, &format!("limit=211&{query}")).await;
        assert_eq!(ids, truth.ids().rev().collect::<Vec<_>>(), "{query}");
        assert_eq!(ids.len() as u64, truth.count());
    }
    let with = all().phi_involved(true).count();
    let without = all().phi_involved(false).count();
    assert!(with > 0 && without > 0 && with + without == 3_000);
}

#[tokio::test]
async fn since_is_inclusive_and_until_exclusive() {
    let simulator = small().await;
    let page = get_json(&simulator, &format!("{EVENTS}?limit=500")).await;
    let edge = page["events"][250]["timestamp"].as_str().unwrap();
    let encoded = edge.replace('+', "%2B");
    let from = page_through(&simulator, &format!("since={encoded}")).await;
    let to = page_through(&simulator, &format!("until={encoded}")).await;
    assert_eq!(from.len() + to.len(), 500);
    let id = page["events"][250]["event_id"].as_str().unwrap().to_owned();
    assert!(from.contains(&id) && !to.contains(&id));
    assert_eq!(simulator.truth(at(edge), None).count(), from.len() as u64);
    assert_eq!(simulator.truth(None, at(edge)).count(), to.len() as u64);
}

#[tokio::test]
async fn until_can_be_inclusive() {
    let simulator = Simulator::builder()
        .events(500)
        .inclusive_until(true)
        .start()
        .await
        .unwrap();
    let page = get_json(&simulator, &format!("{EVENTS}?limit=500")).await;
    let edge = page["events"][250]["timestamp"].as_str().unwrap();
    let encoded = edge.replace('+', "%2B");
    let to = page_through(&simulator, &format!("until={encoded}")).await;
    let ties = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["timestamp"] == edge)
        .count() as u64;
    assert_eq!(
        to.len() as u64,
        simulator.truth(None, at(edge)).count() + ties
    );
}

#[tokio::test]
async fn filters_have_the_resolution_of_the_server() {
    let builder = Simulator::builder().events(300);
    let coarse = builder.clone().start().await.unwrap();
    let exact = builder.exact_filters(true).start().await.unwrap();
    let page = get_json(&coarse, &format!("{EVENTS}?limit=1")).await;
    let newest = page["events"][0]["timestamp"].as_str().unwrap();
    let later = newest.replace("+00:00", ".5%2B00:00");
    let since = format!("{EVENTS}?since={later}");
    let found = |page: Value| ids_of_page(&page).len();
    assert!(found(get_json(&coarse, &since).await) > 0);
    assert_eq!(found(get_json(&exact, &since).await), 0);
}

#[tokio::test]
async fn sloppy_cursors_repeat_or_skip_ties() {
    for resolution in [Resolution::Second, Resolution::Millisecond] {
        let builder = Simulator::builder()
            .events(400)
            .crowd(60)
            .resolution(resolution);
        let sound = builder.clone().start().await.unwrap();
        let truth = newest_first(&sound);
        assert_eq!(page_through(&sound, "limit=50").await, truth);

        let skip = builder.clone().cursor_mode(CursorMode::SloppySkip);
        let skip = skip.start().await.unwrap();
        let ids = page_through(&skip, "limit=50").await;
        assert!(ids.len() < truth.len(), "something must be skipped");

        let repeat = builder.cursor_mode(CursorMode::SloppyRepeat);
        let repeat = repeat.start().await.unwrap();
        let ids = page_through(&repeat, "limit=70").await;
        assert!(ids.len() > truth.len(), "something must be repeated");
        let once: BTreeSet<_> = ids.into_iter().collect();
        assert_eq!(once.into_iter().collect::<Vec<_>>(), sorted(truth));
    }
}

#[tokio::test]
async fn a_crowd_larger_than_a_page_loops_a_sloppy_cursor() {
    let simulator = Simulator::builder()
        .events(100)
        .crowd(100)
        .cursor_mode(CursorMode::SloppyRepeat)
        .start()
        .await
        .unwrap();
    let first = get_json(&simulator, &format!("{EVENTS}?limit=10")).await;
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let second = get_json(&simulator, &format!("{EVENTS}?limit=10&cursor={cursor}")).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn one_event_bare_or_wrapped() {
    let simulator = small().await;
    let page = get_json(&simulator, &format!("{EVENTS}?limit=3")).await;
    let event = &page["events"][2];
    let path = format!("{EVENTS}/{}", event["event_id"].as_str().unwrap());
    assert_eq!(get_json(&simulator, &path).await, *event);
    let missing = format!("{EVENTS}/8b2e5c11-1234-4abc-89de-0123456789ab");
    assert_eq!(get(&simulator, &missing).await.status(), 404);

    let wrapped = Simulator::builder().events(500).wrapped_event(true);
    let wrapped = wrapped.start().await.unwrap();
    assert_eq!(get_json(&wrapped, &path).await["event"], *event);
}

#[tokio::test]
async fn limits_are_enforced_when_on() {
    let limits = RateLimits::documented();
    let simulator = Simulator::builder()
        .rate_limits(limits)
        .start()
        .await
        .unwrap();
    let client = client();
    let url = format!("{}{EVENTS}?limit=1", simulator.base_url());
    for _ in 0..1_000 {
        let request = client.get(&url).bearer_auth(HEALTH_READ_KEY);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let refused = client
        .get(&url)
        .bearer_auth(HEALTH_READ_KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 429);
    let wait = refused.headers()["retry-after"].to_str().unwrap();
    assert!((1..=60).contains(&wait.parse::<u64>().unwrap()), "{wait}");
    // Another key, and the other kind of request, have limits of their own.
    assert_eq!(
        get(&simulator, &format!("{EVENTS}?limit=1")).await.status(),
        200
    );
}

#[tokio::test]
async fn the_cache_changes_nothing() {
    let builder = Simulator::builder().events(700);
    let plain = builder.clone().start().await.unwrap();
    let cached = builder.cache_bytes(8 << 20).start().await.unwrap();
    for _ in 0..2 {
        let ids = page_through(&cached, "limit=100").await;
        assert_eq!(ids, newest_first(&plain));
    }
}

#[tokio::test]
async fn ends_when_it_is_dropped() {
    let simulator = small().await;
    let request = health(&simulator, Method::GET, EVENTS);
    assert_eq!(get(&simulator, EVENTS).await.status(), 200);
    drop(simulator);
    assert!(request.send().await.is_err());
}
