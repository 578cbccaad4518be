//! Ways to read 100,000 audit events from one simulator.

use std::time::Duration;

use jiff::Timestamp;
use velora_core::ApiKey;
use velora_core::health::{AuditEvent, Client, EventQuery, ExportQuery, RawEvent, Window};
use velora_simulator::{HEALTH_KEY, Simulator};

use crate::plain::Plain;
use crate::{Failure, Tally};

/// How many events the reports read: 100 pages of 1,000.
pub const EVENTS: u64 = 100_000;

/// Where the simulator's events begin, and how many of its windows of equal length each
/// hold less than the cap of an export.
const SINCE: &str = "2026-05-01T00:00:00Z";
const UNTIL: &str = "2026-05-08T00:00:00Z";
const WINDOWS: i64 = 42;

/// A simulator, and clients that know it.
pub struct Reading {
    simulator: Simulator,
    runtime: tokio::runtime::Runtime,
    client: Client,
    window: Window,
    /// The plain loops.
    pub plain: Plain,
}

impl Reading {
    /// A simulator of so many events. Answers are made once and kept, so that it takes
    /// little from the two threads that read.
    pub fn new(events: u64) -> Result<Self, Failure> {
        let simulator = Simulator::builder()
            .events(events)
            .cache_bytes(512 << 20)
            .start_blocking()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let client = Client::builder(ApiKey::new(HEALTH_KEY)?)
            .with_base_url(simulator.base_url())
            .build()?;
        Ok(Self {
            plain: Plain::new(simulator.base_url(), parts()?)?,
            window: Window::parse(SINCE, UNTIL)?,
            simulator,
            runtime,
            client,
        })
    }

    /// Every answer waits so long from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.simulator.set_latency(latency);
    }

    /// Where the simulator is, and the key it takes.
    pub fn address(&self) -> (&str, &'static str) {
        (self.simulator.base_url(), HEALTH_KEY)
    }

    /// Runs a reader to its end.
    ///
    /// # Panics
    ///
    /// Where it fails: what did not read everything is not to be timed.
    pub fn run(&self, reader: impl Future<Output = Result<Tally, Failure>> + Send) -> Tally {
        match self.runtime.block_on(reader) {
            Ok(tally) => tally,
            #[expect(clippy::panic, reason = "documented")]
            Err(error) => panic!("a reader failed: {error}"),
        }
    }

    /// The list, every member of every event.
    pub async fn list_typed(&self) -> Result<Tally, Failure> {
        let mut events = self.client.events(EventQuery::new());
        let mut tally = Tally::default();
        while let Some(event) = events.next().await {
            tally += typed(&event?);
        }
        Ok(tally)
    }

    /// The list, no event looked into.
    pub async fn list_raw(&self) -> Result<Tally, Failure> {
        let mut events = self.client.events(EventQuery::new()).raw();
        let mut tally = Tally::default();
        while let Some(event) = events.next().await {
            tally += Tally::raw(event?.as_str());
        }
        Ok(tally)
    }

    /// The list page by page, and how long the caller works on each.
    pub async fn list_pages(&self, work: Duration) -> Result<Tally, Failure> {
        let mut pages = self.client.events(EventQuery::new()).pages();
        let mut tally = Tally::default();
        while let Some(page) = pages.next().await {
            for event in page?.texts() {
                tally += Tally::raw(event);
            }
            tokio::time::sleep(work).await;
        }
        Ok(tally)
    }

    /// The complete export, every member of every event.
    pub async fn export_typed(&self) -> Result<Tally, Failure> {
        let mut events = self.client.export(ExportQuery::new(self.window));
        let mut tally = Tally::default();
        while let Some(event) = events.next().await {
            tally += typed(&event?);
        }
        Ok(tally)
    }

    /// The complete export, no event looked into.
    pub async fn export_raw(&self) -> Result<Tally, Failure> {
        let mut events = self.client.export(ExportQuery::new(self.window)).raw();
        let mut tally = Tally::default();
        while let Some(event) = events.next().await {
            let event: RawEvent = event?;
            tally += Tally::raw(event.as_str());
        }
        Ok(tally)
    }
}

/// Windows of equal length, as one who knows the data would choose them.
fn parts() -> Result<Vec<(Timestamp, Timestamp)>, Failure> {
    let (since, until): (Timestamp, Timestamp) = (SINCE.parse()?, UNTIL.parse()?);
    let step = (until.as_second() - since.as_second()) / WINDOWS;
    let at = |part: i64| Timestamp::from_second(since.as_second() + part * step);
    (0..WINDOWS)
        .map(|part| Ok((at(part)?, at(part + 1)?)))
        .collect()
}

fn typed(event: &AuditEvent) -> Tally {
    let (id, action, user) = (event.event_id(), event.action(), event.user_id());
    let (role, kind, resource) = (
        event.user_role(),
        event.resource_type(),
        event.resource_id(),
    );
    let (tenant, ip) = (event.tenant_id(), event.source_ip());
    let (agent, why) = (event.user_agent(), event.justification());
    let texts = [
        id, action, user, role, kind, resource, tenant, ip, agent, why,
    ];
    let texts = texts.each_ref().map(Option::as_deref);
    Tally::typed(
        event.timestamp(),
        texts,
        [event.phi_involved(), event.success()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: u64 = 12_345;

    /// What the simulator says that a complete read must give.
    fn truth(reading: &Reading) -> Tally {
        let mut tally = Tally::default();
        for id in reading.simulator.all().ids() {
            tally += Tally::of_id(id.as_bytes());
        }
        tally
    }

    #[test]
    fn every_reader_reads_every_event() -> Result<(), Failure> {
        let reading = Reading::new(EVENTS)?;
        let truth = truth(&reading);
        assert_eq!(truth.events, EVENTS);

        let typed = reading.run(reading.plain.list_typed());
        assert_eq!((typed.events, typed.ids), (truth.events, truth.ids));
        assert_eq!(reading.run(reading.list_typed()), typed);
        assert_eq!(reading.run(reading.export_typed()), typed);
        assert_eq!(reading.run(reading.plain.export_typed()), typed);

        let raw = reading.run(reading.list_raw());
        assert_eq!((raw.events, raw.ids), (truth.events, truth.ids));
        assert_eq!(reading.run(reading.list_pages(Duration::ZERO)), raw);
        assert_eq!(reading.run(reading.export_raw()), raw);
        Ok(())
    }

    /// Each to its end: no fewer bytes than the events have.
    #[test]
    fn http_alone_reads_every_byte() -> Result<(), Failure> {
        let reading = Reading::new(EVENTS)?;
        let truth = reading.simulator.all();
        let bytes: u64 = truth.rows().map(|row| row.len() as u64).sum();
        assert!(reading.run(reading.plain.list_bytes()).events > bytes);
        assert_eq!(
            reading.run(reading.plain.export_bytes()).events,
            bytes + EVENTS
        );
        Ok(())
    }
}
