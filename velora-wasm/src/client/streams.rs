//! Streams from which the host requests one item after the other.

use std::cell::Cell;
use std::rc::Rc;

use velora_core::ApiError;
use velora_core::health::RawEvent;

use crate::frame::{self, item};
use crate::{handles, task};

/// A stream. During a request it is owned by the task, so ending the task ends the stream.
pub(super) type Held<S> = Cell<Option<S>>;

/// Starts requesting the next item. Ends with nothing at the end of the stream.
pub(super) fn next<S: 'static, F>(at: usize, next: impl FnOnce(S) -> F + 'static) -> u32
where
    F: Future<Output = (S, Option<Result<Vec<u8>, ApiError>>)> + 'static,
{
    let held: Rc<Held<S>> = match handles::of(at) {
        Ok(held) => held,
        Err(error) => return task::refused(error),
    };
    task::start(async move {
        let Some(stream) = held.take() else {
            return Ok(Vec::new());
        };
        let (stream, given) = next(stream).await;
        held.set(Some(stream));
        Ok(given.transpose()?.unwrap_or_default())
    })
}

/// The items of several events.
mod tag {
    pub(super) const EVENTS: u8 = 0;
    pub(super) const NEXT_CURSOR: u8 = 1;
}

/// A number of the caller's, how many events there are, their text, and where the next page
/// starts.
///
/// The text is a JSON array with a line feed after each event but the last. It can be parsed as
/// a whole, or split at each line feed and the comma after it: there is no line feed within an
/// event.
pub(super) fn events(
    number: f64,
    events: &mut dyn Iterator<Item = RawEvent>,
    next_cursor: Option<&str>,
) -> Vec<u8> {
    let (mut text, mut count) = (String::from("["), 0.0);
    for event in events {
        if text.len() > 1 {
            text.push_str("\n,");
        }
        text.push_str(&event.as_line());
        count += 1.0;
    }
    text.push(']');
    let mut told = frame::numbers([number, count]);
    item(&mut told, tag::EVENTS, &[text.as_bytes()]);
    if let Some(cursor) = next_cursor {
        item(&mut told, tag::NEXT_CURSOR, &[cursor.as_bytes()]);
    }
    told
}
