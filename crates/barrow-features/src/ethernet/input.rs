//! `ethernet-input`: takes the Ethernet header and VLAN tags off and hands packets on by EtherType.
//!
//! ```text
//!            +-> ip4-input      whole vectors from one interface stay whole
//! frames ----+-> arp-input
//!            +-> error-punt     nobody registered the type
//!            +-> error-drop     wrong station, unknown VLAN, interface down, too short
//! ```

use super::ether_types::{EtherTypes, find};
use super::header::{Audience, EtherType, EthernetHeader, HEADER_LEN, TAG_LEN, VlanTag};
use super::port::{Port, PortList, Ports, Tags};
use super::trace::FrameTrace;
use crate::interface::{Combined, InterfaceRows, InterfaceWords, SwIfIndex};
use barrow_engine::{
    ErrorCounters, NextNodes, NodeId, Packet, PacketContext, PacketFlags, PacketNode, Vector,
};
use std::fmt;
use zerocopy::FromBytes;

/// Where packets go beside the registered types.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// The type is nobody's.
    #[next_node = "error-punt"]
    Punt,
    /// Something is wrong with the frame.
    #[next_node = "error-drop"]
    Drop,
}

/// Why a frame is not handed on. Names as VPP's (`vpp:src/vnet/ethernet/error.def`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCounters)]
pub enum Error {
    /// Nothing wrong.
    #[error_counter(name = "no error", description = "no error", severity = ERROR)]
    None,
    /// Shorter than its headers, or an 802.3 length beyond its end.
    #[error_counter(
        name = "llc length > packet length",
        description = "frame is shorter than its headers say",
        severity = ERROR
    )]
    BadLength,
    /// Nobody registered the EtherType.
    #[error_counter(
        name = "unknown ethernet type",
        description = "no node takes this EtherType",
        severity = ERROR
    )]
    UnknownType,
    /// No sub-interface takes these tags.
    #[error_counter(
        name = "unknown vlan",
        description = "no sub-interface takes these VLAN tags",
        severity = ERROR
    )]
    UnknownVlan,
    /// For another station.
    #[error_counter(
        name = "l3 mac mismatch",
        description = "frame is for another station",
        severity = ERROR
    )]
    MacMismatch,
    /// The interface is down.
    #[error_counter(
        name = "subinterface down",
        description = "received on an interface that is down",
        severity = ERROR
    )]
    Down,
}

/// The node; one a thread.
pub struct EthernetInput {
    ports: Ports,
    types: EtherTypes,
    words: InterfaceWords,
    rows: InterfaceRows,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for EthernetInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EthernetInput").finish_non_exhaustive()
    }
}

impl EthernetInput {
    /// Makes the instance of one thread.
    #[must_use]
    pub fn new(
        ports: Ports,
        types: EtherTypes,
        words: InterfaceWords,
        rows: InterfaceRows,
    ) -> Self {
        Self {
            ports,
            types,
            words,
            rows,
            nexts: Vec::with_capacity(256),
        }
    }
}

/// A frame as `show trace` prints it.
struct Trace {
    interface: u32,
    frame: FrameTrace,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "frame: sw-if-index {}", self.interface)?;
        self.frame.fmt(f)
    }
}

/// What became of a frame's headers.
struct Parsed {
    len: usize,
    tags: Tags,
    ether_type: EtherType,
}

/// Reads the type behind at most two tags, which the header may have.
#[inline]
fn parse(data: &[u8]) -> Option<(&EthernetHeader, Parsed)> {
    let (header, rest) = EthernetHeader::ref_from_prefix(data).ok()?;
    let outer_type = header.ether_type();
    if !outer_type.is_vlan() {
        let parsed = Parsed {
            len: HEADER_LEN,
            tags: Tags::default(),
            ether_type: outer_type,
        };
        return Some((header, parsed));
    }
    let (outer, rest) = VlanTag::ref_from_prefix(rest).ok()?;
    let mut tags = Tags {
        count: 1,
        dot1ad: outer_type != EtherType::DOT1Q,
        outer: outer.id(),
        inner: 0,
    };
    let mut len = HEADER_LEN + TAG_LEN;
    let mut ether_type = outer.ether_type();
    if ether_type.is_vlan() {
        let (inner, _) = VlanTag::ref_from_prefix(rest).ok()?;
        tags.count = 2;
        tags.inner = inner.id();
        ether_type = inner.ether_type();
        len += TAG_LEN;
    }
    Some((
        header,
        Parsed {
            len,
            tags,
            ether_type,
        },
    ))
}

