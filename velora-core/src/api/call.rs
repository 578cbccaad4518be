//! One call: attempts, waits and a deadline, until there is a response or an error.

use std::future::{Future, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, FutureExt, select};
use tracing::{Instrument, debug, debug_span};

use super::auth::{Auth, credential};
use super::gate::Gate;
use super::response::{malformed, unreadable};
use super::retry::{Budget, RetryOptions, asked_delay};
use super::runtime::{random_id, running};
use super::{
    BaseUrl, BoxFuture, Method, RateLimit, Request, Response, Runtime, Transport, problem,
};
use crate::error::{ApiError, ApiErrorKind};
use crate::json;

const USER_AGENT: &str = concat!("velora-core/", env!("CARGO_PKG_VERSION"));

/// What every client is built on: sends requests as values, and knows no system.
///
/// A clone is the same client: connections, budget, gate and rate limit are shared.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    settings: Settings,
    budget: Budget,
    gate: Gate,
    rate_limit: Mutex<RateLimit>,
}

/// What a client was built from.
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) auth: Auth,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) retry: RetryOptions,
    pub(crate) call_timeout: Duration,
    pub(crate) max_response_bytes: usize,
}

/// Reads a response, and stores the result. Type-erased, so that all calls share the same
/// code, which keeps an edge worker small.
type Read<'r> = dyn Fn(Response) -> Reading<'r> + Sync + 'r;
pub(crate) type Reading<'r> = BoxFuture<'r, Result<(), ApiError>>;

/// Stores the result until the call is over.
pub(crate) struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn fill(&self, read: Result<T, ApiError>) -> Result<(), ApiError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read?);
        Ok(())
    }

    /// Errors: `malformed_response` if it was never filled.
    pub(crate) fn take(self) -> Result<T, ApiError> {
        let read = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        read.ok_or_else(|| malformed("the response was not read"))
    }
}

