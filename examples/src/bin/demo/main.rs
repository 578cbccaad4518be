//! The whole SDK on loopback. All four systems send what they send in production, and what
//! an attacker or a bad network would send; a receiver built on the public API answers.
//! Then an endpoint is registered, deliveries arrive, and the audit trail is listed and
//! exported completely.
//!
//! Prints what was sent, the answer with its reason, and how often the handlers ran; then
//! what was read, and the proof that nothing is missing. Exits non-zero if any of it is
//! not as it must be.
//!
//! If `VELORA_API_KEY` is set (and `VELORA_BASE_URL`, if the API is not at the vendor's URL),
//! the audit trail is the real one. It is only read, not changed.

mod audit;
mod receiver;
mod scenes;
mod sender;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{Cell, Table, presets};
use jiff::{Timestamp, ToSpan};
use velora_core::health::Window;

use receiver::Demo;
use scenes::{SYSTEMS, Scene};

/// Shows the receiver and the client at work.
#[derive(Parser)]
struct Arguments {
    /// The first instant to read of the real audit trail; a day ago by default.
    #[arg(long)]
    since: Option<Timestamp>,
    /// The first instant not to read; now by default.
    #[arg(long)]
    until: Option<Timestamp>,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let received = receive().await?;
    let read = match std::env::var_os("VELORA_API_KEY") {
        Some(_) => {
            let until = arguments.until.unwrap_or_else(Timestamp::now);
            let since = arguments.since.unwrap_or(until - 24.hours());
            audit::real(Window::new(since, until)?).await?;
            true
        }
        None => audit::simulated().await?,
    };
    Ok(if received && read {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether every delivery was answered as it must be, and every event handled once.
async fn receive() -> Result<bool, Box<dyn Error>> {
    // A handler crashes on purpose, so its backtrace is not shown.
    std::panic::set_hook(Box::new(|_| ()));

    let demo = Demo::start().await?;
    let mut scenes = Vec::new();
    for system in &SYSTEMS {
        scenes.extend(scenes::play(system, &demo).await?);
    }
    // Restores the default hook.
    drop(std::panic::take_hook());
    println!("{}", table(&scenes));

    let wrong = scenes.iter().filter(|scene| !scene.is_right()).count();
    let effects = demo.effects();
    let expected = SYSTEMS.len() * scenes::EVENTS_PER_SYSTEM;
    let once = effects.values().filter(|count| **count == 1).count();
    println!(
        "{} deliveries, {} as they must be; {expected} events, {once} handled exactly once",
        scenes.len(),
        scenes.len() - wrong,
    );
    Ok(wrong == 0 && once == expected && effects.len() == expected)
}

fn table(scenes: &[Scene]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["system", "what was sent", "answer", "why", ""]);
    for scene in scenes {
        let retry = scene
            .got
            .retry_after
            .as_ref()
            .map_or_else(String::new, |seconds| format!(" (again in {seconds} s)"));
        let mark = if scene.is_right() { "✓" } else { "✗ wrong" };
        table.add_row([
            Cell::new(scene.system),
            Cell::new(scene.what),
            Cell::new(format!("{}{retry}", scene.got.status)),
            Cell::new(&scene.got.why),
            Cell::new(mark),
        ]);
    }
    table
}
