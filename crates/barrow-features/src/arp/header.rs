//! ARP packets on the wire (RFC 826), for IPv4 over Ethernet.

use std::net::Ipv4Addr;
use zerocopy::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of an ARP packet for IPv4 over Ethernet.
pub const PACKET_LEN: usize = 28;

/// Asks who has an address.
pub const REQUEST: u16 = 1;
/// Says who has it.
pub const REPLY: u16 = 2;

/// An ARP packet for IPv4 over Ethernet.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
pub struct ArpPacket {
    /// Kind of link: 1 for Ethernet.
    pub hardware_type: U16,
    /// Kind of network address: an EtherType.
    pub protocol_type: U16,
    /// Bytes of a link address.
    pub hardware_len: u8,
    /// Bytes of a network address.
    pub protocol_len: u8,
    /// [`REQUEST`] or [`REPLY`].
    pub operation: U16,
    /// Link address of the sender.
    pub sender_mac: [u8; 6],
    /// Network address of the sender.
    pub sender_ip: [u8; 4],
    /// Link address of the target; unknown in a request.
    pub target_mac: [u8; 6],
    /// Network address of the target.
    pub target_ip: [u8; 4],
}

impl ArpPacket {
    /// A packet for IPv4 over Ethernet.
    #[must_use]
    pub fn new(
        operation: u16,
        (sender_mac, sender_ip): ([u8; 6], Ipv4Addr),
        (target_mac, target_ip): ([u8; 6], Ipv4Addr),
    ) -> Self {
        Self {
            hardware_type: 1.into(),
            protocol_type: 0x0800.into(),
            hardware_len: 6,
            protocol_len: 4,
            operation: operation.into(),
            sender_mac,
            sender_ip: sender_ip.octets(),
            target_mac,
            target_ip: target_ip.octets(),
        }
    }

    /// Network address of the sender.
    #[must_use]
    pub const fn sender_ip(&self) -> Ipv4Addr {
        Ipv4Addr::from_octets(self.sender_ip)
    }

    /// Network address of the target.
    #[must_use]
    pub const fn target_ip(&self) -> Ipv4Addr {
        Ipv4Addr::from_octets(self.target_ip)
    }

    /// Whether sender and target are the same host, announcing itself (RFC 5227).
    #[must_use]
    pub fn is_gratuitous(&self) -> bool {
        self.sender_ip == self.target_ip
    }
}