impl Api {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner {
            settings,
            budget: Budget::new(),
            gate: Gate::default(),
            rate_limit: Mutex::default(),
        }))
    }

    /// Sends `request` until `read` has read a response to its end, or there is an error
    /// that another attempt would not fix. `read` runs at most once per attempt, and only on
    /// a success; a failure while it reads is retried like any other.
    ///
    /// All attempts of a call carry the same `X-Request-Id`, so to the system they are one
    /// call.
    pub(crate) async fn call<T, F, Fut>(&self, request: Request, read: F) -> Result<T, ApiError>
    where
        T: Send,
        F: Fn(Response) -> Fut + Sync,
        Fut: Future<Output = Result<T, ApiError>> + Send,
    {
        let slot = Slot::new();
        let read =
            |response| -> Reading<'_> { Box::pin(read(response).map(|read| slot.fill(read))) };
        self.answered(request, &read).await?;
        slot.take()
    }

    /// A call that only has to succeed.
    pub(crate) fn done(&self, request: Request) -> Reading<'_> {
        self.answered(request, &|_| Box::pin(ready(Ok(()))))
    }

    /// A call whose response is passed to `read`.
    pub(crate) fn answered<'r>(&'r self, request: Request, read: &'r Read<'r>) -> Reading<'r> {
        let id = random_id(self.runtime());
        let span = debug_span!("velora.call", operation = request.operation(), request_id = %id);
        let request = request
            .below(&self.0.settings.base_url)
            .header("User-Agent", USER_AGENT)
            .header("X-Request-Id", &id);
        let started = self.runtime().monotonic();
        let deadline = started.saturating_add(self.0.settings.call_timeout);
        let attempts = self.attempts(request, id, deadline, read);
        // If spans are compiled out, their code is left out too.
        match span.is_disabled() {
            true => Box::pin(attempts),
            false => Box::pin(attempts.instrument(span)),
        }
    }

    /// A call whose response is JSON, which `read` parses.
    pub(crate) async fn json_text<T: Send>(
        &self,
        request: Request,
        read: fn(&str) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let read = |text: String| {
            json::check(&text).map_err(|fault| unreadable(&text, fault))?;
            read(&text)
        };
        self.text(request, read).await
    }

    /// A call whose response is text, which `read` parses.
    pub(crate) async fn text<T: Send>(
        &self,
        request: Request,
        read: impl Fn(String) -> Result<T, ApiError> + Sync,
    ) -> Result<T, ApiError> {
        let (slot, limit) = (Slot::new(), self.max_response_bytes());
        let fill = |text| slot.fill(read(text));
        let read = |response: Response| response.text_into(limit, &fill);
        self.answered(request, &read).await?;
        slot.take()
    }

    /// The rate limit, according to the last response that mentioned it.
    pub(crate) fn rate_limit(&self) -> RateLimit {
        *self
            .0
            .rate_limit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        &self.0.settings.base_url
    }

    pub(crate) fn retry(&self) -> RetryOptions {
        self.0.settings.retry
    }

    pub(crate) fn runtime(&self) -> &dyn Runtime {
        &*self.0.settings.runtime
    }

    pub(crate) fn max_response_bytes(&self) -> usize {
        self.0.settings.max_response_bytes
    }

    async fn attempts(
        &self,
        request: Request,
        id: String,
        deadline: Duration,
        read: &Read<'_>,
    ) -> Result<(), ApiError> {
        running(self.runtime())?;
        let retry = self.0.settings.retry;
        let mut attempts = 0_u32;
        let (mut perhaps_done, mut paid) = (false, false);
        loop {
            let outcome = match self.pass(request.method(), deadline).await {
                Ok(()) => {
                    attempts = attempts.saturating_add(1);
                    let attempt = self.attempt(request.clone(), (&id, attempts), read);
                    let attempt = Box::pin(attempt);
                    // The deadline is of the whole call: an attempt gets what is left of it.
                    let left = deadline.saturating_sub(self.runtime().monotonic());
                    match select(attempt, self.runtime().sleep(left)).await {
                        Either::Left((outcome, _)) => outcome,
                        Either::Right(_) => Err(too_late()),
                    }
                }
                shut => shut,
            };
            let error = match outcome {
                Ok(()) => {
                    self.0.budget.succeeded(paid);
                    return Ok(());
                }
                Err(error) => error
                    .with_attempts(attempts)
                    .with_request_id(&id)
                    .with_perhaps_done(perhaps_done),
            };
            perhaps_done |= error.leaves_open();
            debug!(code = %error.code(), status = error.status(), attempts, "attempt failed");
            // Of what must not be repeated it may not be said that it was not carried out.
            let refused = request.is_idempotent() || request.method() == Method::Get;
            if refused && error.kind().is_retryable() && retry.is_too_long(error.retry_after()) {
                return Err(error.with_kind(ApiErrorKind::RateLimited));
            }
            let delay = retry.next_delay(&error, request.is_idempotent(), self.runtime().random());
            // A wait beyond the deadline would only delay the error.
            let by = |delay| self.runtime().monotonic().saturating_add(delay);
            let Some(delay) = delay.filter(|delay| by(*delay) < deadline) else {
                return Err(error);
            };
            // The budget is for outages: who waits as asked adds to nobody's load.
            if error.leaves_open() || error.retry_after().is_none() {
                if !self.0.budget.take() {
                    return Err(error);
                }
                paid = true;
            }
            self.runtime().sleep(delay).await;
        }
    }

    /// Waits until the system accepts such requests again: a 429 concerns the key, not only the
    /// call that it responded to. If the wait is too long, nothing is sent.
    async fn pass(&self, method: Method, deadline: Duration) -> Result<(), ApiError> {
        loop {
            let now = self.runtime().monotonic();
            let left = self.0.gate.left(method, now);
            if left.is_zero() {
                return Ok(());
            }
            let delay = Some(left);
            if self.retry().is_too_long(delay) || now.saturating_add(left) >= deadline {
                let reason = "an earlier 429 asked for a longer wait than this call allows";
                return Err(
                    ApiError::new(ApiErrorKind::RateLimited, reason).with_retry_after(delay)
                );
            }
            self.runtime().sleep(left).await;
        }
    }

    async fn attempt(
        &self,
        request: Request,
        (id, attempts): (&str, u32),
        read: &Read<'_>,
    ) -> Result<(), ApiError> {
        let (name, value) = self.0.settings.auth.to_header().await?;
        let (conditional, keeps) = (request.is_conditional(), request.keeps_answer());
        let (method, keyed) = (request.method(), request.is_keyed());
        let request = request.header(name, &value);
        let response = self.0.settings.transport.send(request).await?;
        let mut response = response.answering(id, attempts, credential(&value));
        debug!(status = response.status(), "answered");
        let (now, answered) = (self.runtime().now(), self.runtime().monotonic());
        let status = response.status();
        // The delay of a 503 concerns only this call, and is not about a rate limit.
        let hold_back = |asked| {
            if let (429, Some(delay)) = (status, asked) {
                self.0.gate.shut(method, answered, delay);
            }
        };
        // All others wait from here on, not when the body has come.
        hold_back(asked_delay(&response, now));
        if let Some(read) = RateLimit::read(&response, now) {
            let mut limit = self
                .0
                .rate_limit
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *limit = read;
        }
        let exchange = response.exchange();
        let outcome = match problem::kind_of(status, conditional) {
            Some(kind) => {
                let patience = self.runtime().sleep(problem::PATIENCE);
                let error = problem::error_of(kind, response, now, patience, keyed).await;
                hold_back(error.retry_after());
                Err(error)
            }
            None => {
                let head = keeps.then(|| response.keep_head());
                let malformed = |error: &ApiError| error.kind() == ApiErrorKind::MalformedResponse;
                read(response).await.map_err(|error| match head {
                    Some(head) if malformed(&error) => error.with_raw(head.to_text()),
                    _ => error,
                })
            }
        };
        outcome.map_err(|error| error.found_in(&exchange).without(credential(&value)))
    }
}

fn too_late() -> ApiError {
    ApiError::new(ApiErrorKind::Timeout, "the whole call took too long")
}
