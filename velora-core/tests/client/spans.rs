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
use velora_core::{Key, Receiver, Scheme, Signer, SigningSecret, Verifier};

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
        write!(self.0.lock().unwrap(), "{} ", metadata.name()).unwrap();
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
        assert!(traced.contains("connection refused"), "{traced}");
        assert!(!traced.contains("canary"), "{traced}");
    }
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
