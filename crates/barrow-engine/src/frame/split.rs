//! Dividing a vector among next nodes.
//!
//! Most vectors go to one node, so that is tested first, over all of them at once ([`all_equal`]). The
//! others are divided node by node with the processor's [compress](crate::cpu) instructions where it has
//! them: a pass over the vector for each different node, a quarter of a clock a packet. Elsewhere they
//! are classified in one pass against four candidates, without a branch that depends on the traffic; when
//! a fifth node turns up, the four parts are handed on and the candidates start anew. Many different nodes
//! in one vector go that way too.
//!
//! Each part is a frame of its own, so handing it to an idle node swaps it in without a copy.
//!
//! # Why moving handles by copying memory is sound
//!
//! 1. The vector is emptied (`set_len(0)`) before the first handle is copied out, so that a panic in
//!    `give` can lose handles but not double them.
//! 2. Every handle is copied out once: by the pass of its own next node, or by the one pass of the
//!    classification.
//! 3. A part's length is set to the number of handles copied in, within its capacity, which is checked.

use super::{FRAME_CAPACITY, VECTOR};
use crate::cpu::{Compress, LANES};
use crate::node::NodeId;
use crate::packet::Buffer;

const CLASSES: usize = 4;
/// Passes with compress instructions before the classification takes over.
const PASSES: usize = 8;

/// The parts of the vector that is being divided; empty in between.
#[derive(Debug)]
pub(super) struct Splitter {
    parts: [Vec<Buffer>; CLASSES],
    compress: Option<Compress>,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::with(Compress::detect())
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
    fn with(compress: Option<Compress>) -> Self {
        Self {
            parts: std::array::from_fn(|_| Vec::with_capacity(FRAME_CAPACITY)),
            compress,
        }
    }

    /// Calls `give` with the packets of each next node, in order; `give` takes all of them, and leaves a
    /// frame in their place.
    ///
    /// Afterwards `frame` is empty. A node may be given several times, always in packet order.
    ///
    /// # Panics
    /// If there is not one next node a packet, or there are more than [`VECTOR`] packets.
    pub(super) fn split(
        &mut self,
        frame: &mut Vec<Buffer>,
        nexts: &[NodeId],
        mut give: impl FnMut(NodeId, &mut Vec<Buffer>),
    ) {
        assert!(
            frame.len() == nexts.len() && nexts.len() <= VECTOR,
            "one next node a packet"
        );
        // SAFETY: zero is within the capacity. From here on the handles are owned by this function, which
        // copies each of them into a part once, see the module's docs.
        unsafe { frame.set_len(0) };
        let from = frame.as_ptr();
        match self.compress {
            Some(compress) => self.by_passes(compress, from, nexts, &mut give),
            None => self.by_classes(from, nexts, |_| true, &mut give),
        }
    }

    /// A pass for each different next node, and the rest by classes if there are many.
    fn by_passes(
        &mut self,
        compress: Compress,
        from: *const Buffer,
        nexts: &[NodeId],
        give: &mut impl FnMut(NodeId, &mut Vec<Buffer>),
    ) {
        // SAFETY: a `NodeId` is a transparent `u16`, and the slice is borrowed for as long as its elements.
        let keys = unsafe { std::slice::from_raw_parts(nexts.as_ptr().cast::<u16>(), nexts.len()) };
        let mut done = [0u16; VECTOR / LANES];
        let steps = nexts.len().div_ceil(LANES);
        let left_in_last = nexts.len() - (steps - 1) * LANES;
        done[steps - 1] = !(u16::MAX >> (LANES - left_in_last));
        for _ in 0..PASSES {
            let Some(step) = done[..steps].iter().position(|bits| *bits != u16::MAX) else {
                return;
            };
            let next = nexts[step * LANES + done[step].trailing_ones() as usize];
            let part = self.parts[0].with_room();
            let to = part.as_mut_ptr().cast();
            // SAFETY: there are as many handles behind `from` as keys; a part has room for a vector and a
            // step more, see `with_room`; it is another allocation than the frame; `done` covers all keys.
            let n = unsafe { compress.pick(from.cast(), keys, next.raw(), to, &mut done[..steps]) };
            // SAFETY: `n` handles were copied in just now, out of those that this function owns.
            unsafe { part.set_len(n) };
            give(next, part);
        }
        let left = |i: usize| done[i / LANES] >> (i % LANES) & 1 == 0;
        self.by_classes(from, nexts, left, give);
    }

