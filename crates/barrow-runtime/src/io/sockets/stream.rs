//! TCP and UNIX streams on a readiness reactor.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::Poll;

use rustix::io::Errno;
use rustix::net::{
    SendAncillaryBuffer, SendFlags, Shutdown, getpeername, sendmsg, shutdown, sockopt,
};

use super::queue::{Room, Verdict};
use super::{Shared, Step};
use crate::buf::HEADROOM;
use crate::io::machine::{Event, SocketId};
use crate::io::packet::{LARGE, Packet};
use crate::io::reactor::{Direction, Source};
use crate::io::stream::note_short;

/// Packets in one call of writing.
const PIECES: usize = 32;

/// A stream, connected or about to be.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) source: Source<OwnedFd>,
    pub(super) room: Room,
    outbox: VecDeque<Packet>,
    /// Reads fill small buffers: larger ones save calls.
    bulk: bool,
    /// The peer has said everything.
    pub(super) read_end: bool,
    /// We have said everything, as soon as the queue is empty.
    finishing: bool,
    finished: bool,
}

/// How writing went.
#[derive(Debug)]
pub(super) enum Flushed {
    /// There is more to write.
    Waiting,
    /// Nothing is left; the end was told if it was to be.
    All,
    /// The stream is broken.
    Broken(io::Error),
}

impl Stream {
    pub(super) fn new(source: Source<OwnedFd>, room: Room) -> Self {
        Self {
            source,
            room,
            outbox: VecDeque::new(),
            bulk: false,
            read_end: false,
            finishing: false,
            finished: false,
        }
    }

    /// Whether a connection that was begun is there.
    pub(super) fn connected(&self) -> Poll<io::Result<()>> {
        match sockopt::socket_error(&*self.source) {
            Err(error) => Poll::Ready(Err(error.into())),
            Ok(Err(error)) => Poll::Ready(Err(error.into())),
            Ok(Ok(())) if getpeername(&*self.source).is_ok() => Poll::Ready(Ok(())),
            Ok(Ok(())) => {
                self.source.clear_ready(Direction::Write);
                Poll::Pending
            }
        }
    }

    /// Both directions have ended.
    pub(super) fn is_over(&self) -> bool {
        self.read_end && self.finished
    }

    /// Reads one piece.
    pub(super) fn receive(&mut self, id: SocketId, shared: &mut Shared) -> io::Result<Step> {
        if self.read_end {
            return Ok(Step::Idle);
        }
        let len = if self.bulk { LARGE } else { 1 };
        // A stream in bulk goes on in small pieces when the large ones are all out.
        let packet = shared
            .packets
            .alloc(len)
            .or_else(|_| shared.packets.alloc(1));
        let Ok(mut data) = packet else {
            shared.stats.no_buffer += 1;
            return Ok(Step::Starved(1));
        };
        let Some(room) = data.room_mut().map(|room| &mut room[HEADROOM..]) else {
            return Ok(Step::Idle);
        };
        let size = room.len();
        let result = self
            .source
            .try_io(Direction::Read, |fd| rustix::io::read(fd, &mut *room));
        note_short(&self.source, Direction::Read, &result, size);
        match result {
            Poll::Pending => Ok(Step::Idle),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(0)) => {
                self.read_end = true;
                shared.events.push_back(Event::Finished { socket: id });
                Ok(Step::Idle)
            }
            Poll::Ready(Ok(n)) => {
                self.bulk = n == size || (self.bulk && n > shared.packets.small_size());
                data.set_view(HEADROOM, n);
                shared.stats.received += 1;
                shared.stats.received_bytes += n as u64;
                shared
                    .events
                    .push_back(Event::Received { socket: id, data });
                // A short read clears readiness, except when the end has been told with the data.
                Ok(match self.source.is_ready(Direction::Read) {
                    true => Step::More,
                    false => Step::Idle,
                })
            }
        }
    }

    /// Reads and drops what is there now, so that closing does not reset the connection.
    pub(super) fn discard(&mut self) {
        let mut sink = [0; 4096];
        // Bounded, or a fast peer would keep us.
        for _ in 0..256 {
            let read = |fd: &OwnedFd| rustix::io::read(fd, &mut sink);
            if !matches!(
                self.source.try_io(Direction::Read, read),
                Poll::Ready(Ok(1..))
            ) {
                return;
            }
        }
    }

    /// Queues a piece.
    pub(super) fn queue(&mut self, data: Packet) -> Result<(), (Verdict, Packet)> {
        if self.finishing || data.is_empty() {
            return Ok(());
        }
        match self.room.verdict() {
            Verdict::Queue => {
                self.room.add(data.len());
                self.outbox.push_back(data);
                Ok(())
            }
            verdict => Err((verdict, data)),
        }
    }

    /// Nothing is queued after this.
    pub(super) fn finish(&mut self) {
        self.finishing = true;
    }

    /// Writes what is queued, as far as the kernel takes it.
    pub(super) fn flush(&mut self, id: SocketId, shared: &mut Shared) -> Flushed {
        while !self.outbox.is_empty() {
            match self.write(shared) {
                Poll::Pending => return Flushed::Waiting,
                Poll::Ready(Ok(true)) => {
                    shared.events.push_back(Event::Writable { socket: id });
                }
                Poll::Ready(Ok(false)) => {}
                Poll::Ready(Err(error)) => return Flushed::Broken(error),
            }
        }
        self.source.relax_write();
        if self.finishing && !self.finished {
            self.finished = true;
            match shutdown(&*self.source, Shutdown::Write) {
                // The peer was faster.
                Ok(()) | Err(Errno::NOTCONN) => {}
                Err(error) => return Flushed::Broken(error.into()),
            }
        }
        Flushed::All
    }

    /// One call; true when the machine is to hear of room.
    fn write(&mut self, shared: &mut Shared) -> Poll<io::Result<bool>> {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        for (piece, packet) in pieces.iter_mut().zip(&self.outbox) {
            *piece = IoSlice::new(packet);
            count += 1;
        }
        let pieces = &pieces[..count];
        let mut nothing = SendAncillaryBuffer::default();
        let result = self.source.try_io(Direction::Write, |fd| {
            sendmsg(fd, pieces, &mut nothing, SendFlags::NOSIGNAL)
        });
        let wanted: usize = pieces.iter().map(|piece| piece.len()).sum();
        if let Poll::Ready(Ok(n)) = &result
            && *n < wanted
        {
            self.source.clear_ready(Direction::Write);
        }
        result.map_ok(|written| {
            shared.stats.sent += 1;
            shared.stats.sent_bytes += written as u64;
            let mut left = written;
            while let Some(front) = self.outbox.front_mut()
                && left > 0
            {
                let n = left.min(front.len());
                front.advance(n);
                left -= n;
                if front.is_empty() {
                    self.outbox.pop_front();
                }
            }
            self.room.remove(written)
        })
    }

    /// Has the kernel reset the connection when it is closed.
    pub(super) fn abort(&self) {
        // Of no meaning to UNIX streams.
        let _ = sockopt::set_socket_linger(&*self.source, Some(std::time::Duration::ZERO));
    }
}
