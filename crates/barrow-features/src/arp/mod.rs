//! ARP for IPv4 over Ethernet (RFC 826).
//!
//! ```text
//! arp-input --(arc arp)--> arp-reply --> arp-proxy --> arp-disabled
//!                              |             |
//!                              +-------------+--> NAME-output     answers
//!                              +--> main thread                   neighbours learnt
//! ```

mod api;
mod cli;
mod control;
mod disabled;
mod feature;
pub mod header;
pub mod input;
pub mod proxy;
pub mod reply;
#[cfg(test)]
mod tests;
pub mod trace;

pub use control::ProxyArp;
pub use feature::ArpFeature;
pub use proxy::{ProxyRange, ProxyRanges};

use barrow_engine::ErrorCounters;

/// Counters of the ARP nodes; names and descriptions are VPP's (`vpp:src/vnet/arp/arp.api`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, ErrorCounters)]
pub enum ArpError {
    /// Requests answered.
    #[error_counter(name = "replies_sent", description = "ARP replies sent", severity = INFO)]
    RepliesSent,
    /// The interface takes no IPv4.
    #[error_counter(name = "disabled", description = "ARP Disabled", severity = ERROR)]
    Disabled,
    /// Not for Ethernet, or too short.
    #[error_counter(name = "l2_type_not_ethernet", description = "L2 type not ethernet", severity = ERROR)]
    NotEthernet,
    /// Not for IPv4.
    #[error_counter(name = "l3_type_not_ip4", description = "L3 type not IP4", severity = ERROR)]
    NotIp4,
    /// From a host that is not of this link's networks.
    #[error_counter(name = "l3_src_address_not_local", description = "IP4 source address not local to subnet", severity = ERROR)]
    SourceNotLocal,
    /// For an address that is not ours.
    #[error_counter(name = "l3_dst_address_not_local", description = "IP4 destination address not local to subnet", severity = ERROR)]
    TargetNotLocal,
    /// For no address.
    #[error_counter(name = "l3_dst_address_unset", description = "IP4 destination address is unset", severity = ERROR)]
    TargetUnset,
    /// From one of our own addresses.
    #[error_counter(name = "l3_src_address_is_local", description = "IP4 source address matches local interface", severity = ERROR)]
    SourceIsLocal,
    /// Neighbours learnt.
    #[error_counter(name = "l3_src_address_learned", description = "ARP request IP4 source address learned", severity = INFO)]
    SourceLearned,
    /// Answers received.
    #[error_counter(name = "replies_received", description = "ARP replies received", severity = INFO)]
    RepliesReceived,
    /// Neither request nor reply.
    #[error_counter(name = "opcode_not_request", description = "ARP opcode not request", severity = ERROR)]
    NotRequest,
    /// Requests answered for others.
    #[error_counter(name = "proxy_arp_replies_sent", description = "Proxy ARP replies sent", severity = INFO)]
    ProxyRepliesSent,
    /// The frame comes from another station than the packet says.
    #[error_counter(name = "l2_address_mismatch", description = "ARP hw addr does not match L2 frame src addr", severity = ERROR)]
    AddressMismatch,
    /// An announcement.
    #[error_counter(name = "gratuitous_arp", description = "ARP probe or announcement dropped", severity = ERROR)]
    Gratuitous,
    /// The interface belongs to no table.
    #[error_counter(name = "interface_no_table", description = "Interface is not mapped to an IP table", severity = ERROR)]
    NoTable,
    /// The interface takes no IP.
    #[error_counter(name = "interface_not_ip_enabled", description = "Interface is not IP enabled", severity = ERROR)]
    NotEnabled,
    /// The interface borrows an address of another network.
    #[error_counter(name = "unnumbered_mismatch", description = "RX interface is unnumbered to different subnet", severity = ERROR)]
    UnnumberedMismatch,
}
