//! What all handles of a node's control share.

use crate::arc::ArcTable;
use crate::clock::NodeClock;
use crate::error::ErrorTable;
use crate::fuse::GroupEntry;
use crate::log::Logger;
use crate::node::table::NodeTable;
use crate::outlet::Outlet;
use crate::packet::PacketHeader;
use crate::punt::PuntTable;
use crate::tables::Tables;
use crate::trace::TraceControl;
use crate::worker::{Mailbox, ThreadRow};
use barrow_core::Spawner;
use barrow_runtime::buf::Pool;
use barrow_stats::{Segment, SimpleCounters};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Names an interface in trace records.
pub(crate) type InterfaceNamer = Arc<dyn Fn(u32) -> String + Send + Sync>;

/// What the engine's own nodes are told by features.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    /// Dropped packets by receiving interface.
    pub(crate) drops: Option<SimpleCounters>,
    /// Punted packets by receiving interface.
    pub(crate) punts: Option<SimpleCounters>,
    pub(crate) interface_name: Option<InterfaceNamer>,
}

/// See the [module](self).
pub(crate) struct Shared {
    pub(crate) nodes: RefCell<NodeTable>,
    /// Whether the graph is in place: before, nodes are only noted.
    pub(crate) live: Cell<bool>,
    /// Groups of nodes that run as one.
    pub(crate) groups: RefCell<Vec<GroupEntry>>,
    pub(crate) errors: ErrorTable,
    pub(crate) arcs: ArcTable,
    pub(crate) trace: TraceControl,
    pub(crate) punt: PuntTable,
    pub(crate) mailboxes: Vec<Mailbox>,
    pub(crate) thread_rows: Vec<Arc<ThreadRow>>,
    pub(crate) segment: Segment,
    pub(crate) log: Logger,
    pub(crate) clock: NodeClock,
    pub(crate) spawner: Spawner,
    pub(crate) outlet: Outlet,
    pub(crate) pool: Pool<PacketHeader>,
    pub(crate) tables: Tables,
    pub(crate) hooks: RefCell<Hooks>,
    pub(crate) cleared: RefCell<super::runtime::Cleared>,
    pub(crate) watches: Cell<u64>,
}

impl Shared {
    /// A number for a watch.
    pub(super) fn next_watch(&self) -> u64 {
        self.watches.set(self.watches.get() + 1);
        self.watches.get()
    }
}
