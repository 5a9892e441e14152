//! Listeners of streams.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::task::Poll;

use rustix::net::getpeername;

use super::queue::Room;
use crate::io::machine::{Address, WhenFull};
use crate::io::reactor::{Direction, Source};
use crate::io::{tcp, unix};

/// What accepts.
#[derive(Debug)]
pub(super) enum Acceptor {
    Tcp(tcp::Listener),
    Unix(unix::Listener),
}

/// A listener with the limits of its streams.
#[derive(Debug)]
pub(super) struct Listener {
    acceptor: Acceptor,
    queue: usize,
    when_full: WhenFull,
    /// A descriptor in reserve: when the process has no other left, it makes room to accept a
    /// connection and close it, so that the peer is told, and the listener does not hang.
    reserve: Option<File>,
}

/// A step of accepting.
#[derive(Debug)]
pub(super) enum Accepted {
    Stream(Source<OwnedFd>, Room, Address),
    /// A connection had to be turned away.
    TurnedAway(io::Error),
    Nothing,
}

impl Listener {
    pub(super) fn new(acceptor: Acceptor, queue: usize, when_full: WhenFull) -> Self {
        Self {
            acceptor,
            queue,
            when_full,
            reserve: reserve(),
        }
    }

    pub(super) fn source(&self) -> &Source<OwnedFd> {
        match &self.acceptor {
            Acceptor::Tcp(listener) => listener.source(),
            Acceptor::Unix(listener) => listener.source(),
        }
    }

    /// Accepts one connection.
    pub(super) fn accept(&mut self) -> Accepted {
        match tcp::accept(self.source()) {
            Poll::Pending => Accepted::Nothing,
            Poll::Ready(Ok(stream)) => {
                if let Acceptor::Tcp(_) = self.acceptor {
                    // Machines gather what they send; waiting for more costs a round trip.
                    let _ = rustix::net::sockopt::set_tcp_nodelay(&*stream, true);
                }
                let room = Room::new(self.queue, self.when_full);
                let peer = peer(&stream);
                Accepted::Stream(stream, room, peer)
            }
            Poll::Ready(Err(error)) => {
                self.turn_away();
                Accepted::TurnedAway(error)
            }
        }
    }

    /// Takes the connection that cannot be had off the kernel's queue.
    fn turn_away(&mut self) {
        if self.reserve.take().is_some() {
            let _ = rustix::net::accept(&**self.source());
            self.reserve = reserve();
        } else {
            // Another one took the place; the next edge is the next try.
            self.source().clear_ready(Direction::Read);
            self.reserve = reserve();
        }
    }
}

fn reserve() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Who is at the other end.
pub(super) fn peer(stream: &Source<OwnedFd>) -> Address {
    match getpeername(&**stream) {
        Ok(Some(address)) => from_any(&address),
        _ => Address::Unnamed,
    }
}

/// The kernel's form of an address, read.
pub(super) fn from_any(address: &rustix::net::SocketAddrAny) -> Address {
    if let Ok(internet) = std::net::SocketAddr::try_from(address.clone()) {
        return Address::Internet(internet);
    }
    let Ok(unix) = rustix::net::SocketAddrUnix::try_from(address.clone()) else {
        return Address::Unnamed;
    };
    match (unix.path_bytes(), unix.abstract_name()) {
        (_, Some(name)) => unix::Address::Abstract(name.to_vec()).into(),
        (Some(path), None) if !path.is_empty() => {
            unix::Address::Path(OsStr::from_bytes(path).into()).into()
        }
        _ => Address::Unnamed,
    }
}
