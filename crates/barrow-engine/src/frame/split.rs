//! Dividing a vector among next nodes.
//!
//! Most vectors go to one node, so that is tested first, over all of them at once. The others are
//! classified in one pass against four candidates, without a branch that depends on the traffic's
//! order; when a fifth node turns up, the four parts are handed on and the candidates start anew. Each
//! part is a frame of its own, so handing it to an idle node swaps it in without a copy.

use super::VECTOR;
use crate::node::NodeId;
use crate::packet::Buffer;

const CLASSES: usize = 4;

/// The parts of the vector that is being divided; empty in between.
#[derive(Debug)]
pub(super) struct Splitter {
    nexts: [NodeId; CLASSES],
    parts: [Vec<Buffer>; CLASSES],
    used: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            nexts: [NodeId::NONE; CLASSES],
            parts: std::array::from_fn(|_| Vec::with_capacity(VECTOR)),
            used: 0,
        }
    }
}

/// Whether every element is `value`; compares all of them, as vector instructions do best.
#[inline]
pub(super) fn all_equal(nexts: &[NodeId], value: NodeId) -> bool {
    nexts
        .iter()
        .fold(0, |differ, next| differ | (next.raw() ^ value.raw()))
        == 0
}

impl Splitter {
    /// Calls `give` with the packets of each next node, in order; `give` takes all of them, and leaves a
    /// frame with room for [`VECTOR`].
    ///
    /// Afterwards `frame` is empty. A node may be given several times, always in packet order.
    pub(super) fn split(
        &mut self,
        frame: &mut Vec<Buffer>,
        nexts: &[NodeId],
        mut give: impl FnMut(NodeId, &mut Vec<Buffer>),
    ) {
        for (buffer, next) in frame.drain(..).zip(nexts) {
            let class = match self.class_of(*next) {
                Some(class) => class,
                None => self.new_class(*next, &mut give),
            };
            self.parts[class].push(buffer);
        }
        self.give_all(&mut give);
    }

    #[inline]
    fn class_of(&self, next: NodeId) -> Option<usize> {
        let [a, b, c, d] = self.nexts.map(|candidate| candidate == next);
        let class = usize::from(b) | usize::from(c) << 1 | 3 * usize::from(d);
        (a | b | c | d).then_some(class)
    }

    #[cold]
    fn new_class(
        &mut self,
        next: NodeId,
        give: &mut impl FnMut(NodeId, &mut Vec<Buffer>),
    ) -> usize {
        if self.used == CLASSES {
            self.give_all(give);
        }
        let class = self.used;
        self.nexts[class] = next;
        self.used += 1;
        class
    }

    fn give_all(&mut self, give: &mut impl FnMut(NodeId, &mut Vec<Buffer>)) {
        for (next, part) in self.nexts[..self.used].iter_mut().zip(&mut self.parts) {
            give(std::mem::replace(next, NodeId::NONE), part);
            debug_assert!(part.is_empty());
        }
        self.used = 0;
    }
}
