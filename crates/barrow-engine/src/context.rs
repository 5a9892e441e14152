//! What a node sees of its thread while it is dispatched.

use crate::arc::{ArcEntry, ArcHandle};
use crate::frame::{Frame, Vector};
use crate::node::{InputNode, InputSlot, Meta, NodeId, PacketNode, PacketSlot, Slot};
use crate::packet::{Buffer, Packet, PacketCache, PacketFlags};
use crate::trace::TraceRecord;
use crate::worker::WorkerPackets;
use barrow_core::{ErrorCounters, Instant, NextNodes};
use barrow_graph::region::Ready;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The part of a node's context that is the same for every node, so that functions shared by nodes can
/// take it.
pub struct DispatchContext<'a> {
    x: &'a mut WorkerPackets,
    ready: &'a mut Ready,
    meta: &'a Meta,
}

impl<'a> DispatchContext<'a> {
    #[inline]
    pub(crate) fn new(x: &'a mut WorkerPackets, ready: &'a mut Ready, meta: &'a Meta) -> Self {
        Self { x, ready, meta }
    }

    /// The time of this turn.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Instant {
        self.x.now
    }

    /// The clocks of the time-stamp counter when this dispatch began.
    #[inline]
    #[must_use]
    pub fn clocks(&self) -> u64 {
        self.x.stamp
    }

    /// The thread: 0 is main, workers follow.
    #[inline]
    #[must_use]
    pub fn thread(&self) -> usize {
        self.x.thread
    }

    /// The node that is dispatched.
    #[inline]
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.meta.id
    }

    /// Hands each packet to its next node, one in `nexts` a packet. Packets for the same node keep their
    /// order.
    ///
    /// # Panics
    /// If there is not exactly one next node a packet.
    #[inline]
    pub fn enqueue(&mut self, vector: Vector<'_>, nexts: &[NodeId]) {
        let (x, ready) = (&mut *self.x, &mut *self.ready);
        let sent = &self.meta.row.sent;
        x.queues
            .scatter(vector.into_inner(), nexts, x.tracing, |next, n| {
                sent.add(next, n);
                ready.mark(next.region());
            });
    }

    /// Hands all packets to one node.
    #[inline]
    pub fn enqueue_all(&mut self, vector: Vector<'_>, next: NodeId) {
        if !vector.is_empty() {
            self.meta.row.sent.add(next, vector.len());
            self.x
                .queues
                .append(next, vector.into_inner(), self.x.tracing);
            self.ready.mark(next.region());
        }
    }

    /// Hands one packet to a node.
    #[inline]
    pub fn push(&mut self, buffer: Buffer, next: NodeId) {
        self.meta.row.sent.add(next, 1);
        self.x.queues.push(next, buffer, self.x.tracing);
        self.ready.mark(next.region());
    }

    /// Hands all packets to a node on another thread, in order with what went there from this thread
    /// before. When the ring to that thread is full they are dropped and counted by `worker-handoff`.
    pub fn handoff(&mut self, vector: Vector<'_>, thread: usize, next: NodeId) {
        if thread == self.x.thread {
            return self.enqueue_all(vector, next);
        }
        self.x
            .outbox
            .stage(thread, next, vector.drain(), self.x.tracing);
    }

    /// Hands each packet to the node on a thread of its own, one in `threads` a packet.
    ///
    /// # Panics
    /// If there is not exactly one thread a packet.
    pub fn handoff_each(&mut self, vector: Vector<'_>, threads: &[usize], next: NodeId) {
        assert_eq!(vector.len(), threads.len(), "one thread a packet");
        for (buffer, thread) in vector.drain().zip(threads) {
            if *thread == self.x.thread {
                self.push(buffer, next);
            } else {
                self.x
                    .outbox
                    .stage(*thread, next, std::iter::once(buffer), self.x.tracing);
            }
        }
    }

    /// Appends up to `n` fresh packets to `frame`, as many as fit and the pool has; returns how many.
    #[inline]
    pub fn alloc(&mut self, frame: &mut Frame, n: usize) -> usize {
        let n = n.min(frame.room());
        self.x.cache.alloc(n, frame.as_vec_mut())
    }

    /// One fresh packet; `None` when the pool is exhausted.
    #[inline]
    pub fn alloc_one(&mut self) -> Option<Buffer> {
        self.x.cache.alloc_one()
    }

    /// Frees all packets of the vector.
    #[inline]
    pub fn free(&mut self, vector: Vector<'_>) {
        self.x.cache.free(vector.into_inner());
    }

    /// Frees one packet.
    #[inline]
    pub fn free_one(&mut self, buffer: Buffer) {
        self.x.cache.free_one(buffer);
    }

    /// Packets that wait for nodes of this thread: for an input node at the start of its poll, those that
    /// earlier turns sent back against the order of the graph.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.x.queues.total()
    }

    /// The thread's cache of free buffers.
    #[inline]
    pub fn cache(&mut self) -> &mut PacketCache {
        &mut self.x.cache
    }

    /// Whether any packet of this dispatch may be traced. Only then look at each of them.
    #[inline]
    #[must_use]
    pub fn tracing(&self) -> bool {
        self.x.tracing
    }

    /// Records what this node does with the packet, if it is traced.
    #[inline]
    pub fn trace(&mut self, packet: &Packet<'_>, record: impl TraceRecord) {
        if packet.is_traced() {
            self.record(packet.trace_id, record);
        }
    }

    /// As [`trace`](Self::trace), for a record that is worth making for traced packets only.
    #[inline]
    pub fn trace_with<R: TraceRecord>(&mut self, packet: &Packet<'_>, record: impl FnOnce() -> R) {
        if packet.is_traced() {
            self.record(packet.trace_id, record());
        }
    }

    /// Records for every traced packet of the vector.
    pub fn trace_each<R: TraceRecord>(
        &mut self,
        vector: &mut Vector<'_>,
        mut record: impl FnMut(&Packet<'_>) -> R,
    ) {
        if self.tracing() {
            for packet in vector.packets().filter(|packet| packet.is_traced()) {
                self.record(packet.trace_id, record(&packet));
            }
        }
    }

    #[cold]
    fn record(&mut self, id: u32, record: impl TraceRecord) {
        let at = self.x.moment();
        self.x.log.append(id, at, self.meta.id, record);
    }

    /// Where packets of an interface start on an arc: look it up once for a run of packets from the same
    /// interface. It stays valid for this dispatch.
    #[inline]
    #[must_use]
    pub fn arc_entry(&self, arc: ArcHandle, sw_if_index: u32) -> ArcEntry {
        self.x.arcs.entry(arc, sw_if_index)
    }

    /// Whether a chain has no feature: packets that start it in a node whose `default` next this is go straight there.
    #[inline]
    #[must_use]
    pub fn arc_is_idle(&self, entry: ArcEntry, default: NodeId) -> bool {
        entry.is_empty() || self.x.heap.node(entry.0) == Some(default)
    }

    /// Puts the packet on the chain of `entry`; returns the first feature's node, or `default` where there
    /// is no feature.
    #[inline]
    pub fn arc_begin(&self, entry: ArcEntry, packet: &mut Packet<'_>, default: NodeId) -> NodeId {
        if entry.is_empty() {
            return default;
        }
        packet.feature_position = entry.0;
        self.x.heap.node(entry.0).unwrap_or(default)
    }

    /// Starts an arc for one packet: the first enabled feature's node, or `default`.
    #[inline]
    pub fn arc_start(
        &self,
        arc: ArcHandle,
        sw_if_index: u32,
        packet: &mut Packet<'_>,
        default: NodeId,
    ) -> NodeId {
        self.arc_begin(self.arc_entry(arc, sw_if_index), packet, default)
    }

    /// The node behind this feature on the packet's arc. For the node of a feature only: a packet that is
    /// on no arc goes to `null-node`.
    #[inline]
    pub fn next_feature(&self, packet: &mut Packet<'_>) -> NodeId {
        match self.x.heap.next(packet.feature_position) {
            Some((position, node)) => {
                packet.feature_position = position;
                node
            }
            None => NodeId::NULL,
        }
    }

    /// Word `i` of the configuration that this feature was enabled with; `None` beyond its end.
    #[inline]
    #[must_use]
    pub fn feature_config(&self, packet: &Packet<'_>, i: u32) -> Option<u32> {
        self.x.heap.config(packet.feature_position, i)
    }

    /// Adds to a counter by its number among all of them: for a node that counts under another's name.
    #[inline]
    pub fn count_index(&mut self, index: u16, by: u64) {
        self.x.errors.add(u32::from(index), by);
    }

    /// For the engine's own nodes.
    pub(crate) fn worker(&mut self) -> &mut WorkerPackets {
        self.x
    }
}

