//! What one would write without an SDK: `reqwest` and `serde_json` in a loop. Nothing is
//! retried, proven complete or deduplicated.

use jiff::Timestamp;
use memchr::memmem;
use reqwest::{Client, Response};
use serde::Deserialize;
use velora_simulator::HEALTH_KEY;

use crate::{Failure, Tally};

/// Loops over pages, and over windows that are known to be small enough.
pub struct Plain {
    http: Client,
    base: String,
    windows: Vec<(Timestamp, Timestamp)>,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
    page: Next,
}

#[derive(Deserialize)]
struct Next {
    has_more: bool,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    event_id: Option<String>,
    timestamp: Option<Timestamp>,
    action: Option<String>,
    user_id: Option<String>,
    user_role: Option<String>,
    resource_type: Option<String>,
    resource_id: Option<String>,
    #[expect(dead_code, reason = "a part of what is parsed")]
    fields_accessed: Option<String>,
    phi_involved: Option<bool>,
    tenant_id: Option<String>,
    source_ip: Option<String>,
    user_agent: Option<String>,
    justification: Option<String>,
    success: Option<bool>,
    #[expect(dead_code, reason = "a part of what is parsed")]
    details: Option<String>,
}

impl Plain {
    pub(crate) fn new(base: &str, windows: Vec<(Timestamp, Timestamp)>) -> Result<Self, Failure> {
        Ok(Self {
            http: Client::builder().no_proxy().build()?,
            base: base.to_owned(),
            windows,
        })
    }

    /// The list, page after page.
    pub async fn list_typed(&self) -> Result<Tally, Failure> {
        let (mut tally, mut cursor) = (Tally::default(), None);
        loop {
            let body = self.page(cursor.as_deref()).await?.bytes().await?;
            let page: Page = serde_json::from_slice(&body)?;
            page.events.iter().for_each(|event| tally += event.tally());
            match page.page {
                Next {
                    has_more: true,
                    next_cursor,
                } => cursor = next_cursor,
                _ => return Ok(tally),
            }
        }
    }

    /// HTTP alone: the same pages, read to their ends; only the cursor is looked for.
    /// Counts bytes.
    pub async fn list_bytes(&self) -> Result<Tally, Failure> {
        let (mut tally, mut cursor) = (Tally::default(), None);
        loop {
            let body = self.page(cursor.as_deref()).await?.bytes().await?;
            tally.events += body.len() as u64;
            let at = memmem::rfind(&body, b"\"page\":").ok_or("a page without an end")?;
            let end = body.get(at + 7..body.len() - 1).unwrap_or_default();
            match serde_json::from_slice(end)? {
                Next {
                    has_more: true,
                    next_cursor,
                } => cursor = next_cursor,
                _ => return Ok(tally),
            }
        }
    }

    /// The export, window after window.
    pub async fn export_typed(&self) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for window in &self.windows {
            let body = self.export(*window).await?.bytes().await?;
            for row in body
                .split(|byte| *byte == b'\n')
                .filter(|row| !row.is_empty())
            {
                let event: Event = serde_json::from_slice(row)?;
                tally += event.tally();
            }
        }
        Ok(tally)
    }

    /// HTTP alone: the same windows, read to their ends. Counts bytes.
    pub async fn export_bytes(&self) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for window in &self.windows {
            let mut response = self.export(*window).await?;
            while let Some(chunk) = response.chunk().await? {
                tally.events += chunk.len() as u64;
            }
        }
        Ok(tally)
    }

    async fn page(&self, cursor: Option<&str>) -> Result<Response, Failure> {
        let base = &self.base;
        let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let url = format!("{base}/api/v2/public/audit/events?limit=1000{cursor}");
        let sent = self.http.get(url).bearer_auth(HEALTH_KEY).send().await?;
        Ok(sent.error_for_status()?)
    }

    async fn export(&self, (since, until): (Timestamp, Timestamp)) -> Result<Response, Failure> {
        let url = format!("{}/api/v2/public/audit/export?format=ndjson", self.base);
        let body = format!(r#"{{"since":"{since}","until":"{until}"}}"#);
        let request = self.http.post(url).bearer_auth(HEALTH_KEY);
        let request = request.header("Content-Type", "application/json");
        let answer = request.body(body).send().await?.error_for_status()?;
        match answer.headers().get("X-Velora-Truncated") {
            Some(cut) if cut == "true" => Err("a window is too large for one call".into()),
            _ => Ok(answer),
        }
    }
}

impl Event {
    fn tally(&self) -> Tally {
        let texts = [
            &self.event_id,
            &self.action,
            &self.user_id,
            &self.user_role,
            &self.resource_type,
            &self.resource_id,
            &self.tenant_id,
            &self.source_ip,
            &self.user_agent,
            &self.justification,
        ];
        let texts = texts.map(|text| text.as_deref());
        Tally::typed(self.timestamp, texts, [self.phi_involved, self.success])
    }
}
