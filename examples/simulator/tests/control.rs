//! Which requests a fault meets, and the control calls.

use serde_json::{Value, json};
use velora_simulator::{Fault, FaultKind, Simulator};

use reqwest::Method;

use crate::common::{EVENTS, EXPORT, client, get, health, ids_of_rows, json_of, newest_first};

async fn simulator() -> Simulator {
    Simulator::builder().events(300).start().await.unwrap()
}

#[tokio::test]
async fn strikes_where_and_when_it_is_told() {
    let simulator = simulator().await;
    let statuses = async |count: usize| {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(get(&simulator, EVENTS).await.status().as_u16());
        }
        statuses
    };
    simulator.inject(Fault::new(FaultKind::Status(503)).path(EXPORT).always());
    assert_eq!(statuses(2).await, [200, 200]);
    simulator.inject(
        Fault::new(FaultKind::Status(500))
            .path(EVENTS)
            .skip(1)
            .times(2),
    );
    assert_eq!(statuses(4).await, [200, 500, 500, 200]);
    simulator.inject(
        Fault::new(FaultKind::Status(502))
            .path(EVENTS)
            .method("get")
            .every(3),
    );
    assert_eq!(statuses(6).await, [200, 200, 502, 200, 200, 502]);
    simulator.clear_faults();
    simulator.inject(Fault::new(FaultKind::Status(500)).query("limit=7").always());
    assert_eq!(statuses(1).await, [200]);
    assert_eq!(
        get(&simulator, &format!("{EVENTS}?limit=7")).await.status(),
        500
    );
    simulator.clear_faults();
    simulator.inject(Fault::new(FaultKind::Status(500)).probability(0.5, 3));
    let first = statuses(12).await;
    assert!(first.contains(&200) && first.contains(&500));
}

#[tokio::test]
async fn control_calls_arm_and_disarm() {
    let simulator = simulator().await;
    let url = |path: &str| format!("{}/_sim/{path}", simulator.base_url());
    let arm = async |body: Value| {
        let request = client().post(url("faults")).body(body.to_string());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(
        arm(json!({"kind": "status", "value": 503, "path": EVENTS, "times": 1})).await,
        204
    );
    assert_eq!(
        arm(json!([{"kind": "rate_limited", "value": "3"}, {"kind": "reset"}])).await,
        204
    );
    assert_eq!(arm(json!({"kind": "no_such_fault"})).await, 400);
    assert_eq!(arm(json!({"kind": "reset", "typo": 1})).await, 400);
    assert_eq!(get(&simulator, EVENTS).await.status(), 503);
    assert_eq!(get(&simulator, EVENTS).await.status(), 429);
    let armed = json_of(client().get(url("faults")).send().await.unwrap()).await;
    assert_eq!(armed.as_array().unwrap().len(), 3);
    assert_eq!(armed[0]["struck"], 1);
    let disarmed = client().delete(url("faults")).send().await.unwrap();
    assert_eq!(disarmed.status(), 204);
    assert_eq!(get(&simulator, EVENTS).await.status(), 200);
    let unknown_by_header =
        health(&simulator, Method::GET, EVENTS).header("x-sim-fault", "no_such_fault");
    assert_eq!(unknown_by_header.send().await.unwrap().status(), 400);

    let log = client()
        .get(url("requests?path=/api/"))
        .send()
        .await
        .unwrap();
    let log = json_of(log).await;
    let statuses: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["status"])
        .collect();
    assert_eq!(statuses, [503, 429, 200, 400]);
    assert_eq!(log[0]["fault"], "status");
    assert_eq!(log[0]["authorization"], true);
    assert_eq!(log[0]["path"], EVENTS);
}

#[tokio::test]
async fn control_calls_tell_the_truth() {
    let simulator = simulator().await;
    let truth = async |query: &str| {
        let url = format!("{}/_sim/truth?{query}", simulator.base_url());
        client()
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    assert_eq!(truth("").await, r#"{"count":300}"#);
    let ids: Vec<String> = truth("give=ids").await.lines().map(str::to_owned).collect();
    assert!(ids.iter().rev().eq(&newest_first(&simulator)));
    assert_eq!(ids_of_rows(&truth("give=rows").await), ids);
    let phi = simulator.all().phi_involved(true).count();
    assert_eq!(
        truth("phi_involved=true").await,
        format!("{{\"count\":{phi}}}")
    );
}

#[tokio::test]
async fn the_log_has_what_nobody_answers() {
    let simulator = simulator().await;
    assert_eq!(get(&simulator, "/api/v3/events?x=1").await.status(), 404);
    simulator.inject(Fault::new(FaultKind::Status(503)).path("/*"));
    assert_eq!(get(&simulator, "/anything").await.status(), 503);
    let logged = simulator.requests();
    assert_eq!(
        (&*logged[0].path, &*logged[0].query),
        ("/api/v3/events", "x=1")
    );
    assert_eq!(logged[0].status, Some(404));
    simulator.clear_requests();
    assert!(simulator.requests().is_empty());
}
