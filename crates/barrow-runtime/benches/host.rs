//! What it takes to reach a worker on another thread.
//!
//! `cargo bench -p barrow-runtime --bench host`

use std::io;
use std::time::Duration;

use barrow_runtime::host::{Options, spawn};
use barrow_runtime::sys::Clock;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

/// A job there and its result back, to a worker that sleeps and to one that spins.
fn call(c: &mut Criterion) {
    let mut group = c.benchmark_group("host/call");
    for spin in [Duration::ZERO, Duration::from_micros(100)] {
        let options = Options {
            spin,
            ..Options::default()
        };
        let worker = spawn(options, Clock::new(), |_| io::Result::Ok(0u64)).expect("a worker");
        let remote = worker.remote();
        group.bench_function(BenchmarkId::from_parameter(format!("spin_{spin:?}")), |b| {
            b.iter(|| remote.call(|count| *count += 1).expect("the worker runs"));
        });
    }
    group.finish();
}

/// Ringing the bell of a worker that is awake or asleep: what the sender pays.
fn wake(c: &mut Criterion) {
    let worker = spawn(Options::default(), Clock::new(), |_| io::Result::Ok(())).expect("a worker");
    let remote = worker.remote();
    c.bench_function("host/wake", |b| b.iter(|| remote.wake()));
}

criterion_group!(benches, call, wake);
criterion_main!(benches);
