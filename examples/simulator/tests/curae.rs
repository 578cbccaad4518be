//! The CuraeAI system.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use velora_simulator::{
    CURAE_KEY, CURAE_LIVE_KEY, CURAE_NO_SCOPE_KEY, CuraeEnvironment, Fault, FaultKind, RateLimits,
    Simulator,
};

use crate::common::{client, json_of};

const PATH: &str = "/api/platform/v1/webhook-endpoints";

fn request(simulator: &Simulator, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}{PATH}{path}", simulator.base_url());
    client().request(method, url).bearer_auth(CURAE_KEY)
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn endpoint() -> Value {
    json!({
        "url": "https://your-app.example.com/webhooks/curaeai",
        "eventTypes": ["records.export_ready", "connection.revoked"],
    })
}

async fn create(simulator: &Simulator) -> Value {
    let request = request(simulator, Method::POST, "").body(endpoint().to_string());
    let response = send(request).await;
    assert_eq!(response.status(), 201);
    json_of(response).await["data"].take()
}

/// The code of a problem, after its form has been checked.
async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem = json_of(response).await;
    assert_eq!(problem["status"], status);
    for member in ["type", "title", "detail", "instance"] {
        assert!(problem[member].is_string(), "{member}");
    }
    assert_eq!(problem["retryable"], status == 429 || status >= 500);
    (status, problem["code"].as_str().unwrap().to_owned())
}

fn problem(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn creates_and_shows_the_secret_once() {
    let simulator = Simulator::builder().start().await.unwrap();
    let made = create(&simulator).await;
    assert!(made["signingSecret"].as_str().unwrap().len() >= 32);
    assert_eq!(made["status"], "ACTIVE");
    assert_eq!(made["eventTypes"], endpoint()["eventTypes"]);
    let path = format!("/{}", made["id"].as_str().unwrap());
    let response = send(request(&simulator, Method::GET, &path)).await;
    let mut shown = json_of(response).await["data"].take();
    assert_eq!(shown["signingSecret"], Value::Null);
    shown["signingSecret"] = made["signingSecret"].clone();
    assert_eq!(shown, made);
}

#[tokio::test]
async fn refuses_keys() {
    let start = async |environment| {
        let builder = Simulator::builder().curae_environment(environment);
        builder.start().await.unwrap()
    };
    let any = start(CuraeEnvironment::Any).await;
    let sandbox = start(CuraeEnvironment::Sandbox).await;
    let production = start(CuraeEnvironment::Production).await;
    let list = async |simulator: &Simulator, key: &str| {
        let url = format!("{}{PATH}", simulator.base_url());
        send(client().get(url).bearer_auth(key)).await
    };
    assert_eq!(
        code(list(&any, "cae_test_x").await).await,
        problem(401, "UNAUTHENTICATED")
    );
    let bare = send(client().get(format!("{}{PATH}", any.base_url()))).await;
    assert_eq!(code(bare).await, problem(401, "UNAUTHENTICATED"));
    let denied = code(list(&any, CURAE_NO_SCOPE_KEY).await).await;
    assert_eq!(denied, problem(403, "SCOPE_INSUFFICIENT"));
    let wrong = problem(403, "WRONG_ENVIRONMENT");
    assert_eq!(code(list(&sandbox, CURAE_LIVE_KEY).await).await, wrong);
    assert_eq!(code(list(&production, CURAE_KEY).await).await, wrong);
    for (simulator, key) in [
        (&any, CURAE_KEY),
        (&any, CURAE_LIVE_KEY),
        (&sandbox, CURAE_KEY),
        (&production, CURAE_LIVE_KEY),
    ] {
        assert_eq!(list(simulator, key).await.status(), 200);
    }
}

#[tokio::test]
async fn refuses_what_cannot_be_delivered_to() {
    let simulator = Simulator::builder().start().await.unwrap();
    let events = json!(["patient.created"]);
    for body in [
        json!({}),
        json!({"url": "https://x.example.com"}),
        json!({"url": "http://x.example.com", "eventTypes": events}),
        json!({"url": "https://x.example.com:8443/a", "eventTypes": events}),
        json!({"url": "https://x.example.com", "eventTypes": []}),
        json!({"url": "https://x.example.com", "eventTypes": ["patient.vanished"]}),
    ] {
        let response = send(request(&simulator, Method::POST, "").body(body.to_string())).await;
        assert_eq!(code(response).await, problem(400, "BAD_REQUEST"), "{body}");
    }
    let loopback = json!({"url": "http://localhost:8080/x", "eventTypes": events});
    let response = send(request(&simulator, Method::POST, "").body(loopback.to_string())).await;
    assert_eq!(response.status(), 201);
}

#[tokio::test]
async fn lists_in_pages() {
    let simulator = Simulator::builder().start().await.unwrap();
    let mut made = Vec::new();
    for _ in 0..30 {
        made.push(create(&simulator).await["id"].clone());
    }
    let walk = async |limit: &str| {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("?{limit}&cursor={cursor}");
            let page = json_of(send(request(&simulator, Method::GET, &path)).await).await;
            let data = page["data"].as_array().unwrap();
            ids.extend(data.iter().map(|endpoint| endpoint["id"].clone()));
            match page["pagination"]["hasMore"].as_bool().unwrap() {
                true => page["pagination"]["nextCursor"]
                    .as_str()
                    .unwrap()
                    .clone_into(&mut cursor),
                false => return ids,
            }
        }
    };
    assert_eq!(walk("").await, made);
    assert_eq!(walk("limit=7").await, made);
    assert_eq!(walk("limit=100").await, made);
    simulator.inject(Fault::new(FaultKind::EmptyPage).skip(2).times(2));
    assert_eq!(walk("limit=7").await, made);
    for limit in ["limit=0", "limit=101", "limit=x", "cursor=whe_x"] {
        let response = send(request(&simulator, Method::GET, &format!("?{limit}"))).await;
        assert_eq!(code(response).await, problem(400, "BAD_REQUEST"), "{limit}");
    }
}

