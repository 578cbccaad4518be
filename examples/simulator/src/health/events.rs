//! `GET /events` and `GET /events/{id}`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::data::{Filter, View};
use super::{Scope, authorize, invalid, refuse};
use crate::builder::{CursorMode, Options};
use crate::faults::apply::Active;
use crate::faults::{FaultKind, paging};
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::{Resolution, parse_instant, push_decimal, push_instant};

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
/// Room for an event, so that a page's buffer does not grow while it is written.
const ROW_BYTES: usize = 640;

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(Active(fault)): Extension<Active>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    authorize(&app, &headers, false, Scope::Read)?;
    let query = query.unwrap_or_default();
    let view = app.data.view();
    let cached = app.cache.is_on() && fault.is_none() && !view.has_live();
    if cached && let Some(body) = app.cache.find(&query) {
        return Ok((JSON, body).into_response());
    }
    let params = Params::read(&query)?;
    let range = window(&app.options, &view, params.since, params.until);
    let page = Page::find(&app.options, &view, &params, range)?;
    let body = Bytes::from(page.write(&app.options, &view, &params, fault.as_ref()));
    if cached {
        app.cache.keep(query, &body);
    }
    Ok((JSON, body).into_response())
}

pub(crate) async fn one(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    authorize(&app, &headers, false, Scope::Read)?;
    let view = app.data.view();
    let index = view
        .index_of(&id)
        .ok_or_else(|| refuse(StatusCode::NOT_FOUND, "Event not found"))?;
    let mut body = Vec::with_capacity(ROW_BYTES);
    if app.options.wrapped_event {
        body.extend_from_slice(b"{\"event\":");
    }
    view.writer().push(&mut body, index);
    if app.options.wrapped_event {
        body.push(b'}');
    }
    Ok((JSON, body).into_response())
}

/// The indices in a window, as this server reads one.
pub(super) fn window(
    options: &Options,
    view: &View,
    since: Option<i64>,
    until: Option<i64>,
) -> std::ops::Range<u64> {
    let resolution = options.data.resolution;
    let read = |at: i64| match options.exact_filters {
        true => at,
        false => resolution.floor(at),
    };
    let first = since.map_or(0, |at| view.count_before(read(at)));
    let end = match until.map(read) {
        None => view.count_before(i64::MAX),
        Some(at) if options.inclusive_until => view.count_before(at.saturating_add(1)),
        Some(at) => view.count_before(at),
    };
    first.min(end)..end
}

#[derive(Debug)]
struct Params {
    filter: Filter,
    since: Option<i64>,
    until: Option<i64>,
    limit: usize,
    cursor: Option<String>,
}

