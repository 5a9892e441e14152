//! Workers count, main changes the structure, a reader looks on: nothing lost, nothing torn, nothing corrupt.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as a test does"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use barrow_stats::reader::{ReadError, Reader, Value};
use barrow_stats::{Combined, Segment, SegmentConfig, Shape};

const WORKERS: usize = 2;
const BYTES: u64 = 100;

fn segment() -> Segment {
    let config = SegmentConfig {
        address_space: 4 << 30,
        size: 64 << 20,
        ..SegmentConfig::for_threads(1 + WORKERS)
    };
    Segment::new(&config).expect("a segment")
}

/// Sets a flag when dropped, so that other threads end also when this one panics.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads everything until told to end; what it sees must make sense each time. Returns how many values it saw.
fn look_on(mut reader: Reader, end: &AtomicBool) -> u64 {
    let mut seen = 0;
    let mut packets_before = 0;
    while !end.load(Ordering::Relaxed) {
        match reader.get("/steady") {
            Ok(Some(Value::Combined(rows))) => {
                assert_eq!(rows.len(), 1 + WORKERS);
                let sum: Combined = rows.into_iter().flatten().sum();
                assert!(sum.packets >= packets_before, "counters only grow");
                packets_before = sum.packets;
            }
            Err(ReadError::Busy) => {}
            other => panic!("/steady is {other:?}"),
        }
        let dump = match reader.dump(|name| name.starts_with("/churn/")) {
            Ok(dump) => dump,
            Err(ReadError::Busy) => continue,
            Err(error) => panic!("the directory: {error}"),
        };
        for (entry, value) in dump {
            let number: u64 = entry.name.rsplit('/').next().unwrap().parse().unwrap();
            match value {
                Ok(Value::Names(names)) => {
                    let own = format!("name {number}");
                    assert!(
                        names.iter().flatten().all(|name| *name == own),
                        "{names:?} in {own}"
                    );
                }
                Ok(Value::Simple(rows)) => {
                    let own = |value: &u64| *value == 0 || *value == number;
                    assert!(rows.iter().flatten().all(own), "{rows:?} in {}", entry.name);
                }
                Ok(Value::Gauge(value)) => assert!(value == 0 || value == number),
                Ok(other) => panic!("{} is {other:?}", entry.name),
                Err(ReadError::Busy) => {}
                Err(error) => panic!("{}: {error}", entry.name),
            }
            seen += 1;
        }
    }
    seen
}

#[test]
fn nothing_is_lost_or_torn_while_everything_changes() {
    let segment = segment();
    let steady = segment
        .combined("/steady", Shape::rows(1 + WORKERS).limit(1 << 20))
        .unwrap();
    steady.ensure(0).unwrap();
    let rows: Vec<_> = (1..=WORKERS)
        .map(|thread| steady.row(thread).unwrap())
        .collect();
    let length = AtomicU64::new(1);
    let (stop, watched) = (AtomicBool::new(false), AtomicBool::new(false));
    let reader = Reader::map(segment.descriptor()).unwrap();

    thread::scope(|scope| {
        let onlooker = scope.spawn(|| look_on(reader, &watched));
        let count = |row: barrow_stats::CombinedRow, seed: u64| {
            let mut added = 0;
            let mut state = seed;
            while !stop.load(Ordering::Relaxed) {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let index = (state >> 33) % length.load(Ordering::Acquire);
                row.add2(u32::try_from(index).unwrap(), 1, BYTES);
                added += 1;
            }
            added
        };
        let workers: Vec<_> = (1..)
            .zip(rows)
            .map(|(seed, row)| scope.spawn(move || count(row, seed)))
            .collect();

        {
            let _watched = Finish(&watched);
            let _stop = Finish(&stop);
            let mut live = std::collections::VecDeque::new();
            for number in 1..3000_u64 {
                let name = format!("/churn/{number}");
                let key = match number % 3 {
                    0 => {
                        let names = segment.names_with_limit(&name, 64).unwrap();
                        for index in 0..(number % 5) as u32 {
                            names.set(index, &format!("name {number}")).unwrap();
                        }
                        names.key()
                    }
                    1 => {
                        let counters = segment.simple(&name, Shape::rows(2).limit(1000)).unwrap();
                        counters.ensure((number % 700) as u32).unwrap();
                        counters.set(1, (number % 700) as u32, number);
                        counters.key()
                    }
                    _ => {
                        let gauge = segment.gauge(&name).unwrap();
                        gauge.set_integer(number);
                        gauge.key()
                    }
                };
                live.push_back(key);
                if live.len() > 30 {
                    segment
                        .remove(live.remove((number % 17) as usize).unwrap())
                        .unwrap();
                }
                steady.ensure(number as u32 * 3).unwrap();
                length.store(number * 3 + 1, Ordering::Release);
                if number % 50 == 0 {
                    segment.beat();
                    thread::yield_now();
                }
            }
        }
        let added: u64 = workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum();
        onlooker.join().unwrap();
        let sum: Combined = (0..steady.len()).map(|index| steady.sum(index)).sum();
        assert_eq!(
            sum,
            Combined {
                packets: added,
                bytes: added * BYTES
            }
        );
        assert_eq!(
            steady.missed(),
            0,
            "an index is known to workers after `ensure` only"
        );
    });
}

#[test]
fn a_clear_takes_effect_while_a_worker_counts() {
    let segment = segment();
    let counters = segment.simple("/cleared", 1 + WORKERS).unwrap();
    counters.ensure(0).unwrap();
    let row = counters.row(1).unwrap();
    // Additions begun; one more than is counted may be under way.
    let begun = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (begun, stop) = (&begun, &stop);
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                begun.fetch_add(1, Ordering::SeqCst);
                row.add(0, 1);
            }
        });
        let _stop = Finish(stop);
        let progress = |more: u64| {
            let now = begun.load(Ordering::SeqCst);
            while begun.load(Ordering::SeqCst) < now + more {
                thread::yield_now();
            }
        };
        for _ in 0..200 {
            progress(1000);
            let before = begun.load(Ordering::SeqCst);
            counters.clear(0);
            progress(3);
            let value = counters.value(1, 0);
            let since = begun.load(Ordering::SeqCst) - before;
            assert!(
                value <= since + 1,
                "{value} counted in {since} additions since the clear"
            );
        }
    });
}

#[test]
fn ring_entries_are_whole_while_they_are_written() {
    let segment = segment();
    let shape = barrow_stats::RingShape {
        rows: 1,
        entry_size: 64,
        slots: 8,
        schema: b"",
        schema_version: 0,
    };
    let mut producer = segment.ring("/ring", &shape).unwrap().producer(0).unwrap();
    let mut reader = Reader::map(segment.descriptor()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = Finish(&done);
            for number in 0..200_000_u64 {
                let entry = [number; 8].map(u64::to_ne_bytes);
                producer.push(entry.as_flattened()).unwrap();
            }
        });
        while !done.load(Ordering::Relaxed) {
            let Some(Value::Ring(ring)) = reader.get("/ring").unwrap() else {
                panic!("a ring")
            };
            let sequence = ring.threads[0].sequence;
            let count = ring.entries(0).count() as u64;
            for (number, entry) in (sequence - count..).zip(ring.entries(0)) {
                let whole = [number; 8].map(u64::to_ne_bytes);
                assert_eq!(entry, whole.as_flattened(), "entry {number} of {sequence}");
            }
        }
    });
}
