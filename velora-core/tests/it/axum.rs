//! The axum adapters, over a real socket.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Instrument, Metadata, Span, Subscriber, info_span};
use tracing_core::span::Current;
use velora_core::axum::{DeliveryService, Verified, deliveries};
use velora_core::{MemoryStore, Receiver, SignedDelivery, Signer, curae, health, tv};

use super::support::{SECRET, scheme, secret, verifier};

fn receiver(name: &str) -> Receiver {
    Receiver::new(verifier(name), MemoryStore::default())
}

fn sign(name: &str, body: &str) -> SignedDelivery {
    Signer::new(scheme(name), [secret(SECRET)])
        .unwrap()
        .sign(body)
}

async fn serve(app: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn request(path: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The status line, the `Retry-After` header and the body of the answer.
async fn exchange(address: SocketAddr, request: &[u8]) -> (u16, Option<String>, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has read a body that is too large.
    let _ = stream.write_all(request).await;
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let retry_after = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "));
    (status, retry_after.map(str::to_owned), body.to_owned())
}

async fn post(address: SocketAddr, path: &str, signed: &SignedDelivery) -> (u16, String) {
    let (status, _, body) = exchange(address, &request(path, &signed.headers, &signed.body)).await;
    (status, body)
}

#[tokio::test]
async fn receives_each_event_once() {
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let handler = move |event: health::Event| {
        let count = Arc::clone(&count);
        async move {
            assert_eq!(event.id, "evt_1");
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<(), ()>(())
        }
    };
    let app = axum::Router::new().route("/hook", deliveries(receiver("health"), handler));
    let address = serve(app).await;

    let genuine = sign("health", r#"{"id":"evt_1","type":"phi.read"}"#);
    assert_eq!(
        post(address, "/hook", &genuine).await,
        (200, "processed".into())
    );
    assert_eq!(
        post(address, "/hook", &genuine).await,
        (200, "duplicate".into())
    );
    let mut forged = genuine.clone();
    forged.body = genuine.body.to_ascii_uppercase();
    assert_eq!(
        post(address, "/hook", &forged).await,
        (401, "signature_mismatch".into())
    );
    assert_eq!(handled.load(Ordering::SeqCst), 1);

    let get = b"GET /hook HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(address, get).await.0, 405);
}

#[tokio::test]
async fn bounds_the_body_with_and_without_a_length() {
    let handler = |_: curae::Event| async { Ok::<(), ()>(()) };
    let app = axum::Router::new()
        .route(
            "/health",
            deliveries(
                receiver("health").with_body_limit(100),
                |_: health::Event| async { Ok::<(), ()>(()) },
            ),
        )
        .route(
            "/curae",
            deliveries(receiver("curae").with_body_limit(100), handler),
        );
    let address = serve(app).await;
    let large = sign("health", &" ".repeat(101));
    assert_eq!(
        post(address, "/health", &large).await,
        (413, "body_too_large".into())
    );
    let large = sign("curae", &" ".repeat(101));
    assert_eq!(
        post(address, "/curae", &large).await,
        (500, "body_too_large".into())
    );
    let fits = sign("health", &" ".repeat(100));
    assert_eq!(
        post(address, "/health", &fits).await,
        (500, "malformed_event".into())
    );

    let chunk = format!("65\r\n{}\r\n", "x".repeat(0x65));
    let chunked = format!(
        "POST /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"
    );
    let (status, _, body) = exchange(address, chunked.as_bytes()).await;
    assert_eq!((status, body.as_str()), (413, "body_too_large"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_looked_at() {
    let app = axum::Router::new().route(
        "/hook",
        deliveries(receiver("health"), |_: health::Event| async {
            Ok::<(), ()>(())
        }),
    );
    let address = serve(app).await;
    let broken = "POST /hook HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
                  Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n";
    let (status, _, body) = exchange(address, broken.as_bytes()).await;
    assert_eq!((status, body.as_str()), (500, "body_unreadable"));
}

#[tokio::test]
async fn a_sender_that_hangs_up_does_not_cut_the_handler_off() {
    let started = Arc::new(tokio::sync::Notify::new());
    let (begun, go_on) = (Arc::clone(&started), Arc::new(tokio::sync::Notify::new()));
    let gate = Arc::clone(&go_on);
    let handler = move |_: tv::Event| {
        let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
        async move {
            begun.notify_one();
            gate.notified().await;
            Ok::<(), ()>(())
        }
    };
    let app = axum::Router::new().route("/hook", deliveries(receiver("tv"), handler));
    let address = serve(app).await;
    let signed = sign("tv", r#"{"id":"evt_1","type":"stream.online"}"#);
    let bytes = request("/hook", &signed.headers, &signed.body);

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let start = tokio::time::timeout(Duration::from_secs(5), started.notified());
    start.await.expect("the handler starts");
    drop(stream);
    let (status, retry_after, body) = exchange(address, &bytes).await;
    assert_eq!((status, body.as_str()), (503, "in_flight"));
    // What is left of a lease of a minute.
    let left = retry_after.unwrap().parse::<u64>().unwrap();
    assert!((1..=60).contains(&left), "{left}");

    go_on.notify_one();
    let done = async {
        while post(address, "/hook", &signed).await != (200, "duplicate".into()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), done)
        .await
        .expect("committed");
}

#[tokio::test]
async fn the_extractor_verifies_and_reads() {
    async fn handler(Verified(event): Verified<tv::Event>) -> String {
        event.id
    }
    let app = axum::Router::new()
        .route("/hook", axum::routing::post(handler))
        .with_state(receiver("tv").with_body_limit(100));
    let address = serve(app).await;
    let signed = sign("tv", r#"{"id":"evt_1","type":"stream.online"}"#);
    for _ in 0..2 {
        assert_eq!(post(address, "/hook", &signed).await, (200, "evt_1".into()));
    }
    let refused = post(address, "/hook", &sign("health", "{}")).await;
    assert_eq!(refused, (401, "missing_header".into()));
    assert_eq!(
        post(address, "/hook", &sign("tv", "{}")).await,
        (500, "malformed_event".into())
    );
    let large = sign("tv", &" ".repeat(101));
    assert_eq!(
        post(address, "/hook", &large).await,
        (413, "body_too_large".into())
    );
}

fn posted(signed: SignedDelivery) -> axum::extract::Request {
    let mut request = http::Request::post("/");
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    request.body(signed.body.into()).unwrap()
}

#[tokio::test]
async fn is_a_tower_service() {
    use tower::ServiceExt;
    let handler = |_: health::Event| async { Err::<(), ()>(()) };
    let service = DeliveryService::new(receiver("health"), handler);
    assert!(format!("{service:?}").starts_with("DeliveryService"));
    let signed = sign("health", r#"{"id":"evt_1","type":"phi.read"}"#);
    let response = service.oneshot(posted(signed)).await.unwrap();
    assert_eq!(response.status(), 500);
    let body = axum::body::to_bytes(response.into_body(), 100)
        .await
        .unwrap();
    assert_eq!(&body[..], b"handler_failed");
}

/// Knows the span that is entered, on the one thread of the test.
#[derive(Clone, Default)]
struct Entered {
    spans: Arc<Mutex<Vec<&'static Metadata<'static>>>>,
    stack: Arc<Mutex<Vec<Id>>>,
}

impl Subscriber for Entered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.spans.lock().unwrap();
        spans.push(span.metadata());
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.stack.lock().unwrap().push(id.clone());
    }

    fn exit(&self, _: &Id) {
        self.stack.lock().unwrap().pop();
    }

    fn current_span(&self) -> Current {
        match self.stack.lock().unwrap().last() {
            Some(id) => {
                let metadata = self.spans.lock().unwrap()[id.into_u64() as usize - 1];
                Current::new(id.clone(), metadata)
            }
            None => Current::none(),
        }
    }
}

#[tokio::test]
async fn a_handler_is_in_the_span_of_its_request() {
    use tower::ServiceExt;

    let _default = tracing::subscriber::set_default(Entered::default());
    let name = || Span::current().metadata().map(Metadata::name);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let service = DeliveryService::new(receiver("tv"), move |_: tv::Event| {
        let sees = Arc::clone(&sees);
        async move {
            tokio::task::yield_now().await;
            sees.lock().unwrap().push(name());
            Ok::<(), ()>(())
        }
    });
    let signed = sign("tv", r#"{"id":"evt_1","type":"stream.online"}"#);
    let answered = service
        .oneshot(posted(signed))
        .instrument(info_span!("request"));
    assert_eq!(answered.await.unwrap().status(), 200);
    assert_eq!(
        (&*seen.lock().unwrap(), name()),
        (&vec![Some("request")], None)
    );
}
