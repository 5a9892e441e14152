//! Where a thread puts its records.

use crate::node::NodeId;
use barrow_core::Instant;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records one thread keeps.
pub(crate) const MOST_RECORDS: usize = 1 << 16;

/// Numbers traces; all threads draw from it.
#[derive(Debug)]
pub(crate) struct Ids {
    next: AtomicU32,
    /// Orders the records of all threads: a packet that is handed over carries its order along.
    sequence: AtomicU64,
    /// Traces below were cleared: packets that still carry them are no longer recorded.
    floor: AtomicU32,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            next: AtomicU32::new(1),
            sequence: AtomicU64::new(0),
            floor: AtomicU32::new(1),
        }
    }
}

impl Ids {
    fn draw(&self) -> u32 {
        self.next.fetch_add(1, Relaxed)
    }

    fn is_current(&self, id: u32) -> bool {
        // Wrapping, so that 2^31 traces may be drawn between two clears.
        id.wrapping_sub(self.floor.load(Relaxed)) < u32::MAX / 2
    }

    pub(super) fn clear(&self) {
        self.floor.store(self.next.load(Relaxed), Relaxed);
    }
}

/// One record as it was logged.
pub(super) struct Logged {
    pub(super) id: u32,
    pub(super) at: Instant,
    /// Orders records: whatever happened before another has the lower number.
    pub(super) sequence: u64,
    pub(super) node: NodeId,
    pub(super) record: Box<dyn fmt::Display + Send>,
}

#[derive(Default)]
struct Shared {
    records: Mutex<Vec<Logged>>,
    lost: AtomicU64,
}

/// A thread's side: appends. The lock is taken for traced packets only, and held for one push.
pub(crate) struct Log {
    shared: Arc<Shared>,
    ids: Arc<Ids>,
}

/// The main thread's side of one thread's log.
pub(crate) struct LogReader(Arc<Shared>);

impl Log {
    pub(crate) fn new(ids: Arc<Ids>) -> (Self, LogReader) {
        let shared = Arc::<Shared>::default();
        (
            Self {
                shared: shared.clone(),
                ids,
            },
            LogReader(shared),
        )
    }

    /// A new trace.
    pub(crate) fn begin(&self) -> u32 {
        self.ids.draw()
    }

    #[cold]
    pub(crate) fn append(
        &self,
        id: u32,
        at: Instant,
        node: NodeId,
        record: impl fmt::Display + Send + 'static,
    ) {
        if !self.ids.is_current(id) {
            return;
        }
        let mut records = lock(&self.shared.records);
        if records.len() == MOST_RECORDS {
            self.shared.lost.fetch_add(1, Relaxed);
            return;
        }
        let sequence = self.ids.sequence.fetch_add(1, Relaxed);
        records.push(Logged {
            id,
            at,
            sequence,
            node,
            record: Box::new(record),
        });
    }
}

impl LogReader {
    pub(super) fn records(&self) -> MutexGuard<'_, Vec<Logged>> {
        lock(&self.0.records)
    }

    pub(super) fn lost(&self) -> u64 {
        self.0.lost.load(Relaxed)
    }

    pub(super) fn clear(&self) {
        let records = std::mem::take(&mut *self.records());
        self.0.lost.store(0, Relaxed);
        drop(records); // outside the lock
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A push leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

impl fmt::Debug for LogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogReader({} records)", self.records().len())
    }
}
