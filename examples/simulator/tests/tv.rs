//! The TV system.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Response;
use serde_json::{Value, json};
use velora_simulator::{Emission, Fault, FaultKind, RateLimits, Simulator, System, TV_TOKEN};

use crate::common::{Receiver, client, json_of};

const STREAM: &str = "/api/events/stream";

async fn create(simulator: &Simulator, token: &str, body: Value) -> Response {
    let url = format!("{}/api/developer/apps/app_1/webhooks", simulator.base_url());
    let request = client().post(url).bearer_auth(token).body(body.to_string());
    request.send().await.unwrap()
}

/// An open stream, read piece by piece.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(simulator: &Simulator, token: &str, last: Option<&str>) -> Self {
        let url = format!("{}{STREAM}", simulator.base_url());
        let mut request = client().get(url).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(response.headers().contains_key("x-ratelimit-reset"));
        let mut stream = Self {
            response,
            text: String::new(),
        };
        let first = stream.next().await.unwrap().unwrap();
        assert!(first.starts_with("event: connected\ndata: {"), "{first}");
        stream
    }

    /// The next block; `None` at the stream's end.
    async fn next(&mut self) -> Option<reqwest::Result<String>> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(Ok(block));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    async fn id(&mut self) -> String {
        let block = self.next().await.unwrap().unwrap();
        let id = block.strip_prefix("id: ").unwrap().lines().next().unwrap();
        id.to_owned()
    }
}

fn push(simulator: &Simulator, id: &str) {
    simulator.emit(&Emission::new(System::Tv, "channel.follow").id(id));
}

#[tokio::test]
async fn creates_webhooks_and_delivers() {
    let simulator = Simulator::builder().start().await.unwrap();
    let receiver = Receiver::start([]).await;
    let body = json!({"url": receiver.url, "events": ["stream.online", "channel.follow"]});
    let response = create(&simulator, TV_TOKEN, body).await;
    assert_eq!(response.status(), 201);
    let reset = response.headers()["x-ratelimit-reset"].to_str().unwrap();
    let ahead = reset.parse::<i64>().unwrap() - Timestamp::now().as_second();
    assert!((0..=61).contains(&ahead));
    assert!(response.headers().contains_key("x-ratelimit-limit"));
    let made = json_of(response).await;
    assert_eq!(made["secret"].as_str().unwrap().len(), 64);
    assert_eq!(
        simulator
            .emit(&Emission::new(System::Tv, "stream.online"))
            .deliveries,
        1
    );
    assert_eq!(
        simulator
            .emit(&Emission::new(System::Tv, "stream.offline"))
            .deliveries,
        0
    );
    simulator.settled().await;
    let delivered: Value = serde_json::from_slice(&receiver.received()[0].1).unwrap();
    assert_eq!(delivered["data"]["username"], "coolstreamer");
}

#[tokio::test]
async fn refuses_tokens_and_bodies() {
    let simulator = Simulator::builder().start().await.unwrap();
    let good = json!({"url": "https://x.example.com", "events": ["stream.online"]});
    assert_eq!(
        create(&simulator, "unknown", good.clone()).await.status(),
        401
    );
    let token = simulator.tv_token(Duration::from_secs(60));
    assert_eq!(create(&simulator, &token, good.clone()).await.status(), 201);
    simulator.tv_expire(&token);
    assert_eq!(create(&simulator, &token, good).await.status(), 401);
    for body in [
        json!({"events": ["stream.online"]}),
        json!({"url": "http://x.example.com", "events": ["stream.online"]}),
        json!({"url": "https://x.example.com", "events": []}),
        json!({"url": "https://x.example.com", "events": ["stream.paused"]}),
    ] {
        let response = create(&simulator, TV_TOKEN, body).await;
        assert_eq!(response.status(), 400);
        assert_eq!(json_of(response).await["error"], "invalid_request");
    }
}

#[tokio::test]
async fn limits_have_headers_and_a_body() {
    let limits = RateLimits::documented();
    let simulator = Simulator::builder()
        .rate_limits(limits)
        .start()
        .await
        .unwrap();
    let body = json!({"url": "https://x.example.com", "events": ["stream.online"]});
    for left in (0..100).rev() {
        let response = create(&simulator, TV_TOKEN, body.clone()).await;
        assert_eq!(response.status(), 201);
        let remaining = response.headers()["x-ratelimit-remaining"]
            .to_str()
            .unwrap();
        assert_eq!(remaining.parse(), Ok(left));
    }
    let refused = create(&simulator, TV_TOKEN, body).await;
    assert_eq!(refused.status(), 429);
    let headers = refused.headers().clone();
    let error = json_of(refused).await;
    assert_eq!(error["error"], "rate_limit_exceeded");
    assert_eq!(
        headers["retry-after"].to_str().unwrap(),
        error["retry_after"].to_string()
    );
    assert_eq!(headers["x-ratelimit-remaining"], "0");
}

