//! Streams that JavaScript asks for one thing after the other.

use std::sync::Arc;

use napi::tokio::select;
use napi::tokio::sync::{Mutex, watch};
use velora_core::ApiError;
use velora_core::health::RawEvent;

use crate::cancel::{NativeCancel, unless_cancelled};
use crate::failure::Answer;

/// A stream until it is closed; what it has under way ends with it.
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

impl<S> Held<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: Arc::new(Mutex::new(Some(stream))),
            closed: watch::Sender::new(false),
        }
    }

    /// The next thing; nothing at the end, or once it is closed.
    pub(crate) async fn next<T>(
        &self,
        cancel: Option<NativeCancel>,
        next: impl AsyncFnOnce(&mut S) -> Option<Result<T, ApiError>>,
    ) -> Answer<Option<T>> {
        let mut closed = self.closed.subscribe();
        unless_cancelled(cancel, async {
            let mut stream = self.stream.lock().await;
            let Some(stream) = stream.as_mut() else {
                return Ok(None);
            };
            select! {
                value = next(stream) => value.transpose(),
                _ = closed.wait_for(|closed| *closed) => Ok(None),
            }
        })
        .await
    }

    /// Does not wait for what is under way: that ends, and gives nothing.
    pub(crate) async fn close(&self) {
        self.closed.send_replace(true);
        self.stream.lock().await.take();
    }
}

/// Events as one text: a JSON array, with a line's end behind each but the last.
///
/// It can be read at once, or taken apart at `"\n,"`, which stands nowhere else: within an
/// event there are no line's ends.
pub(crate) fn array_of<'e>(events: impl Iterator<Item = &'e RawEvent>) -> String {
    let mut text = String::from("[");
    for event in events {
        if text.len() > 1 {
            text.push_str("\n,");
        }
        text.push_str(&event.as_line());
    }
    text.push(']');
    text
}
