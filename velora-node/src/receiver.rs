//! The receiver: JavaScript runs the handler, the core decides everything else.

use std::future::{Future, ready};
use std::sync::Arc;

use napi::bindgen_prelude::{Either, Function, Promise, PromiseRaw, Result, Uint8Array};
use napi::tokio::sync::Mutex;
use napi::{Env, Error, Status};
use napi_derive::napi;
use velora_core::dedupe::Epoch;
use velora_core::{Envelope, Key, Outcome, Receiver, Reply, Work};

use crate::failure::{Answer, Failure, answer};
use crate::fast::Verdict;
use crate::headers::Values;
use crate::number::whole;
use crate::store::NativeStore;
use crate::verifier::NativeVerifier;

/// The core's receiver.
#[napi]
pub struct NativeReceiver {
    receiver: Receiver,
}

/// The reply to a request.
#[napi(object, object_from_js = false)]
pub struct ReplyParts {
    pub status: u16,
    /// Whole seconds.
    pub retry_after: Option<f64>,
    pub outcome: &'static str,
    pub code: Option<&'static str>,
    /// The core's [`Outcome::reason`].
    pub reason: Option<Failure>,
}

impl From<Reply> for ReplyParts {
    fn from(reply: Reply) -> Self {
        Self {
            status: reply.status,
            retry_after: reply.retry_after_seconds().map(|seconds| seconds as f64),
            outcome: reply.outcome.as_str(),
            code: reply.outcome.code().map(|code| code.as_str()),
            reason: reply.outcome.reason().map(Failure::from),
        }
    }
}

/// The outcome of back-filling a listed event.
#[napi(object, object_from_js = false)]
pub struct OutcomeParts {
    pub outcome: &'static str,
    pub code: Option<&'static str>,
    /// Seconds.
    pub retry_after: Option<f64>,
    /// The core's [`Outcome::reason`].
    pub reason: Option<Failure>,
}

impl From<Outcome> for OutcomeParts {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome: outcome.as_str(),
            code: outcome.code().map(|code| code.as_str()),
            reason: outcome.reason().map(Failure::from),
            retry_after: match outcome {
                Outcome::InFlight { retry_after } => Some(retry_after.as_secs_f64()),
                _ => None,
            },
        }
    }
}

#[napi]
impl NativeReceiver {
    /// Errors: `invalid_option` if the limit is not a valid number of bytes.
    #[napi(catch_unwind)]
    pub fn create(
        verifier: &NativeVerifier,
        store: &NativeStore,
        body_limit: Option<f64>,
    ) -> Answer<NativeReceiver> {
        let receiver = Receiver::new((*verifier.verifier).clone(), Arc::clone(&store.store));
        let limit = body_limit.map(|bytes| whole("bodyLimit", bytes));
        answer(limit.transpose().map(|limit| Self {
            receiver: match limit {
                Some(bytes) => receiver.with_body_limit(bytes),
                None => receiver,
            },
        }))
    }

    #[napi(getter, catch_unwind)]
    pub fn body_limit(&self) -> f64 {
        self.receiver.body_limit() as f64
    }

    /// Returns the work to do, or the reply to send at once.
    #[napi(catch_unwind)]
    pub fn begin<'env>(
        &self,
        env: &'env Env,
        body: Uint8Array,
        values: Vec<Vec<String>>,
    ) -> Result<PromiseRaw<'env, Either<NativeWork, ReplyParts>>> {
        let receiver = self.receiver.clone();
        env.spawn_future(async move {
            let headers = Values::new(receiver.verifier(), &values);
            let begun = receiver.begin_event::<_, Envelope>(&body, &headers).await;
            Ok(match begun {
                Ok((work, _)) => Either::A(NativeWork::of(work)),
                Err(reply) => Either::B(reply.into()),
            })
        })
    }

    /// The reply to a request whose body could not be read to its end.
    #[napi(catch_unwind)]
    pub fn unreadable(&self) -> ReplyParts {
        self.receiver.reply(Outcome::BodyUnreadable).into()
    }

    /// Handles a listed event by the same rules as a delivered one. `handler` returns
    /// whether it succeeded, and must never fail.
    #[napi(catch_unwind)]
    pub fn backfill<'env>(
        &self,
        env: &'env Env,
        key: String,
        handler: Function<'_, (), Promise<bool>>,
    ) -> Result<PromiseRaw<'env, OutcomeParts>> {
        let receiver = self.receiver.clone();
        let handler = handler.build_threadsafe_function().weak::<true>().build()?;
        env.spawn_future(async move {
            let handle = async || match handler.call_async(()).await?.await? {
                true => Ok(()),
                false => Err(Error::from_status(Status::GenericFailure)),
            };
            Ok(receiver
                .backfill(Key::from(key.as_str()), handle)
                .await
                .into())
        })
    }
}

/// A genuine event that is claimed for the caller to handle.
#[napi]
pub struct NativeWork {
    verdict: String,
    key: String,
    epoch: Epoch,
    work: Arc<Mutex<Option<Work<'static>>>>,
}

impl NativeWork {
    fn of(work: Work<'_>) -> Self {
        Self {
            verdict: Verdict::of(work.delivery(), true).into_text(),
            key: work.key().as_str().to_owned(),
            epoch: work.epoch(),
            work: Arc::new(Mutex::new(Some(work.into_owned()))),
        }
    }

    /// Ends the work, once.
    fn end<'env, F>(
        &self,
        env: &'env Env,
        end: fn(Work<'static>) -> F,
    ) -> Result<PromiseRaw<'env, Option<ReplyParts>>>
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let work = Arc::clone(&self.work);
        env.spawn_future(async move {
            Ok(match work.lock().await.take() {
                Some(work) => Some(end(work).await.into()),
                None => None,
            })
        })
    }
}

#[napi]
impl NativeWork {
    /// The verified delivery: see [`Verdict`].
    #[napi(catch_unwind)]
    pub fn take_verdict(&mut self) -> String {
        std::mem::take(&mut self.verdict)
    }

    /// The key that was claimed.
    #[napi(getter, catch_unwind)]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The claim's epoch.
    #[napi(getter, catch_unwind)]
    pub fn epoch(&self) -> f64 {
        self.epoch as f64
    }

    /// The event was handled: commits the claim. Undefined if the work had already ended.
    #[napi(catch_unwind)]
    pub fn done<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Option<ReplyParts>>> {
        self.end(env, Work::done)
    }

    /// The event was handled, and the caller's own transaction has committed the claim.
    /// Undefined if the work had already ended.
    #[napi(catch_unwind)]
    pub fn committed<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Option<ReplyParts>>> {
        self.end(env, |work| ready(work.committed()))
    }

    /// The event was not handled: releases the claim. Undefined if the work had already ended.
    #[napi(catch_unwind)]
    pub fn release<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Option<ReplyParts>>> {
        self.end(env, Work::release)
    }

    /// Renews the lease. Undefined if the work had already ended.
    ///
    /// Errors: `lease_lost`, `store_unavailable`.
    #[napi(catch_unwind)]
    pub fn renew<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Option<Answer<bool>>>> {
        let work = Arc::clone(&self.work);
        env.spawn_future(async move {
            Ok(match work.lock().await.as_ref() {
                Some(work) => Some(answer(work.renew().await.map(|()| true))),
                None => None,
            })
        })
    }
}
