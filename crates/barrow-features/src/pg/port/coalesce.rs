//! Joining TCP segments that follow one another: the opposite of segmentation.
//!
//! Segments of one connection in one vector, in order and without a gap, become one packet: the first
//! one's headers, and the payloads of all of them as a chain. Nothing waits for a later vector.
//! Conditions are those of `vpp:src/vnet/gso/gro_func.h`: no TCP flags but ACK and PSH, right checksums,
//! packets of more than 256 bytes.

use crate::ethernet::header::{EtherType, HEADER_LEN, TAG_LEN};
use crate::interface::sum_chain;
use crate::ip::checksum::Sum;
use crate::ip4::header::{HEADER_LEN as HEADER_LEN_IP4, Ip4Header, protocol};
use barrow_engine::{Buffer, BufferExt, Packet, PacketFlags};
use zerocopy::FromBytes;

/// Packets of this length and shorter are not joined.
const MIN_LEN: usize = 256;
/// Connections that are followed at a time; of more, the one least recently begun is left as it is.
const FLOWS: usize = 16;

const ACK: u8 = 0x10;
const PSH: u8 = 0x08;

/// A TCP segment that may be joined with others: where its parts are, and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Segment {
    key: Key,
    /// Bytes of payload.
    len: usize,
    sequence: u32,
    flags: u8,
}

/// What segments of one connection have in common: addresses, ports, and where their parts are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    source: [u8; 4],
    destination: [u8; 4],
    ports: [u8; 4],
    /// Offset of the IPv4 header, which has no options.
    l3: usize,
    /// Offset of the payload.
    payload: usize,
}

impl Key {
    /// Offset of the TCP header.
    const fn l4(&self) -> usize {
        self.l3 + HEADER_LEN_IP4
    }

    /// The sum over the pseudo-header of a segment of so many bytes, TCP header included.
    fn pseudo(&self, len: usize) -> Sum {
        Sum::new().pseudo_ip4(self.source, self.destination, protocol::TCP, len as u16)
    }
}

/// A packet that further segments may be joined to.
#[derive(Clone, Copy, Debug)]
struct Flow {
    /// Its place among the packets kept.
    at: usize,
    segment: Segment,
    next_sequence: u32,
    total: usize,
    joined: bool,
}

/// Joins what can be joined; `out` gets the packets that remain, in the order of their first bytes.
pub(super) fn coalesce(
    ethernet: bool,
    packets: impl Iterator<Item = Buffer>,
    out: &mut Vec<Buffer>,
) {
    let mut flows: Vec<Flow> = Vec::with_capacity(FLOWS);
    for mut buffer in packets {
        let segment = Segment::of(&buffer.packet(), ethernet);
        let Some(segment) = segment else {
            out.push(buffer);
            continue;
        };
        let known = flows
            .iter()
            .position(|flow| flow.segment.key == segment.key);
        if let Some(i) = known {
            if flows[i].takes(&segment) {
                let flow = &mut flows[i];
                flow.join(segment, buffer, &mut out[flow.at]);
                // A push asks for the data to be handed on.
                if segment.flags & PSH != 0 {
                    flows.remove(i).finish(out);
                }
                continue;
            }
            flows.remove(i).finish(out);
        } else if flows.len() == FLOWS {
            flows.remove(0).finish(out);
        }
        flows.push(Flow {
            at: out.len(),
            segment,
            next_sequence: segment.sequence.wrapping_add(segment.len as u32),
            total: segment.key.payload + segment.len,
            joined: false,
        });
        out.push(buffer);
    }
    flows.into_iter().for_each(|flow| flow.finish(out));
}

