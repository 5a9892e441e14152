//! Interfaces as adjacencies and paths see them.

use super::{Framing, Interfaces, SwIfIndex};
use crate::adj::{Links, Output, Reach, Rewrite};
use crate::ethernet::header::EtherType;
use crate::fib::AddressFamily;
use barrow_engine::{ArcTable, NodeId};

/// Answers the tables' questions from the table of interfaces.
#[derive(Clone, Debug)]
pub struct InterfaceLinks {
    interfaces: Interfaces,
    arcs: ArcTable,
}

impl InterfaceLinks {
    /// Answers from these interfaces; whether output features are on comes from the arcs.
    #[must_use]
    pub fn new(interfaces: Interfaces, arcs: ArcTable) -> Self {
        Self { interfaces, arcs }
    }
}

/// The Ethernet header of an interface: destination, source, tags, type.
fn ethernet_header(
    interfaces: &Interfaces,
    index: SwIfIndex,
    destination: [u8; 6],
    carried: EtherType,
) -> Option<Rewrite> {
    let source = interfaces.hw_of(index)?.mac.0;
    let vlan = interfaces.sw(index)?.sub.map(|sub| sub.vlan);
    let mut header = Vec::with_capacity(22);
    header.extend_from_slice(&destination);
    header.extend_from_slice(&source);
    let mut tag = |ether_type: EtherType, id: u16| {
        header.extend_from_slice(&ether_type.0.to_be_bytes());
        header.extend_from_slice(&id.to_be_bytes());
    };
    if let Some(vlan) = vlan.filter(|vlan| vlan.tags > 0) {
        let outer = if vlan.dot1ad {
            EtherType::DOT1AD
        } else {
            EtherType::DOT1Q
        };
        tag(outer, vlan.outer_id);
        if vlan.tags > 1 {
            tag(EtherType::DOT1Q, vlan.inner_id);
        }
    }
    header.extend_from_slice(&carried.0.to_be_bytes());
    Rewrite::new(&header)
}

/// The header of a frame that asks all stations of an interface.
pub(crate) fn question_header(interfaces: &Interfaces, index: SwIfIndex) -> Option<Vec<u8>> {
    let header = ethernet_header(interfaces, index, [0xff; 6], EtherType::ARP)?;
    Some(header.as_bytes().to_vec())
}

/// The header of an IPv4 packet to all stations of an interface.
pub(crate) fn broadcast_header(interfaces: &Interfaces, index: SwIfIndex) -> Option<Vec<u8>> {
    let header = ethernet_header(interfaces, index, [0xff; 6], EtherType::IP4)?;
    Some(header.as_bytes().to_vec())
}

impl Links for InterfaceLinks {
    fn exists(&self, interface: SwIfIndex) -> bool {
        self.interfaces.sw(interface).is_some()
    }

    fn is_up(&self, interface: SwIfIndex) -> bool {
        self.interfaces.is_up(interface)
            && self
                .interfaces
                .hw_of(interface)
                .is_some_and(|hw| hw.link_up)
    }

    fn is_point_to_point(&self, interface: SwIfIndex) -> bool {
        self.interfaces
            .hw_of(interface)
            .is_some_and(|hw| hw.framing != Framing::Ethernet)
    }

    fn unnumbered_to(&self, interface: SwIfIndex) -> Option<SwIfIndex> {
        self.interfaces.sw(interface)?.unnumbered
    }

    fn name(&self, interface: SwIfIndex) -> String {
        self.interfaces
            .name(interface)
            .unwrap_or_else(|| "deleted".to_owned())
    }

    fn output(&self, interface: SwIfIndex, family: AddressFamily) -> Output {
        if self.interfaces.sw(interface).is_none() {
            return Output::default();
        }
        let node = self
            .interfaces
            .hw_of(interface)
            .map_or(NodeId::NONE, |hw| hw.output_node);
        let (mtu, arc) = match family {
            AddressFamily::Ip4 => (self.interfaces.ip4_mtu(interface), "ip4-output"),
            AddressFamily::Ip6 => (self.interfaces.ip6_mtu(interface), "ip6-output"),
        };
        // An arc that does not exist has no features on it.
        let features = self
            .arcs
            .enabled(arc, interface.0)
            .is_ok_and(|names| !names.is_empty());
        Output {
            mtu: u16::try_from(mtu).unwrap_or(u16::MAX),
            node: u16::try_from(node.index()).unwrap_or(u16::MAX),
            features,
        }
    }

    fn rewrite(&self, interface: SwIfIndex, family: AddressFamily, to: Reach) -> Option<Rewrite> {
        if self.is_point_to_point(interface) {
            return Some(Rewrite::EMPTY);
        }
        let ip = match family {
            AddressFamily::Ip4 => EtherType::IP4,
            AddressFamily::Ip6 => EtherType::IP6,
        };
        match to {
            Reach::Station(mac) => ethernet_header(&self.interfaces, interface, mac, ip),
            Reach::Broadcast => ethernet_header(&self.interfaces, interface, [0xff; 6], ip),
            Reach::Question => {
                ethernet_header(&self.interfaces, interface, [0xff; 6], EtherType::ARP)
            }
            Reach::Peer => None,
        }
    }
}
