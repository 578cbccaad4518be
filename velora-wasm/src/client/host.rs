//! What sends, and what waits: the host's `fetch` and its timers.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use js_sys::{Promise, Uint8Array};
use send_wrapper::SendWrapper;
use velora_core::api::{Body, BoxFuture, Request, Response, Runtime, Transport};
use velora_core::{ApiError, Clock, SystemClock, UnixTime};
use velora_core::{ApiErrorKind, Code};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

#[wasm_bindgen]
extern "C" {
    /// The host, as the TypeScript layer shows it.
    #[derive(Clone)]
    pub type Host;

    #[wasm_bindgen(method)]
    fn sleep(this: &Host, milliseconds: f64) -> Timer;

    /// A wait, which keeps a host from ending until it is over or given up.
    type Timer;

    #[wasm_bindgen(method)]
    fn over(this: &Timer) -> Promise;

    #[wasm_bindgen(method, js_name = giveUp)]
    fn give_up(this: &Timer);

    /// Names and values of headers in turn.
    #[wasm_bindgen(method)]
    fn send(
        this: &Host,
        method: &str,
        url: &str,
        headers: Vec<String>,
        body: Option<Uint8Array>,
    ) -> Exchange;

    /// One request and its answer. Its promises reject with `timeout` or anything else.
    type Exchange;

    #[wasm_bindgen(method)]
    fn answer(this: &Exchange) -> Promise;

    #[wasm_bindgen(method)]
    fn chunk(this: &Exchange) -> Promise;

    #[wasm_bindgen(method)]
    fn cancel(this: &Exchange);

    /// The head of an answer.
    type Head;

    #[wasm_bindgen(method, getter)]
    fn status(this: &Head) -> u16;

    #[wasm_bindgen(method, getter)]
    fn headers(this: &Head) -> Vec<String>;

    #[wasm_bindgen(method, getter)]
    fn framed(this: &Head) -> bool;
}

/// Gives the request up unless it has come to its end.
struct UnderWay(Exchange);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Gives the wait up once nobody waits.
struct Wait(Timer);

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// A module without shared memory has one thread: what is wrapped never leaves it.
pub(super) struct HostTransport(SendWrapper<Host>);

impl HostTransport {
    pub(super) fn new(host: &Host) -> Self {
        Self(SendWrapper::new(host.clone()))
    }
}

impl Transport for HostTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ApiError>> {
        let headers = request.headers();
        let headers = headers.flat_map(|(name, value)| [name.to_owned(), value.to_owned()]);
        let body = request.body().map(|body| Uint8Array::from(&**body));
        let (method, headers) = (request.method().as_str(), headers.collect());
        let sent = self.0.send(method, request.url(), headers, body);
        let under_way = UnderWay(sent);
        Box::pin(SendWrapper::new(async move {
            let head = JsFuture::from(under_way.0.answer()).await;
            let head: Head = head.map_err(fault)?.unchecked_into();
            let texts = head.headers();
            let (pairs, _) = texts.as_chunks::<2>();
            let headers = pairs
                .iter()
                .map(|[name, value]| (name.clone(), value.clone()));
            let response = Response::new(head.status(), headers.collect(), body_of(under_way));
            Ok(match head.framed() {
                true => response,
                false => response.without_framing(),
            })
        }))
    }
}

fn body_of(under_way: UnderWay) -> Body {
    Body::new(SendWrapper::new(stream::try_unfold(
        under_way,
        async |under_way| {
            let chunk = JsFuture::from(under_way.0.chunk()).await.map_err(fault)?;
            let bytes = chunk.dyn_into::<Uint8Array>().ok();
            Ok(bytes.map(|bytes| (Bytes::from(bytes.to_vec()), under_way)))
        },
    )))
}

/// What went wrong, in words of our own: the host's may hold the URL.
fn fault(thrown: JsValue) -> ApiError {
    match thrown.as_string().as_deref() {
        Some(code) if code == Code::Timeout.as_str() => {
            ApiError::new(ApiErrorKind::Timeout, "no bytes came for too long")
        }
        _ => ApiError::new(
            ApiErrorKind::Connection,
            "no connection to the host, or it broke",
        ),
    }
}

/// The host's timers and its event loop.
pub(super) struct HostRuntime(SendWrapper<Host>);

impl HostRuntime {
    pub(super) fn new(host: &Host) -> Self {
        Self(SendWrapper::new(host.clone()))
    }
}

impl Clock for HostRuntime {
    fn now(&self) -> UnixTime {
        SystemClock.now()
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }
}

impl Runtime for HostRuntime {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let wait = Wait(self.0.sleep(duration.as_secs_f64() * 1e3));
        Box::pin(SendWrapper::new(async move {
            // A host that cannot wait has waited.
            let _ = JsFuture::from(wait.0.over()).await;
        }))
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        spawn_local(work);
    }
}
