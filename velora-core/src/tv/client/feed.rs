//! One connection: bytes in, Server-Sent Events out.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventsource_stream::{Event, EventStream, EventStreamError};
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;

use crate::api::{Api, Body, malformed, too_large};
use crate::error::{ApiError, ApiErrorKind};

/// The largest event. A larger one would be read ever more slowly.
const MAX_EVENT: usize = 1 << 20;

/// The body as text, piece by piece.
type Pieces = Pin<Box<dyn Stream<Item = Result<String, ApiError>> + Send>>;

/// A connection that is open.
pub(super) struct Feed {
    events: EventStream<Pieces>,
    heard: Arc<Mutex<Heard>>,
}

/// What a connection has said, beside its events.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// Until when nothing is missing: when something was last heard, and no event was
    /// only half there.
    pub(super) whole_until: Timestamp,
    /// The id of the last place that has one, whether or not an event stood there.
    pub(super) last_id: Option<String>,
    /// How long to wait before connecting again.
    pub(super) retry: Option<Duration>,
}

impl Feed {
    /// Reads a body. After `idle` without a byte, comments included, it has failed.
    pub(super) fn new(api: Api, body: Body, idle: Duration) -> Self {
        let heard = Arc::new(Mutex::new(Heard {
            whole_until: now(&api),
            ..Heard::default()
        }));
        let ear = Ear {
            api,
            body,
            idle,
            heard: Arc::clone(&heard),
            fields: Fields::default(),
            text: Text::default(),
        };
        let pieces = stream::unfold(ear, |mut ear| async {
            let piece = ear.piece().await?;
            Some((piece, ear))
        });
        let pieces: Pieces = Box::pin(pieces);
        Self {
            events: EventStream::new(pieces),
            heard,
        }
    }

    /// The next event; `None` where the system ended the stream.
    ///
    /// Errors: `timeout` after silence; `response_too_large`; `malformed_response`; and
    /// what the transport says.
    pub(super) async fn next(&mut self) -> Option<Result<Event, ApiError>> {
        // The parser's own words may hold what it parsed.
        let fault = |error| match error {
            EventStreamError::Transport(error) => error,
            _ => malformed("the stream is not of Server-Sent Events"),
        };
        Some(self.events.next().await?.map_err(fault))
    }

    /// What was said so far.
    pub(super) fn heard(&self) -> Heard {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }
}

fn now(api: &Api) -> Timestamp {
    Timestamp::from_millisecond(api.runtime().now().as_millis()).unwrap_or_default()
}

struct Ear {
    api: Api,
    body: Body,
    idle: Duration,
    heard: Arc<Mutex<Heard>>,
    fields: Fields,
    text: Text,
}

impl Ear {
    async fn piece(&mut self) -> Option<Result<String, ApiError>> {
        let silence = self.api.runtime().sleep(self.idle);
        let chunk = match select(pin!(self.body.chunk()), silence).await {
            Either::Left((chunk, _)) => chunk?,
            Either::Right(_) => Err(ApiError::new(
                ApiErrorKind::Timeout,
                "nothing was heard on the stream for too long",
            )),
        };
        Some(chunk.and_then(|chunk| {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            self.fields.read(&chunk, &mut heard)?;
            if !self.fields.is_within_event() {
                heard.whole_until = now(&self.api);
            }
            Ok(self.text.push(&chunk))
        }))
    }
}

/// Reads what the parser of events does not give on: how large an event grows, and the
/// `id` and `retry` of blocks without data.
#[derive(Default)]
struct Fields {
    /// The first bytes of the line, enough for any field that counts here.
    line: Vec<u8>,
    after_return: bool,
    /// Bytes of this event so far; comments do not count.
    event: usize,
    id: Option<String>,
}

impl Fields {
    const LINE: usize = 1_024;

    /// Errors: `response_too_large`.
    fn read(&mut self, chunk: &[u8], heard: &mut Heard) -> Result<(), ApiError> {
        for byte in chunk {
            let ends_return = *byte == b'\n' && self.after_return;
            self.after_return = *byte == b'\r';
            match byte {
                b'\n' if ends_return => {}
                b'\n' | b'\r' => self.end_line(heard),
                _ => {
                    if self.line.len() < Self::LINE {
                        self.line.push(*byte);
                    }
                    let comment = self.line.first() == Some(&b':');
                    self.event = self.event.saturating_add(usize::from(!comment));
                }
            }
            if self.event > MAX_EVENT {
                return Err(too_large(MAX_EVENT));
            }
        }
        Ok(())
    }

