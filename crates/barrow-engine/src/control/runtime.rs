//! What the graph cost: the data of `show runtime` and of `/sys/node`.

use super::Control;
use crate::node::{NodeId, NodeKind, Role, Runtime};
use barrow_core::Instant;
use std::rc::Rc;
use std::time::Duration;

/// What the counters stood at when they were cleared.
#[derive(Default, Debug)]
pub(crate) struct Cleared {
    at: Instant,
    /// Turns by thread.
    turns: Vec<u64>,
}

/// One node on one thread.
#[derive(Clone, Debug)]
pub struct NodeRuntime {
    /// The node.
    pub id: NodeId,
    /// Its name.
    pub name: Rc<str>,
    /// What kind of node it is.
    pub kind: NodeKind,
    /// What state it is in, in the words of `show runtime`.
    pub state: &'static str,
    /// What it cost since the counters were cleared.
    pub runtime: Runtime,
}

/// Packets a second since the counters were cleared.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rates {
    /// Brought in by input nodes.
    pub input: f64,
    /// Sent by output nodes.
    pub output: f64,
    /// Dropped.
    pub drop: f64,
    /// Punted.
    pub punt: f64,
    /// Mean packets a dispatch of an internal node.
    pub vectors_per_call: f64,
    /// Turns a second.
    pub loops: f64,
}

impl Rates {
    /// Packets a call.
    pub(crate) fn mean(vectors: u64, calls: u64) -> f64 {
        if calls == 0 {
            0.0
        } else {
            vectors as f64 / calls as f64
        }
    }
}

/// One thread, for listings.
#[derive(Clone, Debug)]
pub struct ThreadRuntime {
    /// The thread.
    pub thread: usize,
    /// Time since the counters were cleared.
    pub since: Duration,
    /// Its rates over that time.
    pub rates: Rates,
    /// Its nodes by name. Process nodes are on thread 0.
    pub nodes: Vec<NodeRuntime>,
}

impl Control {
    /// What each node cost on each thread since the counters were cleared.
    #[must_use]
    pub fn runtime(&self) -> Vec<ThreadRuntime> {
        let since = self
            .0
            .clock
            .now()
            .saturating_since(self.0.cleared.borrow().at);
        let threads = 0..self.thread_count();
        threads
            .map(|thread| self.thread_runtime(thread, since))
            .collect()
    }

    /// What a node cost on a thread since the counters were cleared.
    #[must_use]
    pub fn node_runtime(&self, thread: usize, node: NodeId) -> Runtime {
        self.0
            .nodes
            .borrow()
            .get(node)
            .map_or_else(Runtime::default, |e| e.runtime(thread))
    }

    /// Packets that a node sent to another, ever, over all threads.
    #[must_use]
    pub fn sent(&self, from: NodeId, to: NodeId) -> u64 {
        let nodes = self.0.nodes.borrow();
        nodes.get(from).map_or(0, |entry| {
            entry.rows.iter().map(|row| row.sent.get(to)).sum()
        })
    }

