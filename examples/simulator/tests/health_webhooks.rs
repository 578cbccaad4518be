//! The endpoint registry of the health system.

use reqwest::Method;
use serde_json::{Value, json};
use velora_simulator::{Emission, HEALTH_KEY, HEALTH_READ_KEY, Simulator, System};

use crate::common::{EVENTS, Receiver, WEBHOOKS, client, get_json, health, ids_of_page, json_of};

async fn create(simulator: &Simulator, body: Value) -> Value {
    let request = health(simulator, Method::POST, WEBHOOKS).body(body.to_string());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 201);
    json_of(response).await
}

async fn status(simulator: &Simulator, method: Method, path: &str) -> u16 {
    health(simulator, method, path)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn registers_lists_disables_and_deletes() {
    let simulator = Simulator::builder().start().await.unwrap();
    let asked = json!({
        "url": "https://example.com/hook", "event_filter": ["phi.", "admin."], "description": "SIEM",
    });
    let made = create(&simulator, asked).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(made["endpoint"]["active"], true);
    assert_eq!(made["endpoint"]["event_filter"], json!(["phi.", "admin."]));
    let id = made["endpoint"]["id"].as_str().unwrap();

    let listed = get_json(&simulator, WEBHOOKS).await;
    let listed = &listed["endpoints"][0];
    assert_eq!(listed["id"], id);
    assert_eq!(listed["consecutive_failures"], 0);
    assert_eq!(listed["last_delivery_at"], Value::Null);
    assert!(!listed.to_string().contains(secret));

    let disable = format!("{WEBHOOKS}/{id}/disable");
    assert_eq!(status(&simulator, Method::POST, &disable).await, 200);
    let listed = get_json(&simulator, WEBHOOKS).await;
    assert_eq!(listed["endpoints"][0]["active"], false);
    let one = format!("{WEBHOOKS}/{id}");
    assert_eq!(status(&simulator, Method::DELETE, &one).await, 204);
    assert_eq!(status(&simulator, Method::DELETE, &one).await, 404);
    assert_eq!(status(&simulator, Method::POST, &disable).await, 404);
    assert_eq!(get_json(&simulator, WEBHOOKS).await["endpoints"], json!([]));
}

#[tokio::test]
async fn refuses_scopes_and_bodies() {
    let simulator = Simulator::builder().start().await.unwrap();
    let url = format!("{}{WEBHOOKS}", simulator.base_url());
    let create = async |key: &str, body: &'static str| {
        let request = client().post(&url).bearer_auth(key).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    let good = r#"{"url":"https://example.com"}"#;
    assert_eq!(create(HEALTH_READ_KEY, good).await, 403);
    assert_eq!(create(HEALTH_KEY, "{}").await, 422);
    assert_eq!(create(HEALTH_KEY, "url").await, 422);
    assert_eq!(
        create(HEALTH_KEY, r#"{"url":"ftp://example.com"}"#).await,
        422
    );
    assert_eq!(
        create(HEALTH_KEY, r#"{"url":"https://x","event_filter":"phi."}"#).await,
        422
    );
    assert_eq!(create(HEALTH_KEY, good).await, 201);
}

#[tokio::test]
async fn prefixes_decide_what_is_delivered() {
    let simulator = Simulator::builder().start().await.unwrap();
    let receiver = Receiver::start([]).await;
    create(
        &simulator,
        json!({"url": receiver.url, "event_filter": ["phi.", "admin.key"]}),
    )
    .await;
    for (event_type, deliveries) in [
        ("phi.read", 1),
        ("phi.export", 1),
        ("admin.key_rotated", 1),
        ("admin.user_created", 0),
        ("auth.login", 0),
    ] {
        let emitted = simulator.emit(&Emission::new(System::Health, event_type));
        assert_eq!(emitted.deliveries, deliveries, "{event_type}");
    }
    simulator.settled().await;
    assert_eq!(receiver.received().len(), 3);
    let listed = get_json(&simulator, WEBHOOKS).await;
    assert!(listed["endpoints"][0]["last_delivery_at"].is_string());
}

#[tokio::test]
async fn delivered_events_are_listed() {
    let simulator = Simulator::builder().events(50).start().await.unwrap();
    let receiver = Receiver::start([]).await;
    create(&simulator, json!({"url": receiver.url})).await;
    let details = json!({"workflow": "renewal"});
    let emission = Emission::new(System::Health, "phi.decrypt").data(details.clone());
    let emitted = simulator.emit(&emission);
    simulator.settled().await;

    let delivered: Value = serde_json::from_slice(&receiver.received()[0].1).unwrap();
    assert_eq!(delivered["id"], *emitted.event_id);
    assert_eq!(delivered["details"], details);
    let page = get_json(&simulator, &format!("{EVENTS}?limit=2")).await;
    let listed = &page["events"][0];
    assert_eq!(listed["event_id"], delivered["id"]);
    assert_eq!(listed["action"], delivered["type"]);
    assert_eq!(listed["timestamp"], delivered["timestamp"]);
    let inner: Value = serde_json::from_str(listed["details"].as_str().unwrap()).unwrap();
    assert_eq!(inner, details);
    assert_eq!(simulator.all().count(), 51);
    let one = get_json(&simulator, &format!("{EVENTS}/{}", emitted.event_id)).await;
    assert_eq!(one, *listed);
    // The cursor leads across the edge between emitted and generated events.
    let next = format!("{EVENTS}?limit=50&cursor={}", {
        let page = get_json(&simulator, &format!("{EVENTS}?limit=1")).await;
        page["page"]["next_cursor"].as_str().unwrap().to_owned()
    });
    assert_eq!(ids_of_page(&get_json(&simulator, &next).await).len(), 50);
}

#[tokio::test]
async fn a_listed_event_can_be_delivered() {
    let simulator = Simulator::builder().events(50).start().await.unwrap();
    let receiver = Receiver::start([]).await;
    create(&simulator, json!({"url": receiver.url})).await;
    let page = get_json(&simulator, &format!("{EVENTS}?limit=10")).await;
    let listed = &page["events"][7];
    let id = listed["event_id"].as_str().unwrap();
    let emitted = simulator.emit(&Emission::new(System::Health, "").id(id).copies(2));
    assert_eq!((&*emitted.event_id, emitted.deliveries), (id, 2));
    simulator.settled().await;
    let received = receiver.received();
    assert_eq!(received[0].1, received[1].1);
    let delivered: Value = serde_json::from_slice(&received[0].1).unwrap();
    assert_eq!(delivered["type"], listed["action"]);
    assert_eq!(delivered["timestamp"], listed["timestamp"]);
    assert_eq!(delivered["actor"]["user_id"], listed["user_id"]);
    assert_eq!(simulator.all().count(), 50);
}