    /// One pass over the packets that are `left`, each written behind the others of its class.
    fn by_classes(
        &mut self,
        from: *const Buffer,
        nexts: &[NodeId],
        left: impl Fn(usize) -> bool,
        give: &mut impl FnMut(NodeId, &mut Vec<Buffer>),
    ) {
        let mut classes = Classes::new(&mut self.parts);
        for (i, next) in nexts.iter().enumerate().filter(|(i, _)| left(*i)) {
            let class = match classes.of(*next) {
                Some(class) => class,
                None => {
                    if classes.used == CLASSES {
                        classes.give_all(&mut self.parts, give);
                        classes = Classes::new(&mut self.parts);
                    }
                    classes.add(*next)
                }
            };
            // SAFETY: the handle with this number is behind `from`, and is read this once.
            let buffer = unsafe { from.add(i).read() };
            // SAFETY: a class gets at most a vector of packets, for which its part has room.
            unsafe { classes.ends[class].write(buffer) };
            // SAFETY: as above, so the end stays within the part's allocation.
            classes.ends[class] = unsafe { classes.ends[class].add(1) };
            classes.lens[class] += 1;
        }
        classes.give_all(&mut self.parts, give);
    }
}

/// An empty frame that can be written beyond its end by a whole step of the processor.
trait WithRoom {
    fn with_room(&mut self) -> &mut Self;
}

impl WithRoom for Vec<Buffer> {
    /// Frames have the capacity from the start; one that came from elsewhere gets it here.
    #[inline]
    fn with_room(&mut self) -> &mut Self {
        debug_assert!(self.is_empty());
        if self.capacity() < FRAME_CAPACITY {
            self.reserve_exact(FRAME_CAPACITY);
        }
        self
    }
}

/// The next nodes that were met so far, and where their packets go.
struct Classes {
    nexts: [NodeId; CLASSES],
    /// Where the next packet of each class goes; in the part of that class.
    ends: [*mut Buffer; CLASSES],
    /// Packets written.
    lens: [usize; CLASSES],
    used: usize,
}

impl Classes {
    /// No class yet; `NodeId::NONE` matches no next node.
    fn new(parts: &mut [Vec<Buffer>; CLASSES]) -> Self {
        Self {
            nexts: [NodeId::NONE; CLASSES],
            ends: parts.each_mut().map(|part| part.with_room().as_mut_ptr()),
            lens: [0; CLASSES],
            used: 0,
        }
    }

    #[inline]
    fn of(&self, next: NodeId) -> Option<usize> {
        let [a, b, c, d] = self.nexts.map(|candidate| candidate == next);
        let class = usize::from(b) + 2 * usize::from(c) + 3 * usize::from(d);
        (a | b | c | d).then_some(class)
    }

    #[cold]
    fn add(&mut self, next: NodeId) -> usize {
        let class = self.used;
        self.nexts[class] = next;
        self.used += 1;
        class
    }

    fn give_all(
        &self,
        parts: &mut [Vec<Buffer>; CLASSES],
        give: &mut impl FnMut(NodeId, &mut Vec<Buffer>),
    ) {
        for (part, len) in parts.iter_mut().zip(self.lens) {
            // SAFETY: that many handles were written into the part, which was empty and has not moved since.
            unsafe { part.set_len(len) };
        }
        for (next, part) in self.nexts.into_iter().zip(parts).take(self.used) {
            give(next, part);
            debug_assert!(part.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{PacketCache, PacketHeader};
    use barrow_runtime::buf::{Config, Pages, Pool};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn every_packet_goes_to_its_node_in_order_whatever_the_processor(
            nexts in proptest::collection::vec(1u32..14, 1..=VECTOR),
            narrow in 1u32..14,
        ) {
            let config = Config { buffers: 512, data_size: 64, pages: Pages::Normal, populate: false };
            let pool: Pool<PacketHeader> = Pool::new(config).unwrap();
            let mut cache = PacketCache::new(&pool);
            let nexts: Vec<_> =
                nexts.iter().map(|n| NodeId::from_index(n % narrow).unwrap()).collect();
            for compress in [None, Compress::detect()] {
                let mut frame = Vec::new();
                cache.alloc(nexts.len(), &mut frame);
                let mut expected: BTreeMap<_, Vec<u32>> = BTreeMap::new();
                for (buffer, next) in frame.iter().zip(&nexts) {
                    expected.entry(*next).or_default().push(buffer.index().get());
                }
                let mut given: BTreeMap<_, Vec<u32>> = BTreeMap::new();
                let mut splitter = Splitter::with(compress);
                splitter.split(&mut frame, &nexts, |next, part| {
                    given.entry(next).or_default().extend(part.iter().map(|b| b.index().get()));
                    cache.free(part);
                });
                prop_assert_eq!(given, expected);
            }
            drop(cache);
            prop_assert_eq!(pool.stats().owned, 0);
        }
    }
}
