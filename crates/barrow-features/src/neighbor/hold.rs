//! Packets that wait for a neighbour to be resolved.
//!
//! The latest packet to each unresolved neighbour is kept (RFC 1122 section 2.3.2.2), as long as a thread
//! holds no more than its share of `ip-neighbor { hold N }`; with 0 none is kept, as in VPP. A packet that
//! nobody asks for in time is given up.

use crate::interface::SwIfIndex;
use barrow_engine::{Buffer, Instant};
use rustc_hash::FxHashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long a packet waits at most.
const PATIENCE: Duration = Duration::from_secs(3);

/// A neighbour by link and address.
pub(crate) type Key = (SwIfIndex, Ipv4Addr);

/// The packets that one thread holds.
#[derive(Debug)]
pub(super) struct Hold {
    packets: FxHashMap<Key, (Buffer, Instant)>,
    capacity: usize,
}

impl Hold {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            packets: FxHashMap::default(),
            capacity,
        }
    }

    /// Keeps a packet; gives back what is to be dropped for it: the one that waited before, or itself.
    pub(super) fn keep(&mut self, key: Key, packet: Buffer, now: Instant) -> Option<Buffer> {
        if let Some(held) = self.packets.get_mut(&key) {
            let former = std::mem::replace(held, (packet, now));
            return Some(former.0);
        }
        if self.packets.len() >= self.capacity {
            return Some(packet);
        }
        self.packets.insert(key, (packet, now));
        None
    }

    /// The packet that waits for a neighbour.
    pub(super) fn release(&mut self, key: Key) -> Option<Buffer> {
        self.packets.remove(&key).map(|(packet, _)| packet)
    }

    /// Packets that have waited too long.
    pub(super) fn expire(&mut self, now: Instant) -> impl Iterator<Item = Buffer> + '_ {
        let late =
            move |_: &Key, held: &mut (Buffer, Instant)| now.saturating_since(held.1) >= PATIENCE;
        self.packets.extract_if(late).map(|(_, (packet, _))| packet)
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }
}
