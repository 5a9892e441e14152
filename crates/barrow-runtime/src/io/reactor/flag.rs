//! A flag that a wake sets: for one unit that watches many descriptors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

/// Remembers that it was woken, and wakes somebody else.
///
/// A unit that polls many devices gives each a flag's waker
/// ([`Source::watch`](super::Source::watch)); when it is woken itself, the flags tell which devices
/// to look at.
#[derive(Debug)]
pub struct Flag {
    up: AtomicBool,
    then: Waker,
}

impl Flag {
    /// A flag that is up, so that its device is looked at once to begin with.
    #[must_use]
    pub fn new(then: Waker) -> Arc<Self> {
        Arc::new(Self {
            up: AtomicBool::new(true),
            then,
        })
    }

    /// Takes the flag down; true when it was up. Do so *before* looking at the device.
    #[must_use]
    pub fn take(&self) -> bool {
        // The swap is spared while nothing happens, which is most of the time.
        self.up.load(Ordering::Relaxed) && self.up.swap(false, Ordering::Acquire)
    }

    /// The waker that raises it.
    #[must_use]
    pub fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.up.store(true, Ordering::Release);
        self.then.wake_by_ref();
    }
}
