//! The packet graph of one thread, as a unit of its scheduler.

use super::handoff::Inbox;
use super::quiescence::Quiescence;
use super::{Mailbox, ThreadRow, WorkerPackets, orphans};
use crate::context::Declares;
use crate::frame::Frame;
use crate::fuse::{Fused, Placement};
use crate::node::{NodeId, Placed, Slot, Tombstone};
use crate::packet::Buffer;
use crate::supervisor::Failed;
use barrow_core::channel::Sender;
use barrow_core::{Unit, UnitContext, Work};
use barrow_graph::region::Region;
use barrow_runtime::io::reactor::{Direction, Reactor, Source};
use barrow_runtime::sys::{tsc, tsc_frequency};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Waker;

/// How long the graph of a busy thread runs before the other units of the thread have their turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slice {
    /// So many clocks: an amount of work that the thread's timers, tasks and sockets can wait for.
    Clocks(u64),
    /// One turn: what a simulation steps by.
    Turn,
}

impl Slice {
    /// The slice of a thread: 25 microseconds.
    pub(crate) fn of_thread() -> Self {
        Self::Clocks(tsc_frequency() / 40_000)
    }
}

/// Closures of the main thread run before one turn, at most.
const COMMANDS: usize = 64;

/// One thread's graph: what closures sent to a thread get.
pub struct ThreadPackets {
    region: Region<WorkerPackets>,
    packets: WorkerPackets,
    /// Places in the region; a node's place has the node's index.
    places: usize,
    /// Input nodes by interrupt slot.
    inputs: Vec<NodeId>,
    /// `None` where the thread has no descriptors to watch: in simulations.
    reactor: Option<Reactor>,
    watched: HashMap<u64, Source<OwnedFd>>,
    quiescence: Vec<Box<dyn Quiescence>>,
}

impl ThreadPackets {
    pub(crate) fn new(packets: WorkerPackets, reactor: Option<Reactor>) -> Self {
        Self {
            region: Region::new(),
            packets,
            places: 0,
            inputs: Vec::new(),
            reactor,
            watched: HashMap::new(),
            quiescence: Vec::new(),
        }
    }

    /// The thread's number.
    #[must_use]
    pub fn thread(&self) -> usize {
        self.packets.thread
    }

    /// What the thread's nodes share.
    pub fn packets(&mut self) -> &mut WorkerPackets {
        &mut self.packets
    }

    /// Packets that wait in the queues of all nodes.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.packets.waiting()
    }

    /// The thread's instance of a node; `None` if the node is gone or is no `N`. The kind `K` follows from
    /// `N`: write `thread.node::<MyNode, _>(id)`.
    pub fn node<N: Declares<K>, K>(&mut self, node: NodeId) -> Option<&mut N> {
        self.region
            .node_mut::<N::Slot>(node.region())
            .map(Slot::node)
    }

    /// Tells a table from now on when this thread holds none of its indexes.
    pub fn tell_quiescence(&mut self, table: impl Quiescence) {
        self.quiescence.push(Box::new(table));
    }

    /// Hands packets to a node from outside the graph; they are dispatched in the next turn.
    pub fn inject(&mut self, node: NodeId, frame: &mut Frame) {
        if !frame.is_empty() && node.slot() < self.places {
            let traced = frame
                .buffers()
                .iter()
                .any(|buffer| buffer.header().is_traced());
            self.packets.queues.append(node, frame.as_vec_mut(), traced);
            self.region.mark(node.region());
        }
    }

    /// Hands one packet to a node from outside the graph. One for a node that was never there is dropped.
    pub fn push(&mut self, node: NodeId, buffer: Buffer) {
        let node = if node.slot() < self.places {
            node
        } else {
            NodeId::NULL
        };
        let traced = buffer.header().is_traced();
        self.packets.queues.push(node, buffer, traced);
        self.region.mark(node.region());
    }

    /// Makes a node ready, as an interrupt does.
    pub fn wake(&mut self, node: NodeId) {
        self.region.mark(node.region());
    }

    /// The thread's poller of descriptors, for nodes that register their own; `None` in simulations.
    #[must_use]
    pub fn reactor(&self) -> Option<&Reactor> {
        self.reactor.as_ref()
    }

    /// Places a node, instead of the tombstone that held its place.
    pub(crate) fn place(
        &mut self,
        id: NodeId,
        node: Placed,
        placement: Placement,
        input: Option<usize>,
    ) {
        self.packets.queues.ensure(id);
        self.packets.fused.place(id, placement);
        while self.places <= id.slot() {
            let place = NodeId::from_slot(self.places);
            let index = self.region.add_node("", Box::new(Tombstone::new(place)));
            debug_assert_eq!(index, place.region(), "places are never given back");
            self.places += 1;
        }
        self.region.replace_node(id.region(), node);
        // Packets and interrupts that were here before the node are for the node.
        self.region.mark(id.region());
        if let Some(input) = input {
            if self.inputs.len() <= input {
                self.inputs.resize(input + 1, NodeId::NONE);
            }
            self.inputs[input] = id;
        }
    }

    /// Puts a tombstone into the place of a node, and takes out its edges.
    pub(crate) fn remove(&mut self, id: NodeId, edges: &[(NodeId, NodeId)]) {
        self.bury(id);
        for (from, to) in edges {
            self.region.disconnect(from.region(), to.region());
        }
        self.inputs
            .iter_mut()
            .filter(|input| **input == id)
            .for_each(|input| *input = NodeId::NONE);
        self.adopt_orphans();
    }

    /// Takes up a group of nodes that run as one.
    pub(crate) fn fuse(&mut self, group: Fused) {
        self.packets.fused.add(group);
    }

    fn bury(&mut self, id: NodeId) {
        self.packets.fused.remove(id);
        self.region
            .replace_node(id.region(), Box::new(Tombstone::new(id)));
        self.region.mark(id.region());
    }

    pub(crate) fn connect(&mut self, from: NodeId, to: NodeId) {
        self.region.connect(from.region(), to.region());
    }

    /// Wakes `waker` whenever a descriptor becomes ready.
    pub(crate) fn watch(
        &mut self,
        id: u64,
        fd: OwnedFd,
        direction: Direction,
        waker: &Waker,
    ) -> io::Result<()> {
        let Some(reactor) = &self.reactor else {
            return Ok(());
        };
        let source = reactor.register(fd)?;
        source.watch(direction, Some(waker));
        self.watched.insert(id, source);
        Ok(())
    }

    pub(crate) fn unwatch(&mut self, id: u64) {
        self.watched.remove(&id);
    }

    /// Frees the packets of nodes that are gone.
    fn adopt_orphans(&mut self) {
        let mut buffers = orphans::take();
        let lost = u32::from(self.packets.own.stale);
        self.packets.errors.add(lost, buffers.len() as u64);
        self.packets.cache.free(&mut buffers);
    }
}

