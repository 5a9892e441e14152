//! The crate `polling`, as a level-triggered poller.
//!
//! Its `add` is unsafe because a descriptor must be deleted before it is closed. A
//! [`Source`](super::Source) deletes its own when it is dropped, before it drops the descriptor.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use polling::{Event, Events, Poller};
use rustix::io::Errno;

/// A poller of the crate.
pub(super) struct Polling {
    poller: Poller,
    events: RefCell<Events>,
}

impl Polling {
    pub(super) fn new(capacity: usize) -> io::Result<Self> {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            poller: Poller::new()?,
            events: RefCell::new(Events::with_capacity(capacity)),
        })
    }

    /// Knows a descriptor from now on, by its number in events.
    pub(super) fn add(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        // SAFETY: bell and timer live as long as the reactor that owns this; every other descriptor
        // belongs to a source, which calls `delete` before it is closed.
        unsafe { self.poller.add(fd.as_raw_fd(), Event::none(key)) }
    }

    pub(super) fn delete(&self, fd: BorrowedFd<'_>) {
        // It may be gone already, when the last descriptor of the file was closed elsewhere.
        let _ = self.poller.delete(fd);
    }

    /// Asks for these directions, once.
    pub(super) fn modify(&self, fd: RawFd, key: usize, read: bool, write: bool) {
        // SAFETY: the descriptor is borrowed for this call only; the level poller keeps entries of
        // descriptors that are open, see `add`.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        // Fails only for descriptors that are not registered.
        let _ = self.poller.modify(fd, Event::new(key, read, write));
    }

    /// Waits, then tells each event: key, readable, writable, failed.
    pub(super) fn wait(
        &self,
        timeout: Option<Duration>,
        mut tell: impl FnMut(usize, bool, bool, bool),
    ) -> rustix::io::Result<()> {
        let mut events = self.events.borrow_mut();
        // Since 3.8 the crate does not do so itself.
        events.clear();
        if let Err(error) = self.poller.wait(&mut events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
        }
        for event in events.iter() {
            let failed = event.is_err().unwrap_or(false);
            tell(event.key, event.readable, event.writable, failed);
        }
        Ok(())
    }
}

impl fmt::Debug for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polling").finish_non_exhaustive()
    }
}
