//! The time of a verification, for comparison with earlier commits. How the
//! contenders compare with each other is better read from `report`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use velora_bench::{Compression, Failure, SIZES, body, contenders, size_name};

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default().configure_from_args();
    for size in SIZES {
        verify(&mut criterion, size)?;
    }
    compression(&mut criterion);
    criterion.final_summary();
    Ok(())
}

fn verify(criterion: &mut Criterion, size: usize) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Bytes(size as u64));
    for contender in contenders()? {
        // Signed just before it is measured: a signature is good for five minutes.
        let posted = contender.post(body(size))?;
        let id = BenchmarkId::new(contender.name(), size_name(size));
        group.bench_function(id, |bencher| {
            bencher.iter(|| assert!(contender.accepts(black_box(&posted))));
        });
    }
    group.finish();
    Ok(())
}

fn compression(criterion: &mut Criterion) {
    let mut compression = Compression::new();
    let mut group = criterion.benchmark_group("bound");
    group.throughput(Throughput::Elements(Compression::BLOCKS as u64));
    group.bench_function("compression", |bencher| bencher.iter(|| compression.run()));
    group.finish();
}
