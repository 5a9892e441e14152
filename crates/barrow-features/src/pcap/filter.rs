//! Which packets a trace takes.

use barrow_engine::{Packet, PacketFlags};

/// Where a packet is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    /// As its device handed it in.
    Rx,
    /// As its device gets it.
    Tx,
    /// On its end.
    Drop,
}

impl Direction {
    /// The first buffer's bytes, from where the packet began: a dropped packet may have lost headers on
    /// its way.
    pub(super) fn head_of<'p>(self, packet: &'p Packet<'_>) -> &'p [u8] {
        if self != Self::Drop {
            return packet.data();
        }
        let valid = packet.flags.contains(PacketFlags::L2_HDR_OFFSET_VALID);
        let start = if valid { packet.l2_header_offset } else { 0 };
        if start < packet.offset() {
            packet.from_offset(start).unwrap_or_else(|| packet.data())
        } else {
            packet.data()
        }
    }
}

/// What a trace looks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Filter {
    /// The interface; any when none is named.
    pub(super) interface: Option<u32>,
    /// The interface is a sub-interface: its packets are told from its parent's when they leave.
    pub(super) is_sub: bool,
    /// The counter of the reason for which it was dropped.
    pub(super) error: Option<u16>,
    /// A classifier decides, of which there is none: nothing is taken.
    pub(super) classified: bool,
}

impl Filter {
    /// Whether a packet is taken.
    pub(super) fn takes(&self, direction: Direction, packet: &Packet<'_>) -> bool {
        if self.classified {
            return false;
        }
        let interface = match (self.interface, direction) {
            (None, _) => true,
            (Some(wanted), Direction::Rx | Direction::Drop) => packet.rx_sw_if_index == wanted,
            // The node is on the arc of the device, which takes its sub-interfaces' packets too.
            (Some(wanted), Direction::Tx) => !self.is_sub || packet.tx_sw_if_index == wanted,
        };
        interface && self.error.is_none_or(|error| packet.error == error)
    }
}
