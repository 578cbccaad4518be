//! The durable stores beside the bare statements that a careful user would write: they
//! take turns, so that a noisy machine slows both alike.
//!
//! `cargo bench -p velora-bench --bench stores [-- STORE]`; it always exits 0 once it has
//! measured.

use std::time::Duration;

use velora_bench::{Beside, Failure, durable, median, ratio, turn};

const WORKERS: [usize; 3] = [1, 4, 16];

/// Keys of a turn, over all workers: short beside what disturbs the disk.
const KEYS: usize = 16;

/// Keys before the first turn: files that still grow are slower to write.
const WARM: usize = 640;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // `cargo test --all-targets` runs this too, to see that it runs.
    let arguments: Vec<String> = std::env::args().collect();
    let bench = arguments.iter().any(|argument| argument == "--bench");
    let (rounds, warm) = if bench { (151, WARM) } else { (1, KEYS) };
    let folder = tempfile::tempdir()?;
    println!("claim + commit; medians of {rounds} interleaved rounds; Redis: appendfsync always\n");
    println!(
        "{:<10} {:>7} {:>10} {:>10} {:>10} {:>10} {:>7}",
        "", "workers", "store /s", "p99 ms", "bare /s", "p99 ms", "time x"
    );
    let all = durable(folder.path(), 16).await?;
    let named = |beside: &&Beside| arguments.iter().any(|argument| argument == beside.name);
    let chosen: Vec<_> = match all.iter().any(|beside| named(&beside)) {
        true => all.iter().filter(named).collect(),
        false => all.iter().collect(),
    };
    for beside in chosen {
        for claimer in [&beside.store, &beside.bare] {
            turn(claimer, 1, warm).await?;
        }
        for workers in WORKERS {
            compare(beside, workers, rounds).await?;
        }
    }
    Ok(())
}

async fn compare(beside: &Beside, workers: usize, rounds: usize) -> Result<(), Failure> {
    // Each worker has its connection, and its statements prepared.
    for claimer in [&beside.store, &beside.bare] {
        turn(claimer, workers, 1).await?;
    }
    let mut taken = [Vec::new(), Vec::new()];
    let mut each = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        // None always follows the other.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for at in order {
            let claimer = [&beside.store, &beside.bare][at];
            let turn = turn(claimer, workers, KEYS / workers).await?;
            taken[at].push(turn.elapsed.as_secs_f64() / KEYS as f64);
            each[at].extend(turn.each);
        }
    }
    let [store, bare] = &taken;
    let [store_each, bare_each] = &mut each;
    let ratio = ratio(store, bare);
    print!(
        "{:<10} {workers:>7} {:>10.0} {:>10.2} {:>10.0} {:>10.2} {ratio:>7.3}",
        beside.name,
        1.0 / median(store),
        p99(store_each),
        1.0 / median(bare),
        p99(bare_each),
    );
    match workers {
        1 if ratio <= beside.target => println!("  target {:.2}: ok", beside.target),
        1 => println!("  target {:.2}: over", beside.target),
        _ => println!(),
    }
    Ok(())
}

/// In milliseconds.
fn p99(each: &mut [Duration]) -> f64 {
    each.sort();
    let at = each.len() * 99 / 100;
    each.get(at)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
