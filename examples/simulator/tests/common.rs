//! A plain client, as naive as a test needs it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use velora_simulator::{HEALTH_KEY, Simulator};

pub(crate) const EVENTS: &str = "/api/v2/public/audit/events";
pub(crate) const EXPORT: &str = "/api/v2/public/audit/export";
pub(crate) const WEBHOOKS: &str = "/api/v2/public/audit/webhooks";

pub(crate) fn client() -> Client {
    Client::builder()
        .timeout(Duration::from_secs(60))
        .redirect(reqwest::redirect::Policy::none())
        // The simulator is on loopback: no proxy, and no certificates to load.
        .no_proxy()
        .tls_certs_only([])
        // Bodies as they were sent.
        .no_gzip()
        .build()
        .unwrap()
}

/// A request with the health system's key.
pub(crate) fn health(simulator: &Simulator, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}{path}", simulator.base_url());
    client().request(method, url).bearer_auth(HEALTH_KEY)
}

pub(crate) async fn get(simulator: &Simulator, path: &str) -> Response {
    health(simulator, Method::GET, path).send().await.unwrap()
}

pub(crate) async fn get_json(simulator: &Simulator, path: &str) -> Value {
    let response = get(simulator, path).await;
    assert_eq!(response.status(), 200, "{path}");
    json_of(response).await
}

pub(crate) async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

pub(crate) fn export_request(
    simulator: &Simulator,
    since: Option<&str>,
    until: Option<&str>,
) -> RequestBuilder {
    let body = json!({"since": since, "until": until});
    health(simulator, Method::POST, &format!("{EXPORT}?format=ndjson"))
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// The ids of an export's rows in their order, and the header.
pub(crate) async fn export(
    simulator: &Simulator,
    since: Option<&str>,
    until: Option<&str>,
) -> (Vec<String>, Option<String>) {
    let response = export_request(simulator, since, until)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let truncated = response.headers().get("x-velora-truncated");
    let truncated = truncated.map(|value| value.to_str().unwrap().to_owned());
    (ids_of_rows(&response.text().await.unwrap()), truncated)
}

pub(crate) fn ids_of_rows(text: &str) -> Vec<String> {
    let id = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        row["event_id"].as_str().unwrap().to_owned()
    };
    text.lines().map(id).collect()
}

pub(crate) fn ids_of_page(page: &Value) -> Vec<String> {
    let events = page["events"].as_array().unwrap();
    let id = |event: &Value| event["event_id"].as_str().unwrap().to_owned();
    events.iter().map(id).collect()
}

/// The ids of all pages in the order of the pages, until there are no more.
pub(crate) async fn page_through(simulator: &Simulator, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    for _ in 0..1_000 {
        let page = get_json(simulator, &format!("{EVENTS}?{query}&cursor={cursor}")).await;
        ids.extend(ids_of_page(&page));
        if page["page"]["has_more"] == false {
            assert_eq!(page["page"]["next_cursor"], Value::Null);
            return ids;
        }
        page["page"]["next_cursor"]
            .as_str()
            .unwrap()
            .clone_into(&mut cursor);
    }
    panic!("no end of pages");
}

pub(crate) fn newest_first(simulator: &Simulator) -> Vec<String> {
    let all = simulator.all();
    all.ids().rev().collect()
}

pub(crate) fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

/// An endpoint that keeps what it receives.
pub(crate) struct Receiver {
    pub(crate) url: String,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The statuses to answer with; 200 when there are no more.
    statuses: Mutex<VecDeque<u16>>,
    received: Mutex<Vec<(HeaderMap, Bytes)>>,
}

impl Receiver {
    pub(crate) async fn start(statuses: impl IntoIterator<Item = u16>) -> Self {
        let kept = Arc::new(Kept {
            statuses: Mutex::new(statuses.into_iter().collect()),
            received: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, kept }
    }

    pub(crate) fn received(&self) -> Vec<(HeaderMap, Bytes)> {
        self.kept.received.lock().unwrap().clone()
    }
}

async fn receive(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    kept.received.lock().unwrap().push((headers, body));
    let status = kept.statuses.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
