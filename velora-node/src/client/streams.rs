//! Streams that JavaScript asks for one thing after the other.

use std::sync::Arc;

use napi::tokio::sync::Mutex;
use velora_core::ApiError;
use velora_core::health::RawEvent;

use crate::cancel::{NativeCancel, unless_cancelled};
use crate::failure::Answer;

/// A stream until it is closed; what it has under way ends with it.
pub(crate) struct Held<S>(Arc<Mutex<Option<S>>>);

impl<S> Clone for Held<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Held<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    /// The next thing; nothing at the end, or once it is closed.
    pub(crate) async fn next<T>(
        &self,
        cancel: Option<NativeCancel>,
        next: impl AsyncFnOnce(&mut S) -> Option<Result<T, ApiError>>,
    ) -> Answer<Option<T>> {
        unless_cancelled(cancel, async {
            match self.0.lock().await.as_mut() {
                Some(stream) => next(stream).await.transpose(),
                None => Ok(None),
            }
        })
        .await
    }

    pub(crate) async fn close(&self) {
        self.0.lock().await.take();
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
