//! What a bus counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters of a bus since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusStats {
    /// Copies put into an inbox.
    pub delivered: u64,
    /// Copies that found no room and were allowed to be dropped.
    pub dropped: u64,
    /// Copies for endpoints that were gone.
    pub unreachable: u64,
    /// Copies that had to be delivered and waited for room.
    pub waits: u64,
    /// How long they waited, together.
    pub waited: Duration,
    /// How long the longest of them waited.
    pub longest_wait: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    delivered: AtomicU64,
    dropped: AtomicU64,
    unreachable: AtomicU64,
    waits: AtomicU64,
    waited_nanos: AtomicU64,
    longest_nanos: AtomicU64,
}

impl Counters {
    pub(super) fn deliver(&self, copies: usize) {
        self.delivered.fetch_add(copies as u64, Ordering::Relaxed);
    }

    pub(super) fn drop_copies(&self, copies: usize) {
        self.dropped.fetch_add(copies as u64, Ordering::Relaxed);
    }

    pub(super) fn miss(&self) {
        self.unreachable.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn wait(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.waits.fetch_add(1, Ordering::Relaxed);
        self.waited_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.longest_nanos.fetch_max(nanos, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> BusStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BusStats {
            delivered: count(&self.delivered),
            dropped: count(&self.dropped),
            unreachable: count(&self.unreachable),
            waits: count(&self.waits),
            waited: Duration::from_nanos(count(&self.waited_nanos)),
            longest_wait: Duration::from_nanos(count(&self.longest_nanos)),
        }
    }
}
