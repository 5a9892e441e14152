//! `ip4-rewrite`: takes one from the time to live, puts the link header in front and sends.
//!
//! Packets larger than the link takes are cut by `ip4-frag`, or answered with an error where they must
//! not be cut. `ip4-rewrite-bcast` is the same towards every host of a connected network.

use super::Ip4Error;
use super::forwarding::{Forwarding, PathMtuMap};
use super::header::Ip4Header;
use crate::adj::{AdjFlags, AdjIndex, AdjKind, Adjacency};
use crate::error_base::ErrorBase;
use crate::icmp::error::{IcmpError, set_error};
use barrow_engine::{
    ArcHandle, NextNodes, NodeId, Packet, PacketContext, PacketFlags, PacketNode, Vector,
};
use barrow_stats::CombinedRow;
use std::fmt;
use zerocopy::FromBytes;

/// What every link carries (RFC 791 section 3.2): no path is narrower.
const LEAST_MTU: u16 = 68;

/// Where packets go that are not sent.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Nowhere.
    #[next_node = "ip4-drop"]
    Drop,
    /// Back to the sender, with an error.
    #[next_node = "ip4-icmp-error"]
    IcmpError,
    /// To be cut.
    #[next_node = "ip4-frag"]
    Fragment,
    /// The neighbour was lost since the lookup.
    #[next_node = "ip4-arp"]
    Arp,
}

/// The node; one a thread.
pub struct Ip4Rewrite {
    forwarding: Forwarding,
    output: ArcHandle,
    input_errors: ErrorBase<Ip4Error>,
    counters: CombinedRow,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for Ip4Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Rewrite").finish_non_exhaustive()
    }
}

impl Ip4Rewrite {
    /// Makes the instance of one thread. `output` is the arc `ip4-output`; expired packets count as
    /// `ip4-input`'s, as in VPP; `counters` is the row of `/net/adjacency`.
    #[must_use]
    pub fn new(
        forwarding: Forwarding,
        output: ArcHandle,
        input_errors: ErrorBase<Ip4Error>,
        counters: CombinedRow,
    ) -> Self {
        Self {
            forwarding,
            output,
            input_errors,
            counters,
            nexts: Vec::with_capacity(256),
        }
    }
}

/// Why a packet is not sent as it is.
enum Refused {
    Expired,
    TooBig { mtu: u16, may_be_cut: bool },
    Unreadable,
}

/// Changes the header for the next hop and checks it against the link.
#[inline]
fn prepare(packet: &mut Packet<'_>, adjacency: &Adjacency) -> Result<(), Refused> {
    let total = packet.total_len();
    let own = packet.flags.contains(PacketFlags::LOCALLY_ORIGINATED);
    let gso = packet.flags.contains(PacketFlags::GSO);
    let gso_size = usize::from(packet.gso_size) + usize::from(packet.gso_l4_header_length);
    let Ok((header, _)) = Ip4Header::mut_from_prefix(packet.data_mut()) else {
        return Err(Refused::Unreadable);
    };
    if !own && header.ttl <= 1 {
        return Err(Refused::Expired);
    }
    // A segmented packet leaves in pieces of its own size.
    let len = if gso {
        gso_size + header.header_len()
    } else {
        total
    };
    if len > usize::from(adjacency.mtu) {
        let may_be_cut = !header.dont_fragment() && !gso;
        return Err(Refused::TooBig {
            mtu: adjacency.mtu,
            may_be_cut,
        });
    }
    // Last, so that a packet that comes back from ip4-frag has lost nothing yet.
    if !own {
        header.decrement_ttl();
    }
    Ok(())
}

/// The adjacency as it is for a packet whose path is narrower than the link.
fn narrowed(mtus: &PathMtuMap, packet: &Packet<'_>, mut adjacency: Adjacency) -> Adjacency {
    let destination = packet.read::<4>(16).map(u32::from_be_bytes);
    let mtu = destination.and_then(|to| mtus.get(&(packet.fib_index, to)));
    if let Some(mtu) = mtu {
        adjacency.mtu = adjacency.mtu.min(*mtu).max(LEAST_MTU);
    }
    adjacency
}

