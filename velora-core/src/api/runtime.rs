//! What waits, and what works in the background.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, abortable};

use super::BoxFuture;
use crate::clock::Clock;
use crate::error::{ApiError, ApiErrorKind};
use crate::spell::hex;

/// A clock that can also wait, and run work in the background: the next page while
/// the caller is busy with this one, the leaves of an export beside each other.
pub trait Runtime: Clock {
    /// Done after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Runs `work` to its end without anybody waiting for it.
    fn spawn(&self, work: BoxFuture<'static, ()>);

    /// Any number, for the jitter of waits and for ids: random enough that two processes
    /// differ, not for secrets. The standard library keys each of its hashers at random;
    /// where it cannot, as on `wasm32-unknown-unknown`, the host has to.
    fn random(&self) -> u64 {
        RandomState::new().hash_one(0_u8)
    }
}

impl<R: Runtime + ?Sized> Runtime for Arc<R> {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        (**self).spawn(work);
    }

    fn random(&self) -> u64 {
        (**self).random()
    }
}

/// An id that no other process has.
pub(crate) fn random_id(runtime: &dyn Runtime) -> String {
    let mut id = String::with_capacity(32);
    for _ in 0..2 {
        hex(&mut id, &runtime.random().to_be_bytes());
    }
    id
}

/// Work in the background whose result is wanted. Dropping it stops the work.
pub(crate) struct Task<T> {
    result: oneshot::Receiver<Result<T, ApiError>>,
    abort: AbortHandle,
}

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn(
        runtime: &dyn Runtime,
        work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Self {
        let (sender, result) = oneshot::channel();
        // From here on the code is the same for all work.
        let work: BoxFuture<'static, ()> = Box::pin(async move {
            // Nobody waits any more: nothing to tell.
            let _ = sender.send(work.await);
        });
        let (work, abort) = abortable(work);
        runtime.spawn(Box::pin(work.map(drop)));
        Self { result, abort }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, ApiError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.result.poll_unpin(context)).unwrap_or_else(|_| {
            Err(ApiError::new(
                ApiErrorKind::Connection,
                "the runtime stopped before the work was done",
            ))
        }))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}
