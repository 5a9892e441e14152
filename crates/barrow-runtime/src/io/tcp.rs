//! TCP listeners and connections on the reactor.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, accept_with, bind, connect, getpeername, getsockname,
    listen, socket_with, sockopt,
};

use super::reactor::{Direction, Reactor, Source};
use super::stream::ByteStream;

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// Accepts TCP connections.
#[derive(Debug)]
pub struct Listener(Source<OwnedFd>);

/// A TCP connection.
#[derive(Debug)]
pub struct Stream(Source<OwnedFd>);

impl Listener {
    /// Listens on an address; port 0 lets the kernel choose.
    ///
    /// # Errors
    /// `AddrInUse`, `PermissionDenied`, …
    pub fn bind(reactor: &Reactor, address: SocketAddr) -> io::Result<Self> {
        Self::bind_with(reactor, address, false, 1024)
    }

    /// As [`Listener::bind`]; several sockets may share the address, and so many connections wait.
    ///
    /// # Errors
    /// As [`Listener::bind`].
    pub fn bind_with(
        reactor: &Reactor,
        address: SocketAddr,
        reuse_port: bool,
        backlog: i32,
    ) -> io::Result<Self> {
        let socket = socket(address)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        if reuse_port {
            sockopt::set_socket_reuseport(&socket, true)?;
        }
        bind(&socket, &address)?;
        listen(&socket, backlog)?;
        Ok(Self(reactor.register(socket)?))
    }

    /// What the reactor watches.
    #[must_use]
    pub fn source(&self) -> &Source<OwnedFd> {
        &self.0
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// None in a correct process.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        internet(getsockname(&*self.0)?)
    }

    /// A connection, when one waits. After `EMFILE` and the like the connection still waits: try
    /// again later.
    pub fn try_accept(&self) -> Poll<io::Result<Stream>> {
        accept(&self.0).map_ok(Stream)
    }

    /// As [`Listener::try_accept`]; the context's waker is woken when a connection waits.
    pub fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<Stream>> {
        super::stream::or_wake(&self.0, cx, Direction::Read, self.try_accept())
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// As [`Listener::try_accept`].
    pub async fn accept(&self) -> io::Result<Stream> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }
}

impl Stream {
    /// Connects to an address.
    ///
    /// # Errors
    /// `ConnectionRefused`, `TimedOut`, …
    pub async fn connect(reactor: &Reactor, address: SocketAddr) -> io::Result<Self> {
        let socket = socket(address)?;
        match connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let source = reactor.register(socket)?;
        // Writable at last, whatever came of it; the error is then the socket's.
        loop {
            source.clear_ready(Direction::Write);
            source.ready(Direction::Write).await;
            match sockopt::socket_error(&*source)? {
                Err(error) => return Err(error.into()),
                Ok(()) if getpeername(&*source).is_ok() => return Ok(Self(source)),
                Ok(()) => {}
            }
        }
    }

    /// The address of the other side.
    ///
    /// # Errors
    /// `NotConnected` when the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        getpeername(&*self.0)?
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
            .and_then(internet)
    }

    /// Whether small writes are sent at once rather than gathered.
    ///
    /// # Errors
    /// None in a correct process.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        Ok(sockopt::set_tcp_nodelay(&*self.0, nodelay)?)
    }
}

impl ByteStream for Stream {
    fn source(&self) -> &Source<OwnedFd> {
        &self.0
    }
}

/// Accepts from any listening stream or packet socket.
pub(super) fn accept(listener: &Source<OwnedFd>) -> Poll<io::Result<Source<OwnedFd>>> {
    let accepted = listener.try_io(Direction::Read, |fd| {
        loop {
            match accept_with(fd, FLAGS) {
                // That connection is gone; the next one may not be.
                Err(Errno::CONNABORTED) => {}
                result => return result,
            }
        }
    });
    accepted.map(|result| listener.reactor().register(result?))
}

fn socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    Ok(socket_with(family, SocketType::STREAM, FLAGS, None)?)
}

fn internet(address: rustix::net::SocketAddrAny) -> io::Result<SocketAddr> {
    Ok(address.try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Clock;

    #[test]
    fn bytes_go_both_ways_and_the_end_is_seen() {
        let reactor = Reactor::new(Clock::new()).unwrap();
        let listener = Listener::bind(&reactor, "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let run = async {
            let (there, here) =
                futures::join!(listener.accept(), Stream::connect(&reactor, address));
            let (there, here) = (there?, here?);
            here.set_nodelay(true)?;
            assert_eq!(here.peer_addr()?, address);
            let big = vec![7; 3 << 20];
            let write = async {
                here.write_all(&big).await?;
                here.shutdown_write()
            };
            let read = async {
                let mut got = vec![0; 3 << 20];
                there.read_exact(&mut got).await?;
                assert!(got.iter().all(|&byte| byte == 7));
                assert_eq!(there.read(&mut got).await?, 0);
                io::Result::Ok(())
            };
            let (written, read) = futures::join!(write, read);
            written.and(read)
        };
        reactor.block_on(run).unwrap().unwrap();
    }

    #[test]
    fn a_refused_connection_is_an_error() {
        let reactor = Reactor::new(Clock::new()).unwrap();
        let listener = Listener::bind(&reactor, "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let result = reactor
            .block_on(Stream::connect(&reactor, address))
            .unwrap();
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
