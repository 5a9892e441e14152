//! Listening UNIX sockets.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use rustix::net::SocketType;

use super::address::Address;
use super::bind::{BindError, Place, listening};
use super::packets::SeqPacket;
use super::stream::Stream;
use crate::io::reactor::{Direction, Reactor, Source};
use crate::io::stream::or_wake;
use crate::io::tcp::accept;

/// How a listener appears in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Access mode of the file, such as `0o660`; of no meaning for abstract names.
    pub mode: u32,
    /// Group that owns the file; `None` leaves it to the system.
    pub gid: Option<u32>,
    /// Connections that may wait to be accepted.
    pub backlog: i32,
}

impl Default for Options {
    /// The owner alone, 1,024 connections waiting.
    fn default() -> Self {
        Self {
            mode: 0o600,
            gid: None,
            backlog: 1024,
        }
    }
}

/// Accepts byte-stream connections. Its file is removed when it is dropped, unless it is another's
/// by then.
#[derive(Debug)]
pub struct Listener(Bound);

/// Accepts packet connections (`SOCK_SEQPACKET`); otherwise like [`Listener`].
#[derive(Debug)]
pub struct PacketListener(Bound);

#[derive(Debug)]
struct Bound {
    source: Source<OwnedFd>,
    address: Address,
    _place: Option<Place>,
}

impl Bound {
    fn bind(
        reactor: &Reactor,
        address: Address,
        kind: SocketType,
        options: Options,
    ) -> Result<Self, BindError> {
        let (socket, place) = listening(&address, kind, options)?;
        match reactor.register(socket) {
            Ok(source) => Ok(Self {
                source,
                address,
                _place: place,
            }),
            Err(source) => Err(BindError::System {
                address,
                step: "watch",
                source,
            }),
        }
    }
}

macro_rules! listener {
    ($listener:ident, $connection:ident, $kind:ident) => {
        impl $listener {
            /// Listens at an address. Its path appears, with mode and group, once connections are
            /// accepted; a dead socket there is replaced.
            ///
            /// # Errors
            /// [`BindError::Active`] when somebody listens there, [`BindError::NotASocket`] when
            /// the path is something else, and what the system answers.
            pub fn bind(
                reactor: &Reactor,
                address: Address,
                options: Options,
            ) -> Result<Self, BindError> {
                Bound::bind(reactor, address, SocketType::$kind, options).map(Self)
            }

            /// What the reactor watches.
            #[must_use]
            pub fn source(&self) -> &Source<OwnedFd> {
                &self.0.source
            }

            /// Where it listens.
            #[must_use]
            pub fn address(&self) -> &Address {
                &self.0.address
            }

            /// A connection, when one waits. After `EMFILE` and the like it still waits: try again
            /// later.
            pub fn try_accept(&self) -> Poll<io::Result<$connection>> {
                accept(&self.0.source).map_ok($connection::new)
            }

            /// As `try_accept`; the context's waker is woken when a connection waits.
            pub fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<$connection>> {
                or_wake(&self.0.source, cx, Direction::Read, self.try_accept())
            }

            /// Waits for a connection.
            ///
            /// # Errors
            /// As `try_accept`.
            pub async fn accept(&self) -> io::Result<$connection> {
                std::future::poll_fn(|cx| self.poll_accept(cx)).await
            }
        }
    };
}

listener!(Listener, Stream, STREAM);
listener!(PacketListener, SeqPacket, SEQPACKET);
