//! The audit client as ratios within one run: it takes turns with what one would write
//! without it, so that a noisy machine slows both alike.
//!
//! `cargo bench -p velora-bench --bench clients [-- --python PATH]`; it always exits 0
//! once it has measured. PATH is a Python with `httpx`, for the vendor's own loop.

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use velora_bench::{EVENTS, Failure, Reading, Task, interleave, median, ratio};

const SLOW: Duration = Duration::from_millis(20);

/// What a caller does with a page, at [`SLOW`].
const WORK: Duration = Duration::from_millis(15);

/// The times of one way to read, in all rounds.
struct Reader<'r> {
    name: &'static str,
    run: Box<dyn FnMut() + 'r>,
}

fn reader<'r>(name: &'static str, run: impl FnMut() + 'r) -> Reader<'r> {
    Reader {
        name,
        run: Box::new(run),
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --all-targets` runs this too, to see that it runs.
    let bench = arguments.iter().any(|argument| argument == "--bench");
    let events = if bench { EVENTS } else { 3_000 };
    let reading = Reading::new(events)?;
    let rounds = |rounds| if bench { rounds } else { 1 };

    for (latency, rounds) in [(Duration::ZERO, rounds(25)), (SLOW, rounds(5))] {
        reading.set_latency(latency);
        println!(
            "{events} events, {} ms latency: medians of {rounds} interleaved rounds.\n",
            latency.as_millis()
        );
        let fast = latency.is_zero();
        list(&reading, events, rounds, fast);
        export(&reading, events, rounds, fast);
    }
    reading.set_latency(SLOW);
    prefetch(&reading, rounds(5));

    let python = arguments.iter().position(|argument| argument == "--python");
    match python.and_then(|at| arguments.get(at + 1)) {
        Some(python) => vendor_loop(&reading, python)?,
        None => println!("No Python with httpx was given: the vendor's loop is not timed."),
    }
    Ok(())
}

/// The list: the loops, and the client beside them.
fn list(reading: &Reading, events: u64, rounds: usize, fast: bool) {
    let measured = measure(
        rounds,
        vec![
            reader("list, HTTP alone", || {
                black_box(reading.run(reading.plain.list_bytes()));
            }),
            reader("list, plain loop, typed", || {
                black_box(reading.run(reading.plain.list_typed()));
            }),
            reader("list, client, typed", || {
                assert_eq!(reading.run(reading.list_typed()).events, events);
            }),
            reader("list, client, raw", || {
                assert_eq!(reading.run(reading.list_raw()).events, events);
            }),
        ],
    );
    print(&measured, events, targets(fast));
}

/// The export, beside loops over windows that are known to be small enough; the client
/// has to find its own.
fn export(reading: &Reading, events: u64, rounds: usize, fast: bool) {
    let measured = measure(
        rounds,
        vec![
            reader("export, HTTP alone", || {
                black_box(reading.run(reading.plain.export_bytes()));
            }),
            reader("export, plain loop, typed", || {
                black_box(reading.run(reading.plain.export_typed()));
            }),
            reader("export, client, typed", || {
                assert_eq!(reading.run(reading.export_typed()).events, events);
            }),
            reader("export, client, raw", || {
                assert_eq!(reading.run(reading.export_raw()).events, events);
            }),
        ],
    );
    print(&measured, events, targets(fast));
}

/// Which reader, beside which, at least what. The first of the fast ones sees to it that
/// the simulator is not what is measured.
fn targets(fast: bool) -> &'static [(usize, usize, f64)] {
    match fast {
        true => &[(0, 1, 2.0), (2, 1, 1.3), (3, 1, 1.7)],
        false => &[(2, 0, 0.97), (3, 0, 0.97)],
    }
}

/// Whether the next page comes in while the caller works on this one.
fn prefetch(reading: &Reading, rounds: usize) {
    let measured = measure(
        rounds,
        vec![
            reader("pages, caller idle", || {
                black_box(reading.run(reading.list_pages(Duration::ZERO)));
            }),
            reader("pages, caller works 15 ms", || {
                black_box(reading.run(reading.list_pages(WORK)));
            }),
        ],
    );
    let [(_, idle), (_, busy)] = &measured[..] else {
        return;
    };
    let ratio = ratio(busy, idle);
    println!(
        "a page with 15 ms of work / without: {ratio:.3}, target 1.10: {}\n",
        verdict(ratio <= 1.1)
    );
}

fn measure(rounds: usize, readers: Vec<Reader<'_>>) -> Vec<(&'static str, Vec<f64>)> {
    let names: Vec<_> = readers.iter().map(|reader| reader.name).collect();
    let tasks = readers.into_iter().map(|reader| Task::new(reader.run));
    let taken = interleave(tasks.collect(), rounds);
    names.into_iter().zip(taken).collect()
}

/// Events a second of each, and the ratios of those that have a target.
fn print(measured: &[(&str, Vec<f64>)], events: u64, targets: &[(usize, usize, f64)]) {
    for (name, taken) in measured {
        let thousands = events as f64 * 1e6 / median(taken);
        println!("{name:<28} {thousands:>6.0} k events/s");
    }
    for (at, beside, target) in targets {
        let (Some((name, taken)), Some((other, others))) =
            (measured.get(*at), measured.get(*beside))
        else {
            continue;
        };
        let ratio = ratio(others, taken);
        let verdict = verdict(ratio >= *target);
        println!("{name} / {other}: {ratio:.3}, target {target:.2}: {verdict}");
    }
    println!();
}

/// The vendor's code sample, for scale.
fn vendor_loop(reading: &Reading, python: &str) -> Result<(), Failure> {
    reading.set_latency(Duration::ZERO);
    let (base, key) = reading.address();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/read_events.py");
    let status = Command::new(python).args([script, base, key]).status()?;
    match status.success() {
        true => Ok(()),
        false => Err("the Python loop failed".into()),
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "ok" } else { "under" }
}
