//! `POST /export?format=ndjson`.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;

use super::data::{Filter, View};
use super::events::window;
use super::{Scope, authorize, invalid};
use crate::builder::ExportOrder;
use crate::faults::FaultKind;
use crate::faults::apply::Active;
use crate::faults::body::in_style;
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::{mix, parse_instant};

const CHUNK_BYTES: usize = 64 << 10;
/// With duplicated rows, every so many rows one comes twice.
const DUPLICATE_EVERY: usize = 50;

pub(crate) async fn export(
    State(app): State<Arc<App>>,
    Extension(Active(fault)): Extension<Active>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&app, &headers, true, Scope::Export)?;
    check_format(&query.unwrap_or_default())?;
    let asked = Asked::read(&body)?;
    let view = app.data.view();
    let range = window(&app.options, &view, asked.since, asked.until);
    let mut rows = Rows::find(&view, range, &asked.filter, &app.options);
    if fault == Some(FaultKind::DuplicateRows) {
        rows.duplicate();
    }

    let truncated = rows.truncated;
    let cached = app.cache.is_on() && fault.is_none() && !view.has_live();
    let key = cached.then(|| format!("export {}", String::from_utf8_lossy(&body)));
    let body = match key {
        Some(key) => Body::from(app.cache.find(&key).unwrap_or_else(|| {
            let all = Bytes::from(rows.write(&view, usize::MAX));
            app.cache.keep(key, &all);
            all
        })),
        None => stream_rows(view, rows),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    headers.insert(header::CONTENT_TYPE, ndjson);
    if let Some(style) = &app.options.truncation_header
        && let Ok(value) = HeaderValue::from_str(in_style(style, truncated))
    {
        headers.insert("x-velora-truncated", value);
    }
    Ok(response)
}

fn check_format(query: &str) -> Result<(), Refusal> {
    let mut params = form_urlencoded::parse(query.as_bytes());
    match params.find(|(name, _)| name == "format") {
        Some((_, format)) if format == "ndjson" => Ok(()),
        _ => Err(invalid(
            ["query", "format"],
            "enum",
            "Input should be 'ndjson'",
        )),
    }
}

#[derive(Debug)]
struct Asked {
    since: Option<i64>,
    until: Option<i64>,
    filter: Filter,
}

impl Asked {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_slice(body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| invalid(["body", ""], "json_invalid", "JSON decode error"))?;
        let instant = |name: &'static str| match &body[name] {
            Value::Null => Ok(None),
            value => match value.as_str().and_then(parse_instant) {
                Some(at) => Ok(Some(at)),
                None => Err(invalid(
                    ["body", name],
                    "datetime_parsing",
                    "Input should be a valid datetime",
                )),
            },
        };
        let phi_involved = match &body["phi_involved"] {
            Value::Null => None,
            Value::Bool(asked) => Some(*asked),
            _ => {
                let place = ["body", "phi_involved"];
                return Err(invalid(
                    place,
                    "bool_type",
                    "Input should be a valid boolean",
                ));
            }
        };
        Ok(Self {
            since: instant("since")?,
            until: instant("until")?,
            filter: Filter {
                phi_involved,
                ..Filter::default()
            },
        })
    }
}

/// The rows of one export, in the order in which they are written.
#[derive(Debug)]
struct Rows {
    indices: Vec<u64>,
    /// How many have been written.
    written: usize,
    truncated: bool,
}

impl Rows {
    fn find(
        view: &View,
        range: std::ops::Range<u64>,
        filter: &Filter,
        options: &crate::builder::Options,
    ) -> Self {
        let matching = |index: &u64| filter.is_empty() || view.matches(*index, filter);
        let cap = options.export_cap;
        let (mut indices, truncated) = match options.export_order {
            ExportOrder::Ascending => first_of(range.filter(matching), cap),
            _ => first_of(range.rev().filter(matching), cap),
        };
        if options.export_order == ExportOrder::Shuffled {
            indices.sort_by_key(|index| mix(options.data.seed ^ mix(*index)));
        }
        Self {
            indices,
            written: 0,
            truncated,
        }
    }

    fn duplicate(&mut self) {
        let twice = |(place, index): (usize, &u64)| {
            let copies = 1 + usize::from(place % DUPLICATE_EVERY == 0);
            std::iter::repeat_n(*index, copies)
        };
        self.indices = self.indices.iter().enumerate().flat_map(twice).collect();
    }

    /// Writes the next rows, until there are none or `bytes` are exceeded.
    fn write(&mut self, view: &View, bytes: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.min(CHUNK_BYTES) + 1_024);
        let mut writer = view.writer();
        while let Some(index) = self.indices.get(self.written)
            && out.len() < bytes
        {
            writer.push(&mut out, *index);
            out.push(b'\n');
            self.written += 1;
        }
        out
    }
}

fn first_of(mut indices: impl Iterator<Item = u64>, cap: usize) -> (Vec<u64>, bool) {
    let first: Vec<u64> = indices.by_ref().take(cap).collect();
    (first, indices.next().is_some())
}

fn stream_rows(view: View, rows: Rows) -> Body {
    Body::from_stream(stream::unfold((view, rows), |(view, mut rows)| async {
        let chunk = rows.write(&view, CHUNK_BYTES);
        let chunk = (!chunk.is_empty()).then(|| Ok::<_, std::io::Error>(Bytes::from(chunk)));
        chunk.map(|chunk| (chunk, (view, rows)))
    }))
}
