//! `ip4-lookup`: longest-prefix match, load balance, recursion, and on to whatever sends the packet.
//!
//! Works on a vector in passes, so that the loads of many packets are in flight at once:
//!
//! ```text
//! destinations --> mtrie (batch) --> load balances --> counters asked for --> next nodes
//! ```
//!
//! Routes that look up in another table are followed here, at most [`MAX_LOOKUPS`] times. A packet's
//! `adj_index` afterwards is the index of what it was found to go through: an adjacency, or the interface
//! that owns the address.

use super::Ip4Error;
use super::flow::flow_of;
use super::forwarding::{Forwarding, RouteRows};
use super::trace::Ip4Trace;
use crate::adj::{AdjIndex, AdjKind};
use crate::fib::{Choice, Dpo, DpoKind, FibIndex, LbIndex};
use crate::interface::{InterfaceWords, SwIfIndex};
use barrow_engine::{NextNodes, NodeId, Packet, PacketContext, PacketNode, UNSET, Vector};
use std::fmt;

/// Tables that one packet may be looked up in, one after the other.
pub const MAX_LOOKUPS: usize = 4;
/// Times that one packet may be received again from another interface.
const MAX_RECEPTIONS: u32 = 4;

/// Where packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Nowhere.
    #[next_node = "ip4-drop"]
    Drop,
    /// To whoever registered.
    #[next_node = "ip4-punt"]
    Punt,
    /// To this node.
    #[next_node = "ip4-receive"]
    Receive,
    /// To a neighbour that must be resolved.
    #[next_node = "ip4-arp"]
    Arp,
    /// To a host of a connected network that is no neighbour yet.
    #[next_node = "ip4-glean"]
    Glean,
    /// To a neighbour.
    #[next_node = "ip4-rewrite"]
    Rewrite,
    /// To every host of a connected network.
    #[next_node = "ip4-rewrite-bcast"]
    Broadcast,
    /// Back to the sender, with an error.
    #[next_node = "ip4-icmp-error"]
    IcmpError,
    /// Received again.
    #[next_node = "ip4-input"]
    Input,
}

/// The node; one a thread.
pub struct Ip4Lookup {
    forwarding: Forwarding,
    words: InterfaceWords,
    to: RouteRows,
    via: RouteRows,
    destinations: Vec<u32>,
    tables: Vec<u32>,
    found: Vec<LbIndex>,
    choices: Vec<Choice>,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for Ip4Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Lookup").finish_non_exhaustive()
    }
}

impl Ip4Lookup {
    /// Makes the instance of one thread; `to` counts routes packets are sent to, `via` routes they
    /// recurse through.
    #[must_use]
    pub fn new(
        forwarding: Forwarding,
        words: InterfaceWords,
        to: RouteRows,
        via: RouteRows,
    ) -> Self {
        Self {
            forwarding,
            words,
            to,
            via,
            destinations: Vec::with_capacity(256),
            tables: Vec::with_capacity(256),
            found: Vec::with_capacity(256),
            choices: Vec::with_capacity(256),
            nexts: Vec::with_capacity(256),
        }
    }

    /// First pass: destinations and tables, and whether all are to be looked up in one table.
    fn collect(&mut self, vector: &mut Vector<'_>) -> Option<u32> {
        self.destinations.clear();
        self.tables.clear();
        let mut interface = u32::MAX;
        let mut own_table = 0;
        let mut same = None;
        let mut mixed = false;
        for i in 0..vector.len() {
            vector.prefetch(i + 8);
            let mut packet = vector.packet(i);
            if packet.rx_sw_if_index != interface {
                interface = packet.rx_sw_if_index;
                own_table = self.words.get(SwIfIndex(interface)).fib_index();
            }
            let table = match packet.tx_sw_if_index {
                UNSET => own_table,
                chosen => chosen,
            };
            packet.fib_index = table;
            let destination = packet.read::<4>(16).map_or(0, u32::from_be_bytes);
            self.destinations.push(destination);
            self.tables.push(table);
            mixed |= *same.get_or_insert(table) != table;
        }
        if mixed { None } else { same }
    }

    /// Second pass: what the tables say.
    fn look_up(&mut self, one_table: Option<u32>) {
        self.found.clear();
        self.found.resize(self.destinations.len(), LbIndex::DROP);
        if let Some(table) = one_table {
            if let Some(mtrie) = &*self.forwarding.ip4_table(FibIndex(table)) {
                mtrie.lookup_batch(&self.destinations, &mut self.found);
            }
        } else {
            let each = self
                .destinations
                .iter()
                .zip(&self.tables)
                .zip(&mut self.found);
            for ((destination, table), found) in each {
                if let Some(mtrie) = &*self.forwarding.ip4_table(FibIndex(*table)) {
                    *found = mtrie.lookup(*destination);
                }
            }
        }
        self.choices.clear();
        self.choices.resize(self.found.len(), Choice::DROP);
        self.forwarding
            .load_balances()
            .load_batch(&self.found, &mut self.choices);
        for found in &self.found {
            self.to.prefetch(*found);
        }
    }
}

