//! What a lookup's load balance leads to: one destination, or one of several by flow hash.
//!
//! ```text
//! load balances (a word each)                           buckets (a word each)
//! [1] single   dpo                                      512: dpo a
//! [2] spread   first bucket 512, 4 of them, hash of ──► 513: dpo a
//! [3] single   dpo = load balance 2  (recursion)        514: dpo b
//!                                                       515: dpo b
//! ```
//!
//! A route with one path costs a reader one more load after the lookup, eight routes to a cache line (in
//! VPP each has a line of its own). The word of a spread names the flow-hash configuration, so nothing of
//! the table is needed. Routes through the same paths share one block of buckets.
//!
//! The main thread stores words (release), workers load them (acquire). A block of buckets is filled
//! before a word names it and reused only when every worker is past it; in place it changes word by word,
//! each a valid destination.

use super::weights::MAX_BUCKETS;
use super::{Chunked, Dpo, DpoKind, Epochs, FlowHashConfig, LbIndex, Retired};
use crate::ip4::mtrie::MAX_LOAD_BALANCES;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const CHUNK: usize = MAX_BUCKETS;
/// Buckets of a node at most: 128 MiB.
const MAX_POOL: u32 = 1 << 24;
const CLASSES: usize = MAX_BUCKETS.ilog2() as usize + 1;
/// A recursion of more levels than this drops.
pub const MAX_RECURSION: u8 = 16;

/// A block of a power of two of buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block {
    pub(super) first: u32,
    pub(super) log2: u8,
}

impl Block {
    pub(super) const fn len(self) -> u32 {
        1 << self.log2
    }
}

/// What a load balance holds: a copy of its word.
///
/// `dpo bits` for a single destination; `first | SPREAD << 32 | log2 << 40 | hash config << 48` for many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice(u64);

impl Choice {
    const SPREAD: u64 = 0xff << 32;

    /// Drop.
    pub const DROP: Self = Self::single(Dpo::DROP);

    pub(super) const fn single(dpo: Dpo) -> Self {
        Self(dpo.to_bits())
    }

    pub(super) const fn spread(block: Block, config: FlowHashConfig) -> Self {
        let shape = (block.log2 as u64) << 40 | (config.bits() as u64) << 48;
        Self(block.first as u64 | Self::SPREAD | shape)
    }

    /// The only destination; `None` if a hash has to choose.
    #[inline]
    #[must_use]
    pub const fn only(self) -> Option<Dpo> {
        if self.0 & Self::SPREAD == Self::SPREAD {
            None
        } else {
            Some(Dpo::from_bits(self.0))
        }
    }

    /// The fields that choose; of no meaning for a single destination.
    #[inline]
    #[must_use]
    pub const fn flow_hash_config(self) -> FlowHashConfig {
        FlowHashConfig::from_bits((self.0 >> 48) as u32)
    }

    const fn block(self) -> Block {
        Block {
            first: self.0 as u32,
            log2: (self.0 >> 40) as u8 & 0x1f,
        }
    }
}

/// The load balances of a node, as workers read them. Cheap to clone; `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct LoadBalances(Arc<Words>);

#[derive(Debug)]
struct Words {
    choices: Chunked<AtomicU64, CHUNK>,
    buckets: Chunked<AtomicU64, CHUNK>,
}

impl LoadBalances {
    /// What a load balance holds. One that never existed drops.
    #[inline]
    #[must_use]
    pub fn load(&self, lb: LbIndex) -> Choice {
        match self.0.choices.get(lb.0) {
            Some(word) => Choice(word.load(Ordering::Acquire)),
            None => Choice::DROP,
        }
    }

    /// The same for each of `lbs`, so that the cache misses overlap; stops at the end of the shorter slice.
    #[inline]
    pub fn load_batch(&self, lbs: &[LbIndex], choices: &mut [Choice]) {
        for (choice, &lb) in choices.iter_mut().zip(lbs) {
            *choice = self.load(lb);
        }
    }

    /// The destination for a packet of this hash. One level: it may be another load balance.
    #[inline]
    #[must_use]
    pub fn pick(&self, choice: Choice, hash: u32) -> Dpo {
        match choice.only() {
            Some(dpo) => dpo,
            None => {
                let block = choice.block();
                self.bucket(block.first | hash & (block.len() - 1))
            }
        }
    }

    /// How many buckets a choice has.
    #[must_use]
    pub const fn buckets(&self, choice: Choice) -> u32 {
        match choice.only() {
            Some(_) => 1,
            None => choice.block().len(),
        }
    }

