//! Which slots have had an edge: filled by wakers, emptied by their owner.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// The slots to look at, and whom to wake for them.
#[derive(Debug)]
pub(super) struct Ready(Mutex<List>);

#[derive(Debug)]
struct List {
    slots: Vec<u32>,
    waker: Waker,
}

impl Ready {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(List {
            slots: Vec::new(),
            waker: Waker::noop().clone(),
        })))
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.list().waker.clone_from(waker);
    }

    /// Moves the slots to `turn`, in the order of their edges.
    pub(super) fn take(&self, turn: &mut impl Extend<u32>) {
        turn.extend(self.list().slots.drain(..));
    }

    fn list(&self) -> std::sync::MutexGuard<'_, List> {
        // Nothing under the lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot's waker: in the list at most once.
#[derive(Debug)]
pub(super) struct Mark {
    slot: u32,
    up: AtomicBool,
    ready: Arc<Ready>,
}

impl Mark {
    pub(super) fn new(slot: u32, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Self {
            slot,
            up: AtomicBool::new(false),
            ready: Arc::clone(ready),
        })
    }

    /// From now on an edge puts the slot into the list again. To be called *before* looking.
    pub(super) fn lower(&self) {
        self.up.store(false, Ordering::SeqCst);
    }

    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.up.swap(true, Ordering::SeqCst) {
            let mut list = self.ready.list();
            list.slots.push(self.slot);
            let waker = list.waker.clone();
            drop(list); // no lock is held while somebody is woken
            waker.wake();
        }
    }
}
