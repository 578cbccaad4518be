//! The targets of the core as ratios within one run: the bound, the core and its
//! peers take turns, so that a noisy machine slows them alike.
//!
//! `cargo bench -p velora-bench --bench report`; it always exits 0 once it has
//! measured. A target that is missed says `over`: look at the machine, then at the code.

use std::hint::black_box;

use velora_bench::{
    Claims, Compression, Contender, Failure, HEADERS, LIVE_KEYS, SIZES, Task, blocks, body,
    contenders, interleave, median, ratio, size_name,
};

/// Enough that a disturbed round in three would still not move the median.
const ROUNDS: usize = 151;

/// At most so many times the bound; a larger size has the target of the one before.
const PER_BOUND: [(usize, f64); 4] = [(350, 1.45), (1_024, 1.20), (4_096, 1.06), (16_384, 1.03)];

/// At most so many times the time of a peer, at 350 B.
const PER_PEER: [(&str, f64); 2] = [("async-stripe", 0.65), ("svix", 0.16)];

const CLAIMS_PER_SECOND: f64 = 1_000_000.0;

fn main() -> Result<(), Failure> {
    // `cargo test --all-targets` runs this too, to see that it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") {
        ROUNDS
    } else {
        1
    };

    let contenders = contenders()?;
    println!("Verification: nanoseconds, medians of {rounds} interleaved rounds.");
    println!("bound = (ceil((prefix + body + 9) / 64) + 1) x one SHA-256 compression.");
    println!("Every contender finds its headers in a map of {HEADERS}.\n");
    print!("{:>8} {:>6} {:>8}", "size", "blocks", "bound");
    for contender in &contenders {
        print!(" {:>width$}", contender.name(), width = width(&**contender));
    }
    println!();

    let mut measured = Vec::new();
    for size in SIZES {
        let taken = Taken::measure(&contenders, size, rounds)?;
        taken.print(&contenders);
        measured.push(taken);
    }

    println!("\nThe core, times the bound and times its peers: medians of the rounds' ratios.\n");
    println!(
        "{:>8} {:>7} {:>7} {:>5} {:>13} {:>7}",
        "size", "/bound", "target", "", "/async-stripe", "/svix"
    );
    for taken in &measured {
        taken.print_ratios(&contenders);
    }
    println!();
    for (peer, target) in PER_PEER {
        if let Some(taken) = measured.first() {
            let ratio = taken.per_peer(&contenders, peer);
            let size = size_name(taken.size);
            let verdict = verdict(ratio <= target);
            println!("{size}, core / {peer}: {ratio:.3}, target {target:.2}: {verdict}");
        }
    }

    let mut claims = Claims::new()?;
    let task = Task::timing_itself(move |times| claims.run(times));
    for taken in interleave(vec![task], rounds) {
        let per_second = 1e9 / median(&taken);
        println!(
            "claim + commit at {LIVE_KEYS} live keys: {per_second:.0}/s, \
             target {CLAIMS_PER_SECOND:.0}/s: {}",
            verdict(per_second >= CLAIMS_PER_SECOND)
        );
    }
    Ok(())
}

/// What each took at one size, in every round.
struct Taken {
    size: usize,
    bound: Vec<f64>,
    /// In the order of the contenders; the core is the first.
    contenders: Vec<Vec<f64>>,
}

impl Taken {
    fn measure(
        contenders: &[Box<dyn Contender>],
        size: usize,
        rounds: usize,
    ) -> Result<Self, Failure> {
        let mut compression = Compression::new();
        let mut tasks = vec![Task::new(move || compression.run())];
        for contender in contenders {
            // Signed just before it is measured: a signature is good for five minutes.
            let posted = contender.post(body(size))?;
            tasks.push(Task::new(move || {
                assert!(contender.accepts(black_box(&posted)), "a valid delivery");
            }));
        }
        let mut taken = interleave(tasks, rounds);
        let compression_turns = taken.remove(0);
        let scale = blocks(size) as f64 / Compression::BLOCKS as f64;
        Ok(Self {
            size,
            bound: compression_turns.iter().map(|run| run * scale).collect(),
            contenders: taken,
        })
    }

    fn print(&self, contenders: &[Box<dyn Contender>]) {
        let (size, blocks) = (size_name(self.size), blocks(self.size));
        print!("{size:>8} {blocks:>6} {:>8.0}", median(&self.bound));
        for (contender, taken) in contenders.iter().zip(&self.contenders) {
            print!(" {:>width$.0}", median(taken), width = width(&**contender));
        }
        println!();
    }

    fn print_ratios(&self, contenders: &[Box<dyn Contender>]) {
        let ratio = self
            .core()
            .map_or(f64::NAN, |core| ratio(core, &self.bound));
        let target = PER_BOUND
            .iter()
            .rev()
            .find(|(from, _)| self.size >= *from)
            .map_or(f64::NAN, |(_, target)| *target);
        println!(
            "{:>8} {ratio:>7.3} {target:>7.2} {:>5} {:>13.3} {:>7.3}",
            size_name(self.size),
            verdict(ratio <= target),
            self.per_peer(contenders, "async-stripe"),
            self.per_peer(contenders, "svix"),
        );
    }

    fn core(&self) -> Option<&Vec<f64>> {
        self.contenders.first()
    }

    fn per_peer(&self, contenders: &[Box<dyn Contender>], name: &str) -> f64 {
        let peer = contenders.iter().position(|peer| peer.name() == name);
        match (self.core(), peer.and_then(|at| self.contenders.get(at))) {
            (Some(core), Some(peer)) => ratio(core, peer),
            _ => f64::NAN,
        }
    }
}

/// As wide as the name or seven digits.
fn width(contender: &dyn Contender) -> usize {
    contender.name().len().max(8)
}

fn verdict(holds: bool) -> &'static str {
    if holds { "ok" } else { "over" }
}
