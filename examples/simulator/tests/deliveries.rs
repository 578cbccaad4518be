//! Signed deliveries: signatures, ladders, and endpoints that are given up.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use velora_core::{Scheme, SigningSecret, Verifier};
use velora_simulator::{Emission, Endpoint, NewEndpoint, Simulator, System};

use crate::common::{Receiver, client, json_of};

const SYSTEMS: [System; 5] = [
    System::Health,
    System::Billing,
    System::Curae,
    System::Tv,
    System::TvBodyOnly,
];

/// A minute takes half a millisecond.
async fn hasty() -> Simulator {
    Simulator::builder()
        .time_scale(120_000.0)
        .start()
        .await
        .unwrap()
}

fn verifier(endpoint: &Endpoint) -> Verifier {
    let scheme = Scheme::named(endpoint.system.scheme_name()).unwrap();
    let secret = SigningSecret::new(endpoint.secrets.last().unwrap()).unwrap();
    Verifier::new(scheme, [secret]).unwrap()
}

fn emission(system: System) -> Emission {
    let event_type = match system {
        System::Health => "phi.read",
        System::Billing => "dispute.sla_breached",
        System::Curae => "records.export_ready",
        System::Tv | System::TvBodyOnly => "stream.online",
    };
    Emission::new(system, event_type)
}

/// Emits to an endpoint that answers so, and gives the attempts' statuses.
async fn attempts(simulator: &Simulator, system: System, statuses: Vec<u16>) -> Vec<Option<u16>> {
    let receiver = Receiver::start(statuses).await;
    let endpoint = simulator.register(NewEndpoint::new(system, &receiver.url));
    let emission = emission(system).to_endpoint(&endpoint.id);
    assert_eq!(simulator.emit(&emission).deliveries, 1);
    simulator.settled().await;
    let mut records = simulator.deliveries();
    records.retain(|record| record.endpoint_id == endpoint.id);
    let order: Vec<u32> = records.iter().map(|record| record.attempt).collect();
    assert_eq!(order, (1..=records.len() as u32).collect::<Vec<_>>());
    records.iter().map(|record| record.status_code).collect()
}

#[tokio::test]
async fn every_system_signs_as_the_core_verifies() {
    let simulator = hasty().await;
    for system in SYSTEMS {
        let receiver = Receiver::start([503]).await;
        let endpoint = simulator.register(NewEndpoint::new(system, &receiver.url));
        let emitted = simulator.emit(&emission(system));
        simulator.settled().await;
        let received = receiver.received();
        assert_eq!(received.len(), 2, "the first was answered with 503");
        assert_eq!(
            received[0].1, received[1].1,
            "a retry replays the same payload"
        );
        let mut keys = Vec::new();
        for (headers, body) in &received {
            assert_eq!(headers["content-type"], "application/json");
            let verifier = verifier(&endpoint);
            let delivery = verifier.verify(body, headers).unwrap();
            let event: velora_core::Event = delivery.event().unwrap();
            assert!(event.event_type().is_some());
            keys.push(delivery.key().unwrap());
        }
        assert_eq!(keys[0], keys[1]);
        if let System::Health | System::Curae | System::Tv = system {
            assert!(keys[0].as_str().contains(&emitted.event_id));
        }
        if system == System::Billing {
            let ids: Vec<_> = simulator
                .deliveries()
                .into_iter()
                .map(|row| row.id)
                .collect();
            let sent = received
                .iter()
                .map(|(headers, _)| &headers["x-webhook-delivery"]);
            assert!(sent.eq(&ids[ids.len() - 2..]));
            assert_eq!(received[0].0["user-agent"], "Velora-Billing-Webhook/1.0");
        }
    }
}

#[tokio::test]
async fn ladders_end_where_the_vendors_end_them() {
    let simulator = hasty().await;
    let failing = || vec![500; 20];
    assert_eq!(
        attempts(&simulator, System::Health, failing()).await,
        [Some(500); 6]
    );
    assert_eq!(
        attempts(&simulator, System::Billing, failing()).await,
        [Some(500); 5]
    );
    assert_eq!(
        attempts(&simulator, System::Curae, failing()).await,
        [Some(500); 5]
    );
    assert_eq!(
        attempts(&simulator, System::Tv, failing()).await,
        [Some(500); 6]
    );
    let turns = attempts(&simulator, System::Health, vec![401, 404, 302]).await;
    assert_eq!(turns, [401, 404, 302, 200].map(Some));
}

