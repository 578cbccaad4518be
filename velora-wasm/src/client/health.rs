//! The client of the audit API.

use std::rc::Rc;

use velora_core::api::ClientOptions;
use velora_core::health::{
    AuditEvent, Client, EventQuery, Export, ExportQuery, Pages, Progress, RawEvent, Truncation,
    Window,
};
use velora_core::{ApiKey, ConfigError};

use super::host::{HostRuntime, HostTransport};
use super::streams::{self, Held, events};
use crate::frame::{self, Items};
use crate::number::whole;
use crate::task::{self, Ended, tell};
use crate::{failure, handles};

/// How many rows are handed over at once: enough to make the crossing cheap, few enough
/// not to block the event loop.
const CHUNK: usize = 1_000;

/// The items of options and queries: text, and numbers of eight bytes.
mod tag {
    pub(super) const API_KEY: u8 = 0;
    pub(super) const BASE_URL: u8 = 1;
    pub(super) const ATTEMPTS: u8 = 2;
    /// The first delay, then the longest one.
    pub(super) const BACKOFF: u8 = 3;
    pub(super) const MAX_RETRY_DELAY: u8 = 4;
    pub(super) const CALL_TIMEOUT: u8 = 5;
    pub(super) const MAX_RESPONSE_BYTES: u8 = 6;
    pub(super) const CONNECT_TIMEOUT: u8 = 7;
    pub(super) const READ_TIMEOUT: u8 = 8;

    pub(super) const ACTION: u8 = 0;
    pub(super) const RESOURCE_TYPE: u8 = 1;
    pub(super) const PHI_INVOLVED: u8 = 2;
    pub(super) const SINCE: u8 = 3;
    pub(super) const UNTIL: u8 = 4;
    pub(super) const LIMIT: u8 = 5;
    pub(super) const CURSOR: u8 = 6;
    pub(super) const CONCURRENCY: u8 = 7;
    pub(super) const PROGRESS: u8 = 8;
}