impl Params {
    fn read(query: &str) -> Result<Self, Refusal> {
        let mut params = Self {
            filter: Filter::default(),
            since: None,
            until: None,
            limit: 100,
            cursor: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let instant = |name| {
                parse_instant(&value).ok_or_else(|| {
                    invalid(
                        ["query", name],
                        "datetime_parsing",
                        "Input should be a valid datetime",
                    )
                })
            };
            match &*name {
                "action" => params.filter.action = Some(value.into_owned()),
                "resource_type" => params.filter.resource_type = Some(value.into_owned()),
                "phi_involved" => params.filter.phi_involved = Some(read_bool(&value)?),
                "since" => params.since = Some(instant("since")?),
                "until" => params.until = Some(instant("until")?),
                "limit" => params.limit = read_limit(&value)?,
                "cursor" if !value.is_empty() => params.cursor = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(params)
    }
}

fn read_bool(text: &str) -> Result<bool, Refusal> {
    match text {
        "true" | "True" | "1" => Ok(true),
        "false" | "False" | "0" => Ok(false),
        _ => Err(invalid(
            ["query", "phi_involved"],
            "bool_parsing",
            "Input should be a valid boolean",
        )),
    }
}

fn read_limit(text: &str) -> Result<usize, Refusal> {
    let (kind, message) = match text.parse::<i64>() {
        Ok(limit @ 1..=1_000) => return Ok(limit as usize),
        Ok(..=0) => (
            "greater_than_equal",
            "Input should be greater than or equal to 1",
        ),
        Ok(_) => (
            "less_than_equal",
            "Input should be less than or equal to 1000",
        ),
        Err(_) => ("int_parsing", "Input should be a valid integer"),
    };
    Err(invalid(["query", "limit"], kind, message))
}

/// One page: the indices of its events, newest first.
#[derive(Debug)]
struct Page {
    indices: Vec<u64>,
    has_more: bool,
    /// The last event of the page before.
    previous: Option<u64>,
}

impl Page {
    fn find(
        options: &Options,
        view: &View,
        params: &Params,
        range: std::ops::Range<u64>,
    ) -> Result<Self, Refusal> {
        let place = params.cursor.as_deref().and_then(paging::place);
        let (end, previous) = match place {
            None => (range.end, None),
            Some(cursor) => {
                let (end, previous) = read_cursor(options, view, cursor)
                    .ok_or_else(|| invalid(["query", "cursor"], "value_error", "Invalid cursor"))?;
                (range.end.min(end), previous)
            }
        };
        let mut found = (range.start..end)
            .rev()
            .filter(|index| params.filter.is_empty() || view.matches(*index, &params.filter));
        Ok(Self {
            indices: found.by_ref().take(params.limit).collect(),
            has_more: found.next().is_some(),
            previous,
        })
    }

    fn write(
        &self,
        options: &Options,
        view: &View,
        params: &Params,
        fault: Option<&FaultKind>,
    ) -> Vec<u8> {
        let onward = paging::Onward {
            has_more: self.has_more,
            cursor: match self.indices.last() {
                Some(last) if self.has_more => Some(cursor_behind(options, view, *last)),
                _ => None,
            },
        };
        let onward = paging::bend(onward, params.cursor.as_deref(), fault);
        let repeated = self
            .previous
            .filter(|_| fault == Some(&FaultKind::DuplicateRows));
        let given = match paging::is_emptied(fault) {
            true => &[],
            false => &self.indices[..],
        };

        let mut body = Vec::with_capacity(given.len() * ROW_BYTES + 256);
        body.extend_from_slice(b"{\"events\":[");
        let mut writer = view.writer();
        for (place, index) in repeated.iter().chain(given).enumerate() {
            if place > 0 {
                body.push(b',');
            }
            writer.push(&mut body, *index);
        }
        body.extend_from_slice(b"],\"page\":{\"limit\":");
        push_decimal(&mut body, params.limit as u64);
        body.extend_from_slice(match onward.has_more {
            true => b",\"has_more\":true",
            false => b",\"has_more\":false",
        });
        match onward.cursor {
            Some(cursor) => {
                body.extend_from_slice(b",\"next_cursor\":\"");
                body.extend_from_slice(cursor.as_bytes());
                body.extend_from_slice(b"\"}}");
            }
            None => body.extend_from_slice(b",\"next_cursor\":null}}"),
        }
        body
    }
}

/// The cursor for the place after the event: its timestamp and, in the sound mode,
/// its id.
fn cursor_behind(options: &Options, view: &View, index: u64) -> String {
    let mut text = Vec::with_capacity(72);
    let resolution: Resolution = options.data.resolution;
    push_instant(&mut text, view.micros(index), resolution);
    if has_id(options.cursor_mode) {
        text.push(b'|');
        text.extend_from_slice(view.id(index).as_bytes());
    }
    URL_SAFE_NO_PAD.encode(text)
}

fn has_id(mode: CursorMode) -> bool {
    matches!(mode, CursorMode::Sound | CursorMode::Leaky)
}

/// The end of the remaining events, and the last event returned, if it is known.
fn read_cursor(options: &Options, view: &View, cursor: &str) -> Option<(u64, Option<u64>)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    if has_id(options.cursor_mode) {
        let (_, id) = text.split_once('|')?;
        let index = view.index_of(id)?;
        let left_out = u64::from(options.cursor_mode == CursorMode::Leaky);
        return Some((index.saturating_sub(left_out), Some(index)));
    }
    let at = parse_instant(&text)?;
    let end = match options.cursor_mode {
        CursorMode::SloppyRepeat => view.count_before(at + 1),
        _ => view.count_before(at),
    };
    Some((end, None))
}
