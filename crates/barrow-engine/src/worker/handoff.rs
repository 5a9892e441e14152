//! Packets on their way to another thread.
//!
//! Each ordered pair of threads has one bounded ring of frames, so packets of one flow that take the same
//! pair keep their order. A thread stages what it hands off, a frame for each (thread, node), and ships the
//! frames at the end of its turn, or earlier when one is full; the doorbell rings once a turn. A full
//! ring drops the frame; `worker-handoff` counts its packets. Emptied frames travel back, so neither side
//! allocates.

use super::WorkerPackets;
use crate::frame::{FRAME_CAPACITY, VECTOR};
use crate::node::{Interrupts, NodeId};
use crate::packet::{Buffer, PacketCache};
use crossbeam_queue::ArrayQueue;
use std::fmt;
use std::sync::Arc;

/// Frames a ring holds.
const RING: usize = 64;

/// A frame for a node of another thread.
#[derive(Debug)]
struct Parcel {
    node: NodeId,
    traced: bool,
    frame: Vec<Buffer>,
}

/// The ring from one thread to another.
#[derive(Debug)]
struct Ring {
    parcels: ArrayQueue<Parcel>,
    empties: ArrayQueue<Vec<Buffer>>,
}

/// The sending end.
struct Lane {
    ring: Arc<Ring>,
    bell: Arc<Interrupts>,
    /// Frames being filled.
    staged: Vec<Parcel>,
}

/// A thread's sending ends, by thread; `None` for itself.
#[derive(Default)]
pub(crate) struct Outbox {
    lanes: Vec<Option<Lane>>,
    /// Something was staged since the last flush.
    dirty: bool,
    /// Frames that found their ring full.
    refused: Vec<Vec<Buffer>>,
}

/// A thread's receiving ends.
#[derive(Default)]
pub(crate) struct Inbox {
    rings: Vec<Arc<Ring>>,
}

/// Both ends of all rings of one thread.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
}

/// The rings between threads that are woken by these.
pub(crate) fn wire(bells: &[Arc<Interrupts>]) -> Vec<Links> {
    let mut links: Vec<Links> = bells.iter().map(|_| Links::default()).collect();
    for from in 0..bells.len() {
        for (to, bell) in bells.iter().enumerate() {
            let lane = (from != to).then(|| {
                let ring = Arc::new(Ring {
                    parcels: ArrayQueue::new(RING),
                    empties: ArrayQueue::new(RING),
                });
                links[to].inbox.rings.push(ring.clone());
                Lane {
                    ring,
                    bell: bell.clone(),
                    staged: Vec::new(),
                }
            });
            links[from].outbox.lanes.push(lane);
        }
    }
    links
}

impl Outbox {
    /// Adds packets to the frame for a node of another thread. An unknown thread is a bug of the caller:
    /// the packets are refused.
    pub(crate) fn stage(
        &mut self,
        thread: usize,
        node: NodeId,
        buffers: impl Iterator<Item = Buffer>,
        traced: bool,
    ) {
        let Some(Some(lane)) = self.lanes.get_mut(thread) else {
            debug_assert!(false, "handoff to thread {thread}");
            return self.refused.push(buffers.collect());
        };
        self.dirty = true;
        for buffer in buffers {
            let open = match lane.staged.iter().position(|parcel| parcel.node == node) {
                Some(open) if lane.staged[open].frame.len() < VECTOR => open,
                full => {
                    if let Some(full) = full {
                        let parcel = lane.staged.remove(full);
                        lane.ship(parcel, &mut self.refused);
                    }
                    let frame = lane
                        .ring
                        .empties
                        .pop()
                        .unwrap_or_else(|| Vec::with_capacity(FRAME_CAPACITY));
                    lane.staged.push(Parcel {
                        node,
                        traced: false,
                        frame,
                    });
                    lane.staged.len() - 1
                }
            };
            lane.staged[open].traced |= traced;
            lane.staged[open].frame.push(buffer);
        }
    }
}

impl Outbox {
    /// Frees what was staged and not shipped.
    pub(super) fn drain(&mut self, cache: &mut PacketCache) {
        let staged = self
            .lanes
            .iter_mut()
            .flatten()
            .flat_map(|lane| lane.staged.drain(..));
        staged.for_each(|mut parcel| cache.free(&mut parcel.frame));
        self.refused.iter_mut().for_each(|frame| cache.free(frame));
    }
}

impl Inbox {
    /// Frees what was received and not taken in: when the thread ends.
    pub(super) fn drain(&mut self, cache: &mut PacketCache) {
        for ring in &self.rings {
            while let Some(mut parcel) = ring.parcels.pop() {
                cache.free(&mut parcel.frame);
            }
        }
    }
}

impl Lane {
    fn ship(&self, parcel: Parcel, refused: &mut Vec<Vec<Buffer>>) {
        if let Err(parcel) = self.ring.parcels.push(parcel) {
            refused.push(parcel.frame);
        }
    }
}

impl WorkerPackets {
    /// Ships what was staged, and drops what found no room.
    #[inline]
    pub(super) fn ship(&mut self) {
        if self.outbox.dirty || !self.outbox.refused.is_empty() {
            self.ship_all();
        }
    }

    #[cold]
    fn ship_all(&mut self) {
        self.outbox.dirty = false;
        for lane in self.outbox.lanes.iter_mut().flatten() {
            if lane.staged.is_empty() {
                continue;
            }
            for parcel in std::mem::take(&mut lane.staged) {
                lane.ship(parcel, &mut self.outbox.refused);
            }
            lane.bell.wake();
        }
        for mut frame in std::mem::take(&mut self.outbox.refused) {
            self.errors
                .add(u32::from(self.own.congestion), frame.len() as u64);
            self.cache.free(&mut frame);
        }
    }
}

impl Inbox {
    /// Takes frames in, a ring's worth of each sender at most; `arrived` is told the nodes. Says whether
    /// any came.
    #[inline]
    pub(super) fn receive(&self, x: &mut WorkerPackets, mut arrived: impl FnMut(NodeId)) -> bool {
        let mut any = false;
        for ring in &self.rings {
            for _ in 0..RING {
                let Some(mut parcel) = ring.parcels.pop() else {
                    break;
                };
                any = true;
                x.queues
                    .append(parcel.node, &mut parcel.frame, parcel.traced);
                arrived(parcel.node);
                // Full only when the other side sends little: then it needs none.
                if let Err(frame) = ring.empties.push(parcel.frame) {
                    x.queues.give_back(frame);
                }
            }
        }
        any
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rings.iter().all(|ring| ring.parcels.is_empty())
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox({} lanes)", self.lanes.len())
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} rings)", self.rings.len())
    }
}