/// Follows one packet from its route to what sends it.
#[inline]
fn resolve(
    forwarding: &Forwarding,
    via: &RouteRows,
    packet: &mut Packet<'_>,
    found: LbIndex,
    choice: Choice,
) -> Dpo {
    let far = |dpo: &Dpo| matches!(dpo.kind(), DpoKind::LoadBalance | DpoKind::Lookup);
    if let Some(dpo) = choice.only().filter(|dpo| !far(dpo)) {
        return dpo;
    }
    follow(forwarding, via, packet, found)
}

/// The long way: several paths, recursion, other tables.
fn follow(
    forwarding: &Forwarding,
    via: &RouteRows,
    packet: &mut Packet<'_>,
    mut found: LbIndex,
) -> Dpo {
    let bytes = packet.total_len() as u64;
    let destination = packet.read::<4>(16).map_or(0, u32::from_be_bytes);
    for _ in 0..MAX_LOOKUPS {
        let mut hash = packet.flow_hash;
        let flow = &packet;
        let dpo = forwarding.load_balances().resolve(
            found,
            |config| {
                hash = flow_of(flow).hash(config, forwarding.router_id());
                hash
            },
            |next| via.add(next, 1, bytes),
        );
        packet.flow_hash = hash;
        if dpo.kind() != DpoKind::Lookup {
            return dpo;
        }
        packet.fib_index = dpo.index();
        found = match &*forwarding.ip4_table(FibIndex(dpo.index())) {
            Some(mtrie) => mtrie.lookup(destination),
            None => return Dpo::DROP,
        };
    }
    Dpo::DROP
}

/// A lookup as `show trace` prints it.
struct Trace {
    fib: u32,
    dpo: u32,
    hash: u32,
    packet: Ip4Trace,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "fib {} dpo-idx {} flow hash: 0x{:08x}",
            self.fib, self.dpo, self.hash
        )?;
        self.packet.fmt(f)
    }
}

impl PacketNode for Ip4Lookup {
    type NextNodes = Next;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let one_table = self.collect(&mut vector);
        self.look_up(one_table);
        let tracing = cx.tracing();
        let (mut last, mut last_next) = (None, cx.next(Next::Drop));
        let (mut run, mut run_packets, mut run_bytes) = (LbIndex::DROP, 0, 0);
        self.nexts.clear();
        for i in 0..vector.len() {
            let mut packet = vector.packet(i);
            let found = self.found[i];
            if found != run {
                self.to.add(run, run_packets, run_bytes);
                (run, run_packets, run_bytes) = (found, 0, 0);
            }
            run_packets += 1;
            run_bytes += packet.total_len() as u64;
            let dpo = resolve(
                &self.forwarding,
                &self.via,
                &mut packet,
                found,
                self.choices[i],
            );
            packet.adj_index = dpo.index();
            let next = if last == Some(dpo) {
                last_next
            } else {
                let next = self.next_of(cx, &mut packet, dpo);
                // Errors and receptions are noted in the packet, so each is looked at for itself.
                if matches!(dpo.kind(), DpoKind::Adjacency | DpoKind::Receive) {
                    (last, last_next) = (Some(dpo), next);
                }
                next
            };
            if tracing && packet.is_traced() {
                let (fib, hash) = (packet.fib_index, packet.flow_hash);
                let trace = Ip4Trace::new(packet.data());
                cx.trace(
                    &packet,
                    Trace {
                        fib,
                        dpo: dpo.index(),
                        hash,
                        packet: trace,
                    },
                );
            }
            self.nexts.push(next);
        }
        self.to.add(run, run_packets, run_bytes);
        cx.enqueue(vector, &self.nexts);
    }
}

impl Ip4Lookup {
    fn next_of(&self, cx: &PacketContext<'_, Self>, packet: &mut Packet<'_>, dpo: Dpo) -> NodeId {
        use crate::icmp::error::{IcmpError, set_error};
        let next = match dpo.kind() {
            DpoKind::Adjacency => match self.forwarding.adjacencies().kind(AdjIndex(dpo.index())) {
                AdjKind::Rewrite => Next::Rewrite,
                AdjKind::Incomplete => Next::Arp,
                AdjKind::Glean => Next::Glean,
                AdjKind::Broadcast => Next::Broadcast,
                AdjKind::Drop => Next::Drop,
            },
            DpoKind::Receive => Next::Receive,
            DpoKind::Punt => Next::Punt,
            DpoKind::Unreachable => {
                set_error(packet, IcmpError::HOST_UNREACHABLE);
                Next::IcmpError
            }
            DpoKind::Prohibited => {
                set_error(packet, IcmpError::PROHIBITED);
                Next::IcmpError
            }
            DpoKind::InterfaceRx if packet.opaque[2] < MAX_RECEPTIONS => {
                packet.opaque[2] += 1;
                packet.rx_sw_if_index = dpo.index();
                packet.tx_sw_if_index = UNSET;
                Next::Input
            }
            DpoKind::Drop | DpoKind::Lookup | DpoKind::LoadBalance | DpoKind::InterfaceRx => {
                Next::Drop
            }
        };
        if matches!(next, Next::Drop | Next::IcmpError) {
            packet.error = cx.error_index(Ip4Error::DestinationLookupMiss);
        }
        cx.next(next)
    }
}
