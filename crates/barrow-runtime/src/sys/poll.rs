//! `ppoll`, on descriptors that their owner watches over.

use std::os::fd::RawFd;
use std::ptr;

use rustix::event::Timespec;
use rustix::io::Errno;

use super::mmsg::last_error;

/// One descriptor to ask about.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct PollFd(libc::pollfd);

impl PollFd {
    pub(crate) fn new(fd: RawFd, events: i16) -> Self {
        Self(libc::pollfd {
            fd,
            events,
            revents: 0,
        })
    }

    /// What the kernel found.
    pub(crate) fn found(&self) -> i16 {
        self.0.revents
    }
}

impl std::fmt::Debug for PollFd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PollFd").field(&self.0.fd).finish()
    }
}

/// Waits until one of them has something, or the time is over; a signal ends it too. A number that
/// is no descriptor is found as such, and does no harm.
pub(crate) fn ppoll(fds: &mut [PollFd], timeout: Option<&Timespec>) -> rustix::io::Result<()> {
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.tv_sec,
        tv_nsec: timeout.tv_nsec,
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the array is borrowed exclusively, its elements are `pollfd`s, and so is the timeout
    // alive or null; no signal mask is given.
    let n = unsafe {
        libc::ppoll(
            fds.as_mut_ptr().cast(),
            fds.len() as libc::nfds_t,
            timeout,
            ptr::null(),
        )
    };
    if n < 0 {
        return match last_error() {
            Errno::INTR => {
                // Nothing was found.
                fds.iter_mut().for_each(|fd| fd.0.revents = 0);
                Ok(())
            }
            error => Err(error),
        };
    }
    Ok(())
}

/// Reads the count of an eventfd or timer, so that it is not ready any more.
pub(crate) fn empty(fd: RawFd) {
    let mut count = [0u8; 8];
    // SAFETY: the kernel writes at most 8 bytes to a live array of 8. Both kinds of descriptors are
    // non-blocking; a number that is none gives an error, which says that there is nothing to empty.
    let _ = unsafe { libc::read(fd, count.as_mut_ptr().cast(), count.len()) };
}
