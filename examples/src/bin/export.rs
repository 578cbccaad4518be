//! Exports a window of the audit trail to a file, however many rows it has, and checks
//! the proof. If it is stopped at any point, the same command resumes the export.
//!
//! ```sh
//! VELORA_API_KEY=… cargo run -p velora-examples --bin export -- \
//!     2026-05-01T00:00:00Z 2026-05-08T00:00:00Z may.ndjson
//! ```
//!
//! `VELORA_BASE_URL` is the URL of another API, such as the simulator's.

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use velora_core::health::{Client, ExportQuery, Window};
use velora_examples::{progress_bar, show};

/// Exports a window of the audit trail completely, as NDJSON.
#[derive(Parser)]
struct Arguments {
    /// The first instant of the window, such as 2026-05-01T00:00:00Z.
    since: String,
    /// The first instant after it.
    until: String,
    /// The file for the rows; the proof is written next to it.
    file: PathBuf,
    /// Only events that do, or do not, involve protected health information.
    #[arg(long)]
    phi_involved: Option<bool>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let window = Window::parse(&arguments.since, &arguments.until)?;
    let client = Client::from_env()?;

    let bar = progress_bar(window);
    let mut query = ExportQuery::new(window).on_progress({
        let bar = bar.clone();
        move |progress| show(&bar, progress)
    });
    if let Some(phi_involved) = arguments.phi_involved {
        query = query.with_phi_involved(phi_involved);
    }
    let manifest = client.export_to_file(query, &arguments.file).await?;
    bar.finish();

    // Reads the file again, and checks that its leaves tile the window and have their hashes.
    manifest.verify(&arguments.file)?;
    print!(
        "{} rows in {} leaves: ",
        manifest.rows,
        manifest.leaves.len()
    );
    if manifest.complete_until < manifest.until {
        let until = manifest.complete_until;
        println!("whole until {until}; the window has not ended, the next call adds the rest");
    } else {
        println!("proven whole");
    }
    Ok(())
}