#[tokio::test]
async fn an_idempotency_key_replays_the_answer() {
    let simulator = Simulator::builder().start().await.unwrap();
    let create = async |key: &str| {
        let request = request(&simulator, Method::POST, "").header("idempotency-key", key);
        let response = send(request.body(endpoint().to_string())).await;
        assert_eq!(response.status(), 201);
        response.text().await.unwrap()
    };
    let first = create("a").await;
    assert_eq!(create("a").await, first);
    assert_ne!(create("b").await, first);
    assert_eq!(simulator.endpoints().len(), 2);

    // The answer is lost behind the server: the retry finds what was done.
    simulator.inject(Fault::new(FaultKind::ResetAfter));
    let lost = request(&simulator, Method::POST, "").header("idempotency-key", "c");
    assert!(lost.body(endpoint().to_string()).send().await.is_err());
    assert_eq!(simulator.endpoints().len(), 3);
    create("c").await;
    assert_eq!(simulator.endpoints().len(), 3);
}

#[tokio::test]
async fn conditions_are_heeded() {
    let simulator = Simulator::builder().start().await.unwrap();
    let made = create(&simulator).await;
    let path = format!("/{}", made["id"].as_str().unwrap());
    let shown = send(request(&simulator, Method::GET, &path)).await;
    let etag = shown.headers()["etag"].clone();
    let conditional = request(&simulator, Method::GET, &path).header("if-none-match", &etag);
    let response = send(conditional).await;
    assert_eq!(response.status(), 304);
    assert!(response.bytes().await.unwrap().is_empty());

    let update = |etag: &str, body: Value| {
        let request = request(&simulator, Method::PATCH, &path).header("if-match", etag);
        send(request.body(body.to_string()))
    };
    let etag = etag.to_str().unwrap();
    let changed = update(etag, json!({"eventTypes": ["patient.created"]})).await;
    assert_eq!(changed.status(), 200);
    let newer = changed.headers()["etag"].to_str().unwrap().to_owned();
    assert_ne!(newer, etag);
    let changed = json_of(changed).await;
    assert_eq!(changed["data"]["eventTypes"], json!(["patient.created"]));
    assert_eq!(changed["data"]["_version"], 2);
    let stale = update(etag, json!({"status": "DISABLED"})).await;
    assert_eq!(code(stale).await, problem(412, "PRECONDITION_FAILED"));
    let wrong = update(&newer, json!({"status": "PAUSED"})).await;
    assert_eq!(code(wrong).await, problem(400, "BAD_REQUEST"));

    let delete = |etag: &str| {
        let request = request(&simulator, Method::DELETE, &path);
        send(request.header("if-match", etag))
    };
    assert_eq!(
        code(delete(etag).await).await,
        problem(412, "PRECONDITION_FAILED")
    );
    let deleted = delete(&newer).await;
    assert_eq!(deleted.status(), 204);
    assert!(deleted.bytes().await.unwrap().is_empty());
    let gone = send(request(&simulator, Method::GET, &path)).await;
    assert_eq!(code(gone).await, problem(404, "NOT_FOUND"));
}

#[tokio::test]
async fn limits_and_versions_have_codes() {
    let mut limits = RateLimits::documented();
    limits.curae = Some(velora_simulator::RateLimit::per_minute(3));
    let simulator = Simulator::builder()
        .rate_limits(limits)
        .start()
        .await
        .unwrap();
    for _ in 0..3 {
        assert_eq!(
            send(request(&simulator, Method::GET, "")).await.status(),
            200
        );
    }
    let refused = send(request(&simulator, Method::GET, "")).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(code(refused).await, problem(429, "RATE_LIMITED"));
    let old = format!("{}/api/platform/v0/webhook-endpoints", simulator.base_url());
    assert_eq!(
        code(send(client().get(old)).await).await,
        problem(410, "VERSION_RETIRED")
    );
    simulator.inject(Fault::new(FaultKind::Status(503)));
    let fault = send(request(&simulator, Method::GET, "")).await;
    assert_eq!(code(fault).await, problem(503, "INTERNAL_ERROR"));
}

#[tokio::test]
async fn calls_at_once_with_one_key_are_one() {
    let simulator = Simulator::builder().start().await.unwrap();
    let create = || {
        let request = request(&simulator, Method::POST, "").header("idempotency-key", "a");
        send(request.body(endpoint().to_string()))
    };
    let (first, second) = tokio::join!(create(), create());
    assert_eq!(first.text().await.unwrap(), second.text().await.unwrap());
    assert_eq!(simulator.endpoints().len(), 1);
}
