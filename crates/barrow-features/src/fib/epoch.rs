//! When a slot that workers may still be reading can be used again.
//!
//! The main thread unlinks a slot (a ply, a load balance, a block of buckets, an adjacency) and retires it
//! under a stamp. Each worker announces, once a turn, that it holds no index it took from the tables
//! earlier: a *quiescent state*. A slot is free once every worker has announced after the retirement.
//!
//! ```text
//! main     unlink slot ── retire (stamp 8) ── now = 8 ─────────────────────────── reuse slot
//! worker A ····turn····|quiescent: seen 7|····turn····|quiescent: seen 8|····turn····
//! worker B ··|seen 7|······turn······|quiescent: seen 8|··········parked (offline)····
//! ```
//!
//! A worker that parks goes offline, so that a sleeping worker delays nothing. Nobody ever waits: what
//! is not yet free stays in the queue, and the table grows instead.
//!
//! Order: a worker reads `now` (acquire) after it dropped its indexes and publishes it (release); the
//! main thread bumps `now` after it unlinked. So `seen >= stamp` means that the worker's later reads see
//! the unlinking, and that its earlier reads happened before the reuse.

use super::chunked::Chunked;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

const OFFLINE: u64 = u64::MAX;
const MAX_WORKERS: u32 = 1024;

/// One worker's announcement, alone on its cache lines.
#[derive(Debug)]
#[repr(align(128))]
struct Line {
    seen: AtomicU64,
    taken: AtomicBool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            seen: AtomicU64::new(OFFLINE),
            taken: AtomicBool::new(false),
        }
    }
}

#[derive(Debug)]
struct Shared {
    now: AtomicU64,
    lines: Chunked<Line, 16>,
    /// Lines ever taken; the ones beyond are offline.
    used: AtomicU32,
}

/// The epochs of one node: made once, cloned into every table and (as [`Worker`]) into every thread.
#[derive(Clone, Debug)]
pub struct Epochs(Arc<Shared>);

impl Default for Epochs {
    fn default() -> Self {
        Self(Arc::new(Shared {
            now: AtomicU64::new(1),
            lines: Chunked::new(MAX_WORKERS),
            used: AtomicU32::new(0),
        }))
    }
}

impl Epochs {
    /// Registers a thread that reads the tables; it starts offline. `None` when 1,024 are registered.
    ///
    /// A thread whose packets wait in queues across turns (the main thread too) registers like any other
    /// and announces only when it holds none.
    #[must_use]
    pub fn worker(&self) -> Option<Worker> {
        for line in 0..MAX_WORKERS {
            self.0.lines.ensure(line);
            let slot = self.0.lines.get(line)?;
            if slot
                .taken
                .compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                self.0.used.fetch_max(line + 1, Ordering::SeqCst);
                return Some(Worker {
                    shared: Arc::clone(&self.0),
                    line,
                    seen: OFFLINE,
                });
            }
        }
        None
    }

    /// The stamp of what is retired now.
    fn stamp(&self) -> u64 {
        self.0.now.load(Ordering::Relaxed) + 1
    }

    /// Whether everything retired under `stamp` is out of every worker's reach.
    fn is_past(&self, stamp: u64) -> bool {
        if self.0.now.load(Ordering::Relaxed) < stamp {
            self.0.now.fetch_add(1, Ordering::SeqCst);
        }
        fence(Ordering::SeqCst);
        (0..self.0.used.load(Ordering::SeqCst)).all(|line| {
            self.0
                .lines
                .get(line)
                .is_none_or(|line| line.seen.load(Ordering::SeqCst) >= stamp)
        })
    }
}

/// A thread that reads the tables.
///
/// It must be online (by [`quiescent`](Self::quiescent)) while it holds an index or reads a record.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Shared>,
    line: u32,
    seen: u64,
}

