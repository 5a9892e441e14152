//! Lengths and checksums: what follows from the rest of a packet.

use crate::ip::checksum::Sum;

/// Offset of the network header of a transport header, with its version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Network {
    Ip4(usize),
    Ip6(usize),
}

/// A transport protocol whose checksum is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transport {
    Udp,
    Tcp,
    /// Its checksum covers no pseudo-header.
    Icmp4,
    Icmp6,
}

/// One field that is computed. All offsets are from the packet's first byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fixup {
    /// Total length of the IPv4 packet at this offset.
    Ip4Length(usize),
    /// Payload length of the IPv6 packet at this offset.
    Ip6Length(usize),
    /// Length of the UDP datagram at this offset.
    UdpLength(usize),
    /// Header checksum of the IPv4 packet at this offset.
    Ip4Checksum(usize),
    /// Checksum of a transport header.
    TransportChecksum {
        transport: Transport,
        at: usize,
        network: Option<Network>,
    },
}

impl Fixup {
    /// Lengths first, from outside; then checksums, from inside.
    pub(super) fn order(self) -> (bool, isize) {
        match self {
            Self::Ip4Length(at) | Self::Ip6Length(at) | Self::UdpLength(at) => (false, at as isize),
            Self::Ip4Checksum(at) | Self::TransportChecksum { at, .. } => (true, -(at as isize)),
        }
    }

    /// Fills the field in. Fields beyond the packet are left alone.
    pub(super) fn apply(self, packet: &mut [u8]) {
        match self {
            Self::Ip4Length(at) => put(packet, at + 2, packet.len().saturating_sub(at)),
            Self::Ip6Length(at) => put(packet, at + 4, packet.len().saturating_sub(at + 40)),
            Self::UdpLength(at) => put(packet, at + 4, packet.len().saturating_sub(at)),
            Self::Ip4Checksum(at) => ip4_checksum(packet, at),
            Self::TransportChecksum {
                transport,
                at,
                network,
            } => {
                transport_checksum(packet, transport, at, network);
            }
        }
    }
}

/// Writes a 16-bit field.
fn put(packet: &mut [u8], at: usize, value: usize) {
    if let Some(field) = packet.get_mut(at..at + 2) {
        field.copy_from_slice(&(value as u16).to_be_bytes());
    }
}

fn word(packet: &[u8], at: usize) -> Option<u16> {
    packet
        .get(at..)?
        .first_chunk()
        .map(|bytes| u16::from_be_bytes(*bytes))
}

fn ip4_checksum(packet: &mut [u8], at: usize) {
    put(packet, at + 10, 0);
    let len = packet
        .get(at)
        .map_or(0, |byte| usize::from(byte & 0x0f) * 4)
        .max(20);
    if let Some(header) = packet.get(at..at + len) {
        let sum = Sum::new().bytes(header).finish();
        put(packet, at + 10, sum.into());
    }
}

fn transport_checksum(
    packet: &mut [u8],
    transport: Transport,
    at: usize,
    network: Option<Network>,
) {
    let field = at
        + match transport {
            Transport::Udp => 6,
            Transport::Tcp => 16,
            Transport::Icmp4 | Transport::Icmp6 => 2,
        };
    put(packet, field, 0);
    let Some(covered) = packet.get(at..at + covered(packet, transport, at, network)) else {
        return;
    };
    let protocol = match transport {
        Transport::Udp => 17,
        Transport::Tcp => 6,
        Transport::Icmp4 => 1,
        Transport::Icmp6 => 58,
    };
    let mut sum = Sum::new().bytes(covered);
    let len = covered.len() as u16;
    let addresses = |from: usize, len: usize| packet.get(from..from + len).unwrap_or(&[]);
    sum = match (transport, network) {
        (Transport::Icmp4, _) | (_, None) => sum,
        (_, Some(Network::Ip4(ip))) => sum.bytes(addresses(ip + 12, 8)).word(protocol).word(len),
        (_, Some(Network::Ip6(ip))) => sum.bytes(addresses(ip + 8, 32)).word(protocol).word(len),
    };
    let mut checksum = sum.finish();
    // Zero means "none" in UDP (RFC 768).
    if transport == Transport::Udp && checksum == 0 {
        checksum = 0xffff;
    }
    put(packet, field, checksum.into());
}

/// Bytes that a transport checksum covers: as its own or the network header says, if that is in the
/// packet, or else to the packet's end.
fn covered(packet: &[u8], transport: Transport, at: usize, network: Option<Network>) -> usize {
    let whole = packet.len().saturating_sub(at);
    let claimed = match (transport, network) {
        (Transport::Udp, _) => word(packet, at + 4).map(usize::from),
        (_, Some(Network::Ip4(ip))) => word(packet, ip + 2)
            .and_then(|total| usize::from(total).checked_sub(at.saturating_sub(ip))),
        (_, Some(Network::Ip6(ip))) => word(packet, ip + 4)
            .and_then(|len| usize::from(len).checked_sub(at.saturating_sub(ip + 40))),
        (_, None) => None,
    };
    claimed
        .filter(|len| (8..=whole).contains(len))
        .unwrap_or(whole)
}
