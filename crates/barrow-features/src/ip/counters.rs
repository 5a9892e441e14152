//! Counters of routes and adjacencies in the statistics segment.

use crate::fib::{ObjectCounters, Totals};
use barrow_engine::log::Class;
use barrow_stats::{CombinedCounters, EntryError, Segment, Shape};

/// Most routes and adjacencies that can be counted.
const LIMIT: u32 = 1 << 24;

/// A vector of counters by object index, with a row for each thread.
#[derive(Clone, Debug)]
pub(super) struct SegmentCounters {
    counters: CombinedCounters,
    log: Class,
}

impl SegmentCounters {
    /// Adds the vector to the segment.
    ///
    /// # Errors
    /// When the segment has no room for it.
    pub(super) fn new(segment: &Segment, path: &str, log: Class) -> Result<Self, EntryError> {
        let shape = Shape::rows(segment.threads()).limit(LIMIT);
        Ok(Self {
            counters: segment.combined(path, shape)?,
            log,
        })
    }

    /// The counters themselves.
    #[must_use]
    pub(super) const fn counters(&self) -> &CombinedCounters {
        &self.counters
    }
}

impl ObjectCounters for SegmentCounters {
    fn start(&self, index: u32) {
        // Adds to what could not be made are counted as missed; the object works without.
        if let Err(error) = self.counters.ensure(index) {
            self.log
                .warning(format_args!("no counters for object {index}: {error}"));
        }
        self.counters.clear(index);
    }

    fn totals(&self, index: u32) -> Totals {
        let sum = self.counters.sum(index);
        Totals {
            packets: sum.packets,
            bytes: sum.bytes,
        }
    }
}
