//! ICMP for IPv4: echo replies, errors, and who wants which message.
//!
//! ```text
//! ip4-local --> ip4-icmp-input --+--> ip4-icmp-echo-request --> ip4-lookup
//!                                +--> nodes that registered a type (echo replies: ping)
//! anybody ----> ip4-icmp-error --+--> ip4-lookup   the answer
//!                                +--> ip4-drop     the packet itself
//! ```

pub mod echo;
pub mod error;
pub mod header;
pub mod input;
mod sources;

pub use sources::SourceAddresses;

use barrow_engine::ErrorCounters;

/// Counters of the ICMP nodes; names and descriptions are VPP's (`vpp:src/vnet/ip/ip.api`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, ErrorCounters)]
pub enum Icmp4Error {
    /// Nothing wrong.
    #[error_counter(name = "none", description = "valid packets", severity = INFO)]
    None,
    /// Nobody registered the type.
    #[error_counter(name = "unknown_type", description = "unknown type", severity = ERROR)]
    UnknownType,
    /// A code that the type does not have.
    #[error_counter(
        name = "invalid_code_for_type",
        description = "invalid code for type",
        severity = ERROR
    )]
    InvalidCode,
    /// A hop limit that the type does not allow.
    #[error_counter(
        name = "invalid_hop_limit_for_type",
        description = "hop_limit != 255",
        severity = ERROR
    )]
    InvalidHopLimit,
    /// Shorter than its type needs.
    #[error_counter(
        name = "length_too_small_for_type",
        description = "payload length too small for type",
        severity = ERROR
    )]
    TooShort,
    /// Options of odd length.
    #[error_counter(
        name = "options_with_odd_length",
        description = "total option length not multiple of 8 bytes",
        severity = ERROR
    )]
    OptionsOddLength,
    /// An option without length.
    #[error_counter(
        name = "option_with_zero_length",
        description = "option has zero length",
        severity = ERROR
    )]
    OptionZeroLength,
    /// Echo requests answered.
    #[error_counter(
        name = "echo_replies_sent",
        description = "echo replies sent",
        severity = INFO
    )]
    EchoRepliesSent,
    /// An answer without a route.
    #[error_counter(
        name = "dst_lookup_miss",
        description = "icmp6 dst address lookup misses",
        severity = ERROR
    )]
    DestinationLookupMiss,
    /// "Destination unreachable" sent.
    #[error_counter(
        name = "dest_unreach_sent",
        description = "destination unreachable response sent",
        severity = INFO
    )]
    UnreachableSent,
    /// "Time exceeded" sent.
    #[error_counter(
        name = "ttl_expire_sent",
        description = "hop limit exceeded response sent",
        severity = INFO
    )]
    TtlExpireSent,
    /// "Parameter problem" sent.
    #[error_counter(
        name = "param_problem_sent",
        description = "parameter problem response sent",
        severity = INFO
    )]
    ParameterProblemSent,
    /// Not answered: forbidden, over the rate, or no buffer.
    #[error_counter(name = "drop", description = "error message dropped", severity = ERROR)]
    Drop,
}
