//! Doing in software what a device cannot: transport checksums and TCP segmentation.
//!
//! A packet says with its `OFFLOAD_*` flags which checksums are still to be computed, and with `GSO` that
//! it is longer than the link and to be cut into segments of `gso_size` bytes of payload. An interface
//! whose device can do neither gets finished packets.

use crate::ip::checksum::Sum;
use crate::ip4::header::{Ip4Header, protocol};
use barrow_engine::{Buffer, BufferExt, Packet, PacketCache, PacketFlags};
use zerocopy::FromBytes;

/// Offset of the checksum in a TCP header.
const TCP_CHECKSUM: usize = 16;
/// Offset of the checksum in a UDP header.
const UDP_CHECKSUM: usize = 6;
/// FIN, PSH and CWR belong to one segment only (RFC 9293, RFC 3168).
const TCP_FIN: u8 = 0x01;
const TCP_PSH: u8 = 0x08;
const TCP_CWR: u8 = 0x80;

/// Where the IPv4 header lies in a packet's data: behind its link header.
fn ip4_start(packet: &Packet<'_>) -> Option<usize> {
    usize::try_from(packet.l3_header_offset.checked_sub(packet.offset())?).ok()
}

/// Computes the checksums that the flags ask for; `ip4`, `tcp` and `udp` say which the device does itself.
pub(super) fn complete_checksums(packet: &mut Packet<'_>, ip4: bool, tcp: bool, udp: bool) {
    let wanted = |flag| packet.flags.contains(flag);
    let do_ip4 = wanted(PacketFlags::OFFLOAD_IP4_CKSUM) && !ip4;
    let do_l4 = (wanted(PacketFlags::OFFLOAD_TCP_CKSUM) && !tcp)
        || (wanted(PacketFlags::OFFLOAD_UDP_CKSUM) && !udp);
    if do_l4 {
        complete_transport(packet);
        packet
            .flags
            .remove(PacketFlags::OFFLOAD_TCP_CKSUM | PacketFlags::OFFLOAD_UDP_CKSUM);
    }
    if do_ip4 {
        complete_ip4(packet);
        packet.flags.remove(PacketFlags::OFFLOAD_IP4_CKSUM);
    }
}

fn complete_ip4(packet: &mut Packet<'_>) -> Option<()> {
    let start = ip4_start(packet)?;
    let data = packet.data_mut().get_mut(start..)?;
    let len = usize::from(data.first()? & 0x0f) * 4;
    let header = data.get_mut(..len)?;
    header.get_mut(10..12)?.fill(0);
    let sum = Sum::new().bytes(header).finish();
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    Some(())
}

fn complete_transport(packet: &mut Packet<'_>) -> Option<()> {
    let start = ip4_start(packet)?;
    let (header, _) = Ip4Header::ref_from_prefix(packet.data().get(start..)?).ok()?;
    let header = *header;
    let l4 = start + header.header_len();
    let len = usize::from(header.total_length.get()).checked_sub(header.header_len())?;
    let at = match header.protocol {
        protocol::TCP => TCP_CHECKSUM,
        protocol::UDP => UDP_CHECKSUM,
        _ => return None,
    };
    packet.at_mut(l4 + at, 2)?.fill(0);
    let pseudo = Sum::new().pseudo_ip4(
        header.source,
        header.destination,
        header.protocol,
        len as u16,
    );
    let mut sum = sum_chain(packet, l4, len, pseudo).finish();
    // Zero means "none" in UDP (RFC 768).
    if header.protocol == protocol::UDP && sum == 0 {
        sum = 0xffff;
    }
    packet
        .at_mut(l4 + at, 2)?
        .copy_from_slice(&sum.to_be_bytes());
    Some(())
}

