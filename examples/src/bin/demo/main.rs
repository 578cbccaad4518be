//! The main job on loopback: all four systems send what they send in life, and what
//! an attacker or a bad network would; a receiver built on the public API answers.
//!
//! Prints what was sent, what was answered and why, and what the handlers did in the
//! end. Exits non-zero if any of it is not as it must be.

mod receiver;
mod scenes;
mod sender;

use std::error::Error;
use std::process::ExitCode;

use comfy_table::{Cell, Table, presets};

use receiver::Demo;
use scenes::{SYSTEMS, Scene};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    // The crash of a handler is part of the show; its backtrace is not.
    std::panic::set_hook(Box::new(|_| ()));

    let demo = Demo::start().await?;
    let mut scenes = Vec::new();
    for system in &SYSTEMS {
        scenes.extend(scenes::play(system, &demo).await?);
    }
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
    let right = wrong == 0 && once == expected && effects.len() == expected;
    Ok(if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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