exports! {
    /// Creates a client from the options in the frame. Times are in seconds; absent options
    /// have the core's defaults. The host applies the timeouts of connecting and reading.
    ///
    /// Errors: `invalid_api_key`, `invalid_base_url`, `invalid_option`.
    fn health_client(items: usize) -> f64 {
        failure::number(frame::read(items, 0, |items, _| client(Items(items)).map(handles::put)))
    }

    /// Returns the base URL of the API.
    fn base_url(at: usize) {
        if let Ok(client) = handles::of::<Client>(at) {
            frame::say(client.base_url().as_str().as_bytes().to_vec());
        }
    }

    /// Returns the rate limit, what remains of it, when it resets, and until when to wait.
    fn rate_limit(at: usize) {
        if let Ok(client) = handles::of::<Client>(at) {
            let limit = client.rate_limit();
            let count = |count: Option<u64>| count.map_or(f64::NAN, |count| count as f64);
            let time = |at: Option<jiff::Timestamp>| at.map_or(f64::NAN, |at| at.as_millisecond() as f64);
            let numbers = [count(limit.limit), count(limit.remaining), time(limit.reset), time(limit.retry_at)];
            frame::say(frame::numbers(numbers));
        }
    }

    /// Starts requesting one event.
    fn probe(at: usize) -> u32 {
        ask(at, async |client| {
            client.probe().await?;
            Ok(Vec::new())
        })
    }

    /// Creates a stream of pages for the query in the frame.
    fn events_pages(at: usize, items: usize) -> f64 {
        failure::number(frame::read(items, 0, |items, _| {
            let query = event_query(Items(items))?;
            let pages = handles::of::<Client>(at)?.events(query).pages();
            Ok::<_, ConfigError>(handles::put(Held::new(Some(pages))))
        }))
    }

    /// Starts requesting the next page.
    fn next_page(at: usize) -> u32 {
        streams::next(at, async |mut pages: Pages| {
            let page = pages.next().await;
            let read = |page: velora_core::health::Page| {
                events(f64::NAN, &mut page.raw(), page.next_cursor())
            };
            (pages, page.map(|page| page.map(read)))
        })
    }

    /// Starts requesting the event with the id in the frame; ends with it as it was received.
    fn event(at: usize, id: usize) -> u32 {
        let id = text_of(id);
        ask(at, async move |client| {
            let event = client.event(&id).await?;
            Ok(event.raw().as_line().into_owned().into_bytes())
        })
    }

    /// Creates a stream of the rows of an export for the query in the frame.
    fn export(at: usize, items: usize) -> f64 {
        failure::number(frame::read(items, 0, |items, _| {
            let query = export_query(Items(items))?;
            let rows = handles::of::<Client>(at)?.export(query).raw();
            Ok::<_, ConfigError>(handles::put(Held::new(Some(rows))))
        }))
    }

    /// Starts requesting the next rows.
    fn next_rows(at: usize) -> u32 {
        streams::next(at, async |mut export: Export<RawEvent>| {
            let rows = export.next_chunk(CHUNK).await;
            let read = |rows: Vec<RawEvent>| events(f64::NAN, &mut rows.into_iter(), None);
            (export, rows.map(|rows| rows.map(read)))
        })
    }

    /// Starts one export call; ends with whether the cap truncated it, and its rows.
    fn export_once(at: usize, items: usize) -> u32 {
        let query = match frame::read(items, 0, |items, _| export_query(Items(items))) {
            Ok(query) => query,
            Err(error) => return task::refused(error),
        };
        ask(at, async move |client| {
            let exported = client.export_once(query).await?;
            let truncation = match exported.truncation() {
                Truncation::Yes => 0.0,
                Truncation::No => 1.0,
                _ => 2.0,
            };
            Ok(events(truncation, &mut exported.raw(), None))
        })
    }

    /// Returns an event's JSON on one line.
    ///
    /// Errors: `malformed_response` if it is not a JSON object.
    fn line_of_event(json: usize) -> f64 {
        failure::number(AuditEvent::from_json(text_of(json)).map(|event| {
            frame::say(event.raw().as_line().into_owned().into_bytes());
            0.0
        }))
    }

    /// Whether the string in the frame is an instant in the form of a listed event's `timestamp`.
    fn is_instant(text: usize) -> u32 {
        let text = text_of(text);
        Window::parse(&text, &text).is_ok().into()
    }

    /// Returns the key of a listed event (given in JSON), which its delivery has too; or nothing.
    fn key_of_event(json: usize) {
        let event = AuditEvent::from_json(text_of(json));
        let key = event.ok().and_then(|event| event.key());
        frame::say(key.map_or_else(Vec::new, |key| key.as_str().as_bytes().to_vec()));
    }

    /// Returns the `details` or the `fields_accessed` of a listed event, in JSON; or nothing.
    fn json_of_event(json: usize, fields_accessed: u32) {
        let event = AuditEvent::from_json(text_of(json));
        let read = match fields_accessed {
            0 => AuditEvent::details,
            _ => AuditEvent::fields_accessed,
        };
        let value = event.ok().and_then(|event| read(&event));
        frame::say(value.map_or_else(Vec::new, |value| value.as_str().as_bytes().to_vec()));
    }
}

/// Starts a call of a client.
pub(super) fn ask(at: usize, ask: impl AsyncFnOnce(Rc<Client>) -> Ended + 'static) -> u32 {
    match handles::of(at) {
        Ok(client) => task::start(ask(client)),
        Err(error) => task::refused(error),
    }
}

/// The text in the frame.
pub(super) fn text_of(length: usize) -> String {
    frame::read(length, 0, |text, _| frame::text(text).to_owned())
}