#[tokio::test]
async fn ladders_climb_in_their_order() {
    // A minute takes 10 ms; the waits are 60, 300 and 1,800 s.
    let simulator = Simulator::builder()
        .time_scale(6_000.0)
        .start()
        .await
        .unwrap();
    attempts(&simulator, System::Health, vec![500; 3]).await;
    let records = simulator.deliveries();
    let waits: Vec<i64> = records
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .collect();
    for (wait, full) in waits.iter().zip([10_000, 50_000, 300_000]) {
        assert!(*wait >= full * 8 / 10, "{waits:?}");
        assert!(*wait < full * 12 / 10 + 1_000_000, "{waits:?}");
    }
    assert_eq!(waits.len(), 3);
}

#[tokio::test]
async fn curae_stops_at_a_4xx() {
    let simulator = hasty().await;
    assert_eq!(
        attempts(&simulator, System::Curae, vec![400]).await,
        [Some(400)]
    );
    let turns = attempts(&simulator, System::Curae, vec![503, 422]).await;
    assert_eq!(turns, [Some(503), Some(422)]);
}

#[tokio::test]
async fn a_refused_connection_is_a_failure() {
    let simulator = hasty().await;
    simulator.register(NewEndpoint::new(System::Billing, "http://127.0.0.1:9/"));
    simulator.emit(&emission(System::Billing));
    simulator.settled().await;
    let records = simulator.deliveries();
    assert_eq!(records.len(), 5);
    assert!(
        records
            .iter()
            .all(|record| record.status_code.is_none() && !record.ok)
    );
    assert_eq!(records[0].error.as_deref(), Some("connection failed"));
    assert_eq!(records[4].retry_of.as_ref(), Some(&records[0].id));
}

#[tokio::test]
async fn a_receiver_that_is_too_slow_has_failed() {
    let simulator = Simulator::builder()
        .time_scale(1e9)
        .delivery_timeout(Duration::from_millis(30))
        .start()
        .await
        .unwrap();
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", deaf.local_addr().unwrap());
    simulator.register(NewEndpoint::new(System::Billing, url));
    simulator.emit(&emission(System::Billing));
    simulator.settled().await;
    assert_eq!(simulator.deliveries()[0].error.as_deref(), Some("timeout"));
}

#[tokio::test]
async fn health_disables_after_ten_failures_in_a_row() {
    let simulator = hasty().await;
    let receiver = Receiver::start(vec![500; 100]).await;
    let endpoint = simulator.register(NewEndpoint::new(System::Health, &receiver.url));
    let now = || {
        simulator
            .endpoints()
            .into_iter()
            .find(|e| e.id == endpoint.id)
            .unwrap()
    };
    simulator.emit(&emission(System::Health));
    simulator.settled().await;
    assert!(now().active && now().consecutive_failures == 6);
    simulator.emit(&emission(System::Health));
    simulator.settled().await;
    assert!(!now().active && now().consecutive_failures == 10);
    assert_eq!(receiver.received().len(), 10);
    assert_eq!(simulator.emit(&emission(System::Health)).deliveries, 0);
}

#[tokio::test]
async fn a_success_ends_the_row_of_failures() {
    let simulator = hasty().await;
    let receiver = Receiver::start([500, 500, 500, 200]).await;
    simulator.register(NewEndpoint::new(System::Health, &receiver.url));
    simulator.emit(&emission(System::Health));
    simulator.settled().await;
    assert_eq!(simulator.endpoints()[0].consecutive_failures, 0);
}

#[tokio::test]
async fn tv_disables_after_five_failed_retries() {
    let simulator = hasty().await;
    attempts(&simulator, System::Tv, vec![500; 4]).await;
    assert!(simulator.endpoints()[0].active);
    attempts(&simulator, System::Tv, vec![500; 6]).await;
    assert!(!simulator.endpoints()[1].active);
}

