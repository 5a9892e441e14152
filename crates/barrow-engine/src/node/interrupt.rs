//! Making an input node ready from outside its region: a readable descriptor, a doorbell, another thread.
//!
//! Each thread has one [`Interrupts`] set, a bit an input node. Setting a bit twice is setting it once;
//! the first one wakes the thread's packet unit, which takes all bits and marks the nodes.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use super::NodeId;

const WORDS: usize = 64;

/// The interrupt bits of one thread: 4096 input nodes in two levels, so that an idle look is one load.
pub(crate) struct Interrupts {
    /// A bit for each word that is not zero.
    summary: AtomicU64,
    words: [AtomicU64; WORDS],
    /// Wakes the thread's packet unit.
    waker: OnceLock<Waker>,
}

/// Input nodes one thread can have at a time.
pub(crate) const MOST_INPUTS: usize = WORDS * 64;

impl Default for Interrupts {
    fn default() -> Self {
        Self {
            summary: AtomicU64::new(0),
            words: [const { AtomicU64::new(0) }; WORDS],
            waker: OnceLock::new(),
        }
    }
}

impl Interrupts {
    /// Says whom to wake. Bits set earlier are seen by the unit's first turn.
    pub(crate) fn attach(&self, waker: &Waker) {
        if self.waker.set(waker.clone()).is_ok() {
            waker.wake_by_ref();
        }
    }

    /// Wakes the packet unit.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    fn set(&self, slot: usize) {
        let (word, bit) = (slot / 64, 1 << (slot % 64));
        // Release: what the setter wrote before is seen by the node that is run for it.
        self.words[word].fetch_or(bit, Ordering::Release);
        self.summary.fetch_or(1 << word, Ordering::Release);
        self.wake();
    }

    /// Takes all bits, calling `mark` for each slot.
    #[inline]
    pub(crate) fn take(&self, mut mark: impl FnMut(usize)) {
        if self.summary.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut summary = self.summary.swap(0, Ordering::Acquire);
        while summary != 0 {
            let word = summary.trailing_zeros() as usize;
            summary &= summary - 1;
            let mut bits = self.words[word].swap(0, Ordering::Acquire);
            while bits != 0 {
                mark(word * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }

    /// Whether any bit is set.
    pub(crate) fn any(&self) -> bool {
        self.summary.load(Ordering::Acquire) != 0
    }
}

/// Makes one input node ready on one thread, from any thread. Never lost: an interrupt that comes while
/// the node runs makes it run again.
#[derive(Clone)]
pub struct Interrupt(Arc<Line>);

struct Line {
    node: NodeId,
    slot: usize,
    set: Arc<Interrupts>,
}

impl Interrupt {
    pub(crate) fn new(node: NodeId, slot: usize, set: Arc<Interrupts>) -> Self {
        Self(Arc::new(Line { node, slot, set }))
    }

    /// The node that it makes ready.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.0.node
    }

    /// Makes the node ready.
    pub fn raise(&self) {
        self.0.set.set(self.0.slot);
    }

    /// The same, for whoever wakes wakers.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }
}

impl Wake for Line {
    fn wake(self: Arc<Self>) {
        self.set.set(self.slot);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set.set(self.slot);
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interrupt({})", self.0.node)
    }
}

impl fmt::Debug for Interrupts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interrupts({:#x})", self.summary.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(set: &Interrupts) -> Vec<usize> {
        let mut slots = Vec::new();
        set.take(|slot| slots.push(slot));
        slots
    }

    #[test]
    fn an_interrupt_set_twice_is_seen_once_and_one_set_while_taking_is_seen_next_time() {
        let set = Arc::new(Interrupts::default());
        let line = |slot| Interrupt::new(NodeId::NONE, slot, set.clone());
        line(0).raise();
        line(4095).raise();
        line(4095).raise();
        let mut seen = Vec::new();
        set.take(|slot| {
            if slot == 0 {
                line(0).raise();
            }
            seen.push(slot);
        });
        assert_eq!(seen, [0, 4095]);
        assert_eq!(taken(&set), [0]);
        assert_eq!(taken(&set), [0usize; 0]);
    }
}
