//! Discrepancies and journal entries as RFC 4180 CSV.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::{invalid, refuse};
use crate::refusal::Refusal;
use crate::state::App;
use crate::text::mix;

/// The columns of `GET /api/audits/{runId}/csv`, which the vendor does not document.
pub const CSV_HEADER: [&str; 7] = [
    "lineId",
    "description",
    "expected",
    "actual",
    "delta",
    "severity",
    "note",
];
const RECORDS_PER_CHUNK: u64 = 500;

/// The fields of a record of `GET /api/audits/{runId}/csv`, counted from 0.
pub fn csv_record(number: u64) -> [String; 7] {
    let hash = mix(number);
    let (expected, delta) = (1_000 + hash % 90_000, hash >> 20 & 0xFFF);
    let description = match number % 5 {
        0 => format!("Freight, zone {}", hash % 9),
        1 => "\"Express\" surcharge".to_owned(),
        2 => String::new(),
        3 => "Zoë's pallet".to_owned(),
        _ => "Handling".to_owned(),
    };
    let note = match number % 7 {
        0 => "two\r\nlines, \"quoted\"".to_owned(),
        1 => "a\nline feed".to_owned(),
        2 => " blanks kept ".to_owned(),
        _ => String::new(),
    };
    let severities = ["LOW", "MEDIUM", "HIGH", "CRITICAL"];
    [
        format!("line_{number}"),
        description,
        cents(expected),
        cents(expected + delta),
        cents(delta),
        severities[(hash >> 40) as usize % 4].to_owned(),
        note,
    ]
}

pub(super) async fn discrepancies(
    State(app): State<Arc<App>>,
    Path(run_id): Path<String>,
) -> Result<Response, Refusal> {
    find(&app, &run_id)?;
    Ok(respond(
        app.options.billing_csv_records,
        &CSV_HEADER,
        |number, out| {
            push_record(out, &csv_record(number));
        },
    ))
}

/// The vendor does not document this path: clients must be given theirs.
pub(super) async fn journal(
    State(app): State<Arc<App>>,
    Path(run_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    find(&app, &run_id)?;
    let query = query.unwrap_or_default();
    let mut params = form_urlencoded::parse(query.as_bytes());
    let format = params.find(|(name, _)| name == "format");
    let columns = match format.as_ref().map(|(_, value)| &**value) {
        Some("qbo") => [
            "JournalNo",
            "AccountName",
            "Debits",
            "Credits",
            "Description",
        ],
        Some("netsuite") => ["External ID", "Account", "Debit", "Credit", "Memo"],
        _ => {
            let message = "Expected 'qbo' | 'netsuite'";
            return Err(invalid(
                "Invalid query",
                "invalid_enum_value",
                "format",
                message,
            ));
        }
    };
    Ok(respond(
        app.options.billing_csv_records,
        &columns,
        |number, out| {
            let [id, description, .., delta, _, _] = csv_record(number);
            let entry = |account: &str, debit: &str, credit: &str| {
                [&id, account, debit, credit, &description].map(str::to_owned)
            };
            // Two entries that balance each other.
            push_record(out, &entry("Freight expense", &delta, ""));
            push_record(out, &entry("Accounts payable", "", &delta));
        },
    ))
}

fn find(app: &App, run_id: &str) -> Result<(), Refusal> {
    match app.runs.knows(run_id) {
        true => Ok(()),
        false => Err(refuse(StatusCode::NOT_FOUND, "Run not found")),
    }
}

/// A header, then what `write` writes for each number.
fn respond(records: u64, columns: &[&str], write: fn(u64, &mut Vec<u8>)) -> Response {
    let mut first = Vec::new();
    push_record(&mut first, columns);
    let chunks = stream::unfold((first, 0), move |(mut chunk, from)| async move {
        let to = records.min(from + RECORDS_PER_CHUNK);
        for number in from..to {
            write(number, &mut chunk);
        }
        let chunk = (!chunk.is_empty()).then(|| Ok::<_, std::io::Error>(Bytes::from(chunk)));
        chunk.map(|chunk| (chunk, (Vec::new(), to)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit.csv\"",
        ),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}

fn push_record<T: AsRef<str>>(out: &mut Vec<u8>, fields: &[T]) {
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let field = field.as_ref();
        if field.contains(['"', ',', '\r', '\n']) {
            out.push(b'"');
            out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(field.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn cents(amount: u64) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}
