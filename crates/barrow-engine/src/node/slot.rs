//! A node instance as its thread's region sees it.
//!
//! `run` is the whole dispatch: take a frame, hand it to the group that begins here, if there is one, and what that
//! leaves to the node, read the time-stamp counter once (the
//! end of one dispatch is the start of the next), count.

use super::{InputMode, InputNode, Line, NodeId, PacketNode, RuntimeRow};
use crate::context::{DispatchContext, PacketContext};
use crate::frame::{FRAME_CAPACITY, Vector};
use crate::fuse;
use crate::packet::{Buffer, BufferExt, PacketFlags};
use crate::trace::Arm;
use crate::worker::{WorkerPackets, orphans};
use barrow_graph::region::{Ran, Ready, RegionNode};
use barrow_runtime::sys::tsc;
use std::sync::Arc;

/// What a node's instance knows of its node.
#[derive(Debug)]
pub(crate) struct Meta {
    pub(crate) id: NodeId,
    /// By slot of `NextNodes`; shared with the main thread, which fills in nodes that come later.
    pub(crate) nexts: Arc<[Line<NodeId>]>,
    /// When an input node runs on this thread; set by the main thread.
    pub(crate) mode: Arc<Line<InputMode>>,
    /// Number of the node's first counter.
    pub(crate) errors: u16,
    pub(crate) row: Arc<RuntimeRow>,
    pub(crate) arm: Arc<Arm>,
}

/// What is placed in a thread's region.
pub(crate) type Placed = Box<dyn RegionNode<WorkerPackets> + Send>;

/// The slot that a user's node sits in.
pub(crate) trait Slot<N>: RegionNode<WorkerPackets> {
    fn node(&mut self) -> &mut N;
}

/// A packet node on a thread.
pub(crate) struct PacketSlot<N> {
    node: N,
    meta: Meta,
    frame: Vec<Buffer>,
}

impl<N: PacketNode> PacketSlot<N> {
    pub(crate) fn new(node: N, meta: Meta) -> Self {
        Self {
            node,
            meta,
            frame: Vec::with_capacity(FRAME_CAPACITY),
        }
    }

    /// Marks the first packets that are asked for.
    #[cold]
    fn arm(&mut self, x: &mut WorkerPackets) {
        for buffer in &mut self.frame {
            let mut packet = buffer.packet();
            if !packet.is_traced() {
                if self.meta.arm.take(1) == 0 {
                    break;
                }
                packet.flags.insert(PacketFlags::TRACED);
                packet.trace_id = x.log.begin();
            }
            x.tracing = true;
        }
    }
}

impl<N: PacketNode> RegionNode<WorkerPackets> for PacketSlot<N> {
    fn run(&mut self, x: &mut WorkerPackets, ready: &mut Ready, quantum: u32) -> Ran {
        let mut items = 0;
        loop {
            let taken = x.queues.take(self.meta.id, &mut self.frame);
            let packets = self.frame.len() as u32;
            if packets == 0 {
                return Ran { items, left: false };
            }
            x.tracing = taken.traced;
            if self.meta.arm.is_armed() {
                self.arm(x);
            }
            if !x.tracing {
                fuse::run(x, ready, &self.meta, &mut self.frame);
            }
            if !self.frame.is_empty() {
                let base = DispatchContext::new(x, ready, &self.meta);
                let vector = Vector::new(&mut self.frame);
                self.node.dispatch(&mut PacketContext::new(base), vector);
            }
            if !self.frame.is_empty() {
                x.reclaim(&mut self.frame);
            }
            let now = tsc();
            self.meta
                .row
                .record(u64::from(packets), now.wrapping_sub(x.stamp));
            x.stamp = now;
            items += packets;
            if !taken.more || items >= quantum {
                return Ran {
                    items,
                    left: taken.more,
                };
            }
        }
    }
}

impl<N> Drop for PacketSlot<N> {
    fn drop(&mut self) {
        if !self.frame.is_empty() {
            orphans::leave(&mut self.frame);
        }
    }
}

impl<N: PacketNode> Slot<N> for PacketSlot<N> {
    fn node(&mut self) -> &mut N {
        &mut self.node
    }
}

/// Turns that an adaptive input goes on looking after its last packet.
const SPIN: u32 = 64;

/// An input node on a thread.
pub(crate) struct InputSlot<N> {
    node: N,
    meta: Meta,
    credit: u32,
}

impl<N: InputNode> InputSlot<N> {
    pub(crate) fn new(node: N, meta: Meta) -> Self {
        Self {
            node,
            meta,
            credit: 0,
        }
    }
}

impl<N: InputNode> RegionNode<WorkerPackets> for InputSlot<N> {
    fn run(&mut self, x: &mut WorkerPackets, ready: &mut Ready, _quantum: u32) -> Ran {
        let mode = self.meta.mode.get();
        if mode == InputMode::Disabled {
            return Ran {
                items: 0,
                left: false,
            };
        }
        x.tracing = self.meta.arm.is_armed();
        let base = DispatchContext::new(x, ready, &self.meta);
        let polled = self.node.poll(&mut PacketContext::new(base));
        let now = tsc();
        let clocks = now.wrapping_sub(x.stamp);
        x.stamp = now;
        // Empty polls are not calls: a polling node would drown its averages in them.
        if polled.packets > 0 {
            self.meta.row.record(u64::from(polled.packets), clocks);
            x.received += u64::from(polled.packets);
        }
        let left = polled.more
            || match mode {
                InputMode::Polling => true,
                InputMode::Adaptive => {
                    self.credit = if polled.packets > 0 {
                        SPIN
                    } else {
                        self.credit.saturating_sub(1)
                    };
                    self.credit > 0
                }
                InputMode::Interrupt | InputMode::Disabled => false,
            };
        Ran {
            items: polled.packets,
            left,
        }
    }
}

impl<N: InputNode> Slot<N> for InputSlot<N> {
    fn node(&mut self) -> &mut N {
        &mut self.node
    }
}

/// Holds the place of a node that was removed, or that panicked: drops what still comes.
pub(crate) struct Tombstone {
    id: NodeId,
    frame: Vec<Buffer>,
}

impl Tombstone {
    pub(crate) fn new(id: NodeId) -> Self {
        Self {
            id,
            frame: Vec::new(),
        }
    }
}

impl RegionNode<WorkerPackets> for Tombstone {
    fn run(&mut self, x: &mut WorkerPackets, _: &mut Ready, _: u32) -> Ran {
        let mut items = 0;
        loop {
            let more = x.queues.take(self.id, &mut self.frame).more;
            items += self.frame.len() as u32;
            x.errors
                .add(u32::from(x.own.stale), self.frame.len() as u64);
            x.cache.free(&mut self.frame);
            if !more {
                return Ran::all(items);
            }
        }
    }
}
