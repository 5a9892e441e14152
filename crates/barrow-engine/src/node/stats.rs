//! What a node cost on one thread.

use super::sent::SentTable;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that one thread writes and the main thread reads at any time.
///
/// The writer loads and stores without locked instructions, which is as cheap as plain memory; readers
/// see each counter whole, and the set of them at slightly different moments. "Clear" is the reader's
/// business: it remembers what it saw and subtracts ([`Runtime::since`]). Only the maximum is cleared
/// in place, by a generation number that the writer looks at when it sets a new maximum.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct RuntimeRow {
    calls: AtomicU64,
    vectors: AtomicU64,
    clocks: AtomicU64,
    max_clocks: AtomicU64,
    max_vectors: AtomicU64,
    /// Generation in which the maximum was set.
    max_generation: AtomicU64,
    /// Generation that the reader asked for.
    generation: AtomicU64,
    suspends: AtomicU64,
    /// By next node; never cleared.
    pub(crate) sent: SentTable,
}

#[inline]
fn add(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(by), Relaxed);
}

impl RuntimeRow {
    /// One dispatch of `packets` that took `clocks`. Writer only.
    #[inline]
    pub(crate) fn record(&self, packets: u64, clocks: u64) {
        add(&self.calls, 1);
        add(&self.vectors, packets);
        add(&self.clocks, clocks);
        if clocks > self.max_clocks.load(Relaxed)
            || self.generation.load(Relaxed) != self.max_generation.load(Relaxed)
        {
            self.new_maximum(packets, clocks);
        }
    }

    #[cold]
    fn new_maximum(&self, packets: u64, clocks: u64) {
        self.max_generation
            .store(self.generation.load(Relaxed), Relaxed);
        self.max_clocks.store(clocks, Relaxed);
        self.max_vectors.store(packets, Relaxed);
    }

    /// Asks the writer to forget the maximum. Reader only.
    pub(crate) fn clear_maximum(&self) {
        add(&self.generation, 1);
    }

    /// What was counted so far.
    pub(crate) fn read(&self) -> Runtime {
        let current = self.max_generation.load(Relaxed) == self.generation.load(Relaxed);
        let maximum = |counter: &AtomicU64| if current { counter.load(Relaxed) } else { 0 };
        Runtime {
            calls: self.calls.load(Relaxed),
            vectors: self.vectors.load(Relaxed),
            suspends: self.suspends.load(Relaxed),
            clocks: self.clocks.load(Relaxed),
            max_clocks: maximum(&self.max_clocks),
            max_vectors: maximum(&self.max_vectors),
        }
    }
}

/// What a node cost on one thread since the counters were cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Runtime {
    /// Times it was dispatched.
    pub calls: u64,
    /// Packets it got.
    pub vectors: u64,
    /// Times it suspended itself (process nodes).
    pub suspends: u64,
    /// Clocks of the time-stamp counter it took, dispatch included.
    pub clocks: u64,
    /// Clocks of its longest call.
    pub max_clocks: u64,
    /// Packets in its longest call.
    pub max_vectors: u64,
}

impl Runtime {
    /// What came after `earlier`; maxima are kept.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls.wrapping_sub(earlier.calls),
            vectors: self.vectors.wrapping_sub(earlier.vectors),
            suspends: self.suspends.wrapping_sub(earlier.suspends),
            clocks: self.clocks.wrapping_sub(earlier.clocks),
            max_clocks: self.max_clocks,
            max_vectors: self.max_vectors,
        }
    }

    /// The sum of two threads' costs.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let longest = if other.max_clocks > self.max_clocks {
            other
        } else {
            self
        };
        Self {
            calls: self.calls + other.calls,
            vectors: self.vectors + other.vectors,
            suspends: self.suspends + other.suspends,
            clocks: self.clocks + other.clocks,
            max_clocks: longest.max_clocks,
            max_vectors: longest.max_vectors,
        }
    }

    /// Mean packets a call.
    #[must_use]
    pub fn vectors_per_call(&self) -> f64 {
        if self.calls == 0 {
            0.0
        } else {
            self.vectors as f64 / self.calls as f64
        }
    }

    /// Mean clocks a packet; a call or a suspend where there were no packets.
    #[must_use]
    pub fn clocks_each(&self) -> f64 {
        let per = [self.vectors, self.calls, self.suspends]
            .into_iter()
            .find(|n| *n > 0);
        per.map_or(0.0, |n| self.clocks as f64 / n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleared_maximum_is_gone_until_the_next_call_and_then_that_call_s() {
        let row = RuntimeRow::default();
        row.record(3, 1000);
        row.record(4, 10);
        assert_eq!((row.read().max_clocks, row.read().max_vectors), (1000, 3));
        row.clear_maximum();
        assert_eq!(row.read().max_clocks, 0);
        row.record(5, 20);
        assert_eq!((row.read().max_clocks, row.read().max_vectors), (20, 5));
    }

    #[test]
    fn clearing_is_subtracting_what_was_seen() {
        let row = RuntimeRow::default();
        row.record(3, 100);
        let seen = row.read();
        row.record(2, 50);
        let now = row.read().since(seen);
        assert_eq!((now.calls, now.vectors, now.clocks), (1, 2, 50));
        assert!((now.clocks_each() - 25.0).abs() < 1e-9);
    }
}
