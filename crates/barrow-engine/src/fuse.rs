//! Runs of nodes that the engine may run as one: a fused group.
//!
//! ```text
//! single   a -> b -> c -> x, y     each node loads every packet's header and data, four queues between them
//! fused    [a b c] ------> x, y    one pass over the vector; what is not plain is left to a, and so to all of them
//!             \--> a -> ...
//! ```
//!
//! A feature registers a group with [`EngineBuilder::fuse`](crate::EngineBuilder::fuse): the nodes it
//! stands for, in order, and a [`FusedGroup`] for each thread. When a vector reaches the first of these nodes, the
//! group gets it first. For each packet it says which node behind the group is next, or leaves the packet alone.
//! What it left, the single nodes handle, from the first one on.
//!
//! **Invisible.** A group decides before it changes anything, so a packet that it leaves is as it came. The
//! engine counts calls and packets for every node that the group stands for; clocks go to the first. A group does not run
//! while any of the vector's packets is traced, one of its nodes is armed for a trace, or one of its nodes
//! has failed: then the single nodes do what they always do. Whether features sit on an arc inside is for the group to
//! look at ([`DispatchContext::arc_is_idle`]).
//!
//! **Order.** Packets that a group sends are sent before those that it leaves in the same vector. So a
//! group leaves a packet alone in one of two ways: [`NodeId::NONE`] for one that cannot follow
//! its neighbours anyway (it will be dropped, or answered), and the end of the list of next nodes for all others: from
//! there on, the whole vector is left. While packets wait for a node inside the group, later vectors go the same way.

use crate::context::DispatchContext;
use crate::frame::{FRAME_CAPACITY, Vector};
use crate::node::{Meta, NodeId, NodeThread, RuntimeRow};
use crate::packet::Buffer;
use crate::trace::Arm;
use crate::worker::WorkerPackets;
use barrow_graph::region::Ready;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;

/// What a stage of a group says of a packet that it has looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Plain: the stage can handle it.
    Pass,
    /// Left to the single nodes; its neighbours may overtake it.
    Leave,
    /// Left to the single nodes, with everything behind it.
    Stop,
}

/// Several nodes in one pass; one instance a thread. See the [module](self) for the rules.
pub trait FusedGroup: Send + 'static {
    /// Handles what it can of the vector, at least one packet. Pushes for each packet, in order, the node
    /// behind the group that it goes to, or [`NodeId::NONE`] to leave it alone; a shorter list
    /// leaves the rest alone. Packets that are left must not have been changed, nor counted.
    ///
    /// For all packets that it sends, it says by [`FusedContext::passed`] which way they took.
    fn run(&mut self, cx: &mut FusedContext<'_>, vector: &mut Vector<'_>, nexts: &mut Vec<NodeId>);
}

/// What a group sees of its thread. Everything else comes from [`DispatchContext`], which it
/// dereferences to.
pub struct FusedContext<'a> {
    base: DispatchContext<'a>,
    last: NodeId,
}

impl FusedContext<'_> {
    /// Whether a node that is not among the group's own, but may be passed on the way out, can be left
    /// out: it exists on this thread, nobody waits for traces of it, and no packets wait that would be overtaken.
    #[inline]
    #[must_use]
    pub fn can_skip(&mut self, node: NodeId) -> bool {
        let worker = self.base.worker();
        worker.fused.is_plain(node) && worker.queues.is_idle(node)
    }

    /// Says that `packets` went from the group's last node over `through`, a node that was
    /// [left out](Self::can_skip), to `next`.
    #[inline]
    pub fn passed(&mut self, through: NodeId, next: NodeId, packets: usize) {
        let fused = &self.base.worker().fused;
        if let Some(row) = fused.row(self.last) {
            row.sent.add(through, packets);
        }
        if let Some(row) = fused.row(through) {
            row.record(packets as u64, 0);
            row.sent.add(next, packets);
        }
    }
}

impl<'a> Deref for FusedContext<'a> {
    type Target = DispatchContext<'a>;
    #[inline]
    fn deref(&self) -> &DispatchContext<'a> {
        &self.base
    }
}

impl<'a> DerefMut for FusedContext<'a> {
    #[inline]
    fn deref_mut(&mut self) -> &mut DispatchContext<'a> {
        &mut self.base
    }
}

impl fmt::Debug for FusedContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FusedContext").field(&self.base).finish()
    }
}

/// Makes the instance for one thread.
type MakeGroup = Rc<dyn Fn(NodeThread) -> Box<dyn FusedGroup>>;

/// A group as the main thread knows it.
pub(crate) struct GroupEntry {
    pub(crate) name: Rc<str>,
    /// Names of its nodes.
    pub(crate) nodes: Vec<String>,
    pub(crate) make: MakeGroup,
    /// What went through it, by thread.
    pub(crate) rows: Vec<Arc<RuntimeRow>>,
}

/// What a thread knows of one of its nodes, beside the node itself.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) row: Arc<RuntimeRow>,
    pub(crate) arm: Arc<Arm>,
}

/// A group on a thread.
pub(crate) struct Fused {
    group: Box<dyn FusedGroup>,
    /// At least one; the vector is on its way to the first.
    members: Vec<NodeId>,
    row: Arc<RuntimeRow>,
    nexts: Vec<NodeId>,
    /// Packets on their way out; empty in between.
    through: Vec<Buffer>,
}

