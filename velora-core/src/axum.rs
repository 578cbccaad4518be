//! Serving a [`Receiver`] with axum, or with anything that drives a `tower` service.
//!
//! The raw body belongs to this module: it is read to its end, bounded, and given
//! to the verifier as received, before anything could parse it.
//!
//! ```no_run
//! use velora_core::{axum::deliveries, health, MemoryStore, Receiver, Scheme, SigningSecret, Verifier};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = SigningSecret::new(std::env::var("VELORA_WEBHOOK_SECRET")?)?;
//! let verifier = Verifier::new(Scheme::named("health")?, [secret])?;
//! let receiver = Receiver::new(verifier, MemoryStore::default());
//!
//! let app = axum::Router::new().route(
//!     "/velora-webhook",
//!     deliveries(receiver, |event: health::Event| async move {
//!         println!("{} {}", event.event_type, event.id);
//!         Ok::<(), std::io::Error>(())
//!     }),
//! );
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, app).await?;
//! # Ok(()) }
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::axum::body::{Body, Bytes};
use ::axum::extract::{FromRef, FromRequest, Request};
use ::axum::response::{IntoResponse, Response};
use ::axum::routing::{MethodRouter, post_service};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tracing::Instrument;

use crate::webhook::{FromDelivery, Outcome, Receiver, Reply};

/// A `POST` route that receives deliveries. The type of the handler's argument
/// decides what an event is read as. Its error is dropped: log it in the handler.
pub fn deliveries<E, F, Fut, X>(receiver: Receiver, handler: F) -> MethodRouter
where
    E: FromDelivery + Send + 'static,
    F: Fn(E) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), X>> + Send + 'static,
    X: Send + 'static,
{
    post_service(DeliveryService::new(receiver, handler))
}

/// A `tower` service that receives deliveries on whatever route it is put.
///
/// The handler runs in a task of its own: a sender that hangs up does not cut it
/// off halfway, and the next delivery of the event finds it done. The task is in the request's
/// [`tracing`] span. A server that shuts down gracefully waits for open connections, but not
/// for the task of a sender that has hung up: that event comes again.
pub struct DeliveryService<F, E> {
    receiver: Receiver,
    handler: F,
    event: PhantomData<fn(E)>,
}

impl<F, E> DeliveryService<F, E> {
    /// Joins a receiver and the handler of its events.
    pub fn new(receiver: Receiver, handler: F) -> Self {
        Self {
            receiver,
            handler,
            event: PhantomData,
        }
    }
}

impl<F: Clone, E> Clone for DeliveryService<F, E> {
    fn clone(&self) -> Self {
        Self::new(self.receiver.clone(), self.handler.clone())
    }
}

impl<F, E> fmt::Debug for DeliveryService<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryService")
            .field("receiver", &self.receiver)
            .finish_non_exhaustive()
    }
}

impl<E, F, Fut, X> tower_service::Service<Request> for DeliveryService<F, E>
where
    E: FromDelivery + Send + 'static,
    F: Fn(E) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<(), X>> + Send + 'static,
    X: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self {
            receiver, handler, ..
        } = self.clone();
        let answering = receiver.clone();
        let work = async move {
            let (parts, body) = request.into_parts();
            match read_body(&receiver, body).await {
                Ok(body) => receiver.receive(&body, &parts.headers, handler).await,
                Err(outcome) => receiver.reply(outcome),
            }
        };
        let task = tokio::spawn(work.in_current_span());
        Box::pin(async move {
            // The handler's own panics are caught before: what is left is a fault
            // of the runtime, such as its shutdown.
            let reply = task
                .await
                .unwrap_or_else(|_| answering.reply(Outcome::HandlerPanicked));
            Ok(reply.into_response())
        })
    }
}

async fn read_body(receiver: &Receiver, body: Body) -> Result<Bytes, Outcome> {
    match Limited::new(body, receiver.body_limit()).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_over_limit(&*error) => Err(Outcome::BodyTooLarge),
        Err(_) => Err(Outcome::BodyUnreadable),
    }
}

fn is_over_limit(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_over_limit)
}

/// An extractor of verified events, for handlers that bring their own bookkeeping.
///
/// It verifies and reads; it does **not** deduplicate: a replay inside the
/// tolerance is extracted again. Prefer [`deliveries`]. The state must hold a
/// [`Receiver`]; a delivery that is refused gets its reply.
///
/// ```
/// use velora_core::{axum::Verified, tv, Delivery};
///
/// async fn handler(Verified(event): Verified<tv::Event>) -> &'static str {
///     println!("{}", event.event_type);
///     "ok"
/// }
/// # let _: axum::Router<velora_core::Receiver> = axum::Router::new().route("/", axum::routing::post(handler));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Verified<E>(
    /// The event.
    pub E,
);

impl<S, E> FromRequest<S> for Verified<E>
where
    S: Send + Sync,
    Receiver: FromRef<S>,
    E: FromDelivery,
{
    type Rejection = Reply;

    async fn from_request(request: Request, state: &S) -> Result<Self, Reply> {
        let receiver = Receiver::from_ref(state);
        let (parts, body) = request.into_parts();
        let body = read_body(&receiver, body)
            .await
            .map_err(|outcome| receiver.reply(outcome))?;
        let refuse = |error| receiver.reply(Outcome::Refused(error));
        let delivery = receiver
            .verifier()
            .verify(&body, &parts.headers)
            .map_err(refuse)?;
        delivery.event().map(Self).map_err(refuse)
    }
}

/// The status, `Retry-After` where there is one, and the outcome as plain text.
impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.outcome.as_str()).into_response();
        if let Some(seconds) = self.retry_after_seconds() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
