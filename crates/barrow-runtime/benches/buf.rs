//! What buffers cost: allocating and freeing vectors, reaching headers and data.
//!
//! `cargo bench -p barrow-runtime --bench buf`

use std::hint::black_box;

use barrow_runtime::buf::{Buf, Cache, Config, Header, Pool};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
struct Meta([u32; 32]);

impl Header for Meta {}

fn cache() -> Cache<Meta> {
    Pool::new(Config::default())
        .expect("memory for a pool")
        .cache()
}

/// One vector from the cache and back.
fn alloc_free(c: &mut Criterion) {
    let mut group = c.benchmark_group("buf/alloc_free");
    for n in [1, 64, 256] {
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::from_parameter(n), |b| {
            let mut cache = cache();
            let mut bufs: Vec<Buf<Meta>> = Vec::with_capacity(n);
            b.iter(|| {
                cache.alloc(n, &mut bufs);
                cache.free(black_box(&mut bufs).drain(..));
            });
        });
    }
    group.finish();
}

/// Vectors allocated by one cache and freed by another: all go by way of the shared stack.
fn hand_over(c: &mut Criterion) {
    let mut group = c.benchmark_group("buf/hand_over");
    group.throughput(Throughput::Elements(256));
    group.bench_function("256", |b| {
        let mut from = cache();
        let mut to = from.pool().cache();
        let mut bufs: Vec<Buf<Meta>> = Vec::with_capacity(256);
        b.iter(|| {
            from.alloc(256, &mut bufs);
            to.free(bufs.drain(..));
        });
    });
    group.finish();
}

/// From handles to headers and data.
fn access(c: &mut Criterion) {
    let mut group = c.benchmark_group("buf/access");
    group.throughput(Throughput::Elements(256));
    let mut cache = cache();
    let mut bufs: Vec<Buf<Meta>> = Vec::with_capacity(256);
    cache.alloc(256, &mut bufs);
    group.bench_function("header_mut/256", |b| {
        b.iter(|| bufs.iter_mut().for_each(|buf| buf.header_mut().0[0] += 1));
    });
    group.bench_function("slot_mut/256", |b| {
        b.iter(|| {
            for buf in &mut bufs {
                let (header, room) = buf.slot_mut();
                header.0[0] += u32::from(room[128]);
            }
        });
    });
    group.finish();
    cache.free(bufs);
}

criterion_group!(benches, alloc_free, hand_over, access);
criterion_main!(benches);
