//! The events of a page, as one text.

use std::fmt::Write;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use velora_core::health::RawEvent;

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

/// How many bytes are checked at once, which is faster than one by one.
const BLOCK: usize = 64;

/// Where the first character is that is not ASCII.
fn first_wide(text: &str) -> Option<usize> {
    let blocks = text.as_bytes().chunks(BLOCK);
    let mut blocks = blocks.enumerate().filter(|(_, block)| !block.is_ascii());
    let (at, block) = blocks.next()?;
    let within = block.iter().position(|byte| !byte.is_ascii())?;
    Some(at.saturating_mul(BLOCK).saturating_add(within))
}
