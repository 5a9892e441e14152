//! The simulated sockets of one machine.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::rc::Rc;
use std::task::Waker;

use super::datagram::Datagrams;
use super::state::{Arrival, Kind, Mailbox, Owner, State, Transport};
use super::stream::{Listener, Stream};
use crate::io::machine::{Action, Address, Event, Network, Open, SocketId, To};
use crate::io::packet::{LARGE, Packet, Packets};
use crate::io::sockets::{Room, Verdict};

/// The sockets of a machine on a host of the network. When it is dropped, they end: streams that have
/// not been closed are reset.
pub struct Host {
    state: Rc<RefCell<State>>,
    mailbox: Owner,
    address: IpAddr,
    packets: Packets,
}

impl Host {
    pub(super) fn new(state: &Rc<RefCell<State>>, address: IpAddr, packets: Packets) -> Self {
        Self {
            state: Rc::clone(state),
            mailbox: Rc::new(RefCell::new(Mailbox {
                events: VecDeque::new(),
                ready: VecDeque::new(),
                waker: Waker::noop().clone(),
            })),
            address,
            packets,
        }
    }

    /// An address on this host: a wildcard is replaced by the host's, another host's is refused.
    fn local(
        &self,
        state: &mut State,
        transport: Transport,
        wanted: SocketAddr,
    ) -> io::Result<SocketAddr> {
        if !wanted.ip().is_unspecified() && wanted.ip() != self.address {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let wanted = SocketAddr::new(self.address, wanted.port());
        state
            .choose(transport, wanted)
            .ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    /// Opens something; `None` when the answer comes later.
    fn open(&self, tag: u64, open: Open) -> io::Result<Option<(SocketId, SocketAddr)>> {
        let state = &mut *self.state.borrow_mut();
        let any = SocketAddr::new(self.address, 0);
        match open {
            Open::Udp(udp) => {
                let local = self.local(state, Transport::Udp, udp.local)?;
                let longest = if udp.join {
                    LARGE
                } else {
                    self.packets.small_size()
                };
                let kind = Kind::Datagrams(Datagrams {
                    peer: udp.peer,
                    longest,
                    inbox: VecDeque::new(),
                });
                let id = state.insert(&self.mailbox, local, kind);
                state.bound.insert((Transport::Udp, local), id);
                Ok(Some((id, local)))
            }
            Open::TcpListen(listen) => {
                let local = self.local(state, Transport::Tcp, listen.local)?;
                let (queue, when_full) = (listen.queue, listen.when_full);
                let kind = Kind::Listener(Listener { queue, when_full });
                let id = state.insert(&self.mailbox, local, kind);
                state.bound.insert((Transport::Tcp, local), id);
                Ok(Some((id, local)))
            }
            Open::TcpConnect(connect) => {
                let local = self.local(state, Transport::Tcp, connect.local.unwrap_or(any))?;
                let room = Room::new(connect.queue, connect.when_full);
                let mut stream = Stream::new(connect.peer, room);
                stream.pending = Some(tag);
                let from = state.insert(&self.mailbox, local, Kind::Stream(stream));
                let (to, tries) = (connect.peer, 0);
                let at = state.now() + state.delay();
                state.schedule(at, Arrival::Connect { from, to, tries });
                Ok(None)
            }
            Open::UnixListen(_)
            | Open::UnixConnect(_)
            | Open::UnixDatagram(_)
            | Open::Tun(_)
            | Open::Signals(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a simulated host has UDP and TCP only",
            )),
        }
    }

    fn tell(&self, event: Event<Infallible>) {
        State::tell(&self.mailbox, event);
    }

    fn cancel(&self, tag: u64) {
        let state = &mut *self.state.borrow_mut();
        let pending = state.sockets.iter().find(|(_, socket)| {
            let Kind::Stream(stream) = &socket.kind else {
                return false;
            };
            Rc::ptr_eq(&socket.owner, &self.mailbox) && stream.pending == Some(tag)
        });
        if let Some(id) = pending.map(|(_, socket)| socket.id) {
            state.remove(id);
            let error = io::ErrorKind::Interrupted.into();
            State::tell(&self.mailbox, Event::NotOpened { tag, error });
        }
    }

    fn send(
        &self,
        socket: SocketId,
        to: To,
        segment: Option<NonZeroU16>,
        mut data: Packet,
    ) -> Result<(), (To, Packet)> {
        let state = &mut *self.state.borrow_mut();
        let Some(entry) = state.get(socket) else {
            return Ok(());
        };
        let local = entry.local;
        match &mut entry.kind {
            Kind::Listener(_) => Ok(()),
            Kind::Datagrams(datagrams) => {
                let peers: Vec<SocketAddr> = match to {
                    To::Peer => datagrams.peer.into_iter().collect(),
                    To::One(address) => address.internet().into_iter().collect(),
                    To::Many(addresses) => addresses.iter().filter_map(Address::internet).collect(),
                };
                let size = segment.map_or(usize::MAX, |segment| usize::from(segment.get()));
                for peer in peers {
                    let mut at = 0;
                    while at < data.len().max(1) {
                        let mut piece = data.share();
                        piece.advance(at);
                        piece.truncate(size);
                        at += piece.len().max(1);
                        state.send_datagram(local, peer, piece);
                    }
                }
                Ok(())
            }
            Kind::Stream(stream) => {
                let queued = stream.queue(data);
                if let Err((verdict, data)) = queued {
                    match verdict {
                        Verdict::Wait => return Err((to, data)),
                        Verdict::Refuse => {
                            State::tell(&self.mailbox, Event::Refused { socket, data });
                        }
                        Verdict::Queue | Verdict::Drop => {}
                    }
                }
                state.pump(socket);
                Ok(())
            }
        }
    }

    /// Applies something to a stream, then lets it go on.
    fn with_stream(&self, socket: SocketId, change: impl FnOnce(&mut Stream)) {
        let state = &mut *self.state.borrow_mut();
        if let Some(entry) = state.get(socket)
            && let Kind::Stream(stream) = &mut entry.kind
        {
            change(stream);
            state.pump(socket);
        } else if state.remove(socket).is_some() {
            let result = Ok(());
            State::tell(&self.mailbox, Event::Closed { socket, result });
        }
    }
}

impl Network for Host {
    fn next_event(&mut self) -> Option<Event<Infallible>> {
        loop {
            let (event, ready) = {
                let mut mailbox = self.mailbox.borrow_mut();
                let event = mailbox.events.pop_front();
                let ready = if event.is_none() {
                    mailbox.ready.pop_front()
                } else {
                    None
                };
                (event, ready)
            };
            if event.is_some() {
                return event;
            }
            let id = ready?;
            let state = &mut *self.state.borrow_mut();
            let taken = state.take_datagram(id).or_else(|| state.take_piece(id));
            if taken.is_some() {
                return taken;
            }
        }
    }

