//! `POST /export`: one call.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::leaf::Leaf;
use super::plan::{CAP, Outcome};
use super::query::ExportQuery;
use super::rows::{Rows, Truncation};
use super::split::Micros;
use crate::api::{
    Api, Exchange, Lines, Method, Reading, Request, Response, Slot, malformed, since_epoch,
};
use crate::error::ApiError;
use crate::health::client::audit;
use crate::health::window::{Window, instant, iso, iso_up};
use crate::health::{AuditEvent, Client, RawEvent};
use crate::json;

/// The most rows of one call that are held in memory.
const MOST_ROWS: usize = 1_000_000;

/// The result of a single export call.
///
/// `Debug` shows only the number of rows and whether they are truncated.
pub struct ExportedOnce {
    rows: Rows,
    truncation: Truncation,
}

impl ExportedOnce {
    /// Whether the cap truncated the rows.
    pub fn truncation(&self) -> Truncation {
        self.truncation
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows as the system wrote them, in its order.
    pub fn raw(&self) -> impl Iterator<Item = RawEvent> {
        (0..self.len()).filter_map(|at| self.rows.at(at))
    }

    /// The rows, parsed.
    pub fn events(&self) -> impl Iterator<Item = AuditEvent> {
        self.raw().map(RawEvent::parse)
    }
}

impl fmt::Debug for ExportedOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportedOnce")
            .field("rows", &self.len())
            .field("truncation", &self.truncation)
            .finish()
    }
}

impl Client {
    /// Makes a single export call, and tells whether the system's cap truncated it. The rows
    /// are held in memory, about 5 MB. [`export`](Self::export) reads a window of any size
    /// completely. Only the query's window and filter are used. Needs the scope
    /// `audit:export`.
    ///
    /// Errors: those of any call.
    pub async fn export_once(&self, query: ExportQuery) -> Result<ExportedOnce, ApiError> {
        let (since, until) = (query.window.since(), query.window.until());
        let request = request(&iso(since), &iso_up(until), query.phi_involved);
        rows(&self.api, request, MOST_ROWS, true, read_once).await
    }
}

fn read_once(answer: Answer) -> Result<ExportedOnce, ApiError> {
    answer.framing?;
    let rows = answer.rows;
    rows.stamps()?;
    let truncation = match answer.said {
        _ if !answer.ended || rows.len() >= CAP => Truncation::Yes,
        said => said,
    };
    Ok(ExportedOnce { rows, truncation })
}

/// The response to one export call.
struct Answer {
    /// When the system was asked, by the system's own clock.
    asked_at: Option<Timestamp>,
    /// What its header says about truncation.
    said: Truncation,
    framing: Result<(), ApiError>,
    rows: Rows,
    /// Whether `rows` are all of its rows.
    ended: bool,
    exchange: Exchange,
}

/// Sends the request and reads at most `most` rows. If the header says that the response is
/// truncated, none are read unless `sample` is set.
async fn rows<T: Send>(
    api: &Api,
    request: Request,
    most: usize,
    sample: bool,
    read: impl Fn(Answer) -> Result<T, ApiError> + Sync,
) -> Result<T, ApiError> {
    let (slot, limit) = (Slot::new(), api.max_response_bytes());
    let fill = |answer| slot.fill(read(answer));
    let began = api.runtime().monotonic();
    let read = |response| {
        let took = api.runtime().monotonic().saturating_sub(began);
        read_into(response, took, (most, sample), limit, &fill)
    };
    api.answered(request, &read).await?;
    slot.take()
}

fn read_into<'r>(
    response: Response,
    took: Duration,
    (most, sample): (usize, bool),
    limit: usize,
    fill: &'r (dyn Fn(Answer) -> Result<(), ApiError> + Sync),
) -> Reading<'r> {
    Box::pin(async move {
        response.check_status()?;
        let date = response.header("Date").and_then(date_of);
        let asked_at = date.and_then(|date| date.checked_sub(took).ok());
        let said = Truncation::of(&response);
        let framing = response.check_framing();
        let exchange = response.exchange();
        let may_be_empty = said != Truncation::Unknown || has_label_of_rows(&response);
        let (lines, ended) = if said == Truncation::Yes && !sample {
            // Dropping the body abandons the rest of it.
            (Lines::default(), false)
        } else {
            Lines::read(response.into_body(), most, limit).await?
        };
        if lines.rows().len() == 0 && !may_be_empty {
            return Err(malformed("the response has no rows, and is no NDJSON"));
        }
        fill(Answer {
            asked_at,
            said,
            framing,
            rows: Rows::of_lines(lines)?,
            ended,
            exchange,
        })
    })
}

/// Whether the content type is missing, or one under which NDJSON is sent. The system's own is
/// not documented.
fn has_label_of_rows(response: &Response) -> bool {
    let Some(label) = response.header("Content-Type") else {
        return true;
    };
    let label = label.split(';').next().unwrap_or_default();
    let label = label.trim_ascii().to_ascii_lowercase();
    label.contains("json") || matches!(&*label, "" | "text/plain" | "application/octet-stream")
}

fn date_of(header: &str) -> Option<Timestamp> {
    let since_epoch = SignedDuration::try_from(since_epoch(header)?).ok()?;
    Timestamp::from_duration(since_epoch).ok()
}

/// What came of asking for a leaf.
pub(crate) struct Asked {
    pub(crate) outcome: Outcome,
    /// If the response is truncated, those that were read, in the order received.
    pub(crate) rows: Rows,
    /// When the system was asked, by its own clock: it dates an answer once it has looked the
    /// rows up, so that is counted back to the question.
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) exchange: Exchange,
}

/// Requests one leaf, up to `until`.
pub(crate) async fn ask(
    api: Api,
    leaf: Leaf,
    (until, sample): (Micros, bool),
    window: Window,
    phi_involved: Option<bool>,
) -> Result<Asked, ApiError> {
    let at = |micros| iso(instant(micros));
    let request = request(&at(leaf.since), &at(until), phi_involved);
    let read = |answer: Answer| {
        let (rows, asked_at, exchange) = (answer.rows, answer.asked_at, answer.exchange);
        let is_full = !answer.ended || rows.len() >= CAP;
        if is_full || answer.said == Truncation::Yes {
            let (sample, claimed) = (rows.stamps()?, !is_full);
            let outcome = Outcome::Truncated { sample, claimed };
            return Ok(Asked {
                outcome,
                rows,
                asked_at,
                exchange,
            });
        }
        answer.framing?;
        let (rows, shape) = rows.judge(leaf, window)?;
        let outcome = Outcome::Whole(shape);
        Ok(Asked {
            outcome,
            rows,
            asked_at,
            exchange,
        })
    };
    rows(&api, request, CAP, sample, read).await
}

fn request(since: &str, until: &str, phi_involved: Option<bool>) -> Request {
    let path = audit("/export").query("format", "ndjson");
    let mut body = String::from("{\"since\":");
    json::quote(&mut body, since);
    body.push_str(",\"until\":");
    json::quote(&mut body, until);
    body.push_str(match phi_involved {
        Some(true) => ",\"phi_involved\":true}",
        Some(false) => ",\"phi_involved\":false}",
        None => "}",
    });
    Request::new("health.export", Method::Post, path)
        .idempotent()
        .json_text(body)
}
