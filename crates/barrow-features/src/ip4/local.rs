//! `ip4-receive` and `ip4-local`: packets for this node itself.
//!
//! Transport checksums are verified, impossible sources dropped, and the rest handed to whoever
//! registered the protocol or the UDP port. A port that nobody listens on is answered with an ICMP
//! error, a protocol that nobody speaks is punted.
//!
//! Fragments are put together before anything of this ([`reassembly`](super::reassembly)).
//!
//! A route leads to `ip4-receive`, which starts the arc `ip4-local`; other nodes may hand packets to
//! `ip4-local` itself. Counters are `ip4-local`'s in both, as in VPP.

use super::Ip4Error;
use super::forwarding::Forwarding;
use super::header::{Ip4Header, protocol};
use super::trace::Ip4Trace;
use crate::error_base::ErrorBase;
use crate::fib::{DpoKind, FibIndex};
use crate::icmp::error::{IcmpError, set_error};
use crate::interface::sum_chain;
use crate::interface::{InterfaceWords, SwIfIndex};
use crate::ip::checksum::Sum;
use arc_swap::ArcSwap;
use barrow_engine::{
    ArcHandle, NextNodes, NodeId, Packet, PacketContext, PacketFlags, PacketNode, Vector,
};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use zerocopy::FromBytes;

/// Who takes packets for this node; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Listeners(Arc<ArcSwap<List>>);

#[derive(Clone, Debug)]
struct List {
    protocols: [NodeId; 256],
    udp_ports: HashMap<u16, NodeId>,
}

impl Default for Listeners {
    fn default() -> Self {
        let list = List {
            protocols: [NodeId::NONE; 256],
            udp_ports: HashMap::new(),
        };
        Self(Arc::new(ArcSwap::from_pointee(list)))
    }
}

impl Listeners {
    /// Sends packets of a protocol to a node, from the IPv4 header on.
    pub fn register_protocol(&self, protocol: u8, node: NodeId) {
        self.change(|list| list.protocols[usize::from(protocol)] = node);
    }

    /// Sends datagrams to a UDP port to a node, from the IPv4 header on; `None` closes the port.
    pub fn register_udp_port(&self, port: u16, node: Option<NodeId>) {
        self.change(|list| {
            match node {
                Some(node) => list.udp_ports.insert(port, node),
                None => list.udp_ports.remove(&port),
            };
        });
    }

    fn change(&self, change: impl FnOnce(&mut List)) {
        let mut list = List::clone(&self.0.load());
        change(&mut list);
        self.0.store(Arc::new(list));
    }
}

/// Where packets go that nobody registered for.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Not valid.
    #[next_node = "ip4-drop"]
    Drop,
    /// Nobody's protocol.
    #[next_node = "ip4-punt"]
    Punt,
    /// Nobody's port.
    #[next_node = "ip4-icmp-error"]
    IcmpError,
    /// A fragment.
    #[next_node = "ip4-local-full-reassembly"]
    Reassembly,
}

/// The node; one a thread.
pub struct Ip4Local {
    /// Set for `ip4-receive`: the arc it starts.
    arc: Option<ArcHandle>,
    errors: Option<ErrorBase<Ip4Error>>,
    listeners: Listeners,
    forwarding: Forwarding,
    words: InterfaceWords,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for Ip4Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4Local")
            .field("starts_arc", &self.arc.is_some())
            .finish_non_exhaustive()
    }
}

impl Ip4Local {
    /// Makes the instance of one thread: `ip4-receive` with an arc and the counters of `ip4-local`,
    /// `ip4-local` without.
    #[must_use]
    pub fn new(
        arc: Option<ArcHandle>,
        errors: Option<ErrorBase<Ip4Error>>,
        listeners: Listeners,
        forwarding: Forwarding,
        words: InterfaceWords,
    ) -> Self {
        Self {
            arc,
            errors,
            listeners,
            forwarding,
            words,
            nexts: Vec::with_capacity(256),
        }
    }

    fn error(&self, cx: &PacketContext<'_, Self>, error: Ip4Error) -> u16 {
        self.errors
            .map_or_else(|| cx.error_index(error), |errors| errors.index(error))
    }

    /// Whether a source is one that a packet from outside may have: not ours, and not nobody's.
    fn check_source(&self, packet: &Packet<'_>, header: &Ip4Header) -> Result<(), Ip4Error> {
        if packet.flags.contains(PacketFlags::LOCALLY_ORIGINATED) {
            return Ok(());
        }
        let source = header.source();
        if source.is_multicast() || source.is_broadcast() || source.is_loopback() {
            return Err(Ip4Error::Spoofed);
        }
        // A host that has no address yet may speak to us (DHCP), nobody else.
        if source.is_unspecified() {
            return if header.protocol == protocol::UDP {
                Ok(())
            } else {
                Err(Ip4Error::Spoofed)
            };
        }
        let table = self.words.get(SwIfIndex(packet.rx_sw_if_index)).fib_index();
        let table = self.forwarding.ip4_table(FibIndex(table));
        let Some(mtrie) = &*table else {
            return Ok(());
        };
        let found = mtrie.lookup(u32::from_be_bytes(header.source));
        match self
            .forwarding
            .load_balances()
            .load(found)
            .only()
            .map(|dpo| dpo.kind())
        {
            Some(DpoKind::Receive) => Err(Ip4Error::Spoofed),
            Some(DpoKind::Drop) => Err(Ip4Error::SourceLookupMiss),
            _ => Ok(()),
        }
    }
}

