//! What is written into the statistics segment now and then: rates, pools, memory, per-node counters.
//!
//! Counters proper are in the segment from their first moment; here is what has to be computed or copied,
//! by a process node on the main thread, once every `update-interval`. Entries and their order are those
//! of VPP (`vpp:src/vlib/stats/collector.c`, `provider_mem.c`).

use crate::control::{Control, Rates};
use crate::memory::ProcessMemory;
use barrow_core::{Instant, NoErrors, NoNext, ProcessContext, ProcessError, ProcessNode};
use barrow_stats::{
    EntryError, EntryKey, Gauge, HeapCounters, HeapUse, NameVector, Segment, Shape, SimpleCounters,
};
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::rc::Rc;
use std::time::Duration;

/// The entries that are always there.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    segment: Segment,
    segment_memory: HeapCounters,
    vector_rate: Gauge,
    vector_rate_per_worker: SimpleCounters,
    loops_per_worker: SimpleCounters,
    cached: Gauge,
    used: Gauge,
    available: Gauge,
}

impl Entries {
    /// Makes them, first of all entries, as VPP's clients find them.
    pub(crate) fn new(segment: &Segment, threads: usize) -> Result<Self, EntryError> {
        let segment_memory = segment.heap("stat segment")?;
        let per_worker = |name| {
            let counters = segment.simple(name, Shape::rows(1).limit(threads as u32))?;
            counters.ensure(threads as u32 - 1)?;
            Ok::<_, EntryError>(counters)
        };
        let pool = |name: &str| segment.gauge(&format!("/buffer-pools/{POOL}/{name}"));
        let entries = Self {
            segment: segment.clone(),
            segment_memory,
            vector_rate: segment.gauge("/sys/vector_rate")?,
            vector_rate_per_worker: per_worker("/sys/vector_rate_per_worker")?,
            loops_per_worker: per_worker("/sys/loops_per_worker")?,
            cached: pool("cached")?,
            used: pool("used")?,
            available: pool("available")?,
        };
        segment
            .gauge("/sys/num_worker_threads")?
            .set_integer(threads as u64 - 1);
        Ok(entries)
    }
}

/// The name of the packet pool, as VPP names the one of the first NUMA node.
pub(crate) const POOL: &str = "default-numa-0";

/// The counters of each node.
#[derive(Debug)]
struct PerNode {
    names: NameVector,
    counters: [SimpleCounters; 4],
    /// Links of each node that was there the last time, with the name they have.
    linked: BTreeMap<u32, (Rc<str>, Vec<EntryKey>)>,
}

/// In the order of [`PerNode::counters`].
const PER_NODE: [&str; 4] = ["clocks", "vectors", "calls", "suspends"];

impl PerNode {
    fn new(segment: &Segment, threads: usize) -> Result<Self, EntryError> {
        let names = segment.names("/sys/node/names")?;
        let counters = PER_NODE.map(|name| segment.simple(&format!("/sys/node/{name}"), threads));
        let [clocks, vectors, calls, suspends] = counters;
        let counters = [clocks?, vectors?, calls?, suspends?];
        Ok(Self {
            names,
            counters,
            linked: BTreeMap::new(),
        })
    }

    /// Follows the nodes that came and went, and copies what they cost.
    fn collect(&mut self, control: &Control) -> Result<(), EntryError> {
        let segment = control.stats();
        let window = segment.window();
        let nodes: BTreeMap<u32, Rc<str>> = control
            .nodes()
            .into_iter()
            .map(|node| (node.id.index(), node.name))
            .collect();
        self.linked.retain(|index, (name, links)| {
            let stays = nodes.get(index) == Some(name);
            if !stays {
                // They can only be gone already.
                links.drain(..).for_each(|link| drop(segment.remove(link)));
                self.names.clear(*index);
            }
            stays
        });
        for (index, name) in nodes {
            if self.linked.contains_key(&index) {
                continue;
            }
            self.names.set(index, &name)?;
            let path = name.replace('/', "_");
            let links = PER_NODE.iter().zip(&self.counters).map(|(kind, counters)| {
                segment.symlink(&format!("/nodes/{path}/{kind}"), counters.key(), index)
            });
            let links = links.collect::<Result<_, _>>()?;
            self.linked.insert(index, (name, links));
        }
        drop(window);
        for thread in control.runtime() {
            for node in thread.nodes {
                let runtime = node.runtime;
                let values = [
                    runtime.clocks,
                    runtime.vectors,
                    runtime.calls,
                    runtime.suspends,
                ];
                for (counters, value) in self.counters.iter().zip(values) {
                    counters.set(thread.thread, node.id.index(), value);
                }
            }
        }
        Ok(())
    }
}

