//! Streams from which JavaScript requests one item after the other.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi::tokio::select;
use napi::tokio::sync::{Mutex, watch};
use velora_core::ApiError;

use crate::cancel::{NativeCancel, promise};
use crate::failure::Answer;

/// A stream of the core, and what JavaScript is given of it.
pub(crate) trait Stream: Send + 'static {
    type Item: Send + 'static;

    /// The next item; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Result<Self::Item, ApiError>>> + Send;
}

/// A stream until it is closed. Closing it drops the request in progress.
pub(crate) struct Held<S> {
    stream: Arc<Mutex<Option<S>>>,
    closed: watch::Sender<bool>,
}

impl<S> Clone for Held<S> {
    fn clone(&self) -> Self {
        Self {
            stream: Arc::clone(&self.stream),
            closed: self.closed.clone(),
        }
    }
}

impl<S: Stream> Held<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: Arc::new(Mutex::new(Some(stream))),
            closed: watch::Sender::new(false),
        }
    }

    /// The next item; null at the end, or once the stream is closed.
    pub(crate) fn next<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> napi::Result<PromiseRaw<'env, Answer<Option<S::Item>>>>
    where
        Answer<Option<S::Item>>: ToNapiValue,
    {
        let held = self.clone();
        promise(env, cancel, async move {
            let mut closed = held.closed.subscribe();
            let mut stream = held.stream.lock().await;
            let Some(stream) = stream.as_mut() else {
                return Ok(None);
            };
            select! {
                item = stream.next() => item.transpose(),
                _ = closed.wait_for(|closed| *closed) => Ok(None),
            }
        })
    }

    /// Does not wait for a request in progress, which is dropped and yields nothing.
    pub(crate) fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let held = self.clone();
        env.spawn_future(async move {
            held.closed.send_replace(true);
            held.stream.lock().await.take();
            Ok(())
        })
    }
}
