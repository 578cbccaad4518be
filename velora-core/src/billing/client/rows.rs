//! Discrepancies and journal entries, as rows.

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt, stream};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Client;
use super::csv::{Record, Records};
use crate::api::{Api, Body, Exchange, Method, Path, Request, Response, malformed};
use crate::error::{ApiError, ConfigError};

/// The format of journal entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalFormat {
    /// `qbo`: QuickBooks Online.
    QuickBooksOnline,
    /// `netsuite`: NetSuite.
    NetSuite,
}

impl JournalFormat {
    /// The format as it is written in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QuickBooksOnline => "qbo",
            Self::NetSuite => "netsuite",
        }
    }
}

/// Reads a format as it is written in a request. Errors: `invalid_option`.
impl FromStr for JournalFormat {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let formats = [Self::QuickBooksOnline, Self::NetSuite];
        formats
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or(ConfigError::InvalidOption {
                option: "format",
                reason: "it must be `qbo` or `netsuite`",
            })
    }
}

/// A row: its fields, with the column names of the header.
///
/// It serialises as a map. `Debug` shows only the number of fields.
#[derive(Clone, PartialEq)]
pub struct CsvRow {
    header: Arc<Record>,
    fields: Record,
}

impl CsvRow {
    /// The field in the column of this name; of several columns with the same name, the first.
    pub fn field(&self, column: &str) -> Option<&str> {
        self.iter()
            .find_map(|(name, field)| (name == column).then_some(field))
    }

    /// Column names and fields, in the system's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.fields.len())
            .filter_map(|at| Some((self.header.field(at)?, self.fields.field(at)?)))
    }
}

impl Serialize for CsvRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, field) in self.iter() {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

impl fmt::Debug for CsvRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CsvRow({} fields)", self.fields.len())
    }
}

impl Client {
    /// The discrepancies of a run, row by row as they arrive. Memory use does not grow with
    /// their number. The columns are not documented; the CSV header names them.
    ///
    /// Errors: `not_found` if there is no such run; those of [`CsvRows`].
    pub fn audit_csv(&self, run_id: &str) -> CsvRows {
        let path = Path::new("/api/audits").segment(run_id);
        let path = path.map(|path| path.then("/csv"));
        CsvRows::new(
            &self.api,
            path.map(|path| Request::new("billing.audit_csv", Method::Get, path)),
        )
    }

    /// Journal entries for an accounting system. Their path is not documented: pass the one
    /// that you were told, such as `/api/audits/run_1/gl`.
    ///
    /// Errors: `invalid_request` if the path does not start with `/`, is not URL-encoded or has
    /// a query; those of [`CsvRows`].
    pub fn journal_csv(&self, path: &str, format: JournalFormat) -> CsvRows {
        let path = Path::outside(path);
        CsvRows::new(
            &self.api,
            path.map(|path| {
                let path = path.query("format", format.as_str());
                Request::new("billing.journal_csv", Method::Get, path)
            }),
        )
    }
}

/// A stream of CSV rows (RFC 4180 with a header), as they arrive.
///
/// [`next`](Self::next) needs no trait in scope. Nothing is sent until the first row is
/// requested. A failure before the first row is retried. After it an error ends the stream,
/// and you must read the rows again from the start. The client's limit of decoded bytes applies
/// to each row, not to the whole body, and the timeout of the whole call only up to the first
/// row.
///
/// Errors: `malformed_response` if the response is not CSV, has no header, is not UTF-8, or has
/// a row with more or fewer fields than the header; `connection` if it is cut off, or may be
/// because nothing marks its end; those of any call.
pub struct CsvRows(Pin<Box<dyn Stream<Item = Result<CsvRow, ApiError>> + Send>>);

impl CsvRows {
    fn new(api: &Api, request: Result<Request, ApiError>) -> Self {
        let start = State::Start(api.clone(), request);
        Self(Box::pin(stream::unfold(start, State::step).fuse()))
    }

    /// The next row; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<CsvRow, ApiError>> {
        self.0.next().await
    }
}

impl Stream for CsvRows {
    type Item = Result<CsvRow, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for CsvRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsvRows(..)")
    }
}

enum State {
    Start(Api, Result<Request, ApiError>),
    Reading(Box<Open>),
    End,
}

impl State {
    async fn step(self) -> Option<(Result<CsvRow, ApiError>, Self)> {
        let open = match self {
            Self::End => return None,
            Self::Reading(open) => Ok(open),
            Self::Start(api, request) => Open::request(&api, request).await.map(Box::new),
        };
        let mut open = match open {
            Ok(open) => open,
            Err(error) => return Some((Err(error), Self::End)),
        };
        match open.row().await {
            Ok(Some(row)) => Some((Ok(row), Self::Reading(open))),
            Ok(None) => None,
            Err(error) => Some((Err(error.found_in(&open.exchange)), Self::End)),
        }
    }
}

/// A body in progress, after its header.
struct Open {
    exchange: Exchange,
    body: Body,
    /// Whether the body marks its own end.
    framing: Result<(), ApiError>,
    records: Records,
    header: Arc<Record>,
    /// The first row, read in advance.
    first: Option<CsvRow>,
}

impl Open {
    async fn request(api: &Api, request: Result<Request, ApiError>) -> Result<Self, ApiError> {
        let limit = api.max_response_bytes();
        let request = request?.header("Accept", "text/csv");
        api.call(request, |response| Self::read(response, limit))
            .await
    }

    /// Reads up to the first row, so that a failure until then is retried with the call.
    async fn read(response: Response, limit: usize) -> Result<Self, ApiError> {
        response.check_status()?;
        let mut open = Self {
            exchange: response.exchange(),
            framing: response.check_framing(),
            body: response.into_body(),
            records: Records::new(limit),
            header: Arc::default(),
            first: None,
        };
        let header = open.record().await?;
        let header = header.ok_or_else(|| malformed("the response has no CSV header"))?;
        let first = header.field(0).unwrap_or_default().trim_start();
        if first.starts_with(['<', '{', '[']) {
            return Err(malformed("the response is not CSV"));
        }
        open.header = Arc::new(header);
        open.first = open.row().await?;
        Ok(open)
    }

    async fn row(&mut self) -> Result<Option<CsvRow>, ApiError> {
        if let Some(row) = self.first.take() {
            return Ok(Some(row));
        }
        let Some(fields) = self.record().await? else {
            return Ok(None);
        };
        if fields.len() != self.header.len() {
            return Err(malformed("a row has more or fewer fields than the header"));
        }
        let header = Arc::clone(&self.header);
        Ok(Some(CsvRow { header, fields }))
    }

    async fn record(&mut self) -> Result<Option<Record>, ApiError> {
        loop {
            if let Some(record) = self.records.next()? {
                return Ok(Some(record));
            }
            if self.records.has_ended() {
                return Ok(None);
            }
            match self.body.chunk().await {
                Some(chunk) => self.records.push(&chunk?),
                None => {
                    self.framing.clone()?;
                    self.records.end();
                }
            }
        }
    }
}