    fn is_within_event(&self) -> bool {
        self.event > 0
    }

    fn end_line(&mut self, heard: &mut Heard) {
        if self.line.is_empty() {
            self.event = 0;
            let id = self.id.take().filter(|id| !id.is_empty());
            heard.last_id = id.or(heard.last_id.take());
            return;
        }
        let line = String::from_utf8_lossy(&self.line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" if self.line.len() < Self::LINE => self.id = Some(value.to_owned()),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                heard.retry = value
                    .parse()
                    .map(Duration::from_millis)
                    .ok()
                    .or(heard.retry);
            }
            _ => {}
        }
        self.line.clear();
    }
}

/// Makes text of bytes as the format wants it: what is not UTF-8 is replaced, and a mark
/// of the byte order is left out.
#[derive(Default)]
struct Text {
    /// The start of a character that is not yet whole.
    begun: Vec<u8>,
    started: bool,
}

impl Text {
    fn push(&mut self, chunk: &[u8]) -> String {
        self.begun.extend_from_slice(chunk);
        let mut text = String::with_capacity(self.begun.len());
        let mut rest = self.begun.as_slice();
        loop {
            let Err(error) = std::str::from_utf8(rest) else {
                text.push_str(&String::from_utf8_lossy(rest));
                self.begun.clear();
                break;
            };
            let (valid, after) = rest.split_at(error.valid_up_to());
            text.push_str(&String::from_utf8_lossy(valid));
            rest = after;
            let Some(wrong) = error.error_len() else {
                self.begun = rest.to_vec();
                break;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            rest = rest.get(wrong..).unwrap_or_default();
        }
        if !self.started && !text.is_empty() {
            self.started = true;
            if text.starts_with('\u{feff}') {
                text.remove(0);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_whole_however_they_are_chunked() {
        let bytes = [
            b"\xef\xbb\xbfa\xc3\xa9 \xff \xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x82",
            &b"z"[..],
        ]
        .concat();
        let whole = String::from_utf8_lossy(&bytes).into_owned();
        let whole = whole.strip_prefix('\u{feff}').unwrap();
        for size in 1..bytes.len() {
            let mut text = Text::default();
            let pieces = bytes.chunks(size).map(|chunk| text.push(chunk));
            assert_eq!(pieces.collect::<String>(), whole, "{size}");
        }
    }

    #[test]
    fn one_event_cannot_fill_the_memory() {
        for end in ["\n", "\r\n", "\r"] {
            let line = format!("data: 1234567890{end}");
            let (mut fields, mut heard) = (Fields::default(), Heard::default());
            let mut read = |text: &str| fields.read(text.as_bytes(), &mut heard).is_ok();
            let pushed = (0..).take_while(|_| read(&line)).count();
            assert_eq!(pushed, MAX_EVENT / 16, "{end:?}");

            let (mut fields, mut heard) = (Fields::default(), Heard::default());
            let mut read = |text: &str| fields.read(text.as_bytes(), &mut heard).is_ok();
            let event = format!("{line}{end}");
            assert!((0..100_000).all(|_| read(&event) && read(&format!(": ping{end}"))));
        }
    }

    #[test]
    fn hears_what_stands_without_data() {
        for end in ["\n", "\r\n", "\r"] {
            let said = "\u{feff}retry: 45000||id: 7||retry: soon||id:8|data: a||id: 9|";
            let said = said.replace('|', end);
            for size in 1..said.len() {
                let (mut fields, mut heard) = (Fields::default(), Heard::default());
                for chunk in said.as_bytes().chunks(size) {
                    fields.read(chunk, &mut heard).unwrap();
                }
                assert_eq!(heard.retry, Some(Duration::from_secs(45)));
                // The last block has not ended.
                assert_eq!(heard.last_id.as_deref(), Some("8"));
                assert!(fields.is_within_event());
            }
        }
    }
}