/// Verifies the checksum of a TCP segment or UDP datagram over all its buffers.
fn check_transport(packet: &Packet<'_>, header: &Ip4Header) -> Result<(), Ip4Error> {
    if packet.flags.contains(PacketFlags::L4_CKSUM_CORRECT) {
        return Ok(());
    }
    let skip = header.header_len();
    let len = usize::from(header.total_length.get()) - skip.min(header.total_length.get().into());
    match header.protocol {
        protocol::UDP => {
            let udp = packet.read::<8>(skip).ok_or(Ip4Error::UdpLength)?;
            let claimed = usize::from(u16::from_be_bytes([udp[4], udp[5]]));
            if claimed < 8 || claimed > len {
                return Err(Ip4Error::UdpLength);
            }
            let without = udp[6] == 0 && udp[7] == 0;
            let right = without || sums_up(packet, header, skip, claimed);
            if right {
                Ok(())
            } else {
                Err(Ip4Error::UdpChecksum)
            }
        }
        protocol::TCP if !sums_up(packet, header, skip, len) => Err(Ip4Error::TcpChecksum),
        _ => Ok(()),
    }
}

fn sums_up(packet: &Packet<'_>, header: &Ip4Header, skip: usize, len: usize) -> bool {
    let sum = Sum::new().pseudo_ip4(
        header.source,
        header.destination,
        header.protocol,
        len as u16,
    );
    packet.total_len() >= skip + len && sum_chain(packet, skip, len, sum).fold() == 0xffff
}

/// A delivery as `show trace` prints it.
struct Trace {
    fib: u32,
    adj: u32,
    flow: u32,
    packet: Ip4Trace,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  fib:{} adj:{} flow:0x{:08x}",
            self.fib, self.adj, self.flow
        )?;
        self.packet.fmt(f)
    }
}

/// The record of `ip4-receive`, `ip4-drop` and their kin.
pub(crate) fn trace_of(packet: &Packet<'_>) -> impl fmt::Display + Send + 'static + use<> {
    Trace {
        fib: packet.fib_index,
        adj: packet.adj_index,
        flow: packet.flow_hash,
        packet: Ip4Trace::new(packet.data()),
    }
}

impl PacketNode for Ip4Local {
    type NextNodes = Next;
    type Errors = Ip4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, trace_of);
        let listeners = self.listeners.0.load();
        let mut nexts = std::mem::take(&mut self.nexts);
        nexts.clear();
        for mut packet in vector.packets() {
            nexts.push(self.deliver(cx, &listeners, &mut packet));
        }
        cx.enqueue(vector, &nexts);
        self.nexts = nexts;
    }
}

impl Ip4Local {
    fn deliver(
        &self,
        cx: &PacketContext<'_, Self>,
        listeners: &List,
        packet: &mut Packet<'_>,
    ) -> NodeId {
        let checked = match Ip4Header::ref_from_prefix(packet.data()) {
            // What it is part of is checked once it is whole.
            Ok((header, _)) if header.is_fragment() => return cx.next(Next::Reassembly),
            Ok((header, _)) => check_transport(packet, header)
                .and_then(|()| self.check_source(packet, header))
                .map(|()| *header),
            Err(_) => Err(Ip4Error::TooShort),
        };
        let header = match checked {
            Ok(header) => header,
            Err(error) => {
                packet.error = self.error(cx, error);
                return cx.next(Next::Drop);
            }
        };
        let next = self.listener(cx, listeners, packet, &header);
        match self.arc {
            Some(arc) => cx.arc_start(arc, packet.rx_sw_if_index, packet, next),
            None => next,
        }
    }

    fn listener(
        &self,
        cx: &PacketContext<'_, Self>,
        listeners: &List,
        packet: &mut Packet<'_>,
        header: &Ip4Header,
    ) -> NodeId {
        let node = listeners.protocols[usize::from(header.protocol)];
        if node != NodeId::NONE {
            return node;
        }
        packet.error = self.error(cx, Ip4Error::UnknownProtocol);
        if header.protocol != protocol::UDP {
            return cx.next(Next::Punt);
        }
        let port = packet
            .read::<2>(header.header_len() + 2)
            .map_or(0, u16::from_be_bytes);
        if let Some(node) = listeners.udp_ports.get(&port) {
            packet.error = 0;
            return *node;
        }
        set_error(packet, IcmpError::PORT_UNREACHABLE);
        cx.next(Next::IcmpError)
    }
}
