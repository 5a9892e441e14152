//! What running a region costs, apart from its nodes' work: `cargo bench -p barrow-graph`.

use std::time::Duration;

use barrow_core::Work;
use barrow_graph::region::{NodeIndex, Ran, Ready, Region, RegionNode};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Marks the next one, as the stage of a packet path does.
struct Stage {
    next: Option<NodeIndex>,
    work: u64,
}

impl RegionNode<u64> for Stage {
    fn run(&mut self, shared: &mut u64, ready: &mut Ready, _: u32) -> Ran {
        self.work += 1;
        *shared += self.work;
        if let Some(next) = self.next {
            ready.mark(next);
        }
        Ran::all(1)
    }
}

/// A chain of `length` nodes spread over a region of `nodes`.
fn chain(nodes: u32, length: u32) -> (Region<u64>, NodeIndex) {
    let mut region = Region::new();
    let step = nodes / length;
    for n in 0..nodes {
        let next = n + step;
        let on_chain = n % step == 0 && next < step * length;
        let next = on_chain.then(|| NodeIndex::new(next));
        region.add_node(&format!("stage-{n}"), Box::new(Stage { next, work: 0 }));
    }
    for n in 0..length - 1 {
        region.connect(NodeIndex::new(n * step), NodeIndex::new((n + 1) * step));
    }
    (region, NodeIndex::new(0))
}

fn dispatch(c: &mut Criterion) {
    let mut group = c.benchmark_group("dispatch");
    for nodes in [8, 512, 4_096, 65_536] {
        group.throughput(Throughput::Elements(8));
        let (mut region, first) = chain(nodes, 8);
        let mut shared = 0;
        group.bench_function(BenchmarkId::new("chain_of_8_in", nodes), |b| {
            b.iter(|| {
                region.mark(first);
                assert_eq!(region.turn(&mut shared, 256), Work::Idle);
            });
        });
    }
    group.finish();
}

/// Creating interfaces on a big node: two nodes and three edges each, against the order.
fn grow(c: &mut Criterion) {
    let mut group = c.benchmark_group("grow");
    group.sample_size(10);
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1000_interfaces", |b| {
        b.iter(|| {
            let (mut region, rewrite) = chain(512, 8);
            let drop = region.add_node(
                "error-drop",
                Box::new(Stage {
                    next: None,
                    work: 0,
                }),
            );
            for n in 0..1_000 {
                let stage = || {
                    Box::new(Stage {
                        next: None,
                        work: 0,
                    })
                };
                let output = region.add_node(&format!("tap{n}-output"), stage());
                let tx = region.add_node(&format!("tap{n}-tx"), stage());
                region.connect(rewrite, output);
                region.connect(output, tx);
                region.connect(output, drop);
                region.connect(tx, drop);
            }
            region
        });
    });
    group.finish();
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(300))
}

criterion_group! { name = benches; config = config(); targets = dispatch, grow }
criterion_main!(benches);
