//! The contract for waiting and for background work.

use std::future::{self, Future};
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

/// A clock that can also sleep, and run work in the background: fetching the next page while
/// the caller works on this one, or several parts of an export at once.
pub trait Runtime: Clock {
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Runs `work` to completion in the background.
    fn spawn(&self, work: BoxFuture<'static, ()>);

    /// Whether `sleep` and `spawn` work on this thread now. A call elsewhere is
    /// `invalid_request`. By default they work everywhere.
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    fn is_running(&self) -> bool {
        true
    }

    /// A random number, for the jitter of waits and for ids. No two processes may get the same
    /// numbers, not even after a fork. By default it comes from the operating system; on
    /// `wasm32-unknown-unknown` the host must provide it.
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    fn random(&self) -> u64 {
        getrandom::u64().unwrap_or_else(|_| number_of_its_own())
    }

    /// A random number, for the jitter of waits and for ids. No two processes may get the same
    /// numbers. There is no default, because there is no operating system here.
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    fn random(&self) -> u64;
}

impl<R: Runtime + ?Sized> Runtime for Arc<R> {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        (**self).spawn(work);
    }

    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    fn is_running(&self) -> bool {
        (**self).is_running()
    }

    fn random(&self) -> u64 {
        (**self).random()
    }
}

/// Errors: `invalid_request` outside of the runtime.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) fn running(runtime: &dyn Runtime) -> Result<(), ApiError> {
    match runtime.is_running() {
        true => Ok(()),
        false => Err(ApiError::new(
            ApiErrorKind::InvalidRequest,
            "the call was made outside of its runtime, which is tokio unless another was given",
        )),
    }
}

/// The host of a module is its runtime.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) fn running(_: &dyn Runtime) -> Result<(), ApiError> {
    Ok(())
}

/// For a system without a source of randomness: a number that no other process gets, and this
/// one never again. It can be guessed, which is acceptable for an id.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn number_of_its_own() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::SystemTime;

    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let given = GIVEN.fetch_add(1, Ordering::Relaxed);
    let mut hasher = DefaultHasher::new();
    (std::process::id(), SystemTime::now(), given).hash(&mut hasher);
    hasher.finish()
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
        // Behind this the code is the same for all work.
        let work: BoxFuture<'static, ()> = match running(runtime) {
            Ok(()) => Box::pin(async move {
                // Nobody waits any more: nothing to tell.
                let _ = sender.send(work.await);
            }),
            Err(error) => {
                let _ = sender.send(Err(error));
                Box::pin(future::ready(()))
            }
        };
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_number_comes_twice_where_the_system_gives_none() {
        let numbers: HashSet<u64> = (0..10_000).map(|_| number_of_its_own()).collect();
        assert_eq!(numbers.len(), 10_000);
    }
}
