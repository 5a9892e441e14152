//! Chains of features, appended for ever and read by every thread.
//!
//! A chain is a run of items in one chunk. An item is a word `config length << 16 | node`, followed by
//! that many words of configuration; the last item is the arc's end node. Position 0 is never used, so
//! that it can mean "no chain". Words are written before a position that leads to them is published, and
//! never again.

use crate::node::NodeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

const CHUNK: usize = 4096;
const CHUNKS: usize = 1024;

type Chunk = Box<[AtomicU32]>;

/// The readers' side.
pub(crate) struct Heap {
    chunks: [OnceLock<Chunk>; CHUNKS],
}

/// The writer's side: what is in the heap.
#[derive(Default)]
pub(super) struct Chains {
    used: usize,
    known: HashMap<Box<[u32]>, u32>,
}

/// The heap is full: more different combinations of features and configurations than it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct HeapFull;

impl Default for Heap {
    fn default() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
        }
    }
}

impl Heap {
    #[inline]
    fn word(&self, position: u32) -> Option<u32> {
        let position = position as usize;
        let chunk = self.chunks.get(position / CHUNK)?.get()?;
        Some(chunk[position % CHUNK].load(Relaxed))
    }

    /// The node of the item at `position`; `None` where there is none.
    #[inline]
    pub(crate) fn node(&self, position: u32) -> Option<NodeId> {
        self.word(position)
            .map(|item| NodeId::from_raw(item as u16))
    }

    /// Position and node of the item behind the one at `position`.
    #[inline]
    pub(crate) fn next(&self, position: u32) -> Option<(u32, NodeId)> {
        let next = position + 1 + (self.word(position)? >> 16);
        Some((next, self.node(next)?))
    }

    /// Word `i` of the configuration of the item at `position`.
    #[inline]
    pub(crate) fn config(&self, position: u32, i: u32) -> Option<u32> {
        (i < self.word(position)? >> 16).then(|| self.word(position + 1 + i))?
    }
}

impl Chains {
    /// Where the chain of `words` starts; appends it if it is new.
    pub(super) fn intern(&mut self, heap: &Heap, words: &[u32]) -> Result<u32, HeapFull> {
        if let Some(position) = self.known.get(words) {
            return Ok(*position);
        }
        if words.len() > CHUNK {
            return Err(HeapFull);
        }
        let mut start = self.used.max(1);
        if start % CHUNK + words.len() > CHUNK {
            start = start.next_multiple_of(CHUNK);
        }
        let chunk = heap.chunks.get(start / CHUNK).ok_or(HeapFull)?;
        let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| AtomicU32::new(0)).collect());
        for (slot, word) in chunk[start % CHUNK..].iter().zip(words) {
            slot.store(*word, Relaxed);
        }
        self.used = start + words.len();
        self.known.insert(words.into(), start as u32);
        Ok(start as u32)
    }
}

/// The words of one item.
pub(super) fn item(node: NodeId, config: &[u32]) -> impl Iterator<Item = u32> {
    let head = (config.len() as u32) << 16 | u32::from(node.raw());
    std::iter::once(head).chain(config.iter().copied())
}

impl fmt::Debug for Heap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heap")
    }
}

impl fmt::Debug for Chains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chains({} in {} words)", self.known.len(), self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(items: &[(u32, &[u32])]) -> Vec<u32> {
        items
            .iter()
            .flat_map(|(node, config)| item(NodeId::from_index(*node).unwrap(), config))
            .collect()
    }

    #[test]
    fn a_chain_is_walked_item_by_item_over_its_configuration() {
        let (heap, mut chains) = (Heap::default(), Chains::default());
        let words = chain(&[(7, &[70, 71]), (8, &[]), (9, &[])]);
        let start = chains.intern(&heap, &words).unwrap();
        assert_ne!(start, 0);
        assert_eq!(heap.node(start).unwrap().index(), 7);
        assert_eq!(heap.config(start, 1), Some(71));
        assert_eq!(heap.config(start, 2), None);
        let (second, node) = heap.next(start).unwrap();
        assert_eq!(node.index(), 8);
        assert_eq!(heap.next(second).unwrap().1.index(), 9);
    }

    #[test]
    fn equal_chains_are_one_and_a_full_heap_says_so() {
        let (heap, mut chains) = (Heap::default(), Chains::default());
        let words = chain(&[(1, &[]), (2, &[])]);
        assert_eq!(chains.intern(&heap, &words), chains.intern(&heap, &words));
        let mut last = Ok(0);
        for i in 0.. {
            last = chains.intern(&heap, &chain(&[(1, &vec![i; 2000])]));
            if last.is_err() {
                break;
            }
        }
        assert_eq!(last, Err(HeapFull));
        assert!(
            chains.intern(&heap, &words).is_ok(),
            "what is known stays usable"
        );
    }
}
