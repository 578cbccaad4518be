//! What is traced, and what never is.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use crate::scripted::{Scripted, answer};
use futures_util::future::BoxFuture;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use velora_core::dedupe::{CustomAnswer, CustomStore, CustomVerbs, Epoch};
use velora_core::health::{self, EventQuery, NewEndpoint};
use velora_core::{
    Key, MemoryStore, Receiver, Scheme, SignedDelivery, Signer, SigningSecret, Verifier, curae,
};

/// Writes down all that is traced, on every level.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<String>>);

struct Fields<'r>(&'r Mutex<String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0.lock().unwrap(), "{field}={value:?};").unwrap();
    }
}

impl Recorder {
    fn note(&self, metadata: &Metadata<'_>) {
        let (level, name) = (metadata.level(), metadata.name());
        write!(self.0.lock().unwrap(), "{level} {name} ").unwrap();
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(span.metadata());
        span.record(&mut Fields(&self.0));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&self.0));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata());
        event.record(&mut Fields(&self.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

async fn calls() {
    let server = Scripted::new(|number, _| match number {
        0 => answer(503, &[], r#"{"error":"canary-in"}"#),
        1 => answer(
            200,
            &[],
            r#"{"endpoint":{"id":"wh_1"},"secret":"canary-secret"}"#,
        ),
        _ => answer(422, &[], r#"{"detail":"canary-in"}"#),
    });
    let client = server.client();
    let endpoint = NewEndpoint::new("https://example.com/canary-out");
    client.webhooks().create(&endpoint).await.unwrap_err();
    client.webhooks().create(&endpoint).await.unwrap();
    let query = EventQuery::new().with_resource_type("canary-query");
    client.events(query).next().await.unwrap().unwrap_err();
    client.event("canary-id").await.unwrap_err();
}

async fn traced(work: impl AsyncFn()) -> String {
    // A span that another test's thread comes to first, just as the recorder is set, is
    // left out for good: so all are known before it is asked which ones it wants.
    work().await;
    let recorder = Recorder::default();
    let guard = tracing::subscriber::set_default(recorder.clone());
    tracing::callsite::rebuild_interest_cache();
    work().await;
    drop(guard);
    recorder.0.lock().unwrap().clone()
}

/// A store whose server is gone.
struct Gone;

impl CustomVerbs for Gone {
    fn ask<'a>(
        &'a self,
        _: &'static str,
        _: &'a Key,
        _: Option<Epoch>,
    ) -> BoxFuture<'a, CustomAnswer> {
        let refused = CustomAnswer::failed(None, "connection refused");
        Box::pin(std::future::ready(refused))
    }
}

/// The reply says nothing of it.
#[tokio::test]
async fn why_a_store_failed_is_traced() {
    let scheme = || Scheme::named("health").unwrap();
    let secret = SigningSecret::new("canary-secret").unwrap();
    let signer = Signer::new(scheme(), [secret.clone()]).unwrap();
    let receiver = Receiver::new(
        Verifier::new(scheme(), [secret]).unwrap(),
        CustomStore(Gone),
    );
    let signed = signer.sign(br#"{"id":"evt_1","type":"canary-body"}"#);
    let handler = async |_: health::Event| Ok::<(), ()>(());
    let delivered = traced(async || {
        receiver
            .receive(&signed.body, &signed.headers, handler)
            .await;
    });
    let backfilled = traced(async || {
        receiver
            .backfill(Key::from("k"), async || Ok::<(), ()>(()))
            .await;
    });
    for traced in [delivered.await, backfilled.await] {
        assert!(traced.contains("WARN"), "{traced}");
        assert!(traced.contains("connection refused"), "{traced}");
        assert!(!traced.contains("canary"), "{traced}");
    }
}

/// What it says may contain what was delivered.
#[tokio::test]
async fn a_handler_that_fails_is_a_warning_without_its_error() {
    let scheme = || Scheme::named("health").unwrap();
    let secret = SigningSecret::new("canary-secret").unwrap();
    let signer = Signer::new(scheme(), [secret.clone()]).unwrap();
    let verifier = Verifier::new(scheme(), [secret]).unwrap();
    let receiver = Receiver::new(verifier, MemoryStore::default());
    let signed = signer.sign(br#"{"id":"evt_1","type":"canary-body"}"#);
    let failing = async |_: health::Event| Err::<(), _>("canary-error");
    let received = traced(async || {
        receiver
            .receive(&signed.body, &signed.headers, failing)
            .await;
    });
    let backfilled = traced(async || {
        let failing = async || Err::<(), _>("canary-error");
        receiver.backfill(Key::from("k"), failing).await;
    });
    let panicked = traced(async || {
        let panicking = async || -> Result<(), ()> { panic!("canary-panic") };
        receiver.backfill(Key::from("k"), panicking).await;
    });
    for (traced, code) in [
        (received.await, "code=\"handler_failed\""),
        (backfilled.await, "code=\"handler_failed\""),
        (panicked.await, "code=\"handler_panicked\""),
    ] {
        for expected in ["WARN", "scheme=\"health\"", code] {
            assert!(traced.contains(expected), "{expected} is not in {traced}");
        }
        assert!(!traced.contains("canary"), "{traced}");
    }
}

/// A genuine event may be lost. A log of forgeries could be filled by anybody.
#[tokio::test]
async fn a_refused_delivery_is_a_warning_only_if_its_signature_held() {
    let scheme = || Scheme::named("curae").unwrap();
    let secret = |text| SigningSecret::new(text).unwrap();
    let signer = |text| Signer::new(scheme(), [secret(text)]).unwrap();
    let verifier = Verifier::new(scheme(), [secret("canary-secret")]).unwrap();
    let receiver = Receiver::new(verifier, MemoryStore::default());
    let received = async |signed: &SignedDelivery| {
        let handler = async |_: curae::Event| Ok::<(), ()>(());
        let receive = async || {
            let handled = receiver.receive(&signed.body, &signed.headers, handler);
            assert_ne!(handled.await.status, 200);
        };
        traced(receive).await
    };

    let unread = br#"{"eventId":"canary-id","eventType":"canary-body","data":{}"#;
    let unreadable = signer("canary-secret").sign(unread);
    let mut contradicting = signer("canary-secret").sign([&unread[..], b"}"].concat());
    for (name, value) in &mut contradicting.headers {
        if name == "CuraeAI-Event-Id" {
            *value = "canary-header".to_owned();
        }
    }
    for (signed, code) in [
        (&unreadable, "malformed_event"),
        (&contradicting, "header_body_mismatch"),
    ] {
        let traced = received(signed).await;
        for expected in ["WARN", "scheme=\"curae\"", &format!("code=\"{code}\"")] {
            assert!(traced.contains(expected), "{expected} is not in {traced}");
        }
        assert!(!traced.contains("canary"), "{traced}");
    }

    let forged = signer("another-secret").sign(unread);
    let traced = received(&forged).await;
    assert!(traced.contains("signature_mismatch"), "{traced}");
    assert!(!traced.contains("WARN"), "{traced}");
}

#[tokio::test(start_paused = true)]
async fn spans_hold_no_key_no_url_and_no_body() {
    let traced = traced(calls).await;
    for expected in [
        "operation=\"health.webhooks.create\"",
        "operation=\"health.events\"",
        "request_id=",
        "status=503",
        "status=422",
        "code=server_error",
    ] {
        assert!(traced.contains(expected), "{expected} is not in {traced}");
    }
    for secret in ["canary", "vlk_live", "api.example.com"] {
        assert!(!traced.contains(secret), "{secret} is in {traced}");
    }
}