/// How a node's declarations are found from its kind; implemented for every [`PacketNode`] and
/// [`InputNode`], and by nothing else.
#[expect(private_bounds, reason = "sealed: the slot is the engine's own")]
pub trait Declares<K>: Placeable<K> + 'static {
    /// Its next nodes.
    type Next: NextNodes;
    /// Its counters.
    type Errors: ErrorCounters;
}

/// The kind of [`PacketNode`]s.
#[derive(Debug)]
pub enum AsPacketNode {}
/// The kind of [`InputNode`]s.
#[derive(Debug)]
pub enum AsInputNode {}

/// The slot that a node of a kind sits in.
pub(crate) trait Placeable<K>: Sized {
    type Slot: Slot<Self>;
}

impl<N: PacketNode> Placeable<AsPacketNode> for N {
    type Slot = PacketSlot<N>;
}

impl<N: InputNode> Placeable<AsInputNode> for N {
    type Slot = InputSlot<N>;
}

impl<N: PacketNode> Declares<AsPacketNode> for N {
    type Next = N::NextNodes;
    type Errors = N::Errors;
}

impl<N: InputNode> Declares<AsInputNode> for N {
    type Next = N::NextNodes;
    type Errors = N::Errors;
}

/// What a node sees of its thread while it is dispatched; knows the node's next nodes and counters.
///
/// Everything else comes from [`DispatchContext`], which it dereferences to.
pub struct PacketContext<'a, N, K = AsPacketNode> {
    base: DispatchContext<'a>,
    node: PhantomData<fn() -> (N, K)>,
}