/// Runs the graph when there is something to do.
pub(crate) struct PacketUnit {
    thread: ThreadPackets,
    mailbox: Mailbox,
    inbox: Inbox,
    row: Arc<ThreadRow>,
    slice: Slice,
    failures: Sender<Failed>,
    attached: bool,
}

impl PacketUnit {
    pub(crate) fn new(
        thread: ThreadPackets,
        mailbox: Mailbox,
        inbox: Inbox,
        row: Arc<ThreadRow>,
        slice: Slice,
        failures: Sender<Failed>,
    ) -> Self {
        Self {
            thread,
            mailbox,
            inbox,
            row,
            slice,
            failures,
            attached: false,
        }
    }

    /// One turn of the graph; says whether another one is due at once.
    fn turn(&mut self) -> bool {
        for _ in 0..COMMANDS {
            let Some(command) = self.mailbox.take() else {
                break;
            };
            command(&mut self.thread);
        }
        let ThreadPackets {
            region,
            packets,
            inputs,
            ..
        } = &mut self.thread;
        packets.refresh_arcs();
        self.mailbox.interrupts().take(|slot| {
            if let Some(node) = inputs.get(slot) {
                region.mark(node.region());
            }
        });
        self.inbox
            .receive(packets, |node| region.mark(node.region()));
        if region.has_work() {
            packets.stamp = tsc();
            let _more = region.turn(packets, u32::MAX);
            packets.ship();
            self.bury_failures();
        }
        self.row.turned(self.thread.packets.received);
        self.thread.region.has_work()
            || self.mailbox.interrupts().any()
            || !self.mailbox.is_empty()
            || !self.inbox.is_empty()
    }

    /// Nodes that panicked are replaced by tombstones; their packets are dropped and counted.
    #[inline]
    fn bury_failures(&mut self) {
        let failures = self.thread.region.take_failures();
        if failures.is_empty() {
            return;
        }
        for failure in failures {
            self.row.panicked();
            let node = NodeId::from_slot(failure.index.get() as usize);
            self.thread.bury(node);
            let thread = self.thread.thread();
            // Reports beyond what may wait are lost; the panics are counted all the same.
            let _ = self.failures.try_send(Failed {
                thread,
                node,
                message: failure.message,
            });
        }
        self.thread.adopt_orphans();
    }
}

impl Drop for PacketUnit {
    fn drop(&mut self) {
        // Nodes, and closures that never ran, leave their packets behind when they are dropped.
        while self.mailbox.take().is_some() {}
        self.thread.region = Region::new();
        self.thread.adopt_orphans();
        self.inbox.drain(&mut self.thread.packets.cache);
    }
}

impl Unit for PacketUnit {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        if !self.attached {
            self.attached = true;
            self.mailbox.interrupts().attach(cx.waker);
        }
        let start = tsc();
        self.thread.packets.now = cx.now;
        // Packets that wait from the last call hold indexes that they were given then.
        if !self.thread.region.has_work() {
            self.thread
                .quiescence
                .iter_mut()
                .for_each(|table| table.begin());
        }
        while self.turn() {
            match self.slice {
                Slice::Clocks(most) if tsc().wrapping_sub(start) < most => {}
                Slice::Clocks(_) | Slice::Turn => return Work::More,
            }
        }
        self.thread
            .quiescence
            .iter_mut()
            .for_each(|table| table.end());
        Work::Idle
    }

    fn name(&self) -> String {
        "packets".to_owned()
    }
}

impl fmt::Debug for ThreadPackets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPackets")
            .field("packets", &self.packets)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PacketUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketUnit")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}
