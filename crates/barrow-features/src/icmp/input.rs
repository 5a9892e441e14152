//! `ip4-icmp-input`: hands ICMP messages for this node to whoever registered their type.

use super::Icmp4Error;
use super::header::{HEADER_LEN, IcmpHeader};
use crate::ip4::check::header_of;
use crate::ip4::trace::Ip4Trace;
use arc_swap::ArcSwap;
use barrow_engine::{NextNodes, NodeId, Packet, PacketContext, PacketNode, Vector};
use std::fmt;
use std::sync::Arc;
use zerocopy::FromBytes;

/// Which node takes which ICMP type; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct IcmpTypes(Arc<ArcSwap<[NodeId; 256]>>);

impl Default for IcmpTypes {
    fn default() -> Self {
        Self(Arc::new(ArcSwap::from_pointee([NodeId::NONE; 256])))
    }
}

impl IcmpTypes {
    /// Sends messages of a type to a node, from the IPv4 header on.
    pub fn register(&self, kind: u8, node: NodeId) {
        let mut nodes = **self.0.load();
        nodes[usize::from(kind)] = node;
        self.0.store(Arc::new(nodes));
    }
}

/// Where packets go that nobody registered for.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Nobody's.
    #[next_node = "ip4-punt"]
    Punt,
    /// Too short.
    #[next_node = "ip4-drop"]
    Drop,
}

/// The node; one a thread.
pub struct Ip4IcmpInput {
    types: IcmpTypes,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for Ip4IcmpInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4IcmpInput").finish_non_exhaustive()
    }
}

impl Ip4IcmpInput {
    /// Makes the instance of one thread.
    #[must_use]
    pub fn new(types: IcmpTypes) -> Self {
        Self {
            types,
            nexts: Vec::with_capacity(256),
        }
    }
}

/// The type of the message behind a packet's IPv4 header.
fn kind_of(packet: &Packet<'_>) -> Option<u8> {
    let start = header_of(packet)?.header_len();
    let (icmp, _) = IcmpHeader::ref_from_prefix(packet.at(start, HEADER_LEN)?).ok()?;
    Some(icmp.kind)
}

impl PacketNode for Ip4IcmpInput {
    type NextNodes = Next;
    type Errors = Icmp4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Ip4Trace::new(packet.data()));
        let types = self.types.0.load();
        self.nexts.clear();
        for mut packet in vector.packets() {
            let next = match kind_of(&packet) {
                Some(kind) if types[usize::from(kind)] != NodeId::NONE => types[usize::from(kind)],
                Some(_) => {
                    cx.error(&mut packet, Icmp4Error::UnknownType);
                    cx.next(Next::Punt)
                }
                None => {
                    cx.error(&mut packet, Icmp4Error::TooShort);
                    cx.next(Next::Drop)
                }
            };
            self.nexts.push(next);
        }
        cx.enqueue(vector, &self.nexts);
    }
}