impl Worker {
    fn publish(&mut self, seen: u64, order: Ordering) {
        if let Some(line) = self.shared.lines.get(self.line) {
            line.seen.store(seen, order);
        }
        self.seen = seen;
    }

    /// Announces that this thread holds no index from before; also brings it online. One load when
    /// nothing was retired since the last call.
    #[inline]
    pub fn quiescent(&mut self) {
        let now = self.shared.now.load(Ordering::Acquire);
        if self.seen == now {
            return;
        }
        if self.seen == OFFLINE {
            self.publish(now, Ordering::SeqCst);
            fence(Ordering::SeqCst);
        } else {
            self.publish(now, Ordering::Release);
        }
    }

    /// The thread holds no index and reads nothing until the next [`quiescent`](Self::quiescent): call it
    /// before parking.
    pub fn offline(&mut self) {
        if self.seen != OFFLINE {
            self.publish(OFFLINE, Ordering::Release);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.offline();
        if let Some(line) = self.shared.lines.get(self.line) {
            line.taken.store(false, Ordering::Release);
        }
    }
}

/// Slots that are unlinked but may still be read, oldest first.
#[derive(Debug)]
pub struct Retired<T> {
    epochs: Epochs,
    queue: VecDeque<(u64, T)>,
}

impl<T> Retired<T> {
    /// An empty queue.
    #[must_use]
    pub const fn new(epochs: Epochs) -> Self {
        Self {
            epochs,
            queue: VecDeque::new(),
        }
    }

    /// Takes an unlinked slot into custody.
    pub fn push(&mut self, slot: T) {
        self.queue.push_back((self.epochs.stamp(), slot));
    }

    /// A slot that no worker can reach any more.
    pub fn pop(&mut self) -> Option<T> {
        let &(stamp, _) = self.queue.front()?;
        if !self.epochs.is_past(stamp) {
            return None;
        }
        self.queue.pop_front().map(|(_, slot)| slot)
    }

    /// How many slots wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Heap memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.queue.capacity() * size_of::<(u64, T)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_workers_a_slot_is_free_at_once() {
        let mut retired = Retired::new(Epochs::default());
        retired.push(3);
        assert_eq!(retired.pop(), Some(3));
        assert_eq!(retired.pop(), None);
    }

    #[test]
    fn a_slot_waits_for_every_worker() {
        let epochs = Epochs::default();
        let (mut a, mut b) = (epochs.worker().unwrap(), epochs.worker().unwrap());
        a.quiescent();
        b.quiescent();
        let mut retired = Retired::new(epochs);
        retired.push("slot");
        assert_eq!(retired.pop(), None);
        a.quiescent();
        assert_eq!(retired.pop(), None);
        b.quiescent();
        assert_eq!(retired.pop(), Some("slot"));
    }

    #[test]
    fn an_announcement_before_the_retirement_does_not_count() {
        let epochs = Epochs::default();
        let mut worker = epochs.worker().unwrap();
        let mut retired = Retired::new(epochs);
        worker.quiescent();
        retired.push(1);
        assert_eq!(retired.pop(), None);
        assert_eq!(retired.len(), 1);
    }

    #[test]
    fn a_parked_worker_delays_nothing() {
        let epochs = Epochs::default();
        let mut worker = epochs.worker().unwrap();
        worker.quiescent();
        worker.offline();
        let mut retired = Retired::new(epochs);
        retired.push(1);
        assert_eq!(retired.pop(), Some(1));
        retired.push(2);
        worker.quiescent();
        assert_eq!(retired.pop(), None, "online before the bump");
        worker.quiescent();
        assert_eq!(retired.pop(), Some(2));
    }

    #[test]
    fn a_dropped_worker_gives_its_line_back() {
        let epochs = Epochs::default();
        for _ in 0..2 * MAX_WORKERS {
            let mut worker = epochs.worker().unwrap();
            worker.quiescent();
        }
        assert_eq!(epochs.0.used.load(Ordering::SeqCst), 1);
    }
}
