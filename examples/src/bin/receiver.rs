//! Receives the deliveries of all four systems. Copy this file and keep the routes
//! that you need.
//!
//! ```sh
//! VELORA_HEALTH_SECRET=… cargo run -p velora-examples --bin receiver
//! ```
//!
//! Each system has a variable for its signing secret: `VELORA_HEALTH_SECRET`,
//! `VELORA_BILLING_SECRET`, `VELORA_CURAE_SECRET`, `VELORA_TV_SECRET`. An endpoint is served
//! for each that is set. During a rotation set both secrets, separated by a comma. (Programs
//! that receive one system only call the variable `VELORA_WEBHOOK_SECRET`.)
//!
//! `ADDRESS` is the address to listen on (`127.0.0.1:8080`), and `VELORA_STORE` the URL of the
//! store (`memory:`), which several receivers may share.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
use tokio::net::TcpListener;
use velora_core::axum::deliveries;
use velora_core::{
    Receiver, Scheme, SigningSecret, Store, StoreOptions, Verifier, billing, curae, health,
    open_store, tv,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // One store serves all systems, because their keys never collide. `memory:` is for this
    // process only; `postgres://…` is for any number of processes.
    let url = std::env::var("VELORA_STORE").unwrap_or_else(|_| "memory:".to_owned());
    let store = open_store(&url, StoreOptions::default())?;
    store.ready().await?;

    let mut app = Router::new();
    for (path, scheme, variable) in [
        ("/velora-health", "health", "VELORA_HEALTH_SECRET"),
        ("/velora-billing", "billing", "VELORA_BILLING_SECRET"),
        ("/curaeai", "curae", "VELORA_CURAE_SECRET"),
        ("/velora-tv", "tv", "VELORA_TV_SECRET"),
    ] {
        if let Ok(secrets) = std::env::var(variable) {
            app = app.route(path, endpoint(scheme, &secrets, Arc::clone(&store))?);
            println!("serving {path}");
        }
    }

    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

fn endpoint(
    scheme: &str,
    secrets: &str,
    store: Arc<dyn Store>,
) -> Result<MethodRouter, Box<dyn Error>> {
    let secrets: Vec<_> = secrets
        .split(',')
        .map(SigningSecret::new)
        .collect::<Result<_, _>>()?;
    let verifier = Verifier::new(Scheme::named(scheme)?, secrets)?;
    let receiver = Receiver::new(verifier, store);
    Ok(match scheme {
        "health" => deliveries(receiver, on_health),
        "billing" => deliveries(receiver, on_billing),
        "curae" => deliveries(receiver, on_curae),
        _ => deliveries(receiver, on_tv),
    })
}

// Each handler runs once for each event; an error makes the event come again, and is dropped, so
// log it here. It has ten seconds: put slow work into a queue of your own, and return.
//
// Why a store failed, or a genuine delivery was refused, goes to `tracing`: install a subscriber.

async fn on_health(event: health::Event) -> Result<(), Box<dyn Error + Send>> {
    println!("health {} {}", event.event_type, event.id);
    Ok(())
}

async fn on_billing(event: billing::Event) -> Result<(), Box<dyn Error + Send>> {
    // The type may come from an unsigned header: do not rely on it alone.
    match event.event_type {
        Some(billing::EventType::Signed(name)) => println!("billing {name}"),
        Some(billing::EventType::Unsigned(name)) => println!("billing {name} (unsigned)"),
        None => println!("billing"),
    }
    Ok(())
}

async fn on_curae(event: curae::Event) -> Result<(), Box<dyn Error + Send>> {
    match event.event_type {
        curae::EventType::RecordsExportReady => println!("curae: {} is ready", event.id),
        other => println!("curae {other} {}", event.id),
    }
    Ok(())
}

async fn on_tv(event: tv::Event) -> Result<(), Box<dyn Error + Send>> {
    match event.data {
        Some(tv::Data::StreamOnline(stream)) => println!("tv: {} is live", stream.stream_id),
        _ => println!("tv {} {}", event.event_type, event.id),
    }
    Ok(())
}
