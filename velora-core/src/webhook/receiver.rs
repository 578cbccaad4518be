//! The whole path of a delivery: verify, claim, call the handler, commit or release, answer.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::delivery::{Delivery, FromDelivery};
use super::headers::Headers;
use super::intake::Intake;
use super::reply::{Outcome, Reply};
use super::verifier::Verifier;
use crate::dedupe::{Claimed, Epoch, Key, Lease, Store};
use crate::error::StoreError;

/// Receives the deliveries of one endpoint: it verifies each request, runs the handler for
/// each new event, and gives each request the response that its system expects.
///
/// Endpoints of the same system need a store each, or a
/// [namespace](crate::StoreOptions::with_namespace) each in a shared database. Otherwise an
/// event that one endpoint has handled is a `duplicate` at the other, and is answered 200.
/// Endpoints of different systems can share a store, because keys begin with the scheme's
/// name. All receivers of one endpoint, in however many processes, share its store.
///
/// ```
/// use velora_core::{health, MemoryStore, Receiver, Scheme, Signer, SigningSecret, Verifier};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let secret = SigningSecret::new("0123456789abcdef0123456789abcdef")?;
/// let verifier = Verifier::new(Scheme::named("health")?, [secret.clone()])?;
/// let receiver = Receiver::new(verifier, MemoryStore::default());
///
/// let signed = Signer::new(Scheme::named("health")?, [secret])?
///     .sign(br#"{"id":"evt_1","type":"phi.read"}"#);
/// let handle = async |event: health::Event| {
///     println!("{} {}", event.event_type, event.id);
///     Ok::<(), std::io::Error>(())
/// };
/// let first = receiver.receive(&signed.body, &signed.headers, handle).await;
/// let again = receiver.receive(&signed.body, &signed.headers, handle).await;
/// assert_eq!((first.status, first.outcome.as_str()), (200, "processed"));
/// assert_eq!((again.status, again.outcome.as_str()), (200, "duplicate"));
/// # Ok::<(), velora_core::Error>(()) }).unwrap();
/// ```
///
/// | outcome | status |
/// |---|---|
/// | `processed`, `duplicate` | 200 |
/// | `in_flight` | 503, `Retry-After` is what is left of the lease |
/// | refused before or by the MAC, or `header_body_mismatch` | 401; CuraeAI 400 |
/// | `malformed_event` | 500: it is genuine, and a later version of the SDK may read it |
/// | `body_too_large` | 413; CuraeAI 500, because CuraeAI does not send again after a 4xx |
/// | `body_unreadable`, `handler_failed`, `handler_panicked` | 500 |
/// | `lease_lost`, `store_full`, `store_unavailable` | 503, `Retry-After` 5 s |
///
/// Answer in under 10 s, the systems' own limit. Hand slow work to a queue.
#[derive(Clone)]
pub struct Receiver {
    intake: Intake,
    store: Arc<dyn Store>,
}

impl Receiver {
    /// A receiver with a body limit of 1 MiB.
    pub fn new(verifier: Verifier, store: impl Store + 'static) -> Self {
        Self {
            intake: Intake::new(verifier),
            store: Arc::new(store),
        }
    }

