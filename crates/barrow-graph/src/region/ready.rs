//! Which nodes have work: a bitmap in rank order.

use super::NodeIndex;

/// Bits per word.
const WORD: u32 = 64;
/// Ranks that three levels of words can hold.
pub(super) const MAX_NODES: u32 = WORD * WORD * WORD;

/// A set of ranks, taken out in ascending order by a cursor that only moves forward.
///
/// A word that has a bit has its summary bits too; summary bits may outlive the bits under them,
/// and are corrected when the cursor passes. So marks and takes within one word touch that word
/// alone, which keeps the chain of dependent memory accesses short.
#[derive(Default)]
struct Bits {
    /// A bit a rank.
    words: Vec<u64>,
    /// A bit a word that may be other than zero.
    summary: Vec<u64>,
    /// A bit a summary word that may be other than zero.
    top: u64,
}

impl Bits {
    fn grow(&mut self, ranks: u32) {
        self.words.resize(ranks.div_ceil(WORD) as usize, 0);
        self.summary.resize(ranks.div_ceil(WORD * WORD) as usize, 0);
    }

    #[inline]
    fn set(&mut self, rank: u32) {
        let word = rank / WORD;
        let bits = &mut self.words[word as usize];
        let before = *bits;
        *bits |= 1 << (rank % WORD);
        if before == 0 {
            self.summary[(word / WORD) as usize] |= 1 << (word % WORD);
            self.top |= 1 << (word / WORD);
        }
    }

    /// Takes the lowest rank out; the cursor is the word it was in. None lies before the cursor.
    #[inline]
    fn pop(&mut self, cursor: &mut u32) -> Option<u32> {
        if !self.seek(cursor) {
            return None;
        }
        let bits = &mut self.words[*cursor as usize];
        let rank = *cursor * WORD + bits.trailing_zeros();
        *bits &= *bits - 1;
        Some(rank)
    }

    /// Moves the cursor to the first word that has a bit; false if there is none.
    #[inline]
    fn seek(&mut self, cursor: &mut u32) -> bool {
        loop {
            match self.words.get(*cursor as usize) {
                None => return false,
                Some(0) => {}
                Some(_) => return true,
            }
            match self.next_word(*cursor) {
                Some(word) => *cursor = word,
                None => return false,
            }
        }
    }

    /// The first word after an empty one that may have bits.
    #[inline]
    fn next_word(&mut self, empty: u32) -> Option<u32> {
        let mut high = empty / WORD;
        let summary = &mut self.summary[high as usize];
        *summary &= !(1 << (empty % WORD));
        if *summary == 0 {
            self.top &= !(1 << high);
            if self.top == 0 {
                return None;
            }
            high = self.top.trailing_zeros();
        }
        Some(high * WORD + self.summary[high as usize].trailing_zeros())
    }

    /// Takes a rank out; whether it was in.
    fn clear(&mut self, rank: u32) -> bool {
        let bits = &mut self.words[(rank / WORD) as usize];
        let mask = 1 << (rank % WORD);
        let was = *bits & mask != 0;
        *bits &= !mask;
        was
    }

    fn is_empty(&self) -> bool {
        self.top == 0 || self.words.iter().all(|bits| *bits == 0)
    }
}

/// The ready nodes of a region; nodes mark each other here while they run (an example stands at
/// [`Region`](super::Region)).
pub struct Ready {
    /// Of this pass.
    now: Bits,
    /// Of the next pass.
    later: Bits,
    /// The first rank that may still be marked for this pass.
    position: u32,
    /// The word of `now` that was looked at last.
    cursor: u32,
    rank_of: Vec<u32>,
}

impl Ready {
    pub(super) fn new() -> Self {
        Self {
            now: Bits::default(),
            later: Bits::default(),
            position: 0,
            cursor: 0,
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
        let rank = self.now.pop(&mut self.cursor)?;
        self.position = rank + 1;
        Some(rank)
    }

    /// Whether this pass has something left to run.
    pub(super) fn is_mid_pass(&mut self) -> bool {
        self.now.seek(&mut self.cursor)
    }

    /// The rank taken last in this pass.
    pub(super) fn running(&self) -> Option<u32> {
        self.position.checked_sub(1)
    }

    /// Ends a pass that has run everything; true if the next one has something to do.
    pub(super) fn roll(&mut self) -> bool {
        debug_assert!(
            self.now.is_empty(),
            "a pass ends when it has run everything"
        );
        self.position = 0;
        self.cursor = 0;
        if self.later.top == 0 {
            return false;
        }
        std::mem::swap(&mut self.now, &mut self.later);
        true
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
        // A node of this pass may have come before the cursor.
        self.cursor = 0;
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
        let mut cursor = 0;
        let popped: Vec<_> = std::iter::from_fn(|| bits.pop(&mut cursor)).collect();
        assert_eq!(popped, [0, 1, 63, 4095, 4096, 100_000, MAX_NODES - 1]);
        assert!(bits.is_empty() && bits.top == 0);
        bits.set(MAX_NODES - 1);
        assert_eq!(
            bits.pop(&mut cursor),
            Some(MAX_NODES - 1),
            "again, where the cursor stands"
        );
    }
}
