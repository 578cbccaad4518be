//! How much memory an export of ten million rows takes at its peak.
//!
//! `cargo bench -p velora-bench --bench memory -- --simulator PATH`, where PATH is the
//! program that makes the rows, so that its memory is not counted. `make soak` does so.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use velora_bench::Failure;
use velora_core::ApiKey;
use velora_core::health::{Client, ExportQuery, Window};
use velora_simulator::HEALTH_KEY;

const ROWS: u64 = 10_000_000;
const TARGET_MIB: u64 = 64;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let simulator = arguments
        .iter()
        .position(|argument| argument == "--simulator");
    let Some(program) = simulator.and_then(|at| arguments.get(at + 1)) else {
        println!("no --simulator was given: nothing is measured");
        return Ok(());
    };
    let (mut child, base) = start(program)?;
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let exported = runtime.block_on(export(&base));
    child.kill()?;
    child.wait()?;

    let (rows, seconds) = (exported?, started.elapsed().as_secs_f64());
    assert_eq!(rows, ROWS, "every row, once");
    print!("{rows} rows in {seconds:.0} s; ");
    match peak_mib()? {
        Some(peak) => println!(
            "peak memory {peak} MiB, target {TARGET_MIB}: {}",
            verdict(peak)
        ),
        None => println!("this system does not say how much memory that took"),
    }
    Ok(())
}

/// The program, and the address it prints first.
fn start(program: &str) -> Result<(Child, String), Failure> {
    let mut child = Command::new(program)
        .args(["--events", &ROWS.to_string(), "--until-stdin-ends"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let output = child.stdout.take().ok_or("it has no output")?;
    BufReader::new(output).read_line(&mut line)?;
    let base = line.trim().strip_prefix("listening on ");
    Ok((child, base.ok_or("it did not say where it is")?.to_owned()))
}

async fn export(base: &str) -> Result<u64, Failure> {
    let client = Client::builder(ApiKey::new(HEALTH_KEY)?)
        .with_base_url(base)
        .build()?;
    let window = Window::parse("2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z")?;
    let mut rows = client.export(ExportQuery::new(window)).raw();
    let mut count = 0;
    while let Some(row) = rows.next().await {
        row?;
        count += 1;
    }
    Ok(count)
}

/// Linux alone tells.
fn peak_mib() -> Result<Option<u64>, Failure> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return Ok(None);
    };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    Ok(kib
        .map(|kib| kib.trim().parse::<u64>())
        .transpose()?
        .map(|kib| kib / 1_024))
}

fn verdict(peak: u64) -> &'static str {
    if peak < TARGET_MIB { "ok" } else { "over" }
}
