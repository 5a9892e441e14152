//! The main thread's side: what is traced, what is shown.

use super::{Arm, Ids, LogReader};
use crate::node::NodeId;
use barrow_core::Instant;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Which traces are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Filter {
    /// All.
    #[default]
    None,
    /// Those that went through this node.
    Include {
        /// The node.
        node: NodeId,
        /// How many at most.
        count: u32,
    },
    /// Those that did not go through this node.
    Exclude {
        /// The node.
        node: NodeId,
        /// How many at most.
        count: u32,
    },
}

/// One node's part in a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceEntry {
    /// When the node had the packet.
    pub at: Instant,
    /// The node.
    pub node: NodeId,
    /// The thread it ran on.
    pub thread: usize,
    /// What it recorded.
    pub text: String,
}

/// The walk of one packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TracedPacket {
    /// The thread that the packet came in on.
    pub thread: usize,
    /// Which trace this is, ascending from the first packet traced.
    pub id: u32,
    /// What the nodes did, in order.
    pub entries: Vec<TraceEntry>,
}

struct Inner {
    ids: Arc<Ids>,
    arms: RefCell<BTreeMap<NodeId, Arc<Arm>>>,
    logs: RefCell<Vec<LogReader>>,
    filter: Cell<Filter>,
}

/// What is traced and what came of it; a cheap handle of the main thread.
#[derive(Clone)]
pub struct TraceControl(Rc<Inner>);

impl TraceControl {
    pub(crate) fn new(ids: Arc<Ids>) -> Self {
        Self(Rc::new(Inner {
            ids,
            arms: RefCell::default(),
            logs: RefCell::default(),
            filter: Cell::default(),
        }))
    }

    /// Adds the log of the next thread.
    pub(crate) fn add_log(&self, log: LogReader) {
        self.0.logs.borrow_mut().push(log);
    }

    pub(crate) fn add_arm(&self, node: NodeId, arm: Arc<Arm>) {
        self.0.arms.borrow_mut().insert(node, arm);
    }

    pub(crate) fn remove_arm(&self, node: NodeId) {
        self.0.arms.borrow_mut().remove(&node);
    }

    /// Traces the next `count` packets of a node, over all threads; adds to what is left of an earlier
    /// request. Zero ends it. False if there is no such packet node.
    pub fn add(&self, node: NodeId, count: u32) -> bool {
        let arms = self.0.arms.borrow();
        arms.get(&node).map(|arm| arm.add(count)).is_some()
    }

    /// How many packets of the node are still to be traced.
    #[must_use]
    pub fn left(&self, node: NodeId) -> u32 {
        self.0.arms.borrow().get(&node).map_or(0, |arm| arm.left())
    }

    /// Sets which traces [`packets`](Self::packets) gives.
    pub fn set_filter(&self, filter: Filter) {
        self.0.filter.set(filter);
    }

    /// The filter in force.
    #[must_use]
    pub fn filter(&self) -> Filter {
        self.0.filter.get()
    }

    /// Forgets all traces and requests.
    pub fn clear(&self) {
        self.0.arms.borrow().values().for_each(|arm| arm.add(0));
        self.0.ids.clear();
        self.0.logs.borrow().iter().for_each(LogReader::clear);
    }

    /// Records lost because a thread's log was full.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.logs.borrow().iter().map(LogReader::lost).sum()
    }

    /// All traces that pass the filter: by the thread they began on, then in the order in which they
    /// began.
    #[must_use]
    pub fn packets(&self) -> Vec<TracedPacket> {
        let mut traces: BTreeMap<u32, Vec<(u64, TraceEntry)>> = BTreeMap::new();
        for (thread, log) in self.0.logs.borrow().iter().enumerate() {
            for record in log.records().iter() {
                let text = record.record.to_string();
                let entry = TraceEntry {
                    at: record.at,
                    node: record.node,
                    thread,
                    text,
                };
                traces
                    .entry(record.id)
                    .or_default()
                    .push((record.sequence, entry));
            }
        }
        let mut packets: Vec<_> = traces
            .into_iter()
            .map(|(id, mut entries)| {
                entries.sort_by_key(|(sequence, _)| *sequence);
                let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
                TracedPacket {
                    thread: entries[0].thread,
                    id,
                    entries,
                }
            })
            .collect();
        packets.sort_by_key(|packet| (packet.thread, packet.id));
        match self.filter() {
            Filter::None => {}
            Filter::Include { node, count } => {
                packets.retain(|packet| packet.visits(node));
                packets.truncate(count as usize);
            }
            Filter::Exclude { node, count } => {
                packets.retain(|packet| !packet.visits(node));
                packets.truncate(count as usize);
            }
        }
        packets
    }
}

impl TracedPacket {
    /// Whether the packet went through a node.
    #[must_use]
    pub fn visits(&self, node: NodeId) -> bool {
        self.entries.iter().any(|entry| entry.node == node)
    }

    /// The walk as `show trace` prints it; `name` names nodes.
    pub fn write(&self, out: &mut impl fmt::Write, name: impl Fn(NodeId) -> String) -> fmt::Result {
        for entry in &self.entries {
            let micros = entry.at.as_nanos() / 1000;
            let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
            let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            let name = name(entry.node);
            writeln!(
                out,
                "{hours:02}:{minutes:02}:{seconds:02}:{micros:06}: {name}"
            )?;
            entry
                .text
                .lines()
                .try_for_each(|line| writeln!(out, "  {line}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for TraceControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceControl")
            .field("filter", &self.filter())
            .finish_non_exhaustive()
    }
}
