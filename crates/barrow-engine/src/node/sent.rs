//! What a node sent to each of its next nodes, on one thread.
//!
//! A small table by next node, each word `next << 48 | packets`. Counting is a load, a compare and a store
//! a vector and next node, as long as the next nodes do not collide; more of them than a table holds go to
//! a further table. One thread writes, the main thread reads.

use super::NodeId;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const WORDS: usize = 32;
const SHIFT: u32 = 48;
/// Node 0 is `null-node`, so an unused word has to say something else.
const VACANT: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct SentTable {
    words: [AtomicU64; WORDS],
    more: OnceLock<Box<Self>>,
}

impl Default for SentTable {
    fn default() -> Self {
        Self {
            words: [const { AtomicU64::new(VACANT) }; WORDS],
            more: OnceLock::new(),
        }
    }
}

impl SentTable {
    /// Adds `n` packets sent to `next`. Writer only.
    #[inline]
    pub(crate) fn add(&self, next: NodeId, n: usize) {
        let word = &self.words[next.slot() % WORDS];
        let value = word.load(Relaxed);
        if value >> SHIFT == u64::from(next.raw()) {
            // 2^48 packets take years; then the count is wrong, and nothing else.
            word.store(value.wrapping_add(n as u64), Relaxed);
        } else {
            self.add_slowly(next, n);
        }
    }

    #[cold]
    fn add_slowly(&self, next: NodeId, n: usize) {
        let word = &self.words[next.slot() % WORDS];
        if word.load(Relaxed) == VACANT {
            word.store(u64::from(next.raw()) << SHIFT | n as u64, Relaxed);
        } else {
            self.more.get_or_init(Box::default).add(next, n);
        }
    }

    /// Packets sent to `next`.
    pub(crate) fn get(&self, next: NodeId) -> u64 {
        let value = self.words[next.slot() % WORDS].load(Relaxed);
        if value >> SHIFT == u64::from(next.raw()) && value != VACANT {
            return value & ((1 << SHIFT) - 1);
        }
        self.more.get().map_or(0, |more| more.get(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_next_node_is_counted_for_itself_also_those_that_collide() {
        let table = SentTable::default();
        for round in 1..=3 {
            for node in 0..200 {
                table.add(NodeId::from_slot(node), node + round);
            }
        }
        for node in 0..200 {
            assert_eq!(table.get(NodeId::from_slot(node)), 3 * node as u64 + 6);
        }
        assert_eq!(table.get(NodeId::from_slot(999)), 0);
        assert_eq!(SentTable::default().get(NodeId::NULL), 0);
    }
}
