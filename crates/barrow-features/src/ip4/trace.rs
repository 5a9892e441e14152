//! IPv4 packets as `show trace` prints them.

use super::header::{Ip4Header, protocol};
use crate::first_bytes::FirstBytes;
use crate::icmp::header::{IcmpHeader, kind, unreachable};
use crate::ip::checksum::Sum;
use std::fmt;
use zerocopy::FromBytes;
use zerocopy::network_endian::U16;

/// Bytes of a packet that a trace record keeps: headers with options, and the transport header.
const KEPT: usize = 96;

/// The start of a traced packet, from its IPv4 header on; text is made only when somebody looks.
#[derive(Clone, Copy, Debug)]
pub struct Ip4Trace(FirstBytes<KEPT>);

impl Ip4Trace {
    /// Keeps the start of a packet.
    #[must_use]
    pub fn new(data: &[u8]) -> Self {
        Self(FirstBytes::of(data))
    }
}

impl fmt::Display for Ip4Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.0.get();
        let Ok((header, _)) = Ip4Header::ref_from_prefix(data) else {
            return f.write_str("IP4 header truncated");
        };
        match header.protocol {
            protocol::ICMP => f.write_str("ICMP")?,
            protocol::IGMP => f.write_str("IGMP")?,
            protocol::TCP => f.write_str("TCP")?,
            protocol::UDP => f.write_str("UDP")?,
            other => write!(f, "unknown {other}")?,
        }
        write!(f, ": {} -> {}\n  ", header.source(), header.destination())?;
        if header.version_and_length != 0x45 {
            write!(
                f,
                "version {}, header length {}\n  ",
                header.version(),
                header.header_len()
            )?;
        }
        write!(
            f,
            "tos 0x{:02x}, ttl {}, length {}, ",
            header.tos, header.ttl, header.total_length
        )?;
        write!(f, "checksum 0x{:04x}", header.checksum.get())?;
        if let Some(whole) = data.get(..header.header_len().max(20)) {
            let right = right_checksum(whole, header.checksum.get());
            if right != header.checksum.get() {
                write!(f, " (should be 0x{right:04x})")?;
            }
        }
        write!(
            f,
            " dscp {} ecn {}\n  ",
            Dscp(header.tos >> 2),
            ecn(header.tos)
        )?;
        write!(f, "fragment id 0x{:04x}", header.id.get())?;
        if header.is_fragment() {
            write!(f, ", offset {}", header.fragment_offset())?;
        }
        let flags = header.flags_and_offset.get();
        if flags & 0xe000 != 0 {
            f.write_str(", flags ")?;
            if flags & 0x2000 != 0 {
                f.write_str("MORE_FRAGMENTS ")?;
            }
            if header.dont_fragment() {
                f.write_str("DONT_FRAGMENT ")?;
            }
            if flags & 0x8000 != 0 {
                f.write_str("CONGESTION ")?;
            }
        }
        if header.fragment_offset() == 0 {
            transport(f, header, data.get(header.header_len()..).unwrap_or(&[]))?;
        }
        Ok(())
    }
}

fn transport(f: &mut fmt::Formatter<'_>, header: &Ip4Header, payload: &[u8]) -> fmt::Result {
    let word = |at: usize| {
        let bytes = payload.get(at..)?.first_chunk()?;
        Some(u16::from_be_bytes(*bytes))
    };
    match header.protocol {
        protocol::UDP => {
            if let (Some(source), Some(destination)) = (word(0), word(2)) {
                write!(f, "\nUDP: {source} -> {destination}")?;
            }
            if let (Some(len), Some(checksum)) = (word(4), word(6)) {
                write!(f, "\n  length {len}, checksum 0x{checksum:04x}")?;
            }
        }
        protocol::TCP => {
            if let (Some(source), Some(destination)) = (word(0), word(2)) {
                write!(f, "\nTCP: {source} -> {destination}")?;
            }
            let long = |at: usize| Some(u32::from(word(at)?) << 16 | u32::from(word(at + 2)?));
            if let (Some(seq), Some(ack), Some(flags)) = (long(4), long(8), word(12)) {
                write!(f, "\n  seq. 0x{seq:08x} ack 0x{ack:08x}")?;
                write!(f, "\n  flags 0x{:02x}", flags & 0xff)?;
            }
        }
        protocol::ICMP => {
            if let Ok((icmp, _)) = IcmpHeader::ref_from_prefix(payload) {
                write!(f, "\nICMP {}", IcmpText(icmp))?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn right_checksum(header: &[u8], claimed: u16) -> u16 {
    // Adding the complement of a word takes it out of a one's complement sum.
    Sum::new().bytes(header).word(!claimed).finish()
}

struct IcmpText<'a>(&'a IcmpHeader);

impl fmt::Display for IcmpText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let icmp = self.0;
        match (icmp.kind, icmp.code) {
            (kind::ECHO_REQUEST, _) => f.write_str("echo_request")?,
            (kind::ECHO_REPLY, _) => f.write_str("echo_reply")?,
            (kind::TIME_EXCEEDED, 0) => f.write_str("time_exceeded ttl_exceeded_in_transit")?,
            (kind::TIME_EXCEEDED, _) => f.write_str("time_exceeded reassembly_time_exceeded")?,
            (kind::DESTINATION_UNREACHABLE, code) => {
                f.write_str("destination_unreachable ")?;
                match code {
                    unreachable::NET => f.write_str("destination_unreachable_net")?,
                    unreachable::HOST => f.write_str("destination_unreachable_host")?,
                    unreachable::PROTOCOL => f.write_str("protocol_unreachable")?,
                    unreachable::PORT => f.write_str("port_unreachable")?,
                    unreachable::FRAGMENTATION_NEEDED => {
                        f.write_str("fragmentation_needed_and_dont_fragment_set")?;
                    }
                    other => write!(f, "code {other}")?,
                }
            }
            (other, code) => write!(f, "unknown {other} code {code}")?,
        }
        write!(f, " checksum 0x{:04x}", icmp.checksum.get())?;
        if matches!(icmp.kind, kind::ECHO_REQUEST | kind::ECHO_REPLY) {
            write!(f, " id {}", U16::get(icmp.identifier))?;
        }
        Ok(())
    }
}

/// A differentiated-services code point by name (RFC 4594).
struct Dscp(u8);

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            46 => f.write_str("EF"),
            point if point % 8 == 0 => write!(f, "CS{}", point / 8),
            point if (10..=38).contains(&point) && point % 2 == 0 => {
                write!(f, "AF{}{}", point / 8, point % 8 / 2)
            }
            point => write!(f, "{point}"),
        }
    }
}

const fn ecn(tos: u8) -> &'static str {
    match tos & 3 {
        0 => "NON_ECN",
        1 => "ECT_1",
        2 => "ECT_0",
        _ => "CE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use zerocopy::IntoBytes;

    #[test]
    fn a_wrong_checksum_is_shown_beside_the_right_one() {
        let (a, b) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(20, 0, 0, 1));
        let mut header = Ip4Header::new(a, b, protocol::UDP, 64, 86);
        assert_eq!(header.checksum.get(), 0x5c95);
        header.checksum = 1.into();
        let text = Ip4Trace::new(header.as_bytes()).to_string();
        assert!(
            text.contains("checksum 0x0001 (should be 0x5c95) dscp CS0 ecn NON_ECN"),
            "{text}"
        );
    }
}