    /// Follows recursion to the end. `hash` gives the flow hash of a configuration; it is asked once at
    /// most. Deeper levels use fewer bits of it, so that they choose independently.
    ///
    /// `via` is called with every load balance that is passed on the way, the first one not included
    /// (VPP counts those under `/net/route/via`).
    #[inline]
    pub fn resolve(
        &self,
        lb: LbIndex,
        hash: impl FnOnce(FlowHashConfig) -> u32,
        mut via: impl FnMut(LbIndex),
    ) -> Dpo {
        let mut choice = self.load(lb);
        let mut ask = Some(hash);
        let mut hash = 0;
        for _ in 0..=MAX_RECURSION {
            if choice.only().is_none() {
                hash = match ask.take() {
                    Some(ask) => ask(choice.flow_hash_config()),
                    None => hash >> 1,
                };
            }
            let dpo = self.pick(choice, hash);
            if dpo.kind() != DpoKind::LoadBalance {
                return dpo;
            }
            let next = LbIndex(dpo.index());
            via(next);
            choice = self.load(next);
        }
        Dpo::DROP
    }

    fn bucket(&self, index: u32) -> Dpo {
        match self.0.buckets.get(index) {
            Some(word) => Dpo::from_bits(word.load(Ordering::Acquire)),
            None => Dpo::DROP,
        }
    }

    /// The destinations of a choice, bucket by bucket.
    pub(super) fn destinations(&self, choice: Choice) -> impl Iterator<Item = Dpo> {
        (0..self.buckets(choice)).map(move |hash| self.pick(choice, hash))
    }
}

/// The main thread's side: which blocks are free.
#[derive(Debug)]
pub(super) struct LoadBalanceTable {
    words: LoadBalances,
    free: [Vec<u32>; CLASSES],
    retired: Retired<Block>,
    pool: u32,
}

impl LoadBalanceTable {
    pub(super) fn new(epochs: Epochs) -> Self {
        let choices = Chunked::new(MAX_LOAD_BALANCES);
        choices.ensure(LbIndex::DROP.0);
        Self {
            words: LoadBalances(Arc::new(Words {
                choices,
                buckets: Chunked::new(MAX_POOL),
            })),
            free: Default::default(),
            retired: Retired::new(epochs),
            pool: 0,
        }
    }

    pub(super) const fn reader(&self) -> &LoadBalances {
        &self.words
    }

    /// Makes room for a load balance. `false` when the node has as many as it can.
    pub(super) fn ensure(&self, lb: LbIndex) -> bool {
        self.words.0.choices.ensure(lb.0)
    }

    pub(super) fn set(&self, lb: LbIndex, choice: Choice) {
        if let Some(word) = self.words.0.choices.get(lb.0) {
            word.store(choice.0, Ordering::Release);
        }
    }

    /// A block with these destinations, `shares[i]` buckets for the `i`-th. `None` when the pool is used up.
    pub(super) fn allocate(&mut self, dpos: &[Dpo], shares: &[u32]) -> Option<Block> {
        let len: u32 = shares.iter().sum();
        debug_assert!(len.is_power_of_two() && len as usize <= MAX_BUCKETS);
        let log2 = len.ilog2() as u8;
        let block = Block {
            first: self.take(log2)?,
            log2,
        };
        self.fill(block, dpos, shares);
        Some(block)
    }

    /// Changes the buckets of a block in place.
    pub(super) fn fill(&self, block: Block, dpos: &[Dpo], shares: &[u32]) {
        let dpos = dpos
            .iter()
            .zip(shares)
            .flat_map(|(&dpo, &n)| std::iter::repeat_n(dpo, n as usize));
        for (index, dpo) in (block.first..block.first + block.len()).zip(dpos) {
            if let Some(word) = self.words.0.buckets.get(index) {
                word.store(dpo.to_bits(), Ordering::Release);
            }
        }
    }

    /// Gives a block back that no load balance names any more.
    pub(super) fn release(&mut self, block: Block) {
        self.retired.push(block);
    }

    fn take(&mut self, log2: u8) -> Option<u32> {
        while let Some(block) = self.retired.pop() {
            self.free[usize::from(block.log2)].push(block.first);
        }
        let wanted = usize::from(log2);
        let (class, first) = match (wanted..CLASSES).find(|&class| !self.free[class].is_empty()) {
            Some(class) => (class, self.free[class].pop()?),
            None => {
                let first = self.pool;
                if !self.words.0.buckets.ensure(first) {
                    return None;
                }
                self.pool += CHUNK as u32;
                (CLASSES - 1, first)
            }
        };
        // split what is too big: the upper halves stay free
        for class in wanted..class {
            self.free[class].push(first + (1 << class));
        }
        Some(first)
    }

