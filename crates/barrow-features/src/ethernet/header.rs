//! The Ethernet header and VLAN tags on the wire (IEEE 802.3, 802.1Q, 802.1ad).

use barrow_messages::ethernet_types::MacAddress;
use zerocopy::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of an Ethernet header without tags.
pub const HEADER_LEN: usize = 14;
/// Bytes that one VLAN tag adds.
pub const TAG_LEN: usize = 4;
/// Shortest frame, without its check sequence.
pub const MIN_FRAME: usize = 60;

/// What an Ethernet frame carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EtherType(pub u16);

impl EtherType {
    /// Internet Protocol version 4.
    pub const IP4: Self = Self(0x0800);
    /// Address Resolution Protocol.
    pub const ARP: Self = Self(0x0806);
    /// A customer VLAN tag.
    pub const DOT1Q: Self = Self(0x8100);
    /// Internet Protocol version 6.
    pub const IP6: Self = Self(0x86dd);
    /// MPLS, unicast.
    pub const MPLS: Self = Self(0x8847);
    /// A service VLAN tag.
    pub const DOT1AD: Self = Self(0x88a8);
    /// The older service tag that some switches send.
    pub const DOT1QINQ_OLD: Self = Self(0x9100);
    /// Values below this are lengths of 802.3 frames.
    pub const FIRST: Self = Self(0x0600);

    /// Whether a VLAN tag follows.
    #[inline]
    #[must_use]
    pub const fn is_vlan(self) -> bool {
        matches!(self, Self::DOT1Q | Self::DOT1AD | Self::DOT1QINQ_OLD)
    }
}

/// The first 14 bytes of a frame.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
pub struct EthernetHeader {
    /// To whom.
    pub destination: [u8; 6],
    /// From whom.
    pub source: [u8; 6],
    /// What follows, or the length of an 802.3 frame.
    pub ether_type: U16,
}

impl EthernetHeader {
    /// What follows.
    #[inline]
    #[must_use]
    pub const fn ether_type(&self) -> EtherType {
        EtherType(self.ether_type.get())
    }

    /// Whether the frame is for more than one receiver: multicast or broadcast.
    #[inline]
    #[must_use]
    pub const fn is_group(&self) -> bool {
        self.destination[0] & 1 != 0
    }

    /// Whether the frame is for everybody.
    #[inline]
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        self.destination == [0xff; 6]
    }
}

/// For whom a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// One station.
    Unicast,
    /// A group.
    Multicast,
    /// Everybody.
    Broadcast,
}

impl Audience {
    /// By the address that a frame begins with; a frame that is shorter is for nobody in particular, which
    /// counts as one.
    #[inline]
    #[must_use]
    pub fn of(frame: &[u8]) -> Self {
        match frame.first_chunk::<6>() {
            Some([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) => Self::Broadcast,
            Some([first, ..]) if first & 1 != 0 => Self::Multicast,
            _ => Self::Unicast,
        }
    }
}

/// One VLAN tag: the four bytes from a tag's EtherType on, less that type.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
pub struct VlanTag {
    /// Priority (3 bits), drop eligible (1 bit), VLAN id (12 bits).
    pub control: U16,
    /// What follows the tag.
    pub ether_type: U16,
}

impl VlanTag {
    /// The VLAN id, 0 to 4095.
    #[inline]
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.control.get() & 0x0fff
    }

    /// What follows the tag.
    #[inline]
    #[must_use]
    pub const fn ether_type(&self) -> EtherType {
        EtherType(self.ether_type.get())
    }
}

/// Whether an address stands for one station.
#[must_use]
pub const fn is_unicast(mac: MacAddress) -> bool {
    mac.0[0] & 1 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_says_for_whom_a_frame_is() {
        assert_eq!(Audience::of(&[0xff; 14]), Audience::Broadcast);
        assert_eq!(Audience::of(&[1, 0, 0x5e, 0, 0, 1]), Audience::Multicast);
        assert_eq!(Audience::of(&[2, 0, 0, 0, 0, 1]), Audience::Unicast);
        assert_eq!(Audience::of(&[0xff; 5]), Audience::Unicast);
    }
}
