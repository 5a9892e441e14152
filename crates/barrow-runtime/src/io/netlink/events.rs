//! News from the kernel.

use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll};

use netlink_packet_core::{DecodeError, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::io::Errno;

use super::address::Address;
use super::link::Link;
use super::neighbor::Neighbor;
use super::route::Route;
use super::socket::{DATAGRAM, Socket};
use crate::io::reactor::{Direction, Reactor, Source};
use crate::sys::NetNs;

/// What news is wanted. Bits as in Linux's `linux/rtnetlink.h`, `RTMGRP_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups(u32);

impl Groups {
    /// Links that appear, change and go.
    pub const LINKS: Self = Self(0x1);
    /// Neighbours.
    pub const NEIGHBORS: Self = Self(0x4);
    /// IPv4 and IPv6 addresses.
    pub const ADDRESSES: Self = Self(0x10 | 0x100);
    /// IPv4 and IPv6 routes.
    pub const ROUTES: Self = Self(0x40 | 0x400);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A link appeared, or is now like this.
    Link(Link),
    /// A link is gone from this namespace.
    LinkGone(Link),
    /// An address appeared or changed.
    Address(Address),
    /// An address is gone.
    AddressGone(Address),
    /// A neighbour appeared or changed.
    Neighbor(Neighbor),
    /// A neighbour is gone.
    NeighborGone(Neighbor),
    /// A route appeared.
    Route(Route),
    /// A route is gone.
    RouteGone(Route),
    /// The kernel had more news than there was room for: read the tables anew.
    Lost,
}

/// A subscription to the kernel's news, on a reactor.
///
/// Subscribe first and read the tables afterwards: then nothing is missed in between.
#[derive(Debug)]
pub struct Events {
    source: Source<Socket>,
    buffer: Box<[u8]>,
    /// News of the last datagram, latest first.
    waiting: Vec<Event>,
}

impl Events {
    /// Subscribes in the calling thread's namespace.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn subscribe(reactor: &Reactor, groups: Groups) -> io::Result<Self> {
        Self::new(reactor, Socket::subscribed(groups.0)?)
    }

    /// Subscribes in another namespace.
    ///
    /// # Errors
    /// When the namespace may not be entered, or no socket can be had.
    pub fn subscribe_in(reactor: &Reactor, namespace: &NetNs, groups: Groups) -> io::Result<Self> {
        let socket = namespace.run(|| Socket::subscribed(groups.0))??;
        Self::new(reactor, socket)
    }

    fn new(reactor: &Reactor, socket: Socket) -> io::Result<Self> {
        let buffer = vec![0; DATAGRAM].into_boxed_slice();
        Ok(Self {
            source: reactor.register(socket)?,
            buffer,
            waiting: Vec::new(),
        })
    }

    /// What the reactor watches.
    #[must_use]
    pub fn source(&self) -> &Source<impl AsFd + use<>> {
        &self.source
    }

    /// The next piece of news. Pending while there is none.
    pub fn try_next(&mut self) -> Poll<io::Result<Event>> {
        loop {
            if let Some(event) = self.waiting.pop() {
                return Poll::Ready(Ok(event));
            }
            let (source, buffer) = (&self.source, &mut self.buffer);
            match source.try_io(Direction::Read, |socket| match socket.receive(buffer) {
                Err(Errno::NOBUFS) => Ok(None),
                result => result.map(Some),
            }) {
                Poll::Ready(Ok(Some(len))) => {
                    self.waiting = decode(&self.buffer[..len]);
                    self.waiting.reverse();
                }
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(Event::Lost)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// As [`Events::try_next`]; the context's waker is woken when there is some.
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<io::Result<Event>> {
        let next = self.try_next();
        if next.is_pending() {
            // Not ready: the try has just found that out.
            let _ = self.source.poll_ready(cx, Direction::Read);
        }
        next
    }

    /// Waits for the next piece of news.
    ///
    /// # Errors
    /// When the socket fails, which it does not by itself.
    pub async fn next(&mut self) -> io::Result<Event> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }
}

/// The news in one datagram, in order. Whatever is not understood is left out.
#[must_use]
pub fn decode(datagram: &[u8]) -> Vec<Event> {
    messages(datagram)
        .filter_map(|message| event(message.ok()?.payload))
        .collect()
}

fn event(payload: NetlinkPayload<RouteNetlinkMessage>) -> Option<Event> {
    use RouteNetlinkMessage as Message;
    let NetlinkPayload::InnerMessage(message) = payload else {
        return None;
    };
    Some(match message {
        Message::NewLink(link) => Event::Link(Link::read(&link)),
        Message::DelLink(link) => Event::LinkGone(Link::read(&link)),
        Message::NewAddress(address) => Event::Address(Address::read(&address)?),
        Message::DelAddress(address) => Event::AddressGone(Address::read(&address)?),
        Message::NewNeighbour(neighbor) => Event::Neighbor(Neighbor::read(&neighbor)?),
        Message::DelNeighbour(neighbor) => Event::NeighborGone(Neighbor::read(&neighbor)?),
        Message::NewRoute(route) => Event::Route(Route::read(&route)?),
        Message::DelRoute(route) => Event::RouteGone(Route::read(&route)?),
        _ => return None,
    })
}

/// Bytes in a message's header, which starts with the length of the whole message.
const HEADER: usize = 16;

/// Cuts a datagram into its messages. The cut needs the lengths alone, so one message that is not
/// understood costs only itself; a length that makes no sense ends the datagram.
pub(super) fn messages(
    datagram: &[u8],
) -> impl Iterator<Item = Result<NetlinkMessage<RouteNetlinkMessage>, DecodeError>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let len = u32::from_ne_bytes(*rest.first_chunk()?) as usize;
        if len < HEADER {
            return None;
        }
        let message = rest.get(..len)?;
        // The last one's padding may be missing.
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(NetlinkMessage::deserialize(message))
    })
}
