//! What forwarding tables cost: adding a million routes, in time and memory, and looking addresses up.
//!
//! `cargo bench -p barrow-features --bench fib`

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use barrow_features::adj::{AdjTable, Links, Output, Reach, Rewrite};
use barrow_features::fib::{
    AddressFamily, Choice, Epochs, Fib, FibIndex, LbIndex, NoCounters, ObjectCounters, RouteChange,
    RoutePath, Source,
};
use barrow_features::interface::SwIfIndex;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const MILLION: u32 = 1_000_000;

/// The network of a number.
type Networks = fn(u32) -> u32;

/// One interface, always up.
struct OneLink;

impl Links for OneLink {
    fn exists(&self, _interface: SwIfIndex) -> bool {
        true
    }

    fn is_up(&self, _interface: SwIfIndex) -> bool {
        true
    }

    fn name(&self, _interface: SwIfIndex) -> String {
        "pg0".into()
    }

    fn output(&self, _interface: SwIfIndex, _family: AddressFamily) -> Output {
        Output {
            mtu: 9000,
            node: 1,
            features: false,
        }
    }

    fn rewrite(&self, _: SwIfIndex, _: AddressFamily, _: Reach) -> Option<Rewrite> {
        Rewrite::new(&[0; 14])
    }
}

fn tables() -> Fib {
    let epochs = Epochs::default();
    let counters: [Rc<dyn ObjectCounters>; 2] = [Rc::new(NoCounters), Rc::new(NoCounters)];
    Fib::new(
        AdjTable::new(Rc::new(OneLink), epochs.clone()),
        counters,
        &epochs,
    )
}

/// Neighbours on the link, as a client names them.
fn paths(count: u8) -> Vec<RoutePath> {
    let path = |host| {
        let mut next_hop = [0; 16];
        next_hop[..4].copy_from_slice(&[10, 0, 0, host]);
        RoutePath {
            sw_if_index: 1,
            next_hop,
            ..RoutePath::default()
        }
    };
    (2..2 + count).map(path).collect()
}

fn change(fib: &Fib, is_add: bool, address: u32, len: u8, paths: &[RoutePath]) {
    let change = RouteChange {
        table_id: 0,
        address: Ipv4Addr::from_bits(address).into(),
        len,
        source: Source::API,
        is_add,
        is_multipath: false,
        paths,
    };
    fib.route_add_del(&change).expect("room for a route");
}

/// Networks one after the other, as `ip route add ... count` makes them.
fn consecutive(index: u32) -> u32 {
    0x1000_0000 + (index << 8)
}

/// Networks all over the place, each once: multiplication by an odd number permutes 24 bits.
fn scattered(index: u32) -> u32 {
    (index.wrapping_mul(0x9e37_79b1) & 0xff_ffff) << 8
}

fn filled(count: u32, network: Networks, paths: &[RoutePath]) -> Fib {
    let fib = tables();
    (0..count).for_each(|index| change(&fib, true, network(index), 24, paths));
    fib
}

/// A million /24 into an empty table: time and heap memory of a route.
fn add(c: &mut Criterion) {
    let mut group = c.benchmark_group("fib/add_million");
    group.sample_size(10).throughput(Throughput::Elements(1));
    for (name, network) in [
        ("consecutive", consecutive as Networks),
        ("scattered", scattered),
    ] {
        let path = paths(1);
        let mut bytes = 0;
        group.bench_function(name, |b| {
            b.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                let mut left = iterations;
                while left > 0 {
                    let count = left.min(u64::from(MILLION)) as u32;
                    let fib = tables();
                    let empty = fib.bytes();
                    let start = Instant::now();
                    (0..count).for_each(|index| change(&fib, true, network(index), 24, &path));
                    spent += start.elapsed();
                    left -= u64::from(count);
                    if count == MILLION {
                        bytes = fib.bytes() - empty;
                    }
                }
                spent
            });
        });
        if bytes != 0 {
            println!(
                "fib/add_million/{name}: {:.1} bytes a route",
                bytes as f64 / f64::from(MILLION)
            );
        }
    }
    group.finish();
}

/// One route of a million: deleted and added again, and given other paths.
fn alter(c: &mut Criterion) {
    let (one, other) = (paths(1), paths(2));
    let fib = filled(MILLION, consecutive, &one);
    let mut group = c.benchmark_group("fib/alter");
    let mut index = 0;
    let mut next = move || {
        index = (index + 7919) % MILLION;
        consecutive(index)
    };
    group.bench_function("delete_and_add", |b| {
        b.iter(|| {
            let network = next();
            change(&fib, false, network, 24, &[]);
            change(&fib, true, network, 24, &one);
        });
    });
    group.bench_function("replace", |b| {
        b.iter(|| {
            let network = next();
            change(&fib, true, network, 24, &other);
            change(&fib, true, network, 24, &one);
        });
    });
    group.finish();
}

/// Vectors of 256 addresses through the table and its load balances.
fn lookup(c: &mut Criterion) {
    let mut group = c.benchmark_group("fib/lookup");
    group.throughput(Throughput::Elements(256));
    let path = paths(1);
    let cases: [(&str, Fib, Networks); 3] = [
        ("one_flow", filled(1, consecutive, &path), |_| 0x1000_0001),
        (
            "million_consecutive",
            filled(MILLION, consecutive, &path),
            |random| consecutive(random % MILLION) | 1,
        ),
        (
            "million_scattered",
            filled(MILLION, scattered, &path),
            |random| scattered(random % MILLION) | 1,
        ),
    ];
    for (name, fib, address) in cases {
        let reader = fib.reader();
        let table = reader.ip4_table(FibIndex::DEFAULT);
        let table = table.as_ref().expect("the default table");
        let mut state = 1_u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 4
        };
        let vectors: Vec<[u32; 256]> = (0..4096)
            .map(|_| std::array::from_fn(|_| address(random())))
            .collect();
        let mut vectors = vectors.iter().cycle();
        let mut found = [LbIndex::DROP; 256];
        let mut choices = [Choice::DROP; 256];
        group.bench_function(BenchmarkId::new("batch", name), |b| {
            b.iter(|| {
                let vector = vectors.next().expect("an endless cycle");
                table.lookup_batch(vector, &mut found);
                reader.load_balances().load_batch(&found, &mut choices);
                black_box(&choices);
            });
        });
        group.bench_function(BenchmarkId::new("single", name), |b| {
            b.iter(|| {
                let vector = vectors.next().expect("an endless cycle");
                for (choice, &address) in choices.iter_mut().zip(vector) {
                    *choice = reader.load_balances().load(table.lookup(address));
                }
                black_box(&choices);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, add, alter, lookup);
criterion_main!(benches);