    /// Heap memory in use, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let lists: usize = self
            .free
            .iter()
            .map(|list| list.capacity() * size_of::<u32>())
            .sum();
        self.words.0.choices.bytes() + self.words.0.buckets.bytes() + lists + self.retired.bytes()
    }

    #[cfg(test)]
    fn in_use(&self) -> u32 {
        let free: u32 = self
            .free
            .iter()
            .enumerate()
            .map(|(class, list)| (list.len() as u32) << class)
            .sum();
        self.pool - free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adj::AdjIndex;

    fn adjacency(index: u32) -> Dpo {
        Dpo::adjacency(AdjIndex(index))
    }

    fn table() -> LoadBalanceTable {
        let table = LoadBalanceTable::new(Epochs::default());
        assert!(table.ensure(LbIndex(20)));
        table
    }

    fn resolve(table: &LoadBalanceTable, lb: u32, hash: u32) -> (Dpo, Vec<u32>) {
        let mut passed = Vec::new();
        let dpo = table
            .reader()
            .resolve(LbIndex(lb), |_| hash, |lb| passed.push(lb.0));
        (dpo, passed)
    }

    #[test]
    fn index_zero_and_unknown_indexes_drop() {
        let table = table();
        assert_eq!(resolve(&table, 0, 0), (Dpo::DROP, vec![]));
        assert_eq!(resolve(&table, u32::MAX, 0), (Dpo::DROP, vec![]));
    }

    #[test]
    fn a_single_destination_needs_no_hash() {
        let table = table();
        table.set(LbIndex(1), Choice::single(adjacency(7)));
        let dpo = table
            .reader()
            .resolve(LbIndex(1), |_| unreachable!(), |_| ());
        assert_eq!(dpo, adjacency(7));
    }

    #[test]
    fn the_hash_selects_a_bucket_and_the_word_names_its_fields() {
        let mut table = table();
        let block = table
            .allocate(&[adjacency(1), adjacency(2)], &[1, 3])
            .unwrap();
        table.set(LbIndex(1), Choice::spread(block, FlowHashConfig::SRC));
        let choice = table.reader().load(LbIndex(1));
        assert_eq!(choice.flow_hash_config(), FlowHashConfig::SRC);
        assert_eq!(table.reader().buckets(choice), 4);
        let picked: Vec<u32> = (4..8)
            .map(|hash| resolve(&table, 1, hash).0.index())
            .collect();
        assert_eq!(picked, [1, 2, 2, 2]);
    }

    #[test]
    fn recursion_passes_through_and_deeper_levels_use_other_bits() {
        let mut table = table();
        let inner = table
            .allocate(&[adjacency(1), adjacency(2)], &[1, 1])
            .unwrap();
        table.set(LbIndex(2), Choice::spread(inner, FlowHashConfig::DEFAULT));
        let via = Dpo::new(DpoKind::LoadBalance, 2);
        let outer = table.allocate(&[via, adjacency(3)], &[1, 1]).unwrap();
        table.set(LbIndex(1), Choice::spread(outer, FlowHashConfig::DEFAULT));
        assert_eq!(resolve(&table, 1, 0b00), (adjacency(1), vec![2]));
        assert_eq!(resolve(&table, 1, 0b10), (adjacency(2), vec![2]));
        assert_eq!(resolve(&table, 1, 0b01), (adjacency(3), vec![]));
    }

    #[test]
    fn an_endless_recursion_drops() {
        let table = table();
        table.set(
            LbIndex(1),
            Choice::single(Dpo::new(DpoKind::LoadBalance, 1)),
        );
        assert_eq!(resolve(&table, 1, 0).0, Dpo::DROP);
    }

    #[test]
    fn blocks_are_reused_and_never_overlap() {
        let mut table = table();
        let mut blocks = Vec::new();
        for round in 0..200_u32 {
            let log2 = round % 6;
            let shares = [1_u32 << log2];
            let block = table.allocate(&[adjacency(round)], &shares).unwrap();
            blocks.push((round, block));
            if round % 3 == 0 {
                let (_, block) = blocks.swap_remove(round as usize % blocks.len());
                table.release(block);
            }
        }
        for &(round, block) in &blocks {
            let choice = Choice::spread(block, FlowHashConfig::DEFAULT);
            assert!(
                table
                    .reader()
                    .destinations(choice)
                    .all(|dpo| dpo == adjacency(round))
            );
        }
        let used: u32 = blocks.iter().map(|(_, block)| block.len()).sum();
        let waiting = table.retired.len();
        assert!(waiting <= 1 && table.in_use() >= used && table.in_use() <= used + 32);
    }
}
