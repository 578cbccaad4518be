//! A transport for tests: scripted responses, and a record of the requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use velora_core::ApiError;
use velora_core::ApiKey;
use velora_core::api::{
    Body, BoxFuture, ClientBuilder, Request, Response, TokioRuntime, Transport,
};
use velora_core::health::Client;

pub(crate) type Answer = Result<Response, ApiError>;
type Answerer = Box<dyn Fn(usize, &Request) -> Answer + Send + Sync>;

/// Answers each request by a function of its number (from 0) and itself.
#[derive(Clone)]
pub(crate) struct Scripted(Arc<Script>);

struct Script {
    answer: Answerer,
    delay: Duration,
    seen: Mutex<Vec<Request>>,
}

impl Scripted {
    pub(crate) fn new(answer: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::slow(Duration::ZERO, answer)
    }

    pub(crate) fn slow(
        delay: Duration,
        answer: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Script {
            answer: Box::new(answer),
            delay,
            seen: Mutex::default(),
        }))
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.0.seen.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.seen.lock().unwrap().len()
    }

    pub(crate) fn builder(&self) -> ClientBuilder<Client> {
        self.of(Client::builder(ApiKey::new("vlk_live_test").unwrap()))
    }

    /// A client of any system that asks this script.
    pub(crate) fn of<C>(&self, builder: ClientBuilder<C>) -> ClientBuilder<C> {
        builder
            .with_base_url("https://api.example.com")
            .with_transport(self.clone())
            .with_runtime(TokioRuntime)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let number = {
                let mut seen = self.0.seen.lock().unwrap();
                seen.push(request.clone());
                seen.len() - 1
            };
            tokio::time::sleep(self.0.delay).await;
            (self.0.answer)(number, &request)
        })
    }
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    Ok(Response::new(
        status,
        headers,
        Body::from(body.as_bytes().to_vec()),
    ))
}

/// The header of this name, in any case.
pub(crate) fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut headers = request.headers();
    let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

/// A page of these ids; `next` is the cursor of the next one.
pub(crate) fn page(ids: std::ops::Range<usize>, next: Option<&str>) -> String {
    let events: Vec<String> = ids
        .map(|id| format!(r#"{{"event_id":"{id}","action":"phi.read","timestamp":"2026-05-03T14:22:01+00:00"}}"#))
        .collect();
    let cursor = next.map_or("null".to_owned(), |next| format!("\"{next}\""));
    format!(
        r#"{{"events":[{}],"page":{{"limit":1000,"has_more":{},"next_cursor":{cursor}}}}}"#,
        events.join(","),
        next.is_some()
    )
}
