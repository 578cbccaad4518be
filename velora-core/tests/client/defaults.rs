//! What holds where the caller sets nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, TryStreamExt, stream};
use tokio::time::Instant;
use velora_core::api::{Body, BoxFuture, Request, Response, TokioRuntime, Transport};
use velora_core::billing::DeliveryQuery;
use velora_core::curae::EndpointQuery;
use velora_core::health::{Client, EventQuery, ExportQuery, NewEndpoint};
use velora_core::tv::{EventType, StreamOptions};
use velora_core::{ApiError, ApiKey};

use crate::scripted::{Answer, Scripted, answer, header};
use crate::simulated::week;
use crate::{billing, curae, tv_stream};

/// The code of a failed call, and after how many seconds it failed.
async fn failed<T>(call: impl Future<Output = Result<T, ApiError>>) -> (&'static str, u64) {
    let start = Instant::now();
    let error = call.await.err().unwrap();
    (error.code().as_str(), start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_ten_minutes_at_most_and_one_of_tv_a_minute() {
    let server = Scripted::slow(Duration::from_secs(86_400), |_, _| answer(200, &[], ""));
    let (health, tv) = (server.client(), tv_stream::client(&server));
    assert_eq!(failed(health.probe()).await, ("timeout", 600));
    let created = tv.create_webhook("app", "https://example.com", &[EventType::StreamOnline]);
    assert_eq!(failed(created).await, ("timeout", 60));
}

#[tokio::test(start_paused = true)]
async fn a_page_is_as_large_as_the_system_allows() {
    let server = Scripted::new(|_, _| answer(404, &[], ""));
    let _ = server.client().events(EventQuery::new()).next().await;
    let deliveries = DeliveryQuery::new("wh_1");
    let _ = billing::client(&server).deliveries(deliveries).next().await;
    let endpoints = curae::client(&server).webhooks();
    let _ = endpoints.list(EndpointQuery::new()).next().await;
    let limits: Vec<_> = server
        .seen()
        .iter()
        .map(|request| request.url().split_once("limit=").unwrap().1.to_owned())
        .collect();
    assert_eq!(limits, ["1000", "200", "100"]);
}

#[tokio::test(start_paused = true)]
async fn a_response_has_64_mib_at_most() {
    const MIB: Bytes = Bytes::from_static(&[b' '; 1 << 20]);
    for (more, code) in [(&b""[..], "connection"), (b" ", "response_too_large")] {
        let server = Scripted::new(move |_, _| {
            let chunks = [MIB; 64].into_iter().chain([Bytes::from_static(more)]);
            let chunks = stream::iter(chunks.map(Ok).collect::<Vec<_>>());
            Ok(Response::new(200, Vec::new(), Body::new(chunks)))
        });
        let builder = server.builder().with_retry(Default::default());
        let error = builder.build().unwrap().probe().await.unwrap_err();
        assert_eq!(error.code().as_str(), code);
    }
}

/// Answers after a second, that there is more; counts the requests under way.
#[derive(Clone, Default)]
struct Counting(Arc<[AtomicUsize; 2]>);

impl Transport for Counting {
    fn send(&self, _: Request) -> BoxFuture<'_, Answer> {
        Box::pin(async {
            let [running, most] = &*self.0;
            let now = running.fetch_add(1, Ordering::Relaxed) + 1;
            most.fetch_max(now, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.fetch_sub(1, Ordering::Relaxed);
            answer(200, &[("X-Velora-Truncated", "true")], "")
        })
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_makes_four_calls_at_once() {
    let transport = Counting::default();
    let client = Client::builder(ApiKey::new("vlk_live_test").unwrap())
        .with_transport(transport.clone())
        .with_runtime(TokioRuntime);
    let rows = client.build().unwrap().export(ExportQuery::new(week()));
    assert!(rows.try_collect::<Vec<_>>().await.is_err());
    assert_eq!(transport.0[1].load(Ordering::Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn a_request_says_what_it_carries_and_what_it_wants() {
    let server = Scripted::new(|_, _| answer(404, &[], ""));
    let endpoint = NewEndpoint::new("https://example.com/hook");
    let _ = server.client().webhooks().create(&endpoint).await;
    let _ = billing::client(&server).run_recon("inv_1", "key").await;
    let _ = billing::client(&server).audit_csv("run_1").next().await;
    let said = |name| {
        let seen = server.seen();
        let values = seen
            .iter()
            .map(|sent| header(sent, name).map(str::to_owned));
        values.collect::<Vec<_>>()
    };
    let json = Some("application/json".to_owned());
    assert_eq!(said("Content-Type"), [json.clone(), json, None]);
    assert_eq!(said("Accept")[2].as_deref(), Some("text/csv"));
}

/// The addresses of the vendors' docs. Of CuraeAI, the key decides.
#[test]
fn each_system_has_its_address() {
    let key = || ApiKey::new("canary").unwrap();
    let health = Client::new(key()).unwrap();
    let billing = velora_core::billing::Client::new(key()).unwrap();
    let tv = velora_core::tv::Client::new(key()).unwrap();
    for (url, expected) in [
        (health.base_url(), "https://api.velora.health"),
        (billing.base_url(), "https://velora-billing.vercel.app/api"),
        (tv.base_url(), "https://api.velora.tv"),
    ] {
        assert_eq!(url.as_str().trim_end_matches('/'), expected);
    }
}

/// The code of a call that fails at once, on no runtime.
fn refused<T, E: Into<velora_core::Error>>(call: impl Future<Output = Result<T, E>>) -> String {
    let error: velora_core::Error = call.now_or_never().unwrap().err().unwrap().into();
    error.code().as_str().to_owned()
}

#[test]
fn outside_of_tokio_a_call_is_refused() {
    let client = Client::new(ApiKey::new("vlk_live_test").unwrap()).unwrap();
    let tv = velora_core::tv::Client::new(ApiKey::new("canary").unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("week.ndjson");
    let export = || ExportQuery::new(week());
    for code in [
        refused(client.probe()),
        refused(async { client.events(EventQuery::new()).next().await.unwrap() }),
        refused(async { client.export(export()).next().await.unwrap() }),
        refused(async { tv.events(StreamOptions::new()).next().await.unwrap() }),
        refused(client.export_to_file(export(), &path)),
    ] {
        assert_eq!(code, "invalid_request");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}
