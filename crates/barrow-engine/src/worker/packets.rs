//! What one thread's nodes share while they run.

use super::Outbox;
use crate::arc::{Heap, Published, Snapshot};
use crate::frame::queue::Queues;
use crate::fuse::FusedTable;
use crate::packet::{Buffer, PacketCache};
use crate::trace::Log;
use barrow_core::Instant;
use barrow_runtime::sys::Clock;
use barrow_stats::SimpleRow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The thread's frames, buffers, counters and logs.
pub struct WorkerPackets {
    pub(crate) thread: usize,
    /// The time of this turn.
    pub(crate) now: Instant,
    /// The node's clock; `None` where time stands still during a turn.
    clock: Option<Clock>,
    /// Time stamp of the end of the last dispatch, and so of the start of this one.
    pub(crate) stamp: u64,
    /// Whether packets of the current dispatch may be traced.
    pub(crate) tracing: bool,
    /// Packets that inputs brought in, ever.
    pub(crate) received: u64,
    pub(crate) queues: Queues,
    pub(crate) fused: FusedTable,
    pub(crate) cache: PacketCache,
    pub(crate) errors: SimpleRow,
    pub(crate) heap: Arc<Heap>,
    pub(crate) arcs: Arc<Snapshot>,
    arcs_version: u64,
    published: Arc<Published>,
    pub(crate) log: Log,
    pub(crate) outbox: Outbox,
    pub(crate) own: OwnErrors,
}

/// The counters that the engine itself adds to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnErrors {
    /// Packets left in their vector by a node.
    pub(crate) left: u16,
    /// Packets for a node that is gone.
    pub(crate) stale: u16,
    /// Packets that found the ring to another thread full.
    pub(crate) congestion: u16,
}

/// What a thread's share is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) thread: usize,
    pub(crate) clock: Option<Clock>,
    pub(crate) cache: PacketCache,
    pub(crate) errors: SimpleRow,
    pub(crate) heap: Arc<Heap>,
    pub(crate) published: Arc<Published>,
    pub(crate) log: Log,
    pub(crate) outbox: Outbox,
    pub(crate) own: OwnErrors,
}

impl WorkerPackets {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            thread: parts.thread,
            now: Instant::ZERO,
            clock: parts.clock,
            stamp: 0,
            tracing: false,
            received: 0,
            queues: Queues::default(),
            fused: FusedTable::default(),
            cache: parts.cache,
            errors: parts.errors,
            heap: parts.heap,
            arcs: Arc::default(),
            arcs_version: 0,
            published: parts.published,
            log: parts.log,
            outbox: parts.outbox,
            own: parts.own,
        }
    }

    /// The time of day of the node, for traces: it grows along a packet's way, also over threads.
    #[cold]
    pub(crate) fn moment(&self) -> Instant {
        self.clock.as_ref().map_or(self.now, Clock::now)
    }

    /// Takes up changed features.
    #[inline]
    pub(super) fn refresh_arcs(&mut self) {
        self.published
            .refresh(&mut self.arcs, &mut self.arcs_version);
    }

    /// Frees packets that a node did not take out of its vector, and counts the bug.
    #[cold]
    pub(crate) fn reclaim(&mut self, frame: &mut Vec<Buffer>) {
        self.errors
            .add(u32::from(self.own.left), frame.len() as u64);
        self.cache.free(frame);
    }

    /// The thread's number.
    #[must_use]
    pub fn thread(&self) -> usize {
        self.thread
    }

    /// Packets that wait in the queues of all nodes.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queues.total()
    }

    /// The thread's cache of free buffers.
    pub fn cache(&mut self) -> &mut PacketCache {
        &mut self.cache
    }
}

/// Packets that wait somewhere when the thread ends go back to the pool.
impl Drop for WorkerPackets {
    fn drop(&mut self) {
        self.queues.drain(&mut self.cache);
        self.outbox.drain(&mut self.cache);
    }
}

impl fmt::Debug for WorkerPackets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPackets")
            .field("thread", &self.thread)
            .field("now", &self.now)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

/// What a thread tells of its loop; written by the thread, read by main.
#[derive(Default, Debug)]
#[repr(align(64))]
pub(crate) struct ThreadRow {
    turns: AtomicU64,
    received: AtomicU64,
    panics: AtomicU64,
}

impl ThreadRow {
    #[inline]
    pub(super) fn turned(&self, received: u64) {
        self.turns
            .store(self.turns.load(Relaxed).wrapping_add(1), Relaxed);
        self.received.store(received, Relaxed);
    }

    pub(super) fn panicked(&self) {
        self.panics.store(self.panics.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Relaxed)
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }
}