/// A rewrite as `show trace` prints it.
struct Trace {
    adjacency: Adjacency,
    index: u32,
    hash: u32,
    bytes: [u8; 64],
    len: usize,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let adjacency = &self.adjacency;
        write!(
            f,
            "tx_sw_if_index {} dpo-idx {} : ",
            adjacency.interface, self.index
        )?;
        write!(f, "mtu:{} next:{} flags:[] ", adjacency.mtu, adjacency.node)?;
        for byte in adjacency.rewrite.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        write!(f, " flow hash: 0x{:08x}", self.hash)?;
        for (line, bytes) in self.bytes[..self.len].chunks(32).enumerate() {
            write!(f, "\n{:08x}: ", line * 32)?;
            for byte in bytes {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl Trace {
    fn new(packet: &Packet<'_>, adjacency: Adjacency) -> Self {
        let mut bytes = [0; 64];
        let data = packet.data();
        let len = data.len().min(bytes.len());
        bytes[..len].copy_from_slice(&data[..len]);
        Self {
            adjacency,
            index: packet.adj_index,
            hash: packet.flow_hash,
            bytes,
            len,
        }
    }
}

impl PacketNode for Ip4Rewrite {
    type NextNodes = Next;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let tracing = cx.tracing();
        let counting = self.forwarding.adjacencies().counting();
        let path_mtus = self.forwarding.path_mtus();
        let mut index = AdjIndex::NONE;
        let mut adjacency = Adjacency::DROP;
        self.nexts.clear();
        for i in 0..vector.len() {
            vector.prefetch(i + 8);
            let mut packet = vector.packet(i);
            if packet.adj_index != index.0 {
                index = AdjIndex(packet.adj_index);
                adjacency = self.forwarding.adjacencies().read(index);
            }
            let next = match &*path_mtus {
                None => self.send(cx, &mut packet, &adjacency),
                Some(mtus) => {
                    let narrowed = narrowed(mtus, &packet, adjacency);
                    self.send(cx, &mut packet, &narrowed)
                }
            };
            if counting {
                self.counters.add2(index.0, 1, packet.total_len() as u64);
            }
            if tracing && packet.is_traced() {
                cx.trace(&packet, Trace::new(&packet, adjacency));
            }
            self.nexts.push(next);
        }
        cx.enqueue(vector, &self.nexts);
    }
}

impl Ip4Rewrite {
    #[inline]
    fn send(
        &self,
        cx: &PacketContext<'_, Self>,
        packet: &mut Packet<'_>,
        adjacency: &Adjacency,
    ) -> NodeId {
        if !matches!(adjacency.kind, AdjKind::Rewrite | AdjKind::Broadcast) {
            return self.lost(cx, packet, adjacency);
        }
        if let Err(refused) = prepare(packet, adjacency) {
            return self.refused(cx, packet, &refused);
        }
        packet.l3_header_offset = packet.offset();
        if !packet.push_bytes(adjacency.rewrite.as_bytes()) {
            packet.error = cx.error_index(Ip4Error::Drop);
            return cx.next(Next::Drop);
        }
        packet.l2_header_offset = packet.offset();
        packet.tx_sw_if_index = adjacency.interface.0;
        let output = NodeId::from_index(u32::from(adjacency.node)).unwrap_or_default();
        if adjacency.flags.contains(AdjFlags::FEATURES) {
            cx.arc_start(self.output, adjacency.interface.0, packet, output)
        } else {
            output
        }
    }

    #[cold]
    fn lost(
        &self,
        cx: &PacketContext<'_, Self>,
        packet: &mut Packet<'_>,
        adjacency: &Adjacency,
    ) -> NodeId {
        if adjacency.kind == AdjKind::Incomplete {
            return cx.next(Next::Arp);
        }
        packet.error = cx.error_index(Ip4Error::Drop);
        cx.next(Next::Drop)
    }

    #[cold]
    fn refused(
        &self,
        cx: &PacketContext<'_, Self>,
        packet: &mut Packet<'_>,
        refused: &Refused,
    ) -> NodeId {
        match *refused {
            Refused::Expired => {
                packet.error = self.input_errors.index(Ip4Error::TimeExpired);
                set_error(packet, IcmpError::TTL_EXPIRED);
                cx.next(Next::IcmpError)
            }
            Refused::TooBig {
                may_be_cut: true,
                mtu,
            } => {
                packet.opaque[0] = u32::from(mtu);
                cx.next(Next::Fragment)
            }
            Refused::TooBig {
                may_be_cut: false,
                mtu,
            } => {
                packet.error = cx.error_index(Ip4Error::MtuExceeded);
                set_error(packet, IcmpError::fragmentation_needed(mtu));
                cx.next(Next::IcmpError)
            }
            Refused::Unreadable => {
                packet.error = cx.error_index(Ip4Error::TooShort);
                cx.next(Next::Drop)
            }
        }
    }
}
