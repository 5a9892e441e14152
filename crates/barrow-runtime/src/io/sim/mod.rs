//! A simulated network: hosts, links with faults, and sockets, on virtual time.
//!
//! [`Net`] lives in a scheduler (usually that of [`barrow_core::testing::Simulation`]) as one unit,
//! which delivers what is due. [`Net::host`] gives a machine its sockets: a
//! [`Network`](super::machine::Network) like the kernel's, so the same machines run on both. Nothing
//! reads a clock; every choice comes from one seed, so the same seed does the same again.
//!
//! Datagrams are lost, delayed and so put out of order. Streams are reliable, as TCP is: what is lost
//! comes later, in order, within a window; a partition that lasts too long resets them.
//!
//! ```
//! use barrow_core::testing::Simulation;
//! use barrow_runtime::io::{Packets, sim::{Faults, Net}};
//!
//! let simulation = Simulation::seeded(7);
//! let net = Net::new(simulation.spawner(), Faults { seed: 7, ..Faults::default() });
//! let sockets = net.host([10, 0, 0, 1].into(), Packets::shared().expect("address space"));
//! net.partition([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
//! assert_eq!(net.stats().delivered, 0);
//! # drop(sockets);
//! ```

mod datagram;
mod host;
mod state;
mod stream;

use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use barrow_core::{Instant, Spawner, Unit, UnitContext, Work};

pub use host::Host;

use self::state::State;
use super::packet::Packets;

/// What the links of a network do; all from one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// The seed of every choice.
    pub seed: u64,
    /// The share of datagrams, and of pieces of streams, that is lost: 0 to 1.
    pub loss: f64,
    /// The share of datagrams that comes twice.
    pub duplicate: f64,
    /// The shortest and the longest time under way; a wide range puts datagrams out of order.
    pub delay: (Duration, Duration),
}

impl Default for Faults {
    /// None: everything arrives after 50 us.
    fn default() -> Self {
        let delay = Duration::from_micros(50);
        Self {
            seed: 0,
            loss: 0.0,
            duplicate: 0.0,
            delay: (delay, delay),
        }
    }
}

/// What happened on a network so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams that arrived at a socket.
    pub delivered: u64,
    /// Datagrams lost by chance or in a partition.
    pub lost: u64,
    /// Datagrams to nobody.
    pub unreachable: u64,
    /// Datagrams dropped because their socket held too many.
    pub overrun: u64,
    /// Everything that was delivered: datagrams, and steps of streams.
    pub events: u64,
}

/// A simulated network. Clones are the same one.
#[derive(Clone)]
pub struct Net(Rc<RefCell<State>>);

impl Net {
    /// A network in this scheduler.
    #[must_use]
    pub fn new(spawner: Spawner, faults: Faults) -> Self {
        let net = Self(Rc::new(RefCell::new(State::new(spawner.clone(), faults))));
        let unit = spawner.spawn(Box::new(Delivery(Rc::clone(&net.0))));
        net.0.borrow_mut().unit = Some(unit);
        net
    }

    /// The sockets of one machine on the host with this address.
    #[must_use]
    pub fn host(&self, address: IpAddr, packets: Packets) -> Host {
        Host::new(&self.0, address, packets)
    }

    /// Nothing gets from one of these hosts to the other any more, until it is healed.
    pub fn partition(&self, a: IpAddr, b: IpAddr) {
        self.0.borrow_mut().cut.insert((a.min(b), a.max(b)));
    }

    /// Ends a partition.
    pub fn heal(&self, a: IpAddr, b: IpAddr) {
        self.0.borrow_mut().cut.remove(&(a.min(b), a.max(b)));
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.borrow().stats
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// Delivers what is due.
struct Delivery(Rc<RefCell<State>>);

impl Unit for Delivery {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        while cx.quantum > 0 {
            if !self.0.borrow_mut().deliver(cx.now) {
                return Work::Idle;
            }
            cx.quantum -= 1;
        }
        Work::More
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.0.borrow().next()
    }

    fn name(&self) -> String {
        "network".into()
    }
}
