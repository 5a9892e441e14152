//! UNIX packet connections: reliable, in order, with message boundaries (`SOCK_SEQPACKET`).

use std::future::poll_fn;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use rustix::net::SocketType;

use super::address::Address;
use super::descriptors::{self, Received};
use super::stream::{Credentials, connected, credentials};
use crate::io::reactor::{Direction, Reactor, Source};
use crate::io::stream::or_wake;

/// A connected UNIX packet socket.
#[derive(Debug)]
pub struct SeqPacket(Source<OwnedFd>);

impl SeqPacket {
    pub(super) fn new(source: Source<OwnedFd>) -> Self {
        Self(source)
    }

    /// Connects to a listener, at once or not at all.
    ///
    /// # Errors
    /// As [`Stream::connect`](super::Stream::connect).
    pub fn connect(reactor: &Reactor, address: &Address) -> io::Result<Self> {
        connected(reactor, address, SocketType::SEQPACKET).map(Self)
    }

    /// What the reactor watches.
    #[must_use]
    pub fn source(&self) -> &Source<OwnedFd> {
        &self.0
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// None in a correct process.
    pub fn peer_credentials(&self) -> io::Result<Credentials> {
        credentials(&self.0)
    }

    /// Sends one packet with descriptors, whole or not at all. Pending while there is no room.
    pub fn try_send(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Poll<io::Result<()>> {
        let send = |fd: &OwnedFd| descriptors::send(fd, bytes, descriptors).map(|_| ());
        let result = self.0.try_io(Direction::Write, send);
        if result.is_ready() {
            self.0.relax_write();
        }
        result
    }

    /// As [`SeqPacket::try_send`]; the context's waker is woken when there is room.
    pub fn poll_send(
        &self,
        cx: &Context<'_>,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> Poll<io::Result<()>> {
        or_wake(
            &self.0,
            cx,
            Direction::Write,
            self.try_send(bytes, descriptors),
        )
    }

    /// Sends one packet with descriptors, waiting for room.
    ///
    /// # Errors
    /// `BrokenPipe` when the other side is gone; `EMSGSIZE` for a packet larger than the socket's
    /// buffer; `InvalidInput` for more than [`MAX_DESCRIPTORS`](super::MAX_DESCRIPTORS).
    pub async fn send(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        poll_fn(|cx| self.poll_send(cx, bytes, descriptors)).await
    }

    /// Receives one packet; the rest of one that is longer than `buf` is lost, which the result
    /// tells. A length of 0 without descriptors is the end. Pending while there is none.
    pub fn try_receive(&self, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        self.0
            .try_io(Direction::Read, |fd| descriptors::receive(fd, &mut *buf))
    }

    /// As [`SeqPacket::try_receive`]; the context's waker is woken when there is one.
    pub fn poll_receive(&self, cx: &Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        or_wake(&self.0, cx, Direction::Read, self.try_receive(buf))
    }

    /// Receives one packet, waiting for it.
    ///
    /// # Errors
    /// As reading.
    pub async fn receive(&self, buf: &mut [u8]) -> io::Result<Received> {
        poll_fn(|cx| self.poll_receive(cx, buf)).await
    }
}