#[tokio::test]
async fn a_rotation_signs_with_both_secrets() {
    let simulator = hasty().await;
    let receiver = Receiver::start([]).await;
    let old = simulator.register(NewEndpoint::new(System::Curae, &receiver.url));
    let secret = simulator.rotate_secret(&old.id).unwrap();
    simulator.emit(&emission(System::Curae));
    simulator.settled().await;
    let (headers, body) = &receiver.received()[0];
    verifier(&old).verify(body, headers).unwrap();
    let new = Verifier::new(
        Scheme::named("curae").unwrap(),
        [SigningSecret::new(secret).unwrap()],
    );
    new.unwrap().verify(body, headers).unwrap();
}

#[tokio::test]
async fn resends_what_was_sent() {
    let simulator = hasty().await;
    let receiver = Receiver::start([]).await;
    simulator.register(NewEndpoint::new(System::Tv, &receiver.url));
    simulator.emit(&emission(System::Tv));
    simulator.settled().await;
    assert!(simulator.resend(&simulator.deliveries()[0].id));
    assert!(!simulator.resend("del_unknown"));
    simulator.settled().await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].1, received[1].1);
}

#[tokio::test]
async fn a_body_can_be_given_whole() {
    let simulator = hasty().await;
    let receiver = Receiver::start([]).await;
    let endpoint = simulator.register(NewEndpoint::new(System::Billing, &receiver.url));
    simulator.emit(&Emission::new(System::Billing, "x").body("no JSON"));
    simulator.settled().await;
    let (headers, body) = &receiver.received()[0];
    assert_eq!(body, "no JSON");
    verifier(&endpoint).verify(body, headers).unwrap();
}

#[tokio::test]
async fn control_calls_register_emit_and_resend() {
    let simulator = hasty().await;
    let receiver = Receiver::start([500]).await;
    let call = async |method: reqwest::Method, path: &str, body: Value| {
        let url = format!("{}/_sim/{path}", simulator.base_url());
        let request = client().request(method, url).body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (
            status,
            serde_json::from_str::<Value>(&text).unwrap_or_default(),
        )
    };
    let post = reqwest::Method::POST;
    let get = reqwest::Method::GET;
    let secret = "0123456789abcdef".repeat(4);
    let new = json!({"system": "tv-body-only", "url": receiver.url, "secret": secret});
    let (status, endpoint) = call(post.clone(), "endpoints", new).await;
    assert_eq!(status, 201);
    assert_eq!(endpoint["secrets"], json!([secret]));
    let emission = json!({"system": "tv-body-only", "type": "channel.follow", "copies": 2});
    let (status, emitted) = call(post.clone(), "emit", emission).await;
    assert_eq!((status, &emitted["deliveries"]), (202, &json!(2)));
    assert_eq!(call(get.clone(), "settled", Value::Null).await.0, 204);
    let (_, records) = call(get.clone(), "deliveries", Value::Null).await;
    assert_eq!(records.as_array().unwrap().len(), 3);
    let resend = format!("deliveries/{}/resend", records[0]["id"].as_str().unwrap());
    assert_eq!(call(post.clone(), &resend, Value::Null).await.0, 202);
    assert_eq!(
        call(post.clone(), "deliveries/none/resend", Value::Null)
            .await
            .0,
        404
    );
    let id = endpoint["id"].as_str().unwrap();
    let (status, rotated) =
        call(post.clone(), &format!("endpoints/{id}/rotate"), Value::Null).await;
    assert_eq!(status, 200);
    let (_, endpoints) = call(get, "endpoints", Value::Null).await;
    assert_eq!(endpoints[0]["secrets"], json!([rotated["secret"], secret]));
    assert_eq!(call(post, "emit", json!({"system": "radio"})).await.0, 400);
}

#[tokio::test]
async fn what_is_under_way_ends_with_the_simulator() {
    let simulator = Simulator::builder().start().await.unwrap();
    let receiver = Receiver::start([500]).await;
    simulator.register(NewEndpoint::new(System::Health, &receiver.url));
    simulator.emit(&emission(System::Health));
    while simulator.deliveries().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let started = Instant::now();
    drop(simulator);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn the_log_shows_no_control_calls() {
    let simulator = hasty().await;
    let url = format!("{}/_sim/info", simulator.base_url());
    let info = json_of(client().get(url).send().await.unwrap()).await;
    assert_eq!(info["base_url"], simulator.base_url());
    assert!(simulator.requests().is_empty());
}