/// The context of an [`InputNode`].
pub type InputContext<'a, N> = PacketContext<'a, N, AsInputNode>;

impl<'a, N: Declares<K>, K> PacketContext<'a, N, K> {
    #[inline]
    pub(crate) fn new(base: DispatchContext<'a>) -> Self {
        Self {
            base,
            node: PhantomData,
        }
    }

    /// As [`DispatchContext::enqueue`]; here again, so that `cx.next(..)` may stand among its arguments.
    #[inline]
    pub fn enqueue(&mut self, vector: Vector<'_>, nexts: &[NodeId]) {
        self.base.enqueue(vector, nexts);
    }

    /// As [`DispatchContext::enqueue_all`].
    #[inline]
    pub fn enqueue_all(&mut self, vector: Vector<'_>, next: NodeId) {
        self.base.enqueue_all(vector, next);
    }

    /// As [`DispatchContext::push`].
    #[inline]
    pub fn push(&mut self, buffer: Buffer, next: NodeId) {
        self.base.push(buffer, next);
    }

    /// As [`DispatchContext::handoff`].
    pub fn handoff(&mut self, vector: Vector<'_>, thread: usize, next: NodeId) {
        self.base.handoff(vector, thread, next);
    }

    /// As [`DispatchContext::handoff_each`].
    pub fn handoff_each(&mut self, vector: Vector<'_>, threads: &[usize], next: NodeId) {
        self.base.handoff_each(vector, threads, next);
    }

    /// The node behind one of this node's next nodes: an array load, worth hoisting out of loops.
    #[inline]
    #[must_use]
    pub fn next(&self, next: N::Next) -> NodeId {
        self.base.meta.nexts[next.slot()].get()
    }

    /// Says why the packet is dropped; hand it to `error-drop` (or `drop`), which counts.
    #[inline]
    pub fn error(&self, packet: &mut Packet<'_>, error: N::Errors) {
        packet.error = self.error_index(error);
    }

    /// The number of one of this node's counters among all of them.
    #[inline]
    #[must_use]
    pub fn error_index(&self, error: N::Errors) -> u16 {
        self.base.meta.errors + error.slot() as u16
    }

    /// Adds to one of this node's counters.
    #[inline]
    pub fn count(&mut self, error: N::Errors, by: u64) {
        let index = u32::from(self.error_index(error));
        self.base.x.errors.add(index, by);
    }
}

impl<N: InputNode> InputContext<'_, N> {
    /// Starts the trace of a packet that has just come in, if `trace add` asked for one, with this node's
    /// record. Call it for each packet, in order, while [`tracing`](DispatchContext::tracing).
    pub fn trace_new<R: TraceRecord>(
        &mut self,
        packet: &mut Packet<'_>,
        record: impl FnOnce(&Packet<'_>) -> R,
    ) {
        if self.base.meta.arm.take(1) == 1 {
            let id = self.base.x.log.begin();
            packet.flags.insert(PacketFlags::TRACED);
            packet.trace_id = id;
            self.base.trace(packet, record(packet));
        }
    }
}

impl<'a, N, K> Deref for PacketContext<'a, N, K> {
    type Target = DispatchContext<'a>;
    #[inline]
    fn deref(&self) -> &DispatchContext<'a> {
        &self.base
    }
}

impl<'a, N, K> DerefMut for PacketContext<'a, N, K> {
    #[inline]
    fn deref_mut(&mut self) -> &mut DispatchContext<'a> {
        &mut self.base
    }
}

impl fmt::Debug for DispatchContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatchContext")
            .field("node", &self.meta.id)
            .field("thread", &self.x.thread)
            .field("now", &self.x.now)
            .finish_non_exhaustive()
    }
}

impl<N, K> fmt::Debug for PacketContext<'_, N, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)
    }
}
