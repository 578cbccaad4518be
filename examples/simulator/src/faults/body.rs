//! Bodies that end early, late or never, or have the wrong content.

use std::io::Write;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;

use super::FaultKind;
use crate::net::Connection;

/// Long enough for earlier writes to be sent, short enough for tests.
const FLUSH: Duration = Duration::from_millis(10);
const MIB: usize = 1 << 20;

type Piece = Result<Bytes, std::io::Error>;

/// Applies the fault to the answer's body or headers, if it concerns them.
pub(crate) async fn spoil(
    response: Response,
    fault: &FaultKind,
    connection: Connection,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let headers = &mut parts.headers;
    match fault {
        FaultKind::WrongContentType => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, html);
            return Response::from_parts(parts, body);
        }
        FaultKind::NoTruncationHeader => {
            headers.remove("x-velora-truncated");
            return Response::from_parts(parts, body);
        }
        FaultKind::TruncationHeader(style) => {
            if let Some(header) = headers.get("x-velora-truncated")
                && let truth = ["true", "1", "yes", "TRUE", "True"]
                    .iter()
                    .any(|yes| header == yes)
                && let Ok(value) = HeaderValue::from_str(in_style(style, truth))
            {
                headers.insert("x-velora-truncated", value);
            }
            return Response::from_parts(parts, body);
        }
        _ => {}
    }
    let streams_for_ever = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if streams_for_ever || !concerns_the_body(fault) {
        return Response::from_parts(parts, body);
    }
    let whole = match body.collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json" || kind == "application/problem+json");
    headers.remove(header::CONTENT_LENGTH);
    let body = match fault {
        FaultKind::CutLength => {
            headers.insert(header::CONTENT_LENGTH, whole.len().into());
            cut(&whole, whole.len() / 2, End::Abort)
        }
        FaultKind::CutChunked => cut(&whole, whole.len() / 2, End::Abort),
        FaultKind::CutRow => cut(&whole, line_end(&whole, whole.len() / 2), End::Abort),
        FaultKind::CutReset => cut(&whole, whole.len() / 2, End::Reset(connection)),
        FaultKind::Stall => cut(&whole, whole.len() / 2, End::Never),
        FaultKind::Drip(millis) => drip(whole, Duration::from_millis(*millis)),
        FaultKind::Endless => endless(whole, json),
        FaultKind::Gzip | FaultKind::GzipBomb(_) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            let blanks = match fault {
                FaultKind::GzipBomb(mebibytes) => *mebibytes as usize,
                _ => 0,
            };
            Body::from(gzip(&whole, blanks))
        }
        FaultKind::NotJson => Body::from("<html><body>Bad gateway</body></html>"),
        FaultKind::BadRow => Body::from(with_bad_row(&whole)),
        FaultKind::Pretty if json => Body::from(pretty(&whole)),
        _ => Body::from(whole),
    };
    Response::from_parts(parts, body)
}

fn concerns_the_body(fault: &FaultKind) -> bool {
    matches!(
        fault,
        FaultKind::CutLength
            | FaultKind::CutChunked
            | FaultKind::CutRow
            | FaultKind::CutReset
            | FaultKind::Stall
            | FaultKind::Drip(_)
            | FaultKind::Endless
            | FaultKind::Gzip
            | FaultKind::GzipBomb(_)
            | FaultKind::NotJson
            | FaultKind::BadRow
            | FaultKind::Pretty
    )
}

/// In the order of the members, with blanks and breaks between them.
fn pretty(json: &[u8]) -> Vec<u8> {
    let mut pretty = Vec::with_capacity(json.len() * 2);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        pretty.push(*byte);
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'{' | b'[' | b',' if !in_text => pretty.extend_from_slice(b"\r\n  "),
            _ => {}
        }
    }
    pretty
}

/// A truth value as this style writes it.
pub(crate) fn in_style(style: &str, truth: bool) -> &str {
    match (style, truth) {
        ("1", false) => "0",
        ("yes", false) => "no",
        ("TRUE", false) => "FALSE",
        ("True", false) => "False",
        ("true", false) => "false",
        _ => style,
    }
}

enum End {
    /// The connection is closed before the end.
    Abort,
    Reset(Connection),
    Never,
}

fn cut(whole: &Bytes, at: usize, end: End) -> Body {
    let first = stream::iter([Piece::Ok(whole.slice(..at))]);
    let rest = stream::once(async move {
        tokio::time::sleep(FLUSH).await;
        match end {
            End::Abort => {}
            End::Reset(connection) => connection.reset(),
            End::Never => std::future::pending().await,
        }
        Piece::Err(std::io::ErrorKind::ConnectionAborted.into())
    });
    Body::from_stream(first.chain(rest))
}

/// The position right after the last line that ends before `limit`.
fn line_end(whole: &[u8], limit: usize) -> usize {
    let newline = whole[..limit].iter().rposition(|byte| *byte == b'\n');
    newline.map_or(0, |at| at + 1)
}

fn drip(whole: Bytes, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(whole, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = left.split_to(left.len().min(64));
        Some((Piece::Ok(piece), left))
    }))
}

fn endless(whole: Bytes, json: bool) -> Body {
    let again = match json || whole.is_empty() {
        true => Bytes::from(vec![b' '; 64 << 10]),
        false => whole.clone(),
    };
    let rest = stream::repeat_with(move || Piece::Ok(again.clone()));
    Body::from_stream(stream::iter([Piece::Ok(whole)]).chain(rest))
}

fn gzip(whole: &[u8], mebibytes_of_blanks: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let blanks = vec![b' '; MIB];
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(whole);
    for _ in 0..mebibytes_of_blanks {
        let _ = encoder.write_all(&blanks);
    }
    encoder.finish().unwrap_or_default()
}

fn with_bad_row(whole: &[u8]) -> Vec<u8> {
    let middle = line_end(whole, whole.len() / 2);
    let next = whole[middle..].iter().position(|byte| *byte == b'\n');
    let rest = next.map_or(whole.len(), |at| middle + at);
    let mut out = whole[..middle].to_vec();
    out.extend_from_slice(b"{\"event_id\": oops");
    out.extend_from_slice(&whole[rest..]);
    out
}
