//! The header itself (Virtio 1.2 section 5.1.6, `linux/virtio_net.h`), in the byte order of this machine.

use crate::ethernet::header::{EtherType, EthernetHeader, VlanTag};
use crate::ip::checksum::Sum;
use crate::ip4::header::{Ip4Header, protocol};
use barrow_engine::{Packet, PacketFlags};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of the header without the number of buffers.
pub(crate) const HEADER_LEN: usize = 10;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_NONE: u8 = 0;
const GSO_TCP4: u8 = 1;
/// Explicit congestion notification, set beside a kind of segmentation.
const GSO_ECN: u8 = 0x80;
const TCP_CHECKSUM: u16 = 16;
const UDP_CHECKSUM: u16 = 6;

/// What is in front of a frame.
#[repr(C)]
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub(crate) struct VirtioNetHeader {
    flags: u8,
    gso_type: u8,
    hdr_len: u16,
    gso_size: u16,
    csum_start: u16,
    csum_offset: u16,
}

const _: () = assert!(size_of::<VirtioNetHeader>() == HEADER_LEN);

/// Where a frame's IPv4 header starts.
fn ip4_start(data: &[u8]) -> Option<usize> {
    let (frame, mut rest) = EthernetHeader::ref_from_prefix(data).ok()?;
    let mut ether_type = frame.ether_type();
    let mut start = size_of::<EthernetHeader>();
    while ether_type.is_vlan() {
        let (tag, after) = VlanTag::ref_from_prefix(rest).ok()?;
        (ether_type, rest) = (tag.ether_type(), after);
        start += size_of::<VlanTag>();
    }
    (ether_type == EtherType::IP4).then_some(start)
}

impl VirtioNetHeader {
    /// Notes in a packet that has just come in what its header says is still to be done.
    ///
    /// What the header says of a frame that is not TCP or UDP over IPv4 is carried by no flag: a checksum
    /// that is still to be completed is then completed here.
    pub(crate) fn apply(&self, packet: &mut Packet<'_>) {
        if self.flags & DATA_VALID != 0 {
            packet
                .flags
                .insert(PacketFlags::L4_CKSUM_COMPUTED | PacketFlags::L4_CKSUM_CORRECT);
        }
        if self.flags & NEEDS_CSUM != 0 && self.mark(packet).is_none() {
            self.complete(packet);
        }
    }

    /// The flags of TCP and UDP over IPv4.
    fn mark(&self, packet: &mut Packet<'_>) -> Option<()> {
        let start = ip4_start(packet.data())?;
        let (ip4, _) = Ip4Header::ref_from_prefix(packet.data().get(start..)?).ok()?;
        let l4 = start + ip4.header_len();
        if usize::from(self.csum_start) != l4 {
            return None;
        }
        let flag = match (ip4.protocol, self.csum_offset) {
            (protocol::TCP, TCP_CHECKSUM) => PacketFlags::OFFLOAD_TCP_CKSUM,
            (protocol::UDP, UDP_CHECKSUM) => PacketFlags::OFFLOAD_UDP_CKSUM,
            _ => return None,
        };
        packet
            .flags
            .insert(flag | PacketFlags::L4_CKSUM_COMPUTED | PacketFlags::L4_CKSUM_CORRECT);
        if self.gso_type & !GSO_ECN == GSO_TCP4 && self.gso_size > 0 {
            let tcp_len = u16::from(packet.at(l4 + 12, 1)?[0] >> 4) * 4;
            packet.flags.insert(PacketFlags::GSO);
            packet.gso_size = self.gso_size;
            packet.gso_l4_header_length = tcp_len;
        }
        Some(())
    }

    /// Completes a checksum: sums from `csum_start` to the end, over the sum that is there already.
    fn complete(&self, packet: &mut Packet<'_>) {
        let start = usize::from(self.csum_start);
        let at = start + usize::from(self.csum_offset);
        let Some(len) = packet.total_len().checked_sub(start) else {
            return;
        };
        let sum = crate::interface::sum_chain(packet, start, len, Sum::new()).finish();
        if let Some(place) = packet.at_mut(at, 2) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
    }

    /// Whether the frame is still to be cut into pieces.
    pub(crate) fn is_segmented(&self) -> bool {
        self.gso_type != GSO_NONE
    }

    /// The same of a frame that has grown by `by` bytes in front of its checksummed part.
    #[must_use]
    pub(crate) fn moved(mut self, by: u16) -> Self {
        if self.flags & NEEDS_CSUM != 0 {
            self.csum_start = self.csum_start.saturating_add(by);
        }
        if self.gso_type != GSO_NONE {
            self.hdr_len = self.hdr_len.saturating_add(by);
        }
        self
    }

    /// The header of a packet that is about to leave; its checksum field gets the sum of the
    /// pseudo-header that the other side goes on from.
    pub(crate) fn of(packet: &mut Packet<'_>) -> Self {
        Self::offloaded(packet).unwrap_or_default()
    }

    fn offloaded(packet: &mut Packet<'_>) -> Option<Self> {
        let tcp = packet.flags.contains(PacketFlags::OFFLOAD_TCP_CKSUM);
        let udp = packet.flags.contains(PacketFlags::OFFLOAD_UDP_CKSUM);
        let gso = packet.flags.contains(PacketFlags::GSO);
        if !tcp && !udp && !gso {
            return None;
        }
        let start = ip4_start(packet.data())?;
        let (ip4, _) = Ip4Header::ref_from_prefix(packet.data().get(start..)?).ok()?;
        let l4 = start + ip4.header_len();
        let len = ip4
            .total_length
            .get()
            .checked_sub(ip4.header_len() as u16)?;
        let offset = if ip4.protocol == protocol::TCP {
            TCP_CHECKSUM
        } else {
            UDP_CHECKSUM
        };
        let sum = Sum::new()
            .pseudo_ip4(ip4.source, ip4.destination, ip4.protocol, len)
            .fold();
        let place = packet.at_mut(l4 + usize::from(offset), 2)?;
        place.copy_from_slice(&sum.to_be_bytes());
        let mut header = Self {
            flags: NEEDS_CSUM,
            gso_type: GSO_NONE,
            hdr_len: 0,
            gso_size: 0,
            csum_start: l4 as u16,
            csum_offset: offset,
        };
        if gso {
            header.gso_type = GSO_TCP4;
            header.gso_size = packet.gso_size;
            header.hdr_len = l4 as u16 + packet.gso_l4_header_length;
        }
        Some(header)
    }
}