impl Segment {
    fn of(packet: &Packet<'_>, ethernet: bool) -> Option<Self> {
        if packet.total_len() <= MIN_LEN {
            return None;
        }
        let l3 = if ethernet { network_offset(packet)? } else { 0 };
        let (ip4, _) = Ip4Header::ref_from_prefix(packet.data().get(l3..)?).ok()?;
        if ip4.version_and_length != 0x45 || ip4.protocol != protocol::TCP || ip4.is_fragment() {
            return None;
        }
        let l4 = l3 + HEADER_LEN_IP4;
        let tcp: [u8; 20] = packet.read(l4)?;
        let payload = l4 + usize::from(tcp[12] >> 4) * 4;
        let key = Key {
            source: ip4.source,
            destination: ip4.destination,
            ports: [tcp[0], tcp[1], tcp[2], tcp[3]],
            l3,
            payload,
        };
        let end = l3 + usize::from(ip4.total_length.get());
        let flags = tcp[13];
        if payload < l4 + 20
            || payload >= end
            || end != packet.total_len()
            || packet.len() <= payload
            || flags & !(ACK | PSH) != 0
            || !checksum_is_right(packet, &key, end - l4)
        {
            return None;
        }
        Some(Self {
            key,
            len: end - payload,
            sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
            flags,
        })
    }
}

/// Where the IPv4 header of a frame is.
fn network_offset(packet: &Packet<'_>) -> Option<usize> {
    let mut at = HEADER_LEN;
    for _ in 0..3 {
        match EtherType(u16::from_be_bytes(packet.read(at - 2)?)) {
            EtherType::IP4 => return Some(at),
            tag if tag.is_vlan() => at += TAG_LEN,
            _ => return None,
        }
    }
    None
}

fn checksum_is_right(packet: &Packet<'_>, key: &Key, len: usize) -> bool {
    packet.flags.contains(PacketFlags::OFFLOAD_TCP_CKSUM)
        || sum_chain(packet, key.l4(), len, key.pseudo(len)).fold() == 0xffff
}

impl Flow {
    /// Whether a segment goes on where this packet ends, and fits.
    fn takes(&self, segment: &Segment) -> bool {
        segment.sequence == self.next_sequence
            && self.total - self.segment.key.l3 + segment.len <= usize::from(u16::MAX)
    }

    fn join(&mut self, segment: Segment, mut buffer: Buffer, head: &mut Buffer) {
        let key = &self.segment.key;
        let mut packet = buffer.packet();
        let acknowledged: Option<[u8; 4]> = packet.read(key.l4() + 8);
        packet.advance(key.payload as i16);
        let mut head = head.packet();
        // The newest acknowledgement counts, and a push of any segment.
        if let (Some(field), Some(newest)) = (head.chunk_mut(key.l4() + 8), acknowledged) {
            *field = newest;
        }
        if let Some([flags]) = head.chunk_mut(key.l4() + 13) {
            *flags |= segment.flags & PSH;
        }
        head.chain(buffer);
        self.next_sequence = self.next_sequence.wrapping_add(segment.len as u32);
        self.total += segment.len;
        self.joined = true;
    }

    /// Makes the headers of a joined packet right.
    fn finish(self, out: &mut [Buffer]) {
        if !self.joined {
            return;
        }
        let key = &self.segment.key;
        let mut packet = out[self.at].packet();
        if let Some(header) = packet.data_mut().get_mut(key.l3..)
            && let Ok((ip4, _)) = Ip4Header::mut_from_prefix(header)
        {
            ip4.total_length = ((self.total - key.l3) as u16).into();
            ip4.set_checksum();
        }
        let len = self.total - key.l4();
        put_checksum(&mut packet, key, 0);
        let sum = sum_chain(&packet, key.l4(), len, key.pseudo(len)).finish();
        put_checksum(&mut packet, key, sum);
        packet.flags.insert(PacketFlags::GSO);
        packet
            .flags
            .remove(PacketFlags::OFFLOAD_IP4_CKSUM | PacketFlags::OFFLOAD_TCP_CKSUM);
        packet.gso_size = self.segment.len as u16;
        packet.gso_l4_header_length = (key.payload - key.l4()) as u16;
    }
}

fn put_checksum(packet: &mut Packet<'_>, key: &Key, checksum: u16) {
    if let Some(field) = packet.chunk_mut(key.l4() + 16) {
        *field = checksum.to_be_bytes();
    }
}