/// Adds `len` bytes from `skip` on, over all buffers of a packet.
pub(crate) fn sum_chain(packet: &Packet<'_>, mut skip: usize, mut len: usize, mut sum: Sum) -> Sum {
    let mut high = None;
    for segment in packet.segments() {
        let from = skip.min(segment.len());
        skip -= from;
        let mut bytes = &segment[from..][..len.min(segment.len() - from)];
        len -= bytes.len();
        // A word may lie across two buffers.
        if let (Some(first), Some((second, rest))) = (high, bytes.split_first()) {
            sum = sum.word(u16::from_be_bytes([first, *second]));
            (high, bytes) = (None, rest);
        }
        if bytes.len() % 2 == 1 {
            high = bytes.last().copied();
            bytes = &bytes[..bytes.len() - 1];
        }
        sum = sum.bytes(bytes);
    }
    match high {
        Some(last) => sum.word(u16::from(last) << 8),
        None => sum,
    }
}

/// Cuts a GSO packet into finished TCP segments, appended to `out`; `false` if it cannot be cut or there
/// are no buffers (what was appended is then still the caller's to free).
pub(super) fn segment(
    packet: &Packet<'_>,
    cache: &mut PacketCache,
    payload: &mut Vec<u8>,
    out: &mut Vec<Buffer>,
) -> bool {
    segment_or_give_up(packet, cache, payload, out).is_some()
}

fn segment_or_give_up(
    packet: &Packet<'_>,
    cache: &mut PacketCache,
    payload: &mut Vec<u8>,
    out: &mut Vec<Buffer>,
) -> Option<()> {
    let start = ip4_start(packet)?;
    let (ip4, _) = Ip4Header::ref_from_prefix(packet.data().get(start..)?).ok()?;
    let ip4 = *ip4;
    if ip4.protocol != protocol::TCP || ip4.is_fragment() {
        return None;
    }
    let l4 = start + ip4.header_len();
    let tcp_len = usize::from(packet.at(l4 + 12, 1)?[0] >> 4) * 4;
    let headers_len = l4 + tcp_len;
    let headers = packet.at(0, headers_len)?;
    let step = usize::from(packet.gso_size);
    let total = start + usize::from(ip4.total_length.get());
    if step == 0 || tcp_len < 20 || total > packet.total_len() || total < headers_len {
        return None;
    }
    payload.clear();
    for bytes in packet.segments() {
        payload.extend_from_slice(bytes);
    }
    payload.truncate(total);
    let sequence = u32::from_be_bytes(*headers.get(l4 + 4..)?.first_chunk()?);
    let flags = headers[l4 + 13];
    let mut id = ip4.id.get();
    let mut at = headers_len;
    while at < total {
        let end = total.min(at + step);
        let mut buffer = cache.alloc_one()?;
        let mut piece = buffer.packet();
        piece.copy_metadata_from(packet);
        piece.restart(packet.offset().min(0));
        let fits = piece.append_bytes(headers) && piece.append_bytes(&payload[at..end]);
        if !fits {
            out.push(buffer);
            return None;
        }
        let mut keep = flags;
        if at > headers_len {
            keep &= !TCP_CWR;
        }
        if end < total {
            keep &= !(TCP_FIN | TCP_PSH);
        }
        let moved = sequence.wrapping_add((at - headers_len) as u32);
        piece
            .at_mut(l4 + 4, 4)?
            .copy_from_slice(&moved.to_be_bytes());
        piece.at_mut(l4 + 13, 1)?[0] = keep;
        let len = (end - at + headers_len - start) as u16;
        piece
            .at_mut(start + 2, 2)?
            .copy_from_slice(&len.to_be_bytes());
        piece
            .at_mut(start + 4, 2)?
            .copy_from_slice(&id.to_be_bytes());
        let shift = piece.offset() - packet.offset();
        piece.l2_header_offset = packet.l2_header_offset + shift;
        piece.l3_header_offset = packet.l3_header_offset + shift;
        piece.flags.remove(PacketFlags::GSO);
        piece
            .flags
            .insert(PacketFlags::OFFLOAD_IP4_CKSUM | PacketFlags::OFFLOAD_TCP_CKSUM);
        piece.gso_size = 0;
        complete_checksums(&mut piece, false, false, false);
        out.push(buffer);
        id = id.wrapping_add(1);
        at = end;
    }
    Some(())
}
