//! UNIX byte streams.

use std::future::poll_fn;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::address::Address;
use super::descriptors::{self, Received};
use crate::io::reactor::{Direction, Reactor, Source};
use crate::io::stream::{ByteStream, note_short, or_wake};

/// Who is at the other end of a UNIX socket, as the kernel noted when the connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Process.
    pub pid: i32,
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
}

/// A connected UNIX byte stream.
#[derive(Debug)]
pub struct Stream(Source<OwnedFd>);

impl Stream {
    pub(super) fn new(source: Source<OwnedFd>) -> Self {
        Self(source)
    }

    /// Connects to a listener, at once or not at all: UNIX sockets do not wait for the other side
    /// to accept.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused`, `WouldBlock` when the listener's queue is full, …
    pub fn connect(reactor: &Reactor, address: &Address) -> io::Result<Self> {
        connected(reactor, address, SocketType::STREAM).map(Self)
    }

    /// Watches a stream made elsewhere, which becomes non-blocking.
    ///
    /// # Errors
    /// As [`Reactor::register`].
    pub fn from_std(reactor: &Reactor, stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        reactor.register(stream.into()).map(Self)
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// None in a correct process.
    pub fn peer_credentials(&self) -> io::Result<Credentials> {
        credentials(&self.0)
    }

    /// Sends data with descriptors; the descriptors go with the first byte. At least one byte has
    /// to go with them.
    ///
    /// Pending while there is no room; how many bytes were sent otherwise, as
    /// [`ByteStream::try_write`].
    pub fn try_send(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.0.try_io(Direction::Write, |fd| {
            descriptors::send(fd, bytes, descriptors)
        });
        note_short(&self.0, Direction::Write, &result, bytes.len());
        result
    }

    /// Sends all data, with descriptors that go with the first byte.
    ///
    /// # Errors
    /// `InvalidInput` for more than [`MAX_DESCRIPTORS`](super::MAX_DESCRIPTORS); else as writing.
    pub async fn send(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let first = poll_fn(|cx: &mut Context<'_>| {
            or_wake(
                &self.0,
                cx,
                Direction::Write,
                self.try_send(bytes, descriptors),
            )
        });
        let sent = first.await?;
        self.write_all(&bytes[sent..]).await
    }

    /// Reads what is there, with the descriptors that came with it. Pending while there is nothing.
    pub fn try_receive(&self, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        self.0
            .try_io(Direction::Read, |fd| descriptors::receive(fd, &mut *buf))
    }

    /// As [`Stream::try_receive`], waiting for something; a length of 0 is the end.
    ///
    /// # Errors
    /// As reading.
    pub async fn receive(&self, buf: &mut [u8]) -> io::Result<Received> {
        poll_fn(|cx: &mut Context<'_>| or_wake(&self.0, cx, Direction::Read, self.try_receive(buf)))
            .await
    }
}

impl ByteStream for Stream {
    fn source(&self) -> &Source<OwnedFd> {
        &self.0
    }
}

pub(in crate::io) fn connected(
    reactor: &Reactor,
    address: &Address,
    kind: SocketType,
) -> io::Result<Source<OwnedFd>> {
    let target = address
        .to_socket()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
    connect(&socket, &target)?;
    reactor.register(socket)
}

pub(super) fn credentials(fd: &OwnedFd) -> io::Result<Credentials> {
    let peer = sockopt::socket_peercred(fd)?;
    Ok(Credentials {
        pid: peer.pid.as_raw_pid(),
        uid: peer.uid.as_raw(),
        gid: peer.gid.as_raw(),
    })
}
