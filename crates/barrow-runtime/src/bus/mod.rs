//! Messages between tasks, wherever they run: direct, to a topic, to all.
//!
//! ```text
//!   endpoint (a task on worker 0)                        endpoint (a task on worker 1)
//!     publish(topic, message) --> lists of subscribers --> [bounded inbox] --> recv()
//!        must deliver: waits for room, and the wait is measured
//!        may drop:     offer() never waits, and what found no room is counted
//! ```
//!
//! Every endpoint has an inbox of its own, bounded, whose first message wakes the worker it is on if
//! that is parked. Lists of subscribers are immutable and replaced as a whole, so that sending takes
//! no lock and never waits for who subscribes. A sender never gets its own message.
//!
//! Two endpoints that must deliver to each other and do not receive meanwhile wait for ever, as with
//! any bounded queue: receive in another task, or limit the wait with a timeout.
//!
//! ```
//! use barrow_core::testing::Simulation;
//! use barrow_runtime::bus::{Bus, Topic};
//!
//! const NEWS: Topic = Topic::named("news");
//! let (mut simulation, bus) = (Simulation::new(), Bus::new());
//! let timers = simulation.scheduler().timers();
//! let mut reader = bus.attach(timers.clone(), 8);
//! reader.subscribe(NEWS);
//! let writer = bus.attach(timers, 8);
//! simulation.scheduler().spawn_task(async move {
//!     assert_eq!(writer.publish(NEWS, "hello").await, 1);
//! });
//! simulation.settle();
//! assert_eq!(reader.try_recv().map(|envelope| envelope.message), Ok("hello"));
//! ```

mod endpoint;
mod shards;
mod stats;

#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use barrow_core::channel::{Sender, bounded};
use barrow_core::timer::Timers;

pub use endpoint::{Endpoint, Offered, Undelivered};
pub use stats::BusStats;

use shards::Shards;
use stats::Counters;

/// Names an endpoint of one bus: never used again for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Address(u64);

/// Names what is published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Topic(u64);

impl Topic {
    /// A topic by number: an index, a hash, the id of a room.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// A topic by name: the 64-bit FNV-1a hash of it.
    #[must_use]
    pub const fn named(name: &str) -> Self {
        let (bytes, mut hash, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        Self(hash)
    }
}

/// How a message came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Via {
    /// To this endpoint's address.
    Direct,
    /// To a topic it subscribed to.
    Topic(Topic),
    /// To every endpoint.
    Broadcast,
}

/// A message as it arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Envelope<M> {
    /// Who sent it.
    pub from: Address,
    /// How it came.
    pub via: Via,
    /// What it says.
    pub message: M,
}

/// Connects endpoints. Clones are the same bus; it goes to every thread.
pub struct Bus<M>(Arc<Shared<M>>);

struct Shared<M> {
    next: AtomicU64,
    directory: Shards<Member<M>>,
    topics: Shards<Arc<[Member<M>]>>,
    counters: Counters,
}

/// An endpoint, seen by senders.
struct Member<M> {
    address: Address,
    inbox: Sender<Envelope<M>>,
}

impl<M> Bus<M> {
    /// A bus without endpoints.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            next: AtomicU64::new(0),
            directory: Shards::new(),
            topics: Shards::new(),
            counters: Counters::default(),
        }))
    }

    /// Adds an endpoint whose inbox holds at most `capacity` messages. `timers` are those of the
    /// thread it stays on; its waits are measured by them.
    #[must_use]
    pub fn attach(&self, timers: Rc<Timers>, capacity: usize) -> Endpoint<M> {
        let address = Address(self.0.next.fetch_add(1, Ordering::Relaxed));
        let (inbox, receiver) = bounded(capacity);
        let member = Member { address, inbox };
        self.0.directory.change(address.0, |_| Some(member));
        Endpoint::new(self.clone(), address, receiver, timers)
    }

    /// Endpoints that are attached.
    #[must_use]
    pub fn endpoints(&self) -> usize {
        self.0.directory.len()
    }

    /// Endpoints that subscribe to a topic.
    #[must_use]
    pub fn subscribers(&self, topic: Topic) -> usize {
        self.0
            .topics
            .get(topic.0)
            .map_or(0, |members| members.len())
    }

    /// Counters of the whole bus.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.0.counters.read()
    }
}

impl<M> Default for Bus<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> Clone for Bus<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> Clone for Member<M> {
    fn clone(&self) -> Self {
        Self {
            address: self.address,
            inbox: self.inbox.clone(),
        }
    }
}

impl<M> fmt::Debug for Bus<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("endpoints", &self.endpoints())
            .field("stats", &self.stats())
            .finish()
    }
}
