//! Datagrams to and from the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recvfrom, sendto,
    socket_with, sockopt,
};

/// Bytes that a datagram from the kernel has at most: it fills 32 KiB.
pub(super) const DATAGRAM: usize = 64 << 10;

/// A socket of the routing family.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// A socket that waits for answers.
    pub(super) fn blocking() -> io::Result<Self> {
        Self::open(SocketFlags::CLOEXEC, 0)
    }

    /// A socket that gets the news of these groups and does not wait.
    pub(super) fn subscribed(groups: u32) -> io::Result<Self> {
        let socket = Self::open(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, groups)?;
        // Room for a burst; a system that allows less gives less.
        sockopt::set_socket_recv_buffer_size(&socket, 1 << 20)?;
        Ok(socket)
    }

    fn open(flags: SocketFlags, groups: u32) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, groups))?;
        Ok(Self(socket))
    }

    pub(super) fn send(&self, datagram: &[u8]) -> rustix::io::Result<()> {
        sendto(
            &self.0,
            datagram,
            SendFlags::empty(),
            &SocketAddrNetlink::new(0, 0),
        )
        .map(|_| ())
    }

    /// Receives one datagram from the kernel into the buffer's start; its length. Those of other
    /// processes are dropped, and so is one that does not fit, with `NOBUFS` as when the kernel
    /// itself has dropped some.
    pub(super) fn receive(&self, buf: &mut [u8]) -> rustix::io::Result<usize> {
        loop {
            let (_, len, from) = recvfrom(&self.0, &mut *buf, RecvFlags::TRUNC)?;
            let from = from.and_then(|from| SocketAddrNetlink::try_from(from).ok());
            if from.is_none_or(|from| from.pid() != 0) {
                continue;
            }
            return if len <= buf.len() {
                Ok(len)
            } else {
                Err(Errno::NOBUFS)
            };
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
