//! `ip4-arp` and `ip4-glean`: ask who has an address.
//!
//! A packet comes here when its next hop is not resolved (`ip4-arp`: the adjacency says whom to ask for)
//! or when it is for a host of a connected network that is no neighbour yet (`ip4-glean`: its destination
//! is whom to ask for). The question goes out, at most one a neighbour in [`PAUSE`]; the packet waits in
//! the [`Hold`] until main says that the neighbour is there, and is then looked up anew.

use super::counters::{ArpCounters, ArpRows};
use super::hold::{Hold, Key};
use crate::adj::{AdjIndex, AdjKind, Adjacency};
use crate::arp::header::{ArpPacket, REQUEST};
use crate::icmp::SourceAddresses;
use crate::interface::SwIfIndex;
use crate::ip4::Forwarding;
use barrow_engine::{
    Buffer, BufferExt, ErrorCounters, Frame, Instant, NextNodes, NodeId, Packet, PacketContext,
    PacketFlags, PacketNode, Vector,
};
use rustc_hash::FxHashMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;
use zerocopy::IntoBytes;

/// Least time between two questions for the same neighbour, on one thread.
const PAUSE: Duration = Duration::from_millis(100);
/// Neighbours whose last question is remembered, on one thread.
const REMEMBERED: usize = 4096;

/// Where packets go that do not wait.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Nowhere.
    #[next_node = "ip4-drop"]
    Drop,
    /// The neighbour was found meanwhile.
    #[next_node = "ip4-rewrite"]
    Rewrite,
}

/// Counters of the nodes; names and descriptions are VPP's (`vpp:src/vnet/ip-neighbor/ip_neighbor.api`),
/// the last two our own.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub enum ResolveError {
    /// Asked a moment ago.
    #[error_counter(name = "throttled", description = "ARP requests throttled", severity = INFO)]
    Throttled,
    /// The neighbour was found meanwhile.
    #[error_counter(name = "resolved", description = "ARP requests resolved", severity = INFO)]
    Resolved,
    /// No buffer for a question.
    #[error_counter(name = "no_buffers", description = "ARP requests out of buffer", severity = ERROR)]
    NoBuffers,
    /// Asked.
    #[error_counter(name = "request_sent", description = "ARP requests sent", severity = INFO)]
    RequestSent,
    /// The adjacency is not one to ask for.
    #[error_counter(
        name = "non_arp_adj",
        description = "ARPs to non-ARP adjacencies",
        severity = ERROR
    )]
    NotToBeAsked,
    /// The interface has no address to ask from.
    #[error_counter(
        name = "no_source_address",
        description = "no source address for ARP request",
        severity = ERROR
    )]
    NoSource,
    /// Packets that were kept until the answer.
    #[error_counter(name = "held", description = "packets held until resolution", severity = INFO)]
    Held,
    /// Packets that gave way to a later one, or waited in vain.
    #[error_counter(
        name = "hold_dropped",
        description = "held packets replaced or given up",
        severity = ERROR
    )]
    HoldDropped,
}

/// One of the two nodes; one instance a thread.
pub struct Resolve {
    forwarding: Forwarding,
    sources: SourceAddresses,
    rows: ArpRows,
    hold: Hold,
    asked: FxHashMap<Key, Instant>,
}

impl fmt::Debug for Resolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolve")
            .field("held", &self.hold.len())
            .finish_non_exhaustive()
    }
}

impl Resolve {
    /// Makes the instance of one thread, which holds at most `capacity` packets.
    #[must_use]
    pub fn new(
        forwarding: Forwarding,
        sources: SourceAddresses,
        counters: &ArpCounters,
        thread: usize,
        capacity: usize,
    ) -> Self {
        let rows = counters.tx_rows(thread);
        Self {
            forwarding,
            sources,
            rows,
            hold: Hold::new(capacity),
            asked: FxHashMap::default(),
        }
    }

    /// Moves what waits for a neighbour into an empty frame.
    pub fn release(&mut self, interface: SwIfIndex, address: Ipv4Addr, frame: &mut Frame) {
        self.asked.remove(&(interface, address));
        if let Some(packet) = self.hold.release((interface, address)) {
            frame.push(packet).expect("the caller gives an empty frame");
        }
    }

    /// Whether a question may go out now, which is then noted.
    fn may_ask(&mut self, key: Key, now: Instant) -> bool {
        if self.asked.len() >= REMEMBERED {
            self.asked.retain(|_, at| now.saturating_since(*at) < PAUSE);
        }
        match self.asked.get_mut(&key) {
            Some(at) if now.saturating_since(*at) < PAUSE => false,
            Some(at) => {
                *at = now;
                true
            }
            None => {
                if self.asked.len() < REMEMBERED {
                    self.asked.insert(key, now);
                }
                true
            }
        }
    }
}

