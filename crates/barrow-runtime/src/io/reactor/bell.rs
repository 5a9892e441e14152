//! The doorbell: how another thread ends this thread's sleep.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
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

thread_local! {
    /// The bell of the reactor that delivers events on this thread, by its descriptor.
    static AWAKE: Cell<Option<RawFd>> = const { Cell::new(None) };
}

/// While it exists, the thread of this bell is known to be awake.
#[derive(Debug)]
pub(super) struct Awake {
    before: Option<RawFd>,
}

impl Awake {
    pub(super) fn new(bell: &Bell) -> Self {
        Self {
            before: AWAKE.replace(Some(bell.0.as_raw_fd())),
        }
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        AWAKE.set(self.before);
    }
}

/// A scheduler is turned once more before its thread sleeps again, so a wake that its own reactor delivers needs no
/// ring: for a connection with one request in flight, that is one system call of four.
impl Doorbell for Bell {
    fn ring(&self) {
        if AWAKE.get() != Some(self.0.as_raw_fd()) {
            Self::ring(self);
        }
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
