//! Why IPv4 packets are dropped: one list for all nodes of the family.
//!
//! Names and descriptions are VPP's (`vpp:src/vnet/ip/ip.api`, `counters ip4`), because tools look for
//! them in `show errors` and in the statistics segment; each node has the whole list, at 0 from the start.

use barrow_engine::ErrorCounters;

/// Counters of `ip4-input`, `ip4-rewrite`, `ip4-local` and their kin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ErrorCounters)]
pub enum Ip4Error {
    /// Nothing wrong.
    #[error_counter(name = "none", description = "valid ip4 packets", severity = INFO)]
    None,
    /// Shorter than a header.
    #[error_counter(name = "too_short", description = "ip4 length < 20 bytes", severity = ERROR)]
    TooShort,
    /// Longer than its frame.
    #[error_counter(name = "bad_length", description = "ip4 length > l2 length", severity = ERROR)]
    BadLength,
    /// The header does not sum up.
    #[error_counter(name = "bad_checksum", description = "bad ip4 checksum", severity = ERROR)]
    BadChecksum,
    /// Not version 4.
    #[error_counter(name = "version", description = "ip4 version != 4", severity = ERROR)]
    Version,
    /// Has options.
    #[error_counter(name = "options", description = "ip4 options present", severity = INFO)]
    Options,
    /// A fragment that would overwrite a transport header (RFC 1858).
    #[error_counter(
        name = "fragment_offset_one",
        description = "ip4 fragment offset == 1",
        severity = ERROR
    )]
    FragmentOffsetOne,
    /// Passed too many routers.
    #[error_counter(name = "time_expired", description = "ip4 ttl <= 1", severity = ERROR)]
    TimeExpired,
    /// Header length below the least.
    #[error_counter(name = "hdr_too_short", description = "ip4 IHL < 5", severity = ERROR)]
    HeaderTooShort,
    /// Larger than the link, and must not be cut.
    #[error_counter(
        name = "mtu_exceeded",
        description = "ip4 MTU exceeded and DF set",
        severity = ERROR
    )]
    MtuExceeded,
    /// No route.
    #[error_counter(
        name = "dst_lookup_miss",
        description = "ip4 destination lookup miss",
        severity = ERROR
    )]
    DestinationLookupMiss,
    /// No route back.
    #[error_counter(
        name = "src_lookup_miss",
        description = "ip4 source lookup miss",
        severity = ERROR
    )]
    SourceLookupMiss,
    /// Dropped by a route.
    #[error_counter(name = "drop", description = "ip4 drop", severity = ERROR)]
    Drop,
    /// Punted by a route.
    #[error_counter(name = "punt", description = "ip4 punt", severity = ERROR)]
    Punt,
    /// Would leave as it came.
    #[error_counter(
        name = "same_interface",
        description = "ip4 egress interface same as ingress",
        severity = ERROR
    )]
    SameInterface,
    /// For this node, which does not speak the protocol.
    #[error_counter(
        name = "unknown_protocol",
        description = "unknown ip protocol",
        severity = ERROR
    )]
    UnknownProtocol,
    /// For this node; the TCP checksum is wrong.
    #[error_counter(name = "tcp_checksum", description = "bad tcp checksum", severity = ERROR)]
    TcpChecksum,
    /// For this node; the UDP checksum is wrong.
    #[error_counter(name = "udp_checksum", description = "bad udp checksum", severity = ERROR)]
    UdpChecksum,
    /// For this node; the UDP length does not fit.
    #[error_counter(
        name = "udp_length",
        description = "inconsistent udp/ip lengths",
        severity = ERROR
    )]
    UdpLength,
    /// From one of this node's own addresses, or from none.
    #[error_counter(
        name = "spoofed_local_packets",
        description = "ip4 spoofed local-address packet drops",
        severity = ERROR
    )]
    Spoofed,
    /// A fragment that is there already, or overlaps another one.
    #[error_counter(
        name = "reass_duplicate_fragment",
        description = "duplicate/overlapping fragments",
        severity = ERROR
    )]
    ReassemblyDuplicate,
    /// No room for another fragment.
    #[error_counter(
        name = "reass_limit_reached",
        description = "drops due to concurrent reassemblies limit",
        severity = ERROR
    )]
    ReassemblyLimit,
    /// A packet of too many fragments.
    #[error_counter(
        name = "reass_fragment_chain_too_long",
        description = "fragment chain too long (drop)",
        severity = ERROR
    )]
    ReassemblyChainTooLong,
    /// No buffer; counted by VPP only.
    #[error_counter(
        name = "reass_no_buf",
        description = "out of buffers (drop)",
        severity = ERROR
    )]
    ReassemblyNoBuffer,
    /// A fragment that no packet has.
    #[error_counter(
        name = "reass_malformed_packet",
        description = "malformed packets",
        severity = ERROR
    )]
    ReassemblyMalformed,
    /// A bug; counted by VPP only.
    #[error_counter(
        name = "reass_internal_error",
        description = "drops due to internal reassembly error",
        severity = ERROR
    )]
    ReassemblyInternal,
    /// The rest of the packet did not come.
    #[error_counter(
        name = "reass_timeout",
        description = "fragments dropped due to reassembly timeout",
        severity = ERROR
    )]
    ReassemblyTimeout,
    /// Given to a plugin; counted by VPP only.
    #[error_counter(
        name = "reass_to_custom_app",
        description = "send to custom drop app",
        severity = ERROR
    )]
    ReassemblyCustom,
    /// Packets put together.
    #[error_counter(
        name = "reass_success",
        description = "successful reassemblies",
        severity = INFO
    )]
    ReassemblySuccess,
    /// Fragments of packets put together.
    #[error_counter(
        name = "reass_fragments_reassembled",
        description = "fragments reassembled",
        severity = INFO
    )]
    ReassemblyFragmentsReassembled,
    /// Fragments that came.
    #[error_counter(
        name = "reass_fragments_rcvd",
        description = "fragments received",
        severity = INFO
    )]
    ReassemblyFragmentsReceived,
    /// Of an unsupported protocol; counted by VPP only.
    #[error_counter(
        name = "reass_unsupp_ip_prot",
        description = "unsupported ip protocol",
        severity = ERROR
    )]
    ReassemblyUnsupported,
}
