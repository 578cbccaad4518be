//! Cancelling a call.

use std::sync::Arc;

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

/// The outcome of a call, or `aborted` if it was cancelled first.
pub(crate) async fn unless_cancelled<T, E: Into<Failure>>(
    cancel: Option<NativeCancel>,
    call: impl Future<Output = Result<T, E>>,
) -> Answer<T> {
    let Some(cancel) = cancel else {
        return answer(call.await);
    };
    select! {
        outcome = call => answer(outcome),
        () = cancel.asked.notified() => napi::bindgen_prelude::Either::B(Failure::aborted()),
    }
}