fn client(items: Items<'_>) -> Result<Client, ConfigError> {
    let key = ApiKey::new(text(items, tag::API_KEY).unwrap_or_default())?;
    let attempts = number(items, tag::ATTEMPTS).map(|number| whole("attempts", number));
    let bytes = number(items, tag::MAX_RESPONSE_BYTES);
    let bytes = bytes.map(|number| whole("max_response_bytes", number));
    let mut backoff = { items }.filter(|(tag, _)| *tag == tag::BACKOFF);
    let backoff = backoff.next().zip(backoff.next());
    let options = ClientOptions {
        base_url: text(items, tag::BASE_URL),
        proxy: None,
        attempts: attempts.transpose()?,
        backoff: backoff.map(|((_, base), (_, max))| (double(base), double(max))),
        max_retry_delay: number(items, tag::MAX_RETRY_DELAY),
        connect_timeout: number(items, tag::CONNECT_TIMEOUT),
        read_timeout: number(items, tag::READ_TIMEOUT),
        call_timeout: number(items, tag::CALL_TIMEOUT),
        max_response_bytes: bytes.transpose()?,
    };
    let builder = Client::builder(key).with_options(options)?;
    let transport = HostTransport::new(builder.connect_timeout(), builder.read_timeout());
    builder
        .with_transport(transport)
        .with_runtime(HostRuntime)
        .build()
}

fn event_query(items: Items<'_>) -> Result<EventQuery, ConfigError> {
    let mut query = EventQuery::new();
    if let Some(action) = text(items, tag::ACTION) {
        query = query.with_action(action);
    }
    if let Some(resource_type) = text(items, tag::RESOURCE_TYPE) {
        query = query.with_resource_type(resource_type);
    }
    if let Some(phi_involved) = flag(items, tag::PHI_INVOLVED) {
        query = query.with_phi_involved(phi_involved);
    }
    let (since, until) = (text(items, tag::SINCE), text(items, tag::UNTIL));
    // It is an instant if it is accepted as the start or the end of a window.
    let bounds = since
        .as_deref()
        .or(until.as_deref())
        .zip(until.as_deref().or(since.as_deref()));
    if let Some((from, to)) = bounds {
        let window = Window::parse(from, to)?;
        if since.is_some() {
            query = query.with_since(window.since());
        }
        if until.is_some() {
            query = query.with_until(window.until());
        }
    }
    if let Some(limit) = number(items, tag::LIMIT) {
        query = query.with_limit(whole("limit", limit)?)?;
    }
    match text(items, tag::CURSOR) {
        Some(cursor) => query.with_cursor(cursor),
        None => Ok(query),
    }
}

fn export_query(items: Items<'_>) -> Result<ExportQuery, ConfigError> {
    let instant = |tag| text(items, tag).unwrap_or_default();
    let mut query = ExportQuery::new(Window::parse(&instant(tag::SINCE), &instant(tag::UNTIL))?);
    if let Some(phi_involved) = flag(items, tag::PHI_INVOLVED) {
        query = query.with_phi_involved(phi_involved);
    }
    if let Some(calls) = number(items, tag::CONCURRENCY) {
        query = query.with_concurrency(whole("concurrency", calls)?)?;
    }
    Ok(match number(items, tag::PROGRESS) {
        Some(number) => query.on_progress(move |made| report(number as u32, &made)),
        None => query,
    })
}

/// Times in milliseconds.
fn report(number: u32, made: &Progress) {
    let time = |at: jiff::Timestamp| at.as_millisecond() as f64;
    let numbers = frame::numbers([
        time(made.window.since()),
        time(made.window.until()),
        time(made.done_until),
        made.rows as f64,
        made.leaves as f64,
        made.calls as f64,
    ]);
    task::tell_of(tell::PROGRESS, number, &[&numbers]);
}

fn text(items: Items<'_>, wanted: u8) -> Option<String> {
    let (_, bytes) = { items }.find(|(tag, _)| *tag == wanted)?;
    Some(frame::text(bytes).to_owned())
}

fn number(items: Items<'_>, wanted: u8) -> Option<f64> {
    let (_, bytes) = { items }.find(|(tag, _)| *tag == wanted)?;
    Some(double(bytes))
}

fn flag(items: Items<'_>, wanted: u8) -> Option<bool> {
    number(items, wanted).map(|flag| flag != 0.0)
}

fn double(bytes: &[u8]) -> f64 {
    bytes
        .first_chunk()
        .map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes))
}
