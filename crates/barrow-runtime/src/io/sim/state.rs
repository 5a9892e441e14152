//! All sockets of a network, and what is under way.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use barrow_core::{Instant, Spawner, UnitId};
use slab::Slab;

use super::datagram::Datagrams;
use super::stream::{Listener, Step, Stream};
use super::{Faults, Stats};
use crate::io::machine::{Event, SocketId};
use crate::io::packet::Packet;

/// How long TCP waits before it sends something lost again, about.
pub(super) const RETRY: Duration = Duration::from_millis(200);

/// What a machine is to hear.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) events: VecDeque<Event<Infallible>>,
    /// Sockets that have something to take.
    pub(super) ready: VecDeque<SocketId>,
    pub(super) waker: Waker,
}

pub(super) type Owner = Rc<RefCell<Mailbox>>;

/// A socket of some host.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) owner: Owner,
    pub(super) local: SocketAddr,
    pub(super) paused: bool,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Datagrams(Datagrams),
    Listener(Listener),
    Stream(Stream),
}

/// Something under way.
#[derive(Debug)]
pub(super) enum Arrival {
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        data: Packet,
    },
    Stream {
        to: SocketId,
        step: Step,
    },
    /// A connection is asked for.
    Connect {
        from: SocketId,
        to: SocketAddr,
        tries: u32,
    },
}

/// Which of the two transports has a port: they have separate ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

pub(super) struct State {
    pub(super) spawner: Spawner,
    pub(super) unit: Option<UnitId>,
    pub(super) faults: Faults,
    pub(super) cut: BTreeSet<(IpAddr, IpAddr)>,
    pub(super) stats: Stats,
    pub(super) sockets: Slab<Socket>,
    pub(super) bound: BTreeMap<(Transport, SocketAddr), SocketId>,
    generation: u32,
    random: u64,
    next_port: u16,
    /// When, in which order, what.
    under_way: BinaryHeap<Reverse<(Instant, u64)>>,
    arrivals: BTreeMap<u64, Arrival>,
    number: u64,
}

impl State {
    pub(super) fn new(spawner: Spawner, faults: Faults) -> Self {
        Self {
            spawner,
            unit: None,
            random: faults.seed,
            faults,
            cut: BTreeSet::new(),
            stats: Stats::default(),
            sockets: Slab::new(),
            bound: BTreeMap::new(),
            generation: 0,
            next_port: 49_152,
            under_way: BinaryHeap::new(),
            arrivals: BTreeMap::new(),
            number: 0,
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse((at, _))| *at)
    }

    /// Delivers the next thing that is due; false when none is.
    pub(super) fn deliver(&mut self, now: Instant) -> bool {
        if self.next().is_none_or(|at| at > now) {
            return false;
        }
        let Some(Reverse((_, number))) = self.under_way.pop() else {
            return false;
        };
        self.stats.events += 1;
        match self.arrivals.remove(&number) {
            Some(Arrival::Datagram { from, to, data }) => self.arrive(from, to, data),
            Some(Arrival::Stream { to, step }) => self.step(to, step),
            Some(Arrival::Connect { from, to, tries }) => self.connect(from, to, tries),
            None => {}
        }
        true
    }

    /// Has something happen later.
    pub(super) fn schedule(&mut self, at: Instant, arrival: Arrival) {
        self.number += 1;
        self.under_way.push(Reverse((at, self.number)));
        self.arrivals.insert(self.number, arrival);
        if let Some(unit) = self.unit {
            self.spawner.wake(unit);
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.spawner.now()
    }

    pub(super) fn is_cut(&self, a: IpAddr, b: IpAddr) -> bool {
        self.cut.contains(&(a.min(b), a.max(b)))
    }

    /// A time under way.
    pub(super) fn delay(&mut self) -> Duration {
        let (least, most) = self.faults.delay;
        let range = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX);
        if range == 0 {
            return least;
        }
        least + Duration::from_nanos(self.draw() % range.saturating_add(1).max(1))
    }

    /// Whether something happens that does so with this probability.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && (self.draw() >> 11) as f64 / (1u64 << 53) as f64 <= share
    }

    /// One step of the splitmix64 generator.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An address that is free: the wanted one, or with a port of our choice.
    pub(super) fn choose(
        &mut self,
        transport: Transport,
        wanted: SocketAddr,
    ) -> Option<SocketAddr> {
        if wanted.port() != 0 {
            return (!self.bound.contains_key(&(transport, wanted))).then_some(wanted);
        }
        for _ in 0..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(49_152);
            let address = SocketAddr::new(wanted.ip(), port);
            if !self.bound.contains_key(&(transport, address)) {
                return Some(address);
            }
        }
        None
    }

    pub(super) fn insert(&mut self, owner: &Owner, local: SocketAddr, kind: Kind) -> SocketId {
        self.generation = self.generation.wrapping_add(1);
        let entry = self.sockets.vacant_entry();
        let id = SocketId {
            index: entry.key() as u32,
            generation: self.generation,
        };
        entry.insert(Socket {
            id,
            owner: Rc::clone(owner),
            local,
            paused: false,
            kind,
        });
        id
    }

    pub(super) fn get(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets
            .get_mut(id.index as usize)
            .filter(|socket| socket.id == id)
    }

    pub(super) fn remove(&mut self, id: SocketId) -> Option<Socket> {
        self.get(id)?;
        let socket = self.sockets.remove(id.index as usize);
        self.bound.retain(|_, bound| *bound != id);
        Some(socket)
    }

    /// Tells a machine something, and wakes it.
    pub(super) fn tell(owner: &Owner, event: Event<Infallible>) {
        let waker = {
            let mut mailbox = owner.borrow_mut();
            mailbox.events.push_back(event);
            mailbox.waker.clone()
        };
        waker.wake();
    }

    /// Tells a machine that a socket has something to take.
    pub(super) fn ready(&mut self, id: SocketId) {
        let Some(socket) = self.get(id) else { return };
        let waker = {
            let mut mailbox = socket.owner.borrow_mut();
            if !mailbox.ready.contains(&id) {
                mailbox.ready.push_back(id);
            }
            mailbox.waker.clone()
        };
        waker.wake();
    }
}
