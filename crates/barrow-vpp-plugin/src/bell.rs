//! How wakes reach the future that hosts the scheduler.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use barrow_core::Doorbell;

/// The doorbell of a scheduler inside a future: rings the waker that the future was polled with last.
///
/// Every ring inside VPP is a call to its main thread under the workers' barrier, so as few as possible are
/// made: the scheduler rings only while its host waits, and the bell only once a poll.
#[derive(Clone, Default)]
pub struct RootBell(Arc<Mutex<Option<Waker>>>);

impl RootBell {
    /// Wakes go to `waker` from now on.
    pub(crate) fn listen(&self, waker: &Waker) {
        let waker = waker.clone();
        let former = self.replace(Some(waker));
        drop(former); // outside the lock: it is somebody else's code
    }

    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        // Nothing under the lock can panic half-way.
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, waker)
    }
}

impl Doorbell for RootBell {
    fn ring(&self) {
        if let Some(waker) = self.replace(None) {
            waker.wake();
        }
    }
}

impl fmt::Debug for RootBell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootBell").finish_non_exhaustive()
    }
}
