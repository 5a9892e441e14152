//! The running node as the main thread sees and changes it.
//!
//! [`Control`] is a cheap handle that API handlers, commands, process nodes and features keep. It owns
//! the node table, error counters, arcs, traces, clock, log and statistics, and the mailboxes of all
//! threads. A change of the graph is a closure that every thread runs between two turns: nobody is
//! stopped, and closures sent to a thread run in the order of sending.

mod fusing;
mod graph;
mod processes;
mod runtime;
mod shared;
mod threads;

pub use fusing::FusedRuntime;
pub use processes::ProcessInfo;
pub use runtime::{NodeRuntime, Rates, ThreadRuntime};
pub use threads::{Unavailable, Watch};

pub(crate) use shared::{Hooks, Shared};

use crate::arc::ArcTable;
use crate::clock::NodeClock;
use crate::error::ErrorTable;
use crate::log::Logger;
use crate::packet::PacketHeader;
use crate::punt::PuntTable;
use crate::trace::TraceControl;
use barrow_core::Spawner;
use barrow_runtime::buf::Pool;
use barrow_stats::Segment;
use std::fmt;
use std::rc::Rc;

/// The running node; main thread only, cheap to clone.
#[derive(Clone)]
pub struct Control(pub(crate) Rc<Shared>);

impl Control {
    /// Threads that forward packets: 1 + workers. Thread 0 is main.
    #[must_use]
    pub fn thread_count(&self) -> usize {
        self.0.mailboxes.len()
    }

    /// Feature arcs: what is on them, and switching it on and off.
    #[must_use]
    pub fn arcs(&self) -> &ArcTable {
        &self.0.arcs
    }

    /// Packet traces.
    #[must_use]
    pub fn trace(&self) -> &TraceControl {
        &self.0.trace
    }

    /// Error counters of all nodes.
    #[must_use]
    pub fn errors(&self) -> &ErrorTable {
        self.refresh_process_counters();
        &self.0.errors
    }

    /// Reasons for which packets are punted, and who takes them.
    #[must_use]
    pub fn punt(&self) -> &PuntTable {
        &self.0.punt
    }

    /// The statistics segment.
    #[must_use]
    pub fn stats(&self) -> &Segment {
        &self.0.segment
    }

    /// The node's log.
    #[must_use]
    pub fn log(&self) -> &Logger {
        &self.0.log
    }

    /// The node's clock.
    #[must_use]
    pub fn clock(&self) -> &NodeClock {
        &self.0.clock
    }

    /// Starts tasks, units and process nodes on the main thread.
    #[must_use]
    pub fn spawner(&self) -> &Spawner {
        &self.0.spawner
    }

    /// The pool that packets live in.
    #[must_use]
    pub fn pool(&self) -> &Pool<PacketHeader> {
        &self.0.pool
    }

    /// What a feature provided with [`EngineBuilder::provide`](crate::EngineBuilder::provide).
    #[must_use]
    pub fn table<T: Clone + 'static>(&self) -> Option<T> {
        self.0.tables.get()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("threads", &self.thread_count())
            .field("nodes", &*self.0.nodes.borrow())
            .finish_non_exhaustive()
    }
}