    fn act(&mut self, action: Action<Infallible>) -> Result<(), Action<Infallible>> {
        match action {
            Action::Message(never) => match never {},
            Action::Open { tag, open } => match self.open(tag, open) {
                Ok(None) => {}
                Ok(Some((socket, local))) => self.tell(Event::Opened {
                    tag,
                    socket,
                    local: local.into(),
                    note: None,
                }),
                Err(error) => self.tell(Event::NotOpened { tag, error }),
            },
            Action::Cancel { tag } => self.cancel(tag),
            Action::Send {
                socket,
                to,
                segment,
                data,
            } => {
                return self
                    .send(socket, to, segment, data)
                    .map_err(|(to, data)| Action::Send {
                        socket,
                        to,
                        segment,
                        data,
                    });
            }
            Action::Finish { socket } => {
                let state = &mut *self.state.borrow_mut();
                if let Some(entry) = state.get(socket)
                    && let Kind::Stream(stream) = &mut entry.kind
                {
                    stream.finishing = true;
                    state.pump(socket);
                }
            }
            Action::Close { socket } => self.with_stream(socket, |stream| {
                stream.finishing = true;
                stream.closing = true;
            }),
            Action::Abort { socket } => {
                let state = &mut *self.state.borrow_mut();
                if state.get(socket).is_some() {
                    state.reset(socket);
                }
            }
            Action::Pause { socket } => {
                if let Some(entry) = self.state.borrow_mut().get(socket) {
                    entry.paused = true;
                }
            }
            Action::Resume { socket } => {
                let state = &mut *self.state.borrow_mut();
                if let Some(entry) = state.get(socket) {
                    entry.paused = false;
                    state.ready(socket);
                }
            }
            // There are no devices.
            Action::Frame { .. } => {}
        }
        Ok(())
    }

    fn register(&mut self, waker: &Waker) {
        self.mailbox.borrow_mut().waker.clone_from(waker);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.state.borrow_mut().abandon(&self.mailbox);
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
