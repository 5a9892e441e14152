//! What it takes to reach a worker on another thread.
//!
//! `cargo bench -p barrow-runtime --bench host`

use std::io;
use std::thread;
use std::time::Duration;

use barrow_runtime::host::{Options, spawn};
use barrow_runtime::sys::Clock;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rustix::event::{EventfdFlags, eventfd};

/// A job there and its result back, to a worker that sleeps and to one that spins.
fn call(c: &mut Criterion) {
    let mut group = c.benchmark_group("host/call");
    for (idle, spin) in [
        ("parked", Duration::ZERO),
        ("spinning", Duration::from_micros(100)),
    ] {
        let options = Options {
            spin,
            ..Options::default()
        };
        let worker = spawn(options, Clock::new(), |_| io::Result::Ok(0u64)).expect("a worker");
        let remote = worker.remote();
        group.bench_function(BenchmarkId::from_parameter(idle), |b| {
            b.iter(|| remote.call(|count| *count += 1).expect("the worker runs"));
        });
    }
    group.finish();
}

/// The floor under `host/call`: two threads that wake each other by bare eventfds.
fn ping_pong(c: &mut Criterion) {
    let event = || eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd");
    let (ping, pong) = (event(), event());
    let wait = |fd| rustix::io::read(fd, &mut [0; 8]).expect("a count");
    let ring = |fd, count: u64| rustix::io::write(fd, &count.to_ne_bytes()).expect("room");
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut count = [0; 8];
            // A count of two at once is the end.
            while count != 2u64.to_ne_bytes() {
                rustix::io::read(&ping, &mut count).expect("a count");
                ring(&pong, 1);
            }
        });
        c.bench_function("host/eventfd_ping_pong", |b| {
            b.iter(|| {
                ring(&ping, 1);
                wait(&pong)
            });
        });
        ring(&ping, 2);
    });
}

/// Ringing the bell of a worker that is awake or asleep: what the sender pays.
fn wake(c: &mut Criterion) {
    let worker = spawn(Options::default(), Clock::new(), |_| io::Result::Ok(())).expect("a worker");
    let remote = worker.remote();
    c.bench_function("host/wake", |b| b.iter(|| remote.wake()));
}

criterion_group!(benches, call, ping_pong, wake);
criterion_main!(benches);
