//! What waking, timing and sending cost: `cargo bench -p barrow-core`.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};

use barrow_core::{
    Extensions, Instant, Next, Scheduler, Unit, UnitContext, UnitId, Work,
    channel::bounded,
    handoff::handoff,
    timer::{TimerKey, Timers},
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

struct Nothing;

impl Unit for Nothing {
    fn work(&mut self, _: &mut UnitContext<'_>) -> Work {
        Work::Idle
    }
}

fn with_units(count: usize) -> (Scheduler, Vec<UnitId>) {
    let mut scheduler = Scheduler::new((), Extensions::new());
    let units = (0..count).map(|_| scheduler.add(Nothing)).collect();
    while scheduler.turn(Instant::ZERO, 1 << 20) == Next::Again {}
    (scheduler, units)
}

fn wakes(c: &mut Criterion) {
    let mut group = c.benchmark_group("wake");
    group.throughput(Throughput::Elements(1));
    let (mut scheduler, units) = with_units(1_000);
    group.bench_function("local_and_turn", |b| {
        b.iter(|| {
            scheduler.wake(units[500]);
            scheduler.turn(Instant::ZERO, 64)
        });
    });
    let waker = scheduler.waker(units[500]);
    group.bench_function("waker_and_turn", |b| {
        b.iter(|| {
            waker.wake_by_ref();
            scheduler.turn(Instant::ZERO, 64)
        });
    });
    waker.wake_by_ref();
    group.bench_function("already_woken", |b| b.iter(|| waker.wake_by_ref()));
    group.bench_function("idle_turn", |b| {
        b.iter(|| scheduler.turn(Instant::ZERO, 64))
    });

    // Another thread keeps waking other units of the same scheduler.
    let stop = Arc::new(AtomicBool::new(false));
    let other = {
        let (stop, waker) = (stop.clone(), scheduler.waker(units[501]));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                waker.wake_by_ref();
            }
        })
    };
    group.bench_function("waker_and_turn_contended", |b| {
        b.iter(|| {
            waker.wake_by_ref();
            scheduler.turn(Instant::ZERO, 64)
        });
    });
    stop.store(true, Ordering::Relaxed);
    other.join().expect("it only wakes");
    group.finish();
}

const MILLION: u64 = 1_000_000;

/// A million timers, spread over an hour.
fn armed() -> (Timers, Vec<TimerKey>) {
    let timers = Timers::new();
    let at = |n: u64| Instant::from_micros(n.wrapping_mul(0x9e37_79b9) % 3_600_000_000);
    let keys = (0..MILLION)
        .map(|n| timers.arm(at(n), Waker::noop().clone()))
        .collect();
    (timers, keys)
}

fn timers(c: &mut Criterion) {
    let mut group = c.benchmark_group("timers_1M");
    group.sample_size(10);
    group.throughput(Throughput::Elements(MILLION));
    group.bench_function("arm", |b| b.iter(armed));
    group.bench_function("fire", |b| {
        let fire = |(timers, _): (Timers, _)| {
            timers.advance(Instant::from_secs(3_600));
            while timers.fire(u32::MAX) > 0 {}
            assert!(timers.is_empty());
        };
        b.iter_batched(armed, fire, BatchSize::PerIteration);
    });
    group.bench_function("cancel", |b| {
        let cancel = |(timers, keys): (Timers, Vec<TimerKey>)| {
            keys.into_iter().for_each(|key| assert!(timers.cancel(key)));
        };
        b.iter_batched(armed, cancel, BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(1));
    let (timers, keys) = armed();
    let mut n = 0;
    group.bench_function("push_back", |b| {
        b.iter(|| {
            n = (n + 7_919) % keys.len();
            timers.rearm(keys[n], Instant::from_micros(3_600_000_000 + n as u64))
        });
    });
    group.bench_function("next_deadline", |b| b.iter(|| timers.next_deadline()));
    group.finish();
}

fn queues(c: &mut Criterion) {
    let mut group = c.benchmark_group("queue");
    group.throughput(Throughput::Elements(1));
    let (sender, mut receiver) = bounded(256);
    group.bench_function("channel_send_recv", |b| {
        b.iter(|| {
            sender.try_send(black_box(7u64)).expect("there is room");
            receiver.try_recv()
        });
    });
    let (mut push, mut pull) = handoff(256);
    group.bench_function("handoff_push_pop", |b| {
        b.iter(|| {
            push.push(black_box(7u64)).expect("there is credit");
            pull.pop()
        });
    });
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("channel_across_threads_10k", |b| {
        b.iter(|| {
            let (sender, mut receiver) = bounded(256);
            let thread = std::thread::spawn(move || {
                for n in 0..10_000u64 {
                    let mut value = n;
                    while let Err(error) = sender.try_send(value) {
                        value = error.into_inner();
                        std::thread::yield_now();
                    }
                }
            });
            let mut received = 0;
            while received < 10_000 {
                match receiver.try_recv() {
                    Ok(_) => received += 1,
                    Err(_) => std::thread::yield_now(),
                }
            }
            thread.join().expect("it only sends");
        });
    });
    group.finish();
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(300))
}

criterion_group! { name = benches; config = config(); targets = wakes, timers, queues }
criterion_main!(benches);
