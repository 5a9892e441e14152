//! Datagrams on a simulated network.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::state::{Arrival, Kind, State, Transport};
use crate::io::machine::{Address, Datagram, Event, SocketId};
use crate::io::packet::Packet;

/// Datagrams that a socket keeps for its machine, as the kernel does.
const WAITING: usize = 512;

/// A UDP socket.
#[derive(Debug)]
pub(super) struct Datagrams {
    pub(super) peer: Option<SocketAddr>,
    /// The longest that is taken in.
    pub(super) longest: usize,
    pub(super) inbox: VecDeque<(SocketAddr, Packet)>,
}

impl State {
    /// Sends one datagram: it is lost, or under way, or so twice.
    pub(super) fn send_datagram(&mut self, from: SocketAddr, to: SocketAddr, mut data: Packet) {
        let (loss, duplicate) = (self.faults.loss, self.faults.duplicate);
        if self.chance(loss) {
            self.stats.lost += 1;
            return;
        }
        if self.chance(duplicate) {
            let copy = data.share();
            self.put(from, to, copy);
        }
        self.put(from, to, data);
    }

    fn put(&mut self, from: SocketAddr, to: SocketAddr, data: Packet) {
        let at = self.now() + self.delay();
        self.schedule(at, Arrival::Datagram { from, to, data });
    }

    /// A datagram arrives.
    pub(super) fn arrive(&mut self, from: SocketAddr, to: SocketAddr, data: Packet) {
        if self.is_cut(from.ip(), to.ip()) {
            self.stats.lost += 1;
            return;
        }
        let Some(&id) = self.bound.get(&(Transport::Udp, to)) else {
            self.stats.unreachable += 1;
            return;
        };
        let Some(socket) = self.get(id) else { return };
        let Kind::Datagrams(datagrams) = &mut socket.kind else {
            return;
        };
        if datagrams.peer.is_some_and(|peer| peer != from) {
            self.stats.unreachable += 1;
        } else if datagrams.inbox.len() >= WAITING {
            self.stats.overrun += 1;
        } else {
            datagrams.inbox.push_back((from, data));
            self.stats.delivered += 1;
            self.ready(id);
        }
    }

    /// Takes one datagram out of a socket.
    pub(super) fn take_datagram(
        &mut self,
        id: SocketId,
    ) -> Option<Event<std::convert::Infallible>> {
        let socket = self.get(id).filter(|socket| !socket.paused)?;
        let local = socket.local.ip();
        let Kind::Datagrams(datagrams) = &mut socket.kind else {
            return None;
        };
        let (from, data) = datagrams.inbox.pop_front()?;
        let longest = datagrams.longest;
        if !datagrams.inbox.is_empty() {
            self.ready(id);
        }
        Some(if data.len() > longest {
            let error = rustix::io::Errno::MSGSIZE.into();
            Event::Failed { socket: id, error }
        } else {
            Event::Datagram(Datagram {
                socket: id,
                from: Address::Internet(from),
                local: Some(local),
                segment: None,
                data,
            })
        })
    }
}
