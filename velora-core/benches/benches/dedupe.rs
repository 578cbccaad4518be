//! The time of a claim and its commit in a full memory store, for comparison with
//! earlier commits.

use criterion::{Criterion, Throughput};
use velora_bench::{Claims, Failure};

fn main() -> Result<(), Failure> {
    let mut claims = Claims::new()?;
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("dedupe");
    group.throughput(Throughput::Elements(1));
    group.bench_function("memory", |bencher| {
        bencher.iter_custom(|times| claims.run(times));
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}
