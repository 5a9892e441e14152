//! The doorbell: how another thread ends this thread's sleep.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Wake;

use barrow_core::Doorbell;
use rustix::event::{EventfdFlags, eventfd};

/// Ends the present or next sleep of one reactor. Clones ring the same bell.
#[derive(Clone, Debug)]
pub struct Bell(Arc<OwnedFd>);

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(
            0,
            EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK,
        )?)))
    }

    /// Rings; one system call.
    pub fn ring(&self) {
        // Can only fail when the count is at its end, after 2^64 rings that each were seen as an
        // edge.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }
}

impl Doorbell for Bell {
    fn ring(&self) {
        Self::ring(self);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
