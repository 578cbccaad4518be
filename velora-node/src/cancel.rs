//! Cancelling a call.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Either, PromiseRaw, ToNapiValue};
use napi::tokio::select;
use napi::tokio::sync::Notify;
use napi_derive::napi;

use crate::failure::{Answer, Failure, answer};

/// Cancels the one call that it is passed to.
#[napi]
#[derive(Clone, Default)]
pub struct NativeCancel {
    asked: Arc<Notify>,
}

#[napi]
impl NativeCancel {
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the call. A request in progress is dropped.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.asked.notify_one();
    }
}

/// A call as a promise, which is answered with `aborted` if the call is cancelled first.
pub(crate) fn promise<'env, T, E>(
    env: &'env Env,
    cancel: Option<&NativeCancel>,
    call: impl Future<Output = Result<T, E>> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, Answer<T>>>
where
    T: Send + 'static,
    E: Into<Failure>,
    Answer<T>: ToNapiValue,
{
    let cancel = cancel.cloned();
    env.spawn_future(async move {
        let Some(cancel) = cancel else {
            return Ok(answer(call.await));
        };
        Ok(select! {
            outcome = call => answer(outcome),
            () = cancel.asked.notified() => Either::B(Failure::aborted()),
        })
    })
}