    /// Sets the largest body, in bytes, that is accepted.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.intake = self.intake.with_body_limit(bytes);
        self
    }

    /// The largest body, in bytes, that is accepted.
    pub fn body_limit(&self) -> usize {
        self.intake.body_limit()
    }

    /// The verifier that decides what is genuine.
    pub fn verifier(&self) -> &Verifier {
        self.intake.verifier()
    }

    /// Receives one request. `handler` runs only for a genuine event that nobody else has
    /// handled or is handling. If it succeeds, the claim is committed. If it fails or
    /// panics, the claim is released, so that the event comes again.
    ///
    /// The handler's error is dropped, because it may contain what was delivered: log it in the
    /// handler. That the handler failed is logged with [`tracing`] at the level `warn`. So is the
    /// [`reason`](Outcome::reason) if the store fails, or if a delivery is refused although its
    /// signature held (`malformed_event`, `header_body_mismatch`).
    ///
    /// If the future is dropped midway, nothing is released: the lease expires by itself.
    pub async fn receive<H, E, F, Fut, X>(&self, body: &[u8], headers: &H, handler: F) -> Reply
    where
        H: Headers + ?Sized,
        E: FromDelivery,
        F: FnOnce(E) -> Fut,
        Fut: Future<Output = Result<(), X>>,
    {
        let (work, event) = match self.begin_event(body, headers).await {
            Ok(begun) => begun,
            Err(reply) => return reply,
        };
        // The call itself may panic too, before it returns a future.
        self.reply(run(work.lease(), async move { handler(event).await }).await)
    }

    /// Handles an event that was not delivered, but listed, exported or streamed, such as
    /// after an outage. The rules are the same: `handler` runs only if nobody else has
    /// handled the event or is handling it, and the claim is committed if it succeeds.
    /// `key` is the key of that event, such as
    /// [`AuditEvent::key`](crate::health::AuditEvent::key). A delivery of the same event,
    /// earlier or later, counts as the same, for as long as the store remembers it: an event
    /// older than the retention is handled again.
    ///
    /// On [`Outcome::InFlight`], call again after its `retry_after`. On an outcome with a
    /// [`code`](Outcome::code), the event does not count as handled, even if `handler`
    /// succeeded; call again as well.
    pub async fn backfill<F, Fut, X>(&self, key: Key, handler: F) -> Outcome
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), X>>,
    {
        let outcome = match self.claim(key).await {
            Ok(lease) => run(lease, async move { handler().await }).await,
            Err(outcome) => outcome,
        };
        outcome.warn(self.verifier().scheme());
        tracing::debug!(
            scheme = self.verifier().scheme().name(),
            outcome = outcome.as_str(),
            "event back-filled"
        );
        outcome
    }

    /// The first half of [`receive`](Self::receive), for callers with their own control
    /// flow. Returns the work to do, or the reply to send at once.
    pub async fn begin<'r, H: Headers + ?Sized>(
        &'r self,
        body: &'r [u8],
        headers: &H,
    ) -> Result<Work<'r>, Reply> {
        let (delivery, key) = self.intake.admit(body, headers)?;
        self.work(delivery, key).await
    }

    /// Like [`begin`](Self::begin), but also reads the event. If it cannot be read, it is
    /// refused before it is claimed.
    pub async fn begin_event<'r, H: Headers + ?Sized, E: FromDelivery>(
        &'r self,
        body: &'r [u8],
        headers: &H,
    ) -> Result<(Work<'r>, E), Reply> {
        let (delivery, key) = self.intake.admit(body, headers)?;
        let event = delivery
            .event()
            .map_err(|error| self.reply(Outcome::Refused(error)))?;
        Ok((self.work(delivery, key).await?, event))
    }

    async fn work<'r>(&'r self, delivery: Delivery<'r>, key: Key) -> Result<Work<'r>, Reply> {
        match self.claim(key).await {
            Ok(lease) => Ok(Work {
                key: lease.key().clone(),
                epoch: lease.epoch(),
                receiver: self.clone(),
                delivery,
            }),
            Err(outcome) => Err(self.reply(outcome)),
        }
    }

    async fn claim(&self, key: Key) -> Result<Lease<'_>, Outcome> {
        Outcome::of_claim(self.store.claim(key).await.map(Claimed::from))
    }

    /// The reply for this outcome, for requests that end before
    /// [`receive`](Self::receive), such as when the body breaks off.
    pub fn reply(&self, outcome: Outcome) -> Reply {
        self.intake.reply(outcome)
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("verifier", self.verifier())
            .field("body_limit", &self.body_limit())
            .finish_non_exhaustive()
    }
}

/// A genuine event that is claimed for you to handle. End it with [`done`](Self::done),
/// [`committed`](Self::committed) or [`release`](Self::release). If it is dropped, its lease
/// expires by itself.
#[must_use = "work that is not done makes the event come again"]
#[derive(Debug)]
pub struct Work<'b> {
    receiver: Receiver,
    key: Key,
    epoch: Epoch,
    delivery: Delivery<'b>,
}

impl<'b> Work<'b> {
    /// What was delivered.
    pub fn delivery(&self) -> &Delivery<'b> {
        &self.delivery
    }

    /// The key that was claimed.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The claim's epoch, for the `commit_in` of a durable store, which commits the claim
    /// together with what you write.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Gives long work more time: the lease starts again at its full length.
    ///
    /// Errors: `lease_lost`, after which the work should stop; `store_full`, `store_unavailable`.
    pub async fn renew(&self) -> Result<(), StoreError> {
        self.lease().renew().await
    }

    /// Call it after your own transaction, which contained `commit_in`, has been committed.
    /// The reply is 200.
    pub fn committed(self) -> Reply {
        self.receiver.reply(Outcome::Processed)
    }

    /// The event was handled: commits the claim. The reply is 200 only if the commit succeeds.
    pub async fn done(self) -> Reply {
        self.receiver.reply(Outcome::commit(self.lease()).await)
    }

    /// The event was not handled: releases the claim, so that it comes again. The reply
    /// is `handler_failed`, or `lease_lost` where the claim was taken over.
    pub async fn release(self) -> Reply {
        let outcome = release(self.lease(), Outcome::HandlerFailed).await;
        self.receiver.reply(outcome)
    }

    /// The same work with everything it borrowed copied, so that it can outlive the request.
    pub fn into_owned(self) -> Work<'static> {
        Work {
            receiver: self.receiver,
            key: self.key,
            epoch: self.epoch,
            delivery: self.delivery.into_owned(),
        }
    }

    fn lease(&self) -> Lease<'_> {
        Lease::new(&*self.receiver.store, self.key.clone(), self.epoch)
    }
}

/// Runs the work under a claim, then commits or releases the claim.
async fn run<X>(lease: Lease<'_>, work: impl Future<Output = Result<(), X>>) -> Outcome {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(())) => Outcome::commit(lease).await,
        Ok(Err(_)) => release(lease, Outcome::HandlerFailed).await,
        Err(_) => release(lease, Outcome::HandlerPanicked).await,
    }
}

async fn release(lease: Lease<'_>, failed: Outcome) -> Outcome {
    let released = lease.release().await;
    if let Err(error) = &released {
        tracing::debug!(code = error.code().as_str(), "claim not released");
    }
    Outcome::of_release(released, failed)
}