/// What was seen by the last collection.
#[derive(Clone, Debug, Default)]
struct Seen {
    at: Instant,
    received: u64,
    turns: Vec<u64>,
    /// Calls and vectors of internal nodes, by thread.
    dispatched: Vec<(u64, u64)>,
}

/// The process node.
pub(crate) struct Collector {
    control: Control,
    entries: Entries,
    interval: Duration,
    last_update: Gauge,
    input_rate: Gauge,
    heap: HeapCounters,
    per_node: Option<PerNode>,
    seen: Seen,
}

impl Collector {
    /// Makes the rest of the entries.
    pub(crate) fn new(
        control: &Control,
        entries: Entries,
        interval: Duration,
        per_node: bool,
    ) -> Result<Self, EntryError> {
        let segment = control.stats();
        segment.set_boot_time(control.clock().wall().as_secs());
        let threads = control.thread_count();
        Ok(Self {
            control: control.clone(),
            entries,
            interval,
            last_update: segment.scalar("/sys/last_update")?,
            input_rate: segment.gauge("/sys/input_rate")?,
            heap: segment.heap("main heap")?,
            per_node: per_node
                .then(|| PerNode::new(segment, threads))
                .transpose()?,
            seen: Seen::default(),
        })
    }

    fn collect(&mut self) {
        let now = self.control.clock().now();
        let elapsed = now.saturating_since(self.seen.at).as_secs_f64();
        let rate = |n: u64| {
            if elapsed > 0.0 {
                n as f64 / elapsed
            } else {
                0.0
            }
        };
        let threads = 0..self.control.thread_count();
        let seen = Seen {
            at: now,
            received: threads
                .clone()
                .map(|thread| self.control.received(thread))
                .sum(),
            turns: threads
                .clone()
                .map(|thread| self.control.turns(thread))
                .collect(),
            dispatched: threads
                .map(|thread| self.control.dispatched(thread))
                .collect(),
        };
        let mut total = (0, 0);
        for (thread, (calls, vectors)) in seen.dispatched.iter().enumerate() {
            let before = self
                .seen
                .dispatched
                .get(thread)
                .copied()
                .unwrap_or_default();
            let calls = calls.saturating_sub(before.0);
            let vectors = vectors.saturating_sub(before.1);
            let mean = Rates::mean(vectors, calls);
            self.entries
                .vector_rate_per_worker
                .set(0, thread as u32, mean as u64);
            let turned = self.seen.turns.get(thread).copied().unwrap_or_default();
            let turns = rate(seen.turns[thread].saturating_sub(turned));
            self.entries
                .loops_per_worker
                .set(0, thread as u32, turns as u64);
            // With workers, main is left out.
            if thread > 0 || seen.dispatched.len() == 1 {
                total = (total.0 + calls, total.1 + vectors);
            }
        }
        self.entries.vector_rate.set(Rates::mean(total.1, total.0));
        self.input_rate
            .set(rate(seen.received.saturating_sub(self.seen.received)));
        self.last_update.set(now.as_secs_f64());
        let pool = self.control.pool().stats();
        let cached: usize = pool.cached.iter().sum();
        self.entries.cached.set_integer(cached as u64);
        self.entries.used.set_integer(pool.owned as u64);
        self.entries.available.set_integer(pool.free as u64);
        self.entries
            .segment_memory
            .set(&self.entries.segment.memory());
        self.heap.set(&HeapUse::from(ProcessMemory::read()));
        // Also copies the counters of process nodes.
        let _counters = self.control.errors();
        if let Some(per_node) = &mut self.per_node
            && let Err(error) = per_node.collect(&self.control)
        {
            let log = self.control.log().class("statseg");
            log.error(format_args!(
                "counters of nodes are no longer collected: {error}"
            ));
            self.per_node = None;
        }
        self.entries.segment.beat();
        self.seen = seen;
    }
}

impl ProcessNode for Collector {
    const NAME: &'static CStr = c"statseg-collector-process";
    type NextNodes = NoNext;
    type Errors = NoErrors;

    async fn run(mut self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        loop {
            self.collect();
            cx.sleep(self.interval).await;
        }
    }
}