impl EthernetInput {
    /// Finds the interface of a frame, takes its headers off and says what it carries.
    #[inline]
    fn strip(
        words: &InterfaceWords,
        rows: &InterfaceRows,
        port: Option<&Port>,
        own: SwIfIndex,
        packet: &mut Packet<'_>,
    ) -> Result<EtherType, Error> {
        let frame_bytes = packet.total_len() as u64;
        let (header, parsed) = parse(packet.data()).ok_or(Error::BadLength)?;
        let port = port.ok_or(Error::Down)?;
        if !port.accepts(&header.destination) {
            return Err(Error::MacMismatch);
        }
        let index = if parsed.tags.count == 0 {
            port.untagged(own)
        } else {
            port.tagged(parsed.tags).ok_or(Error::UnknownVlan)?
        };
        if !words.get(index).is_up() {
            return Err(Error::Down);
        }
        let start = packet.offset();
        packet.l2_header_offset = start;
        packet.l3_header_offset = start + parsed.len as i16;
        match parsed.tags.count {
            0 => {}
            1 => packet.flags.insert(PacketFlags::VLAN_1_DEEP),
            _ => packet.flags.insert(PacketFlags::VLAN_2_DEEP),
        }
        if index != own {
            packet.rx_sw_if_index = index.0;
            rows.count_bytes(Combined::Rx, index.0, 1, frame_bytes);
        }
        packet.advance(parsed.len as i16);
        Ok(parsed.ether_type)
    }
}

/// Counts a frame by kind of destination, as it came.
#[cold]
fn count_audience(rows: &InterfaceRows, own: u32, packet: &Packet<'_>) {
    let which = match Audience::of(packet.data()) {
        Audience::Unicast => Combined::RxUnicast,
        Audience::Multicast => Combined::RxMulticast,
        Audience::Broadcast => Combined::RxBroadcast,
    };
    rows.count_bytes(which, own, 1, packet.total_len() as u64);
}

fn port_of(list: &PortList, index: u32) -> Option<&Port> {
    list.get(index as usize)?.as_deref()
}

impl PacketNode for EthernetInput {
    type NextNodes = Next;
    type Errors = Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let (punt, drop) = (cx.next(Next::Punt), cx.next(Next::Drop));
        let ports = self.ports.load();
        let types = self.types.load();
        let tracing = cx.tracing();
        // One interface and one type for most of a vector: remembered, not looked up again.
        let mut own = u32::MAX;
        let mut port = None;
        let mut detailed = false;
        let (mut last_type, mut last_next) = (EtherType::FIRST, punt);
        self.nexts.clear();
        for i in 0..vector.len() {
            vector.prefetch(i + 8);
            let mut packet = vector.packet(i);
            if packet.rx_sw_if_index != own {
                own = packet.rx_sw_if_index;
                port = port_of(&ports, own);
                detailed = self.words.get(SwIfIndex(own)).has_detailed_stats();
            }
            if detailed {
                count_audience(&self.rows, own, &packet);
            }
            if tracing && packet.is_traced() {
                let frame = FrameTrace::header_only(packet.data());
                cx.trace(
                    &packet,
                    Trace {
                        interface: own,
                        frame,
                    },
                );
            }
            let own = SwIfIndex(own);
            let next = match Self::strip(&self.words, &self.rows, port, own, &mut packet) {
                Ok(ether_type) if ether_type == last_type => last_next,
                Ok(ether_type) => match find(&types, ether_type) {
                    Some(node) => {
                        (last_type, last_next) = (ether_type, node);
                        node
                    }
                    None => {
                        cx.error(&mut packet, Error::UnknownType);
                        punt
                    }
                },
                Err(error) => {
                    cx.error(&mut packet, error);
                    drop
                }
            };
            self.nexts.push(next);
        }
        cx.enqueue(vector, &self.nexts);
    }
}
