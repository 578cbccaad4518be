//! Reads the audit API, and prints each event as it was received.

use std::error::Error;
use std::io::{self, BufWriter, Write};

use clap::Args;
use serde_json::json;
use velora_core::ApiKey;
use velora_core::health::{Client, EventQuery, ExportQuery, RawEvent, Window};

/// What to read, and from which API.
#[derive(Args)]
pub(crate) struct Reading {
    /// The base URL of the API, such as `https://api.velora.health`.
    #[arg(long)]
    base_url: String,
    /// The API key.
    #[arg(long)]
    api_key: String,
    /// The first instant of the window, such as `2026-05-01T00:00:00Z`.
    #[arg(long)]
    since: String,
    /// The first instant after it.
    #[arg(long)]
    until: String,
    /// Only events that do, or do not, involve protected health information.
    #[arg(long)]
    phi_involved: Option<bool>,
    /// The most events per page, 1 to 1000; an export has no pages.
    #[arg(long)]
    limit: Option<u16>,
}

/// Why the events were not read to the end.
pub(crate) enum Failure {
    /// The reader of the events has seen enough, or the disk is full.
    Output(io::Error),
    /// Printed as the last line of standard error.
    Velora(velora_core::Error),
}

impl<E: Into<velora_core::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Velora(error.into())
    }
}

impl Failure {
    /// `{"code","status","message"}`
    pub(crate) fn to_json(&self) -> String {
        let (code, status) = match self {
            Self::Output(_) => ("output", None),
            Self::Velora(velora_core::Error::Api(error)) => (error.code().as_str(), error.status()),
            Self::Velora(error) => (error.code().as_str(), None),
        };
        let message: &dyn Error = match self {
            Self::Output(error) => error,
            Self::Velora(error) => error,
        };
        json!({"code": code, "status": status, "message": message.to_string()}).to_string()
    }
}

/// Every event of the window, page by page, newest first.
pub(crate) async fn list(reading: &Reading) -> Result<(), Failure> {
    let (client, window) = reading.open()?;
    let mut query = EventQuery::new().with_window(window);
    if let Some(phi_involved) = reading.phi_involved {
        query = query.with_phi_involved(phi_involved);
    }
    if let Some(limit) = reading.limit {
        query = query.with_limit(limit)?;
    }
    let mut pages = client.events(query).pages();
    let mut output = Output::new();
    while let Some(page) = pages.next().await {
        for event in page?.raw() {
            output.line(&event)?;
        }
    }
    output.end()
}

/// Every event of the window, proven complete, oldest first.
pub(crate) async fn export(reading: &Reading) -> Result<(), Failure> {
    let (client, window) = reading.open()?;
    let mut query = ExportQuery::new(window);
    if let Some(phi_involved) = reading.phi_involved {
        query = query.with_phi_involved(phi_involved);
    }
    let mut rows = client.export(query).raw();
    let mut output = Output::new();
    while let Some(row) = rows.next().await {
        output.line(&row?)?;
    }
    output.end()
}

impl Reading {
    fn open(&self) -> Result<(Client, Window), Failure> {
        let client = Client::builder(ApiKey::new(&self.api_key)?)
            .with_base_url(&self.base_url)
            .build()?;
        Ok((client, Window::parse(&self.since, &self.until)?))
    }
}

/// Prints lines on standard output. Events that were read before an error are printed too.
struct Output(BufWriter<io::StdoutLock<'static>>);

impl Output {
    fn new() -> Self {
        Self(BufWriter::with_capacity(1 << 16, io::stdout().lock()))
    }

    fn line(&mut self, event: &RawEvent) -> Result<(), Failure> {
        [event.as_line().as_bytes(), b"\n"]
            .into_iter()
            .try_for_each(|part| self.0.write_all(part))
            .map_err(Failure::Output)
    }

    fn end(mut self) -> Result<(), Failure> {
        self.0.flush().map_err(Failure::Output)
    }
}