/// Whom to ask for, and from which address.
fn question(
    packet: &Packet<'_>,
    adjacency: &Adjacency,
    sources: &SourceAddresses,
) -> Option<(Ipv4Addr, Option<Ipv4Addr>)> {
    let interface = adjacency.interface;
    match adjacency.kind {
        AdjKind::Glean => {
            let target = Ipv4Addr::from_octets(packet.read::<4>(16)?);
            let own = Ipv4Addr::from_bits(adjacency.source);
            let own = if own.is_unspecified() {
                sources.towards(interface, target)
            } else {
                Some(own)
            };
            Some((target, own))
        }
        AdjKind::Incomplete => {
            let target = Ipv4Addr::from_bits(adjacency.source);
            Some((target, sources.towards(interface, target)))
        }
        _ => None,
    }
}

/// Writes the question into a fresh packet; says whether it fits.
fn ask(packet: &mut Packet<'_>, adjacency: &Adjacency, own: Ipv4Addr, target: Ipv4Addr) -> bool {
    let rewrite = adjacency.rewrite.as_bytes();
    let Some(mac) = rewrite.get(6..).and_then(<[u8]>::first_chunk).copied() else {
        return false;
    };
    let arp = ArpPacket::new(REQUEST, (mac, own), ([0; 6], target));
    packet.restart(0);
    packet.flags.insert(PacketFlags::LOCALLY_ORIGINATED);
    packet.tx_sw_if_index = adjacency.interface.0;
    packet.l2_header_offset = 0;
    packet.l3_header_offset = rewrite.len() as i16;
    packet.append_bytes(rewrite) && packet.append_bytes(arp.as_bytes())
}

impl PacketNode for Resolve {
    type NextNodes = Next;
    type Errors = ResolveError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, crate::ip4::local::trace_of);
        let now = cx.now();
        let late: Vec<Buffer> = self.hold.expire(now).collect();
        for packet in late {
            self.give_up(cx, packet);
        }
        for buffer in vector.drain() {
            self.resolve(cx, buffer, now);
        }
    }
}

impl Resolve {
    fn give_up(&mut self, cx: &mut PacketContext<'_, Self>, mut buffer: Buffer) {
        cx.error(&mut buffer.packet(), ResolveError::HoldDropped);
        let drop = cx.next(Next::Drop);
        cx.push(buffer, drop);
    }

    fn resolve(&mut self, cx: &mut PacketContext<'_, Self>, mut buffer: Buffer, now: Instant) {
        let mut packet = buffer.packet();
        let adjacency = self
            .forwarding
            .adjacencies()
            .read(AdjIndex(packet.adj_index));
        if adjacency.kind == AdjKind::Rewrite {
            cx.count(ResolveError::Resolved, 1);
            let rewrite = cx.next(Next::Rewrite);
            return cx.push(buffer, rewrite);
        }
        let drop: NodeId = cx.next(Next::Drop);
        let Some((target, own)) = question(&packet, &adjacency, &self.sources) else {
            cx.error(&mut packet, ResolveError::NotToBeAsked);
            return cx.push(buffer, drop);
        };
        let Some(own) = own else {
            cx.error(&mut packet, ResolveError::NoSource);
            return cx.push(buffer, drop);
        };
        let key = (adjacency.interface, target);
        let reason = if self.may_ask(key, now) {
            self.send(cx, &adjacency, own, target)
        } else {
            ResolveError::Throttled
        };
        cx.error(&mut packet, reason);
        match self.hold.keep(key, buffer, now) {
            None => cx.count(ResolveError::Held, 1),
            // Nothing is kept at all: the packet itself is dropped, for the reason it was given.
            Some(mine) => cx.push(mine, drop),
        }
    }

    fn send(
        &mut self,
        cx: &mut PacketContext<'_, Self>,
        adjacency: &Adjacency,
        own: Ipv4Addr,
        target: Ipv4Addr,
    ) -> ResolveError {
        let Some(mut buffer) = cx.alloc_one() else {
            return ResolveError::NoBuffers;
        };
        if !ask(&mut buffer.packet(), adjacency, own, target) {
            cx.free_one(buffer);
            return ResolveError::NotToBeAsked;
        }
        self.rows.request(adjacency.interface);
        let output = NodeId::from_index(u32::from(adjacency.node)).unwrap_or_default();
        cx.push(buffer, output);
        ResolveError::RequestSent
    }
}
