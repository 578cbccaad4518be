//! Closes gaps: receives the deliveries of Velora Health, and regularly exports the events
//! that should have been delivered, so that an outage loses no event since `BACKFILL_SINCE`.
//! Both go through one store, so each event counts once, whichever way it came first.
//!
//! ```sh
//! VELORA_API_KEY=… VELORA_WEBHOOK_SECRET=… cargo run -p velora-examples --bin backfill
//! ```
//!
//! `BACKFILL_SINCE` is the time to start from (by default an hour ago), `BACKFILL_EVERY` how
//! often to export, in seconds (300), `ADDRESS` the address to listen on (`127.0.0.1:8080`).
//! Here the claims and the end of the last back-fill are in the memory of this process. In your
//! own service, keep both in a database.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::{Timestamp, ToSpan};
use tokio::net::TcpListener;
use tokio::time::sleep;
use velora_core::axum::deliveries;
use velora_core::health::{AuditEvent, Client, Event, ExportQuery, Window};
use velora_core::{MemoryStore, Outcome, Receiver, Scheme, SigningSecret, Verifier};

type Failure = Box<dyn Error + Send + Sync>;

/// Each back-fill begins this much before the end of the last one: an event may be
/// listed some time after it happened. The store must remember for longer.
const OVERLAP_MINUTES: i64 = 15;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let secret = SigningSecret::new(std::env::var("VELORA_WEBHOOK_SECRET")?)?;
    let verifier = Verifier::new(Scheme::named("health")?, [secret])?;
    let receiver = Receiver::new(verifier, Arc::new(MemoryStore::default()));

    let app = Router::new().route("/velora-health", deliveries(receiver.clone(), on_delivery));
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = Client::from_env()?;
    let every: u64 = match std::env::var("BACKFILL_EVERY") {
        Ok(seconds) => seconds.parse()?,
        Err(_) => 300,
    };
    let mut since = match std::env::var("BACKFILL_SINCE") {
        Ok(since) => since.parse()?,
        Err(_) => Timestamp::now() - 1.hour(),
    };
    loop {
        let until = Timestamp::now();
        match backfill(&client, &receiver, Window::new(since, until)?).await {
            Ok(missed) => {
                println!("back-filled up to {until}: {missed} missed");
                since = until - OVERLAP_MINUTES.minutes();
            }
            // The next back-fill begins where this one began, so nothing is skipped.
            Err(error) => eprintln!("back-fill: {error}"),
        }
        sleep(Duration::from_secs(every)).await;
    }
}

/// Handles every event of the window that has not been handled yet, and counts them.
async fn backfill(client: &Client, receiver: &Receiver, window: Window) -> Result<u64, Failure> {
    // The export and not the listing, because it is proven to be complete.
    let mut events = client.export(ExportQuery::new(window));
    let mut missed = 0;
    while let Some(event) = events.next().await {
        let event = event?;
        let key = event.key().ok_or("an event without an identity")?;
        loop {
            match receiver.backfill(key.clone(), || on_listed(&event)).await {
                Outcome::Processed => missed += 1,
                Outcome::Duplicate => {}
                // Its delivery is being handled right now: wait for the outcome.
                Outcome::InFlight { retry_after } => {
                    sleep(retry_after.min(Duration::from_secs(1))).await;
                    continue;
                }
                fault => return Err(fault.as_str().into()),
            }
            break;
        }
    }
    Ok(missed)
}

async fn on_delivery(event: Event) -> Result<(), Failure> {
    handle("delivered", &event.id, event.event_type.as_str()).await
}

async fn on_listed(event: &AuditEvent) -> Result<(), Failure> {
    let (id, action) = (event.event_id(), event.action());
    handle(
        "back-filled",
        &id.unwrap_or_default(),
        &action.unwrap_or_default(),
    )
    .await
}

/// The actual work. It runs once for each event, whichever way the event came.
async fn handle(how: &str, id: &str, event_type: &str) -> Result<(), Failure> {
    println!("{how} {event_type} {id}");
    Ok(())
}
