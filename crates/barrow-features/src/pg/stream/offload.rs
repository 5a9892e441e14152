//! Saying of generated packets what hardware would say: where their headers are, which checksums are
//! still to be filled in, that they are to be cut.

use crate::ethernet::header::{EtherType, HEADER_LEN, TAG_LEN};
use crate::ip4::header::protocol;
use crate::pg::port::Offloads;
use barrow_engine::{Packet, PacketFlags};

/// What a stream's packets are said to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Flags that every packet has.
    pub flags: PacketFlags,
    /// Checksums that are still to be filled in, where the packet has them.
    pub checksums: PacketFlags,
    /// TCP packets are to be cut into segments of so many bytes of payload.
    pub gso_size: Option<u16>,
}

/// What one run does to its packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marker {
    marks: Marks,
    /// Of the interface: only packets that span buffers are to be cut.
    chained_gso: Option<u16>,
    /// They begin with an Ethernet header.
    ethernet: bool,
}

impl Marker {
    /// The marks of a stream whose packets come in on an interface like this, for `node`.
    pub(super) fn new(mut marks: Marks, offloads: Offloads, node: &str) -> Self {
        let mut chained_gso = None;
        match offloads {
            Offloads::None => {}
            Offloads::Checksums => marks.checksums |= PacketFlags::OFFLOAD_ANY,
            Offloads::Gso(size) => {
                marks.checksums |= PacketFlags::OFFLOAD_IP4_CKSUM | PacketFlags::OFFLOAD_TCP_CKSUM;
                chained_gso = Some(size);
            }
        }
        Self {
            marks,
            chained_gso,
            ethernet: !matches!(node, "ip4-input" | "ip6-input"),
        }
    }

    /// Whether it has anything to say.
    pub(super) fn is_needed(&self) -> bool {
        self.marks != Marks::default() || self.chained_gso.is_some()
    }

    /// Marks one packet, whose data is where it was put.
    pub(super) fn apply(&self, packet: &mut Packet<'_>) {
        packet.flags.insert(self.marks.flags);
        if self.marks.checksums == PacketFlags::NONE
            && self.marks.gso_size.is_none()
            && self.chained_gso.is_none()
        {
            return;
        }
        let Some((l3, version)) = self.network(packet) else {
            return;
        };
        let transport = match version {
            4 => packet
                .at(l3, 20)
                .map(|ip| (l3 + usize::from(ip[0] & 0x0f) * 4, ip[9])),
            _ => packet.at(l3, 40).map(|ip| (l3 + 40, ip[6])),
        };
        let Some((l4, carried)) = transport else {
            return;
        };
        packet.l2_header_offset = 0;
        packet.l3_header_offset = l3 as i16;
        packet.l4_header_offset = l4 as i16;
        packet.flags.insert(
            PacketFlags::L2_HDR_OFFSET_VALID
                | PacketFlags::L3_HDR_OFFSET_VALID
                | PacketFlags::L4_HDR_OFFSET_VALID,
        );
        let wanted = self.marks.checksums;
        let mark = |packet: &mut Packet<'_>, flag| {
            if wanted.contains(flag) {
                packet.flags.insert(flag);
            }
        };
        if version == 4 {
            packet.flags.insert(PacketFlags::IS_IP4);
            mark(packet, PacketFlags::OFFLOAD_IP4_CKSUM);
        } else {
            packet.flags.insert(PacketFlags::IS_IP6);
        }
        match carried {
            protocol::UDP => mark(packet, PacketFlags::OFFLOAD_UDP_CKSUM),
            protocol::TCP => {
                mark(packet, PacketFlags::OFFLOAD_TCP_CKSUM);
                let size = self
                    .marks
                    .gso_size
                    .or(self.chained_gso.filter(|_| packet.is_chained()));
                if let (Some(size), Some(&[offset])) = (size, packet.at(l4 + 12, 1)) {
                    packet.flags.insert(PacketFlags::GSO);
                    packet.gso_size = size;
                    packet.gso_l4_header_length = u16::from(offset >> 4) * 4;
                }
            }
            _ => {}
        }
    }

    /// Where the IP header is, and its version.
    fn network(&self, packet: &Packet<'_>) -> Option<(usize, u8)> {
        if !self.ethernet {
            let [first] = packet.read(0)?;
            return [4, 6].contains(&(first >> 4)).then_some((0, first >> 4));
        }
        let mut at = HEADER_LEN;
        for _ in 0..3 {
            match EtherType(u16::from_be_bytes(packet.read(at - 2)?)) {
                EtherType::IP4 => return Some((at, 4)),
                EtherType::IP6 => return Some((at, 6)),
                tag if tag.is_vlan() => at += TAG_LEN,
                _ => return None,
            }
        }
        None
    }
}
