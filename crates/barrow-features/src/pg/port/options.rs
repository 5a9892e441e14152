//! What a packet generator interface is like.

use crate::interface::{Capabilities, Framing};
use crate::pcap::LinkType;
use barrow_messages::ethernet_types::MacAddress;
use std::fmt;

/// What the packets of an interface begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PortMode {
    /// An Ethernet header.
    #[default]
    Ethernet,
    /// An IPv4 header.
    Ip4,
    /// An IPv6 header.
    Ip6,
}

impl PortMode {
    /// The node that takes received packets.
    #[must_use]
    pub const fn input_node(self) -> &'static str {
        match self {
            Self::Ethernet => "ethernet-input",
            Self::Ip4 => "ip4-input",
            Self::Ip6 => "ip6-input",
        }
    }

    pub(super) const fn framing(self) -> Framing {
        match self {
            Self::Ethernet => Framing::Ethernet,
            Self::Ip4 => Framing::Ip4,
            Self::Ip6 => Framing::Ip6,
        }
    }

    pub(super) const fn link_type(self) -> LinkType {
        match self {
            Self::Ethernet => LinkType::Ethernet,
            Self::Ip4 | Self::Ip6 => LinkType::Ip,
        }
    }
}

impl fmt::Display for PortMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "ethernet",
            Self::Ip4 => "ip4",
            Self::Ip6 => "ip6",
        })
    }
}

/// What an interface pretends its hardware can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::pg) enum Offloads {
    /// Nothing.
    #[default]
    None,
    /// Checksums.
    Checksums,
    /// Checksums, and cutting TCP into segments of this many bytes of payload.
    Gso(u16),
}

/// How an interface is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PortOptions {
    /// What its packets begin with.
    pub mode: PortMode,
    /// Its address; made up when it is `None`. Ethernet only.
    pub mac: Option<MacAddress>,
    /// Checksums of IPv4, TCP and UDP need not be filled in.
    pub checksum_offload: bool,
    /// TCP packets longer than the link are taken whole, and received ones that span buffers are said to
    /// have segments of this many bytes of payload; implies `checksum_offload`.
    pub gso_size: Option<u32>,
    /// TCP segments that follow one another in a vector are joined before they are captured. With GSO only.
    pub coalesce: bool,
}

impl PortOptions {
    pub(in crate::pg) fn offloads(&self) -> Offloads {
        match (self.gso_size, self.checksum_offload) {
            // A segment's payload is shorter than the longest IP packet.
            (Some(size), _) => Offloads::Gso(u16::try_from(size).unwrap_or(u16::MAX)),
            (None, true) => Offloads::Checksums,
            (None, false) => Offloads::None,
        }
    }
}

impl Offloads {
    pub(super) const fn capabilities(self) -> Capabilities {
        let checksums = !matches!(self, Self::None);
        Capabilities {
            tx_ip4_checksum: checksums,
            tx_tcp_checksum: checksums,
            tx_udp_checksum: checksums,
            tcp_gso: matches!(self, Self::Gso(_)),
        }
    }
}