impl Fused {
    /// The instance of a group of nodes, of which there is at least one.
    pub(crate) fn new(
        group: Box<dyn FusedGroup>,
        members: Vec<NodeId>,
        row: Arc<RuntimeRow>,
    ) -> Self {
        debug_assert!(!members.is_empty());
        Self {
            group,
            members,
            row,
            nexts: Vec::with_capacity(FRAME_CAPACITY),
            through: Vec::with_capacity(FRAME_CAPACITY),
        }
    }

    /// The node whose vectors it gets.
    pub(crate) fn first(&self) -> NodeId {
        self.members[0]
    }

    /// Takes out of `frame` what can pass in one go.
    fn run(
        &mut self,
        x: &mut WorkerPackets,
        ready: &mut Ready,
        meta: &Meta,
        frame: &mut Vec<Buffer>,
    ) {
        if !self.members.iter().all(|node| x.fused.is_plain(*node)) {
            return;
        }
        // What was left of a vector before this one waits inside.
        if !self.members[1..].iter().all(|node| x.queues.is_idle(*node)) {
            return;
        }
        self.nexts.clear();
        let last = *self.members.last().expect("a group has a node");
        let base = DispatchContext::new(x, ready, meta);
        let mut cx = FusedContext { base, last };
        self.group
            .run(&mut cx, &mut Vector::new(frame), &mut self.nexts);
        let whole = self.nexts.len() == frame.len() && !self.nexts.contains(&NodeId::NONE);
        let through = if whole {
            frame
        } else {
            self.take_through(frame);
            &mut self.through
        };
        let passed = through.len();
        if passed == 0 {
            return;
        }
        x.queues.scatter(through, &self.nexts, false, |next, _| {
            ready.mark(next.region())
        });
        self.row.record(passed as u64, 0);
        for pair in self.members.windows(2) {
            if let Some(row) = x.fused.row(pair[0]) {
                row.sent.add(pair[1], passed);
            }
            if let Some(row) = x.fused.row(pair[1]) {
                row.record(passed as u64, 0);
            }
        }
    }

    /// Parts what goes out from what is left, both in order.
    #[cold]
    fn take_through(&mut self, frame: &mut Vec<Buffer>) {
        let mut nexts = self.nexts.iter();
        let goes = |_: &mut Buffer| nexts.next().is_some_and(|next| *next != NodeId::NONE);
        self.through.extend(frame.extract_if(.., goes));
        self.nexts.retain(|next| *next != NodeId::NONE);
    }
}

/// The groups of a thread, and what they ask about its nodes.
#[derive(Default)]
pub(crate) struct FusedTable {
    /// By first node.
    groups: Vec<Option<Box<Fused>>>,
    /// By node; none where there is no node, or one that failed.
    placements: Vec<Option<Placement>>,
    off: bool,
}

impl FusedTable {
    pub(crate) fn add(&mut self, group: Fused) {
        let slot = group.first().slot();
        if self.groups.len() <= slot {
            self.groups.resize_with(slot + 1, || None);
        }
        self.groups[slot] = Some(Box::new(group));
    }

    /// Lets groups run, or the single nodes only.
    pub(crate) fn switch(&mut self, on: bool) {
        self.off = !on;
    }

    pub(crate) fn place(&mut self, node: NodeId, placement: Placement) {
        if self.placements.len() <= node.slot() {
            self.placements.resize(node.slot() + 1, None);
        }
        self.placements[node.slot()] = Some(placement);
    }

    pub(crate) fn remove(&mut self, node: NodeId) {
        if let Some(placement) = self.placements.get_mut(node.slot()) {
            *placement = None;
        }
    }

    #[inline]
    fn row(&self, node: NodeId) -> Option<&RuntimeRow> {
        Some(&self.placements.get(node.slot())?.as_ref()?.row)
    }

    /// Whether the node may be left out.
    #[inline]
    fn is_plain(&self, node: NodeId) -> bool {
        let placement = self.placements.get(node.slot()).and_then(Option::as_ref);
        placement.is_some_and(|placement| !placement.arm.is_armed())
    }

    /// Takes the group that begins at a node, if it may run.
    #[inline]
    fn take(&mut self, first: NodeId) -> Option<Box<Fused>> {
        if self.off {
            return None;
        }
        self.groups.get_mut(first.slot())?.take()
    }
}

/// Lets the group that begins at a node, if there is one, have a vector before the node. What is left in `frame` is
/// for the node. No packet of it is traced.
#[inline]
pub(crate) fn run(x: &mut WorkerPackets, ready: &mut Ready, meta: &Meta, frame: &mut Vec<Buffer>) {
    // Out of its place meanwhile: a group that panics is not seen again.
    if let Some(mut fused) = x.fused.take(meta.id) {
        fused.run(x, ready, meta, frame);
        x.fused.groups[meta.id.slot()] = Some(fused);
    }
}

impl fmt::Debug for Fused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fused")
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FusedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.groups.iter().flatten())
            .finish()
    }
}

impl fmt::Debug for GroupEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupEntry")
            .field("name", &self.name)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}