#[tokio::test]
async fn streams_events_in_order() {
    let simulator = Simulator::builder().start().await.unwrap();
    push(&simulator, "evt_before");
    let mut stream = Stream::open(&simulator, TV_TOKEN, None).await;
    assert_eq!(simulator.tv_streams(), 1);
    push(&simulator, "evt_1");
    push(&simulator, "evt_2");
    let block = stream.next().await.unwrap().unwrap();
    let (lines, data) = block.split_once("data: ").unwrap();
    assert_eq!(lines, "id: evt_1\nevent: channel.follow\n");
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&data["id"], &data["type"]),
        (&json!("evt_1"), &json!("channel.follow"))
    );
    assert_eq!(stream.id().await, "evt_2");
}

#[tokio::test]
async fn resumes_behind_the_last_event() {
    let simulator = Simulator::builder().tv_history(3).start().await.unwrap();
    for id in ["evt_1", "evt_2", "evt_3", "evt_4"] {
        push(&simulator, id);
    }
    let mut stream = Stream::open(&simulator, TV_TOKEN, Some("evt_2")).await;
    assert_eq!(stream.id().await, "evt_3");
    assert_eq!(stream.id().await, "evt_4");
    // What is not kept any more cannot be resumed from: a gap.
    let mut stream = Stream::open(&simulator, TV_TOKEN, Some("evt_1")).await;
    push(&simulator, "evt_5");
    assert_eq!(stream.id().await, "evt_5");
}

#[tokio::test]
async fn can_know_no_ids() {
    let simulator = Simulator::builder().tv_resume(false).start().await.unwrap();
    push(&simulator, "evt_1");
    let mut stream = Stream::open(&simulator, TV_TOKEN, Some("evt_0")).await;
    push(&simulator, "evt_2");
    let block = stream.next().await.unwrap().unwrap();
    assert!(block.starts_with("event: channel.follow\ndata: ") && block.contains("evt_2"));
}

#[tokio::test]
async fn quiet_streams_have_heartbeats() {
    let heartbeat = Duration::from_millis(40);
    let simulator = Simulator::builder()
        .tv_heartbeat(heartbeat)
        .start()
        .await
        .unwrap();
    let mut stream = Stream::open(&simulator, TV_TOKEN, None).await;
    assert_eq!(stream.next().await.unwrap().unwrap(), ": heartbeat");
    assert_eq!(stream.next().await.unwrap().unwrap(), ": heartbeat");
}

#[tokio::test]
async fn streams_are_cut() {
    let simulator = Simulator::builder().start().await.unwrap();
    let mut stream = Stream::open(&simulator, TV_TOKEN, None).await;
    simulator.tv_end_streams();
    assert!(stream.next().await.is_none());
    let mut stream = Stream::open(&simulator, TV_TOKEN, None).await;
    simulator.tv_reset_streams();
    assert!(stream.next().await.unwrap().is_err());
    let mut stream = Stream::open(&simulator, TV_TOKEN, None).await;
    push(&simulator, "evt_1");
    assert_eq!(stream.id().await, "evt_1");
}

#[tokio::test]
async fn a_token_that_expires_ends_its_streams() {
    let simulator = Simulator::builder().start().await.unwrap();
    let short = simulator.tv_token(Duration::from_secs(2));
    let mut stream = Stream::open(&simulator, &short, None).await;
    assert!(stream.next().await.is_none());
    let revoked = simulator.tv_token(Duration::from_secs(60));
    let mut stream = Stream::open(&simulator, &revoked, None).await;
    simulator.tv_expire(&revoked);
    assert!(stream.next().await.is_none());
    let url = format!("{}{STREAM}", simulator.base_url());
    let refused = client()
        .get(url)
        .bearer_auth(&revoked)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn faults_meet_streams_too() {
    let simulator = Simulator::builder().start().await.unwrap();
    let url = format!("{}{STREAM}", simulator.base_url());
    let open = || client().get(&url).bearer_auth(TV_TOKEN).send();
    simulator.inject(Fault::new(FaultKind::RateLimited(4)).path(STREAM));
    let refused = open().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(json_of(refused).await["retry_after"], 4);
    simulator.inject(Fault::new(FaultKind::Reset).path(STREAM));
    assert!(open().await.is_err());
    simulator.inject(Fault::new(FaultKind::WrongContentType).path(STREAM));
    let html = open().await.unwrap();
    assert_eq!(html.headers()["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn control_calls_reach_streams() {
    let simulator = Simulator::builder().start().await.unwrap();
    let post = async |path: &str, body: Value| {
        let url = format!("{}/_sim/{path}", simulator.base_url());
        client()
            .post(url)
            .body(body.to_string())
            .send()
            .await
            .unwrap()
    };
    let token = json_of(post("tv/tokens", json!({"lifetime_ms": 60_000})).await).await;
    let token = token["token"].as_str().unwrap();
    let mut stream = Stream::open(&simulator, token, None).await;
    post("emit", json!({"system": "tv", "id": "evt_9"})).await;
    assert_eq!(stream.id().await, "evt_9");
    assert_eq!(post("tv/cut", json!({"reset": false})).await.status(), 204);
    assert!(stream.next().await.is_none());
    let url = format!("{}/_sim/tv/streams", simulator.base_url());
    for _ in 0..100 {
        let open = json_of(client().get(&url).send().await.unwrap()).await;
        if open["open"] == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the stream is still open");
}
