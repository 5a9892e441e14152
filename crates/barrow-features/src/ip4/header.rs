//! The IPv4 header on the wire (RFC 791).

use crate::ip::checksum::{self, Sum};
use std::net::Ipv4Addr;
use zerocopy::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// More fragments follow.
pub const MORE_FRAGMENTS: u16 = 0x2000;
/// The packet must not be cut.
pub const DONT_FRAGMENT: u16 = 0x4000;
/// Offset of a fragment in units of 8 bytes.
pub const FRAGMENT_OFFSET: u16 = 0x1fff;

/// What an IPv4 packet carries (IANA protocol numbers).
pub mod protocol {
    /// Internet Control Message Protocol.
    pub const ICMP: u8 = 1;
    /// Internet Group Management Protocol.
    pub const IGMP: u8 = 2;
    /// Transmission Control Protocol.
    pub const TCP: u8 = 6;
    /// User Datagram Protocol.
    pub const UDP: u8 = 17;
}

/// The fixed part of an IPv4 header.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
pub struct Ip4Header {
    /// Version (4 bits) and header length in words of four bytes (4 bits).
    pub version_and_length: u8,
    /// Differentiated services and congestion notification.
    pub tos: u8,
    /// Bytes of the packet, this header included.
    pub total_length: U16,
    /// Tells the fragments of one packet from others'.
    pub id: U16,
    /// Flags (3 bits) and fragment offset (13 bits).
    pub flags_and_offset: U16,
    /// Routers it may still pass.
    pub ttl: u8,
    /// What it carries.
    pub protocol: u8,
    /// Checksum of the header.
    pub checksum: U16,
    /// From whom.
    pub source: [u8; 4],
    /// To whom.
    pub destination: [u8; 4],
}

impl Ip4Header {
    /// A header without options, its checksum in place.
    #[must_use]
    pub fn new(
        source: Ipv4Addr,
        destination: Ipv4Addr,
        protocol: u8,
        ttl: u8,
        total_length: u16,
    ) -> Self {
        let mut header = Self {
            version_and_length: 0x45,
            tos: 0,
            total_length: total_length.into(),
            id: 0.into(),
            flags_and_offset: 0.into(),
            ttl,
            protocol,
            checksum: 0.into(),
            source: source.octets(),
            destination: destination.octets(),
        };
        header.set_checksum();
        header
    }

    /// IP version; 4 in a valid packet.
    #[inline]
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version_and_length >> 4
    }

    /// Bytes of the header with its options; 20 to 60 in a valid packet.
    #[inline]
    #[must_use]
    pub const fn header_len(&self) -> usize {
        (self.version_and_length & 0x0f) as usize * 4
    }

    /// From whom.
    #[inline]
    #[must_use]
    pub const fn source(&self) -> Ipv4Addr {
        Ipv4Addr::from_octets(self.source)
    }

    /// To whom.
    #[inline]
    #[must_use]
    pub const fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::from_octets(self.destination)
    }

    /// Where in the original packet this fragment's payload stood, in bytes.
    #[inline]
    #[must_use]
    pub const fn fragment_offset(&self) -> usize {
        (self.flags_and_offset.get() & FRAGMENT_OFFSET) as usize * 8
    }

    /// Whether this is a part of a larger packet.
    #[inline]
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.flags_and_offset.get() & (FRAGMENT_OFFSET | MORE_FRAGMENTS) != 0
    }

    /// Whether the packet must not be cut.
    #[inline]
    #[must_use]
    pub const fn dont_fragment(&self) -> bool {
        self.flags_and_offset.get() & DONT_FRAGMENT != 0
    }

    /// Whether the fixed part sums up; only for a header without options.
    #[inline]
    #[must_use]
    pub fn checksum_is_right(&self) -> bool {
        // Five words in registers: the hot path's form of the sum over the whole header.
        let bytes = self.as_bytes();
        let mut sum = 0u64;
        for word in bytes.chunks_exact(4) {
            sum += u64::from(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
        }
        // Folding keeps the sum modulo 0xffff, and only zeros add up to 0: one multiplication instead of folds.
        (sum != 0) & sum.is_multiple_of(0xffff)
    }

    /// Computes the checksum of a header without options.
    pub fn set_checksum(&mut self) {
        self.checksum = 0.into();
        self.checksum = Sum::new().bytes(self.as_bytes()).finish().into();
    }

    /// Takes one from the time to live and mends the checksum; the caller saw that it is above 0.
    #[inline]
    pub fn decrement_ttl(&mut self) {
        let old = u16::from_be_bytes([self.ttl, self.protocol]);
        self.ttl = self.ttl.wrapping_sub(1);
        let new = u16::from_be_bytes([self.ttl, self.protocol]);
        self.checksum = checksum::update(self.checksum.get(), old, new).into();
    }
}

/// Checksum over a whole header, options included; 0xffff when right.
#[must_use]
pub fn fold_with_options(header: &[u8]) -> u16 {
    Sum::new().bytes(header).fold()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_header_has_a_right_checksum_and_keeps_it_while_the_ttl_falls() {
        let (a, b) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 77));
        let mut header = Ip4Header::new(a, b, protocol::UDP, 64, 1500);
        while header.ttl > 0 {
            assert!(header.checksum_is_right(), "ttl {}", header.ttl);
            assert_eq!(fold_with_options(header.as_bytes()), 0xffff);
            header.decrement_ttl();
        }
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let a = Ipv4Addr::new(10, 0, 0, 1);
        let mut header = Ip4Header::new(a, a, protocol::TCP, 3, 40);
        header.id = 1.into();
        assert!(!header.checksum_is_right());
    }
}
