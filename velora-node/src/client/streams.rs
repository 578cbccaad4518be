//! Streams from which JavaScript requests one item after the other.

use std::fmt::Write;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, PromiseRaw, ToNapiValue};
use napi::tokio::select;
use napi::tokio::sync::{Mutex, watch};
use napi_derive::napi;
use velora_core::ApiError;
use velora_core::health::RawEvent;

use crate::cancel::{NativeCancel, promise};
use crate::failure::Answer;

const BLOCK: usize = 64;

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

/// Events, handed over in one go.
///
/// `text` is a JSON array with a line feed after each event but the last. It can be parsed
/// as a whole, or split at each line feed and the comma after it: there is no line feed
/// within an event.
///
/// It is pure ASCII, because a host takes several times as long to make and to read strings
/// of wider characters; all other characters are escaped. If there are any, `own` is the
/// same array as the system sent it, without these escapes.
#[napi(object, object_from_js = false)]
pub struct EventsText {
    pub text: String,
    pub own: Option<Buffer>,
    pub count: u32,
}

impl EventsText {
    pub(crate) fn of(events: impl Iterator<Item = RawEvent>) -> Self {
        let mut text = String::from("[");
        let mut count = 0_u32;
        for event in events {
            if count > 0 {
                text.push_str("\n,");
            }
            text.push_str(&event.as_line());
            count = count.saturating_add(1);
        }
        text.push(']');
        match text.is_ascii() {
            true => Self {
                text,
                own: None,
                count,
            },
            false => Self {
                text: escaped(&text),
                own: Some(text.into_bytes().into()),
                count,
            },
        }
    }
}

/// JSON in ASCII: other characters occur only within its strings, where they can be escaped.
fn escaped(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((plain, wide)) = first_wide(rest).and_then(|at| rest.split_at_checked(at)) {
        ascii.push_str(plain);
        let mut characters = wide.chars();
        if let Some(wide) = characters.next() {
            for unit in wide.encode_utf16(&mut [0; 2]) {
                // Writing to a text does not fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
        rest = characters.as_str();
    }
    ascii.push_str(rest);
    ascii
}

/// Where the first character stands that is not ASCII. Blocks are checked faster than bytes.
fn first_wide(text: &str) -> Option<usize> {
    let blocks = text.as_bytes().chunks(BLOCK);
    let mut blocks = blocks.enumerate().filter(|(_, block)| !block.is_ascii());
    let (at, block) = blocks.next()?;
    let within = block.iter().position(|byte| !byte.is_ascii())?;
    Some(at.saturating_mul(BLOCK).saturating_add(within))
}
