//! Which nodes have work: a bitmap in rank order.

use super::NodeIndex;

/// Bits per word.
const WORD: u32 = 64;
/// Ranks that three levels of words can hold.
pub(super) const MAX_NODES: u32 = WORD * WORD * WORD;

/// A set of ranks with its lowest member at hand.
#[derive(Default)]
struct Bits {
    /// A bit a rank.
    words: Vec<u64>,
    /// A bit a word that is not zero.
    summary: Vec<u64>,
    /// A bit a summary word that is not zero.
    top: u64,
}

impl Bits {
    fn grow(&mut self, ranks: u32) {
        self.words.resize(ranks.div_ceil(WORD) as usize, 0);
        self.summary.resize(ranks.div_ceil(WORD * WORD) as usize, 0);
    }

    #[inline]
    fn set(&mut self, rank: u32) {
        let (word, summary) = (rank / WORD, rank / (WORD * WORD));
        self.words[word as usize] |= 1 << (rank % WORD);
        self.summary[summary as usize] |= 1 << (word % WORD);
        self.top |= 1 << summary;
    }

    #[inline]
    fn pop(&mut self) -> Option<u32> {
        if self.top == 0 {
            return None;
        }
        let high = self.top.trailing_zeros();
        let summary = &mut self.summary[high as usize];
        let word = high * WORD + summary.trailing_zeros();
        let bits = &mut self.words[word as usize];
        let rank = word * WORD + bits.trailing_zeros();
        *bits &= *bits - 1;
        if *bits == 0 {
            *summary &= *summary - 1;
            if *summary == 0 {
                self.top &= self.top - 1;
            }
        }
        Some(rank)
    }

    /// Takes a rank out; whether it was in.
    fn clear(&mut self, rank: u32) -> bool {
        let (word, summary) = (rank / WORD, rank / (WORD * WORD));
        let bits = &mut self.words[word as usize];
        let mask = 1 << (rank % WORD);
        let was = *bits & mask != 0;
        *bits &= !mask;
        if was && *bits == 0 {
            let bits = &mut self.summary[summary as usize];
            *bits &= !(1 << (word % WORD));
            if *bits == 0 {
                self.top &= !(1 << summary);
            }
        }
        was
    }

    fn is_empty(&self) -> bool {
        self.top == 0
    }
}

/// The ready nodes of a region; nodes mark each other here while they run.
///
/// ```
/// use barrow_graph::region::{NodeIndex, Ran, Ready, Region, RegionNode};
///
/// struct Source { sink: NodeIndex }
/// impl RegionNode<Vec<u32>> for Source {
///     fn run(&mut self, queue: &mut Vec<u32>, ready: &mut Ready, quantum: u32) -> Ran {
///         queue.extend(0..quantum.min(3));
///         ready.mark(self.sink);
///         Ran::all(quantum.min(3))
///     }
/// }
/// struct Sink;
/// impl RegionNode<Vec<u32>> for Sink {
///     fn run(&mut self, queue: &mut Vec<u32>, _: &mut Ready, _: u32) -> Ran {
///         Ran::all(queue.drain(..).count() as u32)
///     }
/// }
///
/// let mut region = Region::new();
/// let sink = region.add_node("sink", Box::new(Sink));
/// let source = region.add_node("source", Box::new(Source { sink }));
/// region.connect(source, sink);
/// region.mark(source);
/// let _ = region.turn(&mut Vec::new(), 64);
/// assert_eq!(region.stats(sink).items, 3);
/// ```
pub struct Ready {
    /// Of this pass.
    now: Bits,
    /// Of the next pass.
    later: Bits,
    /// The first rank that may still be marked for this pass.
    position: u32,
    rank_of: Vec<u32>,
}

impl Ready {
    pub(super) fn new() -> Self {
        Self {
            now: Bits::default(),
            later: Bits::default(),
            position: 0,
            rank_of: Vec::new(),
        }
    }

    /// Says that a node has work. One whose rank is at or before the running one's waits for the
    /// next pass. Marking twice is marking once; a node that does not exist is ignored.
    #[inline]
    pub fn mark(&mut self, node: NodeIndex) {
        let Some(&rank) = self.rank_of.get(node.0 as usize) else {
            return;
        };
        if rank >= self.position {
            self.now.set(rank);
        } else {
            self.later.set(rank);
        }
    }

    /// The next rank of this pass.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        let rank = self.now.pop()?;
        self.position = rank + 1;
        Some(rank)
    }

    /// Whether this pass has something left to run.
    pub(super) fn is_mid_pass(&self) -> bool {
        !self.now.is_empty()
    }

    /// Ends a pass; true if the next one has something to do.
    pub(super) fn roll(&mut self) -> bool {
        debug_assert!(
            self.now.is_empty(),
            "a pass ends when it has run everything"
        );
        std::mem::swap(&mut self.now, &mut self.later);
        self.position = 0;
        !self.now.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.now.is_empty() && self.later.is_empty()
    }

    /// The next node gets the next rank.
    pub(super) fn push(&mut self) {
        let rank = self.rank_of.len() as u32;
        self.rank_of.push(rank);
        self.now.grow(rank + 1);
        self.later.grow(rank + 1);
    }

    /// Forgets that a node has work.
    pub(super) fn unmark(&mut self, node: NodeIndex) {
        let rank = self.rank_of[node.0 as usize];
        self.now.clear(rank);
        self.later.clear(rank);
    }

    /// Gives nodes new ranks (a permutation of their old ones); their bits move with them.
    pub(super) fn rerank(&mut self, moved: &[(u32, u32)]) {
        let bits: Vec<_> = moved
            .iter()
            .map(|(node, _)| {
                let rank = self.rank_of[*node as usize];
                (self.now.clear(rank), self.later.clear(rank))
            })
            .collect();
        for ((node, rank), (now, later)) in moved.iter().zip(bits) {
            self.rank_of[*node as usize] = *rank;
            if now {
                self.now.set(*rank);
            }
            if later {
                self.later.set(*rank);
            }
        }
    }
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_come_out_in_order_over_every_level() {
        let mut bits = Bits::default();
        bits.grow(MAX_NODES);
        let ranks = [0, 1, 63, 64, 4095, 4096, 100_000, MAX_NODES - 1];
        ranks.iter().rev().for_each(|rank| bits.set(*rank));
        assert!(bits.clear(64));
        assert!(!bits.clear(64));
        let popped: Vec<_> = std::iter::from_fn(|| bits.pop()).collect();
        assert_eq!(popped, [0, 1, 63, 4095, 4096, 100_000, MAX_NODES - 1]);
        assert!(bits.is_empty());
    }
}
