//! What counting costs a worker, and what reading costs a client.
//!
//! `cargo bench -p barrow-stats`; the packet path adds 2 counters a packet or so.

use std::hint::black_box;

use barrow_stats::reader::Reader;
use barrow_stats::{Segment, SegmentConfig, Shape};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const ROUTES: u32 = 1 << 20;
const VECTOR: usize = 256;

/// Vectors of random indices below `limit`.
fn indices(limit: u32) -> Vec<[u32; VECTOR]> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 % limit
    };
    (0..4096).map(|_| std::array::from_fn(|_| next())).collect()
}

fn add(c: &mut Criterion) {
    let segment = Segment::new(&SegmentConfig::for_threads(2)).expect("a segment");
    let drops = segment.simple("/if/drops", 2).expect("counters");
    drops.ensure(63).expect("room");
    let drops = drops.row(1).expect("a row");
    let to = segment
        .combined("/net/route/to", Shape::rows(2).limit(1 << 24))
        .expect("counters");
    to.ensure(ROUTES - 1).expect("room");
    let to = to.row(1).expect("a row");
    for index in 0..ROUTES {
        to.add2(index, 1, 64);
    }

    let mut group = c.benchmark_group("add a vector of 256");
    group.throughput(Throughput::Elements(VECTOR as u64));
    let few = indices(64);
    let mut vectors = few.iter().cycle();
    group.bench_function("simple, 64 indices", |b| {
        b.iter(|| {
            for &index in vectors.next().expect("endless") {
                drops.add(index, 1);
            }
        });
    });
    let many = indices(ROUTES);
    let mut vectors = many.iter().cycle();
    group.bench_function("combined, 1 Mi random indices", |b| {
        b.iter(|| {
            for &index in vectors.next().expect("endless") {
                to.add2(index, 1, 64);
            }
        });
    });
    let mut vectors = many.iter().cycle();
    group.bench_function("combined, 1 Mi random indices, prefetched 8 ahead", |b| {
        b.iter(|| {
            let vector = vectors.next().expect("endless");
            for (at, &index) in vector.iter().enumerate() {
                to.prefetch(vector[(at + 8) % VECTOR]);
                to.add2(index, 1, 64);
            }
        });
    });
    group.finish();
}

fn read(c: &mut Criterion) {
    let segment = Segment::new(&SegmentConfig::for_threads(2)).expect("a segment");
    let errors = segment.simple("/node/errors", 2).expect("counters");
    for index in 0..3000 {
        let name = format!("/err/node-{}/reason {index}", index / 10);
        segment.symlink(&name, errors.key(), index).expect("room");
    }
    let to = segment
        .combined("/net/route/to", Shape::rows(2).limit(1 << 24))
        .expect("counters");
    to.ensure(ROUTES - 1).expect("room");
    let mut reader = Reader::map(segment.descriptor()).expect("our own layout");

    let mut group = c.benchmark_group("read");
    group.sample_size(20);
    group.throughput(Throughput::Elements(3000));
    group.bench_function("dump of 3000 links", |b| {
        b.iter(|| {
            let dump = reader
                .dump(|name| name.starts_with("/err/"))
                .expect("a quiet segment");
            black_box(dump.count())
        });
    });
    group.throughput(Throughput::Elements(2 * u64::from(ROUTES)));
    group.bench_function("2 rows of 1 Mi combined counters", |b| {
        b.iter(|| black_box(reader.get("/net/route/to").expect("a quiet segment")));
    });
    group.finish();
}

fn structure(c: &mut Criterion) {
    let segment = Segment::new(&SegmentConfig::for_threads(2)).expect("a segment");
    let drops = segment.simple("/if/drops", 2).expect("counters");
    let mut group = c.benchmark_group("change");
    group.throughput(Throughput::Elements(4096));
    group.bench_function("two rows made, grown 4096 times and removed", |b| {
        b.iter(|| {
            let grown = segment
                .combined("/grown", Shape::rows(2).limit(4096))
                .expect("room");
            for index in 0..4096 {
                grown.ensure(index).expect("room");
            }
            segment.remove(grown.key()).expect("made above");
            drop(grown);
            segment.beat();
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("17 links of an interface, made and removed", |b| {
        b.iter_batched(
            || std::array::from_fn::<_, 17, _>(|n| format!("/interfaces/loop0/{n}")),
            |names| {
                let _window = segment.window();
                let links = names.map(|name| segment.symlink(&name, drops.key(), 5));
                for link in links {
                    segment.remove(link.expect("room")).expect("made above");
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, add, read, structure);
criterion_main!(benches);
