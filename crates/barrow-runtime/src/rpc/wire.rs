//! What carries the bytes of a session.

use std::io;
use std::task::{Poll, Waker};

use barrow_core::channel::{Receiver, Sender, TryRecvError, TrySendError, WaitingSender, bounded};

use crate::io::{ByteStream, Direction, tcp, unix};

/// A byte stream that does not block: TCP, UNIX, or a pipe within the process.
pub trait Wire {
    /// Reads what is there; 0 is the end. Pending while there is nothing: the waker is woken.
    fn try_read(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes what fits. Pending while nothing does: the waker is woken.
    fn try_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Notes whom to wake, for both directions.
    fn watch(&mut self, waker: &Waker);
}

impl<W: Wire + ?Sized> Wire for Box<W> {
    fn try_read(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        (**self).try_read(buffer)
    }
    fn try_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        (**self).try_write(bytes)
    }
    fn watch(&mut self, waker: &Waker) {
        (**self).watch(waker);
    }
}

macro_rules! byte_stream_wire {
    ($($stream:ty),*) => {$(
        impl Wire for $stream {
            fn try_read(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
                ByteStream::try_read(self, buffer)
            }
            fn try_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
                ByteStream::try_write(self, bytes)
            }
            fn watch(&mut self, waker: &Waker) {
                self.source().watch(Direction::Read, Some(waker));
                self.source().watch(Direction::Write, Some(waker));
            }
        }
    )*};
}

byte_stream_wire!(tcp::Stream, unix::Stream);

/// Pieces under way in one direction of a [`pipe`].
const PIECES: usize = 16;
/// Bytes of a piece at most.
const PIECE: usize = 64 << 10;

/// One end of a byte stream within the process, between tasks of one worker or of two.
#[derive(Debug)]
pub struct PipeEnd {
    sender: WaitingSender<Vec<u8>>,
    receiver: Receiver<Vec<u8>>,
    /// What of the last piece was not read.
    rest: Vec<u8>,
    taken: usize,
    waker: Waker,
}

/// Two ends of a byte stream, each for one thread. At most 1 MiB is under way each way.
#[must_use]
pub fn pipe() -> (PipeEnd, PipeEnd) {
    let (here, there) = (bounded(PIECES), bounded(PIECES));
    (PipeEnd::new(here.0, there.1), PipeEnd::new(there.0, here.1))
}

impl PipeEnd {
    fn new(sender: Sender<Vec<u8>>, receiver: Receiver<Vec<u8>>) -> Self {
        Self {
            sender: WaitingSender::new(sender),
            receiver,
            rest: Vec::new(),
            taken: 0,
            waker: Waker::noop().clone(),
        }
    }
}

impl Wire for PipeEnd {
    fn try_read(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.taken == self.rest.len() {
            self.rest = match self.receiver.try_recv() {
                Ok(piece) => piece,
                Err(TryRecvError::Empty) => return Poll::Pending,
                Err(TryRecvError::Closed) => return Poll::Ready(Ok(0)),
            };
            self.taken = 0;
        }
        let rest = &self.rest[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Poll::Ready(Ok(count))
    }

    fn try_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        match self.sender.send_or_wait(piece.to_vec(), &self.waker) {
            Ok(()) => Poll::Ready(Ok(piece.len())),
            Err(TrySendError::Full(_)) => Poll::Pending,
            Err(TrySendError::Closed(_)) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn watch(&mut self, waker: &Waker) {
        self.waker.clone_from(waker);
        self.receiver.register(waker);
    }
}
