//! Something with a descriptor, watched by a reactor.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd};
use std::task::{Context, Poll, Waker};

use rustix::io::Errno;

use super::Reactor;
use super::table::{Direction, Token};

/// What a reactor watches; deregistered when dropped.
pub struct Source<T: AsFd> {
    io: T,
    token: Token,
    reactor: Reactor,
}

impl<T: AsFd> Source<T> {
    pub(super) fn new(reactor: Reactor, io: T) -> io::Result<Self> {
        let descriptor = io.as_fd().as_raw_fd();
        let token = reactor.0.table.borrow_mut().insert(descriptor);
        if let Err(error) = reactor.0.poller.add(&io, token) {
            reactor.0.table.borrow_mut().remove(token);
            return Err(error);
        }
        Ok(Self { io, token, reactor })
    }

    /// The reactor that watches it.
    #[must_use]
    pub fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// Has the reactor watch it no more: somebody else does.
    pub(in crate::io) fn detach(&self) {
        self.reactor.0.poller.delete(&self.io, self.token);
    }

    /// Whether an operation in this direction is worth trying.
    #[must_use]
    pub fn is_ready(&self, direction: Direction) -> bool {
        self.reactor
            .0
            .table
            .borrow_mut()
            .is_ready(self.token, direction)
    }

    /// Notes that an operation would have blocked or took all there was: not ready until the next
    /// edge.
    ///
    /// For callers that make their system calls themselves; the operations here do it.
    pub fn clear_ready(&self, direction: Direction) {
        let inner = &self.reactor.0;
        let first = inner.table.borrow_mut().clear(self.token, direction);
        inner.poller.arm(&self.io, self.token, direction, first);
    }

    /// Notes that writing went on without waiting: whoever reads at the other end then no longer
    /// causes events here. Worth calling after an operation that wrote everything.
    pub fn relax_write(&self) {
        let stop = self.reactor.0.table.borrow_mut().relax(self.token);
        if stop {
            self.reactor.0.poller.relax(&self.io, self.token);
        }
    }

    /// Wakes `waker` at every edge in this direction, until told otherwise; `None` stops it.
    ///
    /// For units, which live as long as the source: futures in the same direction are then not
    /// woken. Room to write is reported only after an operation was refused, which
    /// [`Source::clear_ready`] notes.
    pub fn watch(&self, direction: Direction, waker: Option<&Waker>) {
        self.reactor
            .0
            .table
            .borrow_mut()
            .watch(self.token, direction, waker);
    }

    /// Ready, or the context's waker is woken when it is.
    pub fn poll_ready(&self, cx: &Context<'_>, direction: Direction) -> Poll<()> {
        let mut table = self.reactor.0.table.borrow_mut();
        if table.is_ready(self.token, direction) {
            return Poll::Ready(());
        }
        table.wait(self.token, direction, cx.waker());
        Poll::Pending
    }

    /// Waits until an operation in this direction is worth trying.
    pub async fn ready(&self, direction: Direction) {
        std::future::poll_fn(|cx| self.poll_ready(cx, direction)).await;
    }

    /// Tries an operation that does not block. Pending, without a system call when that is known,
    /// while it would: whoever [watches](Source::watch) is woken when it is worth trying again.
    pub fn try_io<R>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&T) -> rustix::io::Result<R>,
    ) -> Poll<io::Result<R>> {
        while self.is_ready(direction) {
            match operation(&self.io) {
                // Also ready again at once, when closed: then the operation answers something else
                // than AGAIN.
                Err(Errno::AGAIN) => {
                    self.clear_ready(direction);
                    return Poll::Pending;
                }
                Err(Errno::INTR) => {}
                result => return Poll::Ready(result.map_err(Into::into)),
            }
        }
        Poll::Pending
    }

    /// As [`Source::try_io`], and the context's waker is woken when it is worth trying again.
    pub fn poll_io<R>(
        &self,
        cx: &Context<'_>,
        direction: Direction,
        operation: impl FnMut(&T) -> rustix::io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let result = self.try_io(direction, operation);
        if result.is_pending() {
            self.reactor
                .0
                .table
                .borrow_mut()
                .wait(self.token, direction, cx.waker());
        }
        result
    }

    /// As [`Source::try_io`], waiting while it would block.
    ///
    /// # Errors
    /// The operation's.
    pub async fn io<R>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&T) -> rustix::io::Result<R>,
    ) -> io::Result<R> {
        std::future::poll_fn(|cx| self.poll_io(cx, direction, &mut operation)).await
    }
}

impl<T: AsFd> Deref for Source<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.io
    }
}

impl<T: AsFd> Drop for Source<T> {
    fn drop(&mut self) {
        self.reactor.0.poller.delete(&self.io, self.token);
        self.reactor.0.table.borrow_mut().remove(self.token);
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("io", &self.io)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
