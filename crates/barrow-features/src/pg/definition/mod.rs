//! What the packets of a stream look like: the text between `data {` and `}`, and what it means.
//!
//! ```text
//!   text --grammar--> Draft: bytes, edits, fixups, layers --> Program --Writer--> bytes of packet 1, 2, ...
//! ```
//!
//! * The [grammar] is VPP's (`vpp:src/vnet/ethernet/pg.c`, `ip/ip4_pg.c`, `udp/udp_pg.c` ...): one header
//!   after the other, each field fixed, counting up (`a - b`) or random (`a + b`), then a payload.
//! * A [`Program`] is the bytes of the longest packet, with the fields that change from packet to packet
//!   ([`Edit`](edit::Edit)) and the lengths and checksums that follow from them ([`Fixup`](fixup::Fixup)).
//! * A [`Writer`] goes through a program. When nothing changes, a packet costs one copy.

mod draft;
mod edit;
mod fixup;
mod grammar;
mod names;
mod program;
mod random;
mod text;

#[cfg(test)]
mod tests;

pub use program::{Layer, Program, Sizes, Writer};
pub use random::Random;

pub(super) use text::quote;

/// Why a text is no definition of packets.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The text is not understood from here on.
    #[error("failed to parse packet data from `{0}'")]
    Syntax(String),
    /// A range whose end is before its beginning.
    #[error("range ends before it begins in `{0}'")]
    Range(String),
    /// More headers, or longer ones, than a packet can have.
    #[error("too many headers")]
    TooLong,
    /// The longest packet is shorter than the shortest.
    #[error("max-size < min-size")]
    Sizes,
    /// A packet is longer than packets can be.
    #[error("packets are limited to {} bytes", crate::pcap::MAX_PACKET)]
    PacketTooLong,
    /// The shortest packet does not hold the headers.
    #[error("min-size < total header size {0}")]
    HeadersDoNotFit(usize),
}

/// Where a definition begins: what the node it is for expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// An Ethernet header.
    Ethernet,
    /// An ARP packet.
    Arp,
    /// An IPv4 header.
    Ip4,
    /// An IPv6 header.
    Ip6,
    /// A UDP header.
    Udp,
    /// Bytes.
    Payload,
}

impl Start {
    /// What a node expects, by its name.
    #[must_use]
    pub fn of_node(name: &str) -> Self {
        match name {
            "ethernet-input" => Self::Ethernet,
            "arp-input" => Self::Arp,
            "ip4-input" | "ip4-input-no-checksum" | "ip4-lookup" => Self::Ip4,
            "ip6-input" | "ip6-lookup" => Self::Ip6,
            "udp-local" => Self::Udp,
            _ => Self::Payload,
        }
    }
}

/// Reads a definition for packets of the given sizes; without sizes, packets have 64 bytes, or what their
/// headers need.
///
/// # Errors
/// See [`DefinitionError`].
pub fn parse(text: &str, start: Start, sizes: Option<Sizes>) -> Result<Program, DefinitionError> {
    grammar::parse(text, start, sizes)
}
