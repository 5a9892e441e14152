//! Passing the segment's descriptor over a Unix socket.
//!
//! The whole exchange: the client connects a `SOCK_SEQPACKET` socket and sends nothing; the server sends one datagram
//! with the descriptor in its control data, and closes. VPP's datagram is empty; ours has one byte, since some
//! libraries take an empty datagram for the end of the stream before they look at the control data. Every known client
//! reads both.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

/// Sends `descriptor` to the client at the other end of `client`, a connected socket. Does not block: a fresh
/// connection has room for one datagram.
///
/// # Errors
/// What the system says, for example when the client is gone.
pub fn send_descriptor(client: impl AsFd, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let descriptors = [descriptor];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    net::sendmsg(client, &[IoSlice::new(&[0])], &mut control, flags)?;
    Ok(())
}

/// Connects to the statistics socket at `path` and receives the descriptor.
///
/// # Errors
/// What the system says; [`io::ErrorKind::TimedOut`] when the server does not answer within `patience`;
/// [`io::ErrorKind::InvalidData`] when its answer holds no descriptor.
pub fn receive_descriptor(path: &Path, patience: Duration) -> io::Result<OwnedFd> {
    let socket = net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    set_socket_timeout(&socket, Timeout::Recv, Some(patience))?;
    set_socket_timeout(&socket, Timeout::Send, Some(patience))?;
    net::connect(&socket, &SocketAddrUnix::new(path)?)?;

    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(4), ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    loop {
        let mut data = [IoSliceMut::new(&mut byte)];
        match net::recvmsg(&socket, &mut data, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            Err(errno) => return Err(errno.into()),
        }
    }
    // An empty datagram counts as well: only the control data decides. Further descriptors are closed.
    let mut received = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let first = received.next();
    first.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the statistics socket sent no descriptor",
        )
    })
}
