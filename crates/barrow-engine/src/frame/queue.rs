//! The frames that wait for a node.

use super::split::{Splitter, all_equal};
use super::{FRAME_CAPACITY, VECTOR};
use crate::node::NodeId;
use crate::packet::{Buffer, PacketCache};
use std::collections::VecDeque;

/// Frames of one node: the open one, and full ones in front of it.
#[derive(Default, Debug)]
pub(crate) struct Queue {
    open: Vec<Buffer>,
    full: VecDeque<Vec<Buffer>>,
    /// Some packet in here may be traced.
    traced: bool,
}

impl Queue {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.full.is_empty()
    }
}

/// The queues of one thread, by node, with the empty frames they share.
#[derive(Default, Debug)]
pub(crate) struct Queues {
    lanes: Lanes,
    splitter: Splitter,
}

/// Apart from the splitter, because that hands its parts to these.
#[derive(Default, Debug)]
struct Lanes {
    by_node: Vec<Queue>,
    spare: Vec<Vec<Buffer>>,
    /// Packets in all queues.
    waiting: usize,
}

impl Queues {
    /// Makes sure that `node` has a queue.
    pub(crate) fn ensure(&mut self, node: NodeId) {
        while self.lanes.by_node.len() <= node.slot() {
            self.lanes.by_node.push(Queue {
                open: fresh_frame(),
                ..Queue::default()
            });
        }
    }

    /// Packets waiting in all queues.
    #[inline]
    pub(crate) fn total(&self) -> usize {
        self.lanes.waiting
    }

    /// Whether no packet waits for `node`.
    #[inline]
    pub(crate) fn is_idle(&self, node: NodeId) -> bool {
        let queue = self.lanes.by_node.get(node.slot());
        self.lanes.waiting == 0 || queue.is_none_or(Queue::is_empty)
    }

    /// Swaps the first frame of `node` with `frame`, which is empty.
    #[inline]
    pub(crate) fn take(&mut self, node: NodeId, frame: &mut Vec<Buffer>) -> Taken {
        debug_assert!(frame.is_empty());
        let queue = &mut self.lanes.by_node[node.slot()];
        let traced = queue.traced;
        if queue.full.is_empty() {
            std::mem::swap(&mut queue.open, frame);
            queue.traced = false;
            self.lanes.waiting -= frame.len();
            return Taken {
                traced,
                more: false,
            };
        }
        let first = queue.full.pop_front().expect("looked at just now");
        let more = !queue.is_empty();
        self.lanes.waiting -= first.len();
        self.lanes.spare.push(std::mem::replace(frame, first));
        Taken { traced, more }
    }

    /// Appends all of `frame`, which is left empty, to the queue of `node`.
    #[inline]
    pub(crate) fn append(&mut self, node: NodeId, frame: &mut Vec<Buffer>, traced: bool) {
        self.lanes.append(node, frame, traced);
    }

    /// Appends one packet to the queue of `node`.
    #[inline]
    pub(crate) fn push(&mut self, node: NodeId, buffer: Buffer, traced: bool) {
        self.lanes.push(node, buffer, traced);
    }

    /// Appends each packet of `frame`, which is left empty, to the queue of its next node, and calls
    /// `mark` for each of those, with how many it got.
    ///
    /// # Panics
    /// If there is not exactly one next node a packet.
    #[inline]
    pub(crate) fn scatter(
        &mut self,
        frame: &mut Vec<Buffer>,
        nexts: &[NodeId],
        traced: bool,
        mut mark: impl FnMut(NodeId, usize),
    ) {
        assert_eq!(frame.len(), nexts.len(), "one next node a packet");
        let Some(first) = nexts.first() else { return };
        if all_equal(nexts, *first) {
            let n = frame.len();
            self.lanes.append(*first, frame, traced);
            return mark(*first, n);
        }
        let lanes = &mut self.lanes;
        self.splitter.split(frame, nexts, |next, part| {
            let n = part.len();
            lanes.append(next, part, traced);
            mark(next, n);
        });
    }

    /// Frees all packets that wait.
    pub(crate) fn drain(&mut self, cache: &mut PacketCache) {
        for queue in &mut self.lanes.by_node {
            queue.full.iter_mut().for_each(|frame| cache.free(frame));
            queue.full.clear();
            cache.free(&mut queue.open);
        }
        self.lanes.waiting = 0;
    }

    /// Takes an empty frame back.
    pub(crate) fn give_back(&mut self, frame: Vec<Buffer>) {
        debug_assert!(frame.is_empty());
        if frame.capacity() >= FRAME_CAPACITY {
            self.lanes.spare.push(frame);
        }
    }
}

impl Lanes {
    #[inline]
    fn append(&mut self, node: NodeId, frame: &mut Vec<Buffer>, traced: bool) {
        self.waiting += frame.len();
        let queue = &mut self.by_node[node.slot()];
        queue.traced |= traced;
        if queue.open.is_empty() {
            std::mem::swap(&mut queue.open, frame);
        } else if queue.open.len() + frame.len() <= VECTOR {
            queue.open.append(frame);
        } else {
            self.overflow(node, frame);
        }
    }

    #[inline]
    fn push(&mut self, node: NodeId, buffer: Buffer, traced: bool) {
        self.waiting += 1;
        let queue = &mut self.by_node[node.slot()];
        queue.traced |= traced;
        if queue.open.len() == VECTOR {
            let fresh = self.spare.pop().unwrap_or_else(fresh_frame);
            queue
                .full
                .push_back(std::mem::replace(&mut queue.open, fresh));
        }
        queue.open.push(buffer);
    }

    /// Fills the open frame, closes it, and goes on in a fresh one.
    #[cold]
    fn overflow(&mut self, node: NodeId, frame: &mut Vec<Buffer>) {
        let fresh = self.spare();
        let queue = &mut self.by_node[node.slot()];
        let fits = VECTOR - queue.open.len();
        queue.open.extend(frame.drain(..fits));
        queue
            .full
            .push_back(std::mem::replace(&mut queue.open, fresh));
        queue.open.append(frame);
    }

    fn spare(&mut self) -> Vec<Buffer> {
        self.spare.pop().unwrap_or_else(fresh_frame)
    }
}

/// What [`Queues::take`] found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// Some packet may be traced.
    pub(crate) traced: bool,
    /// More frames wait.
    pub(crate) more: bool,
}

#[cold]
fn fresh_frame() -> Vec<Buffer> {
    Vec::with_capacity(FRAME_CAPACITY)
}