    /// What a node does, in the words of `show node`; the empty text if there is none.
    #[must_use]
    pub fn node_state(&self, node: NodeId) -> &'static str {
        self.0
            .nodes
            .borrow()
            .get(node)
            .map_or("", |entry| state(entry, 0))
    }

    /// Zeroes all error counters, also while threads count.
    pub fn clear_errors(&self) {
        let nodes = self.0.nodes.borrow();
        nodes
            .iter()
            .filter_map(|(_, entry)| entry.process.as_ref())
            .for_each(|p| p.clear_counters());
        self.0.errors.clear();
    }

    /// Clears what [`runtime`](Self::runtime) gives, without disturbing the threads that count.
    pub fn clear_runtime(&self) {
        let mut nodes = self.0.nodes.borrow_mut();
        let ids: Vec<_> = nodes.iter().map(|(id, _)| id).collect();
        for id in ids {
            if let Some(entry) = nodes.get_mut(id) {
                entry.clear_runtime();
                if let Some(status) = &entry.process {
                    status.clear_runtime();
                }
            }
        }
        self.0.spawner.clear_stats();
        let turns = self.0.thread_rows.iter().map(|row| row.turns()).collect();
        self.0
            .segment
            .set_last_clear(self.0.clock.now().as_secs_f64());
        *self.0.cleared.borrow_mut() = Cleared {
            at: self.0.clock.now(),
            turns,
        };
    }

    /// Calls and packets of the internal nodes of a thread, ever.
    pub(crate) fn dispatched(&self, thread: usize) -> (u64, u64) {
        let nodes = self.0.nodes.borrow();
        let internal = nodes
            .iter()
            .filter(|(_, entry)| entry.kind == NodeKind::Internal);
        let rows = internal.filter_map(|(_, entry)| Some(entry.rows.get(thread)?.read()));
        rows.fold((0, 0), |(calls, vectors), row| {
            (calls + row.calls, vectors + row.vectors)
        })
    }

    /// Times the graph of a thread was looked at, ever.
    #[must_use]
    pub fn turns(&self, thread: usize) -> u64 {
        self.0.thread_rows.get(thread).map_or(0, |row| row.turns())
    }

    /// Packets that input nodes of a thread brought in, ever.
    #[must_use]
    pub fn received(&self, thread: usize) -> u64 {
        self.0
            .thread_rows
            .get(thread)
            .map_or(0, |row| row.received())
    }

    /// Dispatches of a thread that panicked, ever.
    #[must_use]
    pub fn panics(&self, thread: usize) -> u64 {
        self.0.thread_rows.get(thread).map_or(0, |row| row.panics())
    }

    fn thread_runtime(&self, thread: usize, since: Duration) -> ThreadRuntime {
        let table = self.0.nodes.borrow();
        let mut sums = [0u64; 4];
        let (mut calls, mut vectors) = (0, 0);
        let mut nodes = Vec::new();
        for (id, entry) in table
            .iter()
            .filter(|(_, e)| e.kind != NodeKind::Process || thread == 0)
        {
            let mut runtime = entry.runtime(thread);
            if let Some(process) = self.process_info(id, entry) {
                runtime = process.runtime();
            }
            match (entry.kind, entry.role) {
                (NodeKind::Input, _) => sums[0] += runtime.vectors,
                (_, Role::Output) => sums[1] += runtime.vectors,
                (_, Role::Drop) => sums[2] += runtime.vectors,
                (_, Role::Punt) => sums[3] += runtime.vectors,
                (_, Role::Inner) => {}
            }
            if entry.kind == NodeKind::Internal {
                calls += runtime.calls;
                vectors += runtime.vectors;
            }
            let state = state(entry, thread);
            nodes.push(NodeRuntime {
                id,
                name: entry.name.clone(),
                kind: entry.kind,
                state,
                runtime,
            });
        }
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let cleared = self
            .0
            .cleared
            .borrow()
            .turns
            .get(thread)
            .copied()
            .unwrap_or(0);
        let seconds = since.as_secs_f64();
        let rate = |n: u64| {
            if seconds > 0.0 {
                n as f64 / seconds
            } else {
                0.0
            }
        };
        let [input, output, drop, punt] = sums.map(rate);
        let loops = rate(self.turns(thread).saturating_sub(cleared));
        let vectors_per_call = Rates::mean(vectors, calls);
        let rates = Rates {
            input,
            output,
            drop,
            punt,
            vectors_per_call,
            loops,
        };
        ThreadRuntime {
            thread,
            since,
            rates,
            nodes,
        }
    }

    /// Copies the counters of process nodes to where all others are.
    pub(super) fn refresh_process_counters(&self) {
        let nodes = self.0.nodes.borrow();
        for (_, entry) in nodes.iter() {
            let Some(status) = &entry.process else {
                continue;
            };
            for slot in 0..entry.counters.len() {
                self.0
                    .errors
                    .store(entry.errors + slot as u16, status.counter(slot));
            }
        }
    }
}

fn state(entry: &crate::node::table::Entry, thread: usize) -> &'static str {
    use crate::node::InputMode;
    use barrow_core::ProcessState;
    let mode = entry
        .modes
        .get(thread)
        .map_or(InputMode::Disabled, |mode| mode.get());
    match (&entry.process, entry.kind, mode) {
        (Some(status), ..) => match status.state() {
            ProcessState::Ready | ProcessState::Running | ProcessState::Restarting => "running",
            ProcessState::Waiting => status.waits().state(),
            ProcessState::Finished | ProcessState::Failed | ProcessState::Removed => "done",
        },
        (None, NodeKind::Input, InputMode::Polling) => "polling",
        (None, NodeKind::Input, InputMode::Interrupt) => "interrupt wait",
        (None, NodeKind::Input, InputMode::Adaptive) => "adaptive",
        (None, NodeKind::Input, InputMode::Disabled) => "disabled",
        (None, NodeKind::Internal | NodeKind::Process, _) => "active",
    }
}
