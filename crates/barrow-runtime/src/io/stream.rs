//! Byte streams: what UNIX and TCP connections have in common.

use std::future::poll_fn;
use std::io;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown, send, sendmsg, shutdown};

use super::reactor::{Direction, Source};

/// A connected byte stream on a reactor.
///
/// All operations take `&self`: one task may read while another writes (two tasks in the same
/// direction would take each other's wake-ups). A unit, which has a waker for its whole life,
/// [watches](Source::watch) the source and uses the `try_` forms; a future uses the others.
pub trait ByteStream {
    /// What the reactor watches.
    fn source(&self) -> &Source<OwnedFd>;

    /// Reads what is there; 0 is the end. Pending while there is nothing.
    fn try_read(&self, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let result = self
            .source()
            .try_io(Direction::Read, |fd| rustix::io::read(fd, &mut *buf));
        note_short(self.source(), Direction::Read, &result, buf.len());
        result
    }

    /// Writes what fits. Pending while nothing does.
    fn try_write(&self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = self
            .source()
            .try_io(Direction::Write, |fd| send(fd, bytes, SendFlags::NOSIGNAL));
        note_short(self.source(), Direction::Write, &result, bytes.len());
        result
    }

    /// As [`ByteStream::try_write`], from several pieces in one system call; at most 1,024.
    fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut nothing = SendAncillaryBuffer::default();
        let result = self.source().try_io(Direction::Write, |fd| {
            sendmsg(fd, pieces, &mut nothing, SendFlags::NOSIGNAL)
        });
        let len = pieces.iter().map(|piece| piece.len()).sum();
        note_short(self.source(), Direction::Write, &result, len);
        result
    }

    /// As [`ByteStream::try_read`]; the context's waker is woken when there is something.
    fn poll_read(&self, cx: &Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        or_wake(self.source(), cx, Direction::Read, self.try_read(buf))
    }

    /// As [`ByteStream::try_write`]; the context's waker is woken when there is room.
    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        or_wake(self.source(), cx, Direction::Write, self.try_write(bytes))
    }

    /// As [`ByteStream::try_write_vectored`]; the context's waker is woken when there is room.
    fn poll_write_vectored(
        &self,
        cx: &Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        or_wake(
            self.source(),
            cx,
            Direction::Write,
            self.try_write_vectored(pieces),
        )
    }

    /// Waits for something to read; 0 is the end.
    fn read(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        poll_fn(move |cx| self.poll_read(cx, buf))
    }

    /// Reads until the buffer is full.
    ///
    /// The future's error is `UnexpectedEof` when the stream ends before.
    fn read_exact(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<()>> {
        let mut filled = 0;
        poll_fn(move |cx| {
            while filled < buf.len() {
                match self.poll_read(cx, &mut buf[filled..]) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                    Poll::Ready(Ok(n)) => filled += n,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Writes everything.
    fn write_all(&self, bytes: &[u8]) -> impl Future<Output = io::Result<()>> {
        let mut written = 0;
        poll_fn(move |cx| {
            while written < bytes.len() {
                match self.poll_write(cx, &bytes[written..]) {
                    Poll::Ready(Ok(n)) => written += n,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Tells the peer that nothing more comes; reading goes on.
    ///
    /// # Errors
    /// `NotConnected` when the connection is gone.
    fn shutdown_write(&self) -> io::Result<()> {
        Ok(shutdown(&**self.source(), Shutdown::Write)?)
    }
}

/// A stream that took or gave less than asked for has no more at the moment: the next try would
/// only find that out. The reactor's edges come after this, so none is missed.
pub(super) fn note_short<R>(
    source: &Source<OwnedFd>,
    direction: Direction,
    result: &Poll<Result<usize, R>>,
    wanted: usize,
) {
    match result {
        Poll::Ready(Ok(n)) if *n > 0 && *n < wanted => source.clear_ready(direction),
        Poll::Ready(Ok(_)) if direction == Direction::Write => source.relax_write(),
        _ => {}
    }
}

/// Registers the context's waker when the result is pending.
pub(super) fn or_wake<R>(
    source: &Source<OwnedFd>,
    cx: &Context<'_>,
    direction: Direction,
    result: Poll<R>,
) -> Poll<R> {
    if result.is_pending() {
        // Cannot be ready: the try has just found that it is not, and no event was taken in since.
        let _ = source.poll_ready(cx, direction);
    }
    result
}
