//! The reading side of the demo: an endpoint is registered, deliveries arrive, a window is
//! listed, and one is exported completely, with the proof.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use comfy_table::{Table, presets};
use tokio::net::TcpListener;
use velora_core::axum::deliveries;
use velora_core::health::{Client, Event, EventQuery, ExportQuery, Manifest, NewEndpoint, Window};
use velora_core::{ApiKey, MemoryStore, Receiver, Scheme, Verifier};
use velora_examples::{progress_bar, show};
use velora_simulator::{Emission, HEALTH_KEY, Simulator, System};

/// More than three times the number of rows that one export call returns.
const EVENTS: u64 = 34_567;
/// How many of them share one instant, which no window can split: they are read in pages.
const CROWD: u64 = 11_000;
const DELIVERIES: usize = 5;

/// Runs against the simulator. Returns whether everything was as it must be.
pub(crate) async fn simulated() -> Result<bool, Box<dyn Error>> {
    let simulator = Simulator::builder()
        .events(EVENTS)
        .crowd(CROWD)
        .time_scale(60_000.0)
        .start()
        .await?;
    let client = Client::builder(ApiKey::new(HEALTH_KEY)?)
        .with_base_url(simulator.base_url())
        .build()?;

    let delivered = deliver(&client, &simulator).await?;
    let window = Window::parse("2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z")?;
    let manifest = read(&client, window).await?;

    let truth = simulator.truth(Some(window.since()), Some(window.until()));
    let whole = manifest.rows == EVENTS && truth.count() == manifest.rows;
    Ok(whole && delivered)
}

/// Reads the API that the environment names, without changing anything there.
pub(crate) async fn real(window: Window) -> Result<(), Box<dyn Error>> {
    let client = Client::from_env()?;
    client.probe().await?;
    read(&client, window).await.map(|_| ())
}

/// Registers an endpoint, and receives what the simulator signs with its secret. The first
/// event fails once, so it comes again, and counts once.
async fn deliver(client: &Client, simulator: &Simulator) -> Result<bool, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = NewEndpoint::new(format!("http://{}", listener.local_addr()?))
        .with_event_filter(["phi."])
        .with_description("velora demo");
    let registered = client.webhooks().create(&endpoint).await?;

    let verifier = Verifier::new(Scheme::named("health")?, [registered.secret])?;
    let receiver = Receiver::new(verifier, MemoryStore::default());
    let handled = Arc::new(Mutex::new(Vec::new()));
    let handler = {
        let (handled, fails) = (Arc::clone(&handled), Arc::new(AtomicBool::new(true)));
        move |event: Event| {
            let failed = fails.swap(false, Ordering::Relaxed);
            let mut handled = handled.lock().unwrap_or_else(PoisonError::into_inner);
            if !failed {
                handled.push(event.id);
            }
            std::future::ready(if failed { Err("not now") } else { Ok(()) })
        }
    };
    let app = Router::new().route("/", deliveries(receiver, handler));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut sent = Vec::new();
    for event_type in [
        "phi.read",
        "phi.export",
        "phi.query",
        "phi.read",
        "phi.decrypt",
    ] {
        let emitted = simulator.emit(&Emission::new(System::Health, event_type));
        sent.push(emitted.event_id);
    }
    simulator.settled().await;
    let attempts = simulator.deliveries().len();
    let mut handled = handled
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    println!(
        "\nendpoint {}: {} events in {attempts} deliveries, {} handled",
        registered.endpoint.id,
        sent.len(),
        handled.len(),
    );

    let endpoints = client.webhooks().list().await?;
    println!(
        "{} endpoint registered, {} in need of attention",
        endpoints.len(),
        endpoints.iter().filter(|one| one.is_failing()).count(),
    );
    client.webhooks().delete(&registered.endpoint.id).await?;
    sent.sort();
    handled.sort();
    Ok(sent == handled && sent.len() == DELIVERIES && attempts == DELIVERIES + 1)
}

/// Lists the events of the window that involve PHI, then exports all its events.
async fn read(client: &Client, window: Window) -> Result<Manifest, Box<dyn Error>> {
    let query = EventQuery::new()
        .with_window(window)
        .with_phi_involved(true);
    let mut pages = client.events(query).pages();
    let (mut listed, mut read) = (0, 0);
    while let Some(page) = pages.next().await {
        listed += page?.len();
        read += 1;
    }
    println!(
        "listed {} to {}: {listed} events that involve PHI, in {read} pages",
        window.since(),
        window.until(),
    );

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("events.ndjson");
    let bar = progress_bar(window);
    let query = ExportQuery::new(window).on_progress({
        let bar = bar.clone();
        move |progress| show(&bar, progress)
    });
    let manifest = client.export_to_file(query, &file).await?;
    bar.finish();
    manifest.verify(&file)?;
    println!("{}", proof(&manifest));
    println!(
        "exported {} rows, {} bytes, in {} leaves that tile the window: proven whole",
        manifest.rows,
        manifest.bytes,
        manifest.leaves.len(),
    );
    Ok(manifest)
}

fn proof(manifest: &Manifest) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["from", "up to", "rows", "first id", "last id", "SHA-256"]);
    for leaf in &manifest.leaves {
        let id = |id: &Option<String>| id.as_deref().map_or_else(|| "–".to_owned(), short);
        table.add_row([
            leaf.since.to_string(),
            leaf.until.to_string(),
            leaf.rows.to_string(),
            id(&leaf.first_id),
            id(&leaf.last_id),
            short(&leaf.sha256),
        ]);
    }
    table
}

fn short(text: &str) -> String {
    text.chars().take(8).chain(['…']).collect()
}
