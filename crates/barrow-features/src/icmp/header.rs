//! ICMP messages on the wire (RFC 792, RFC 1191, RFC 1812).

use zerocopy::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of an ICMP header.
pub const HEADER_LEN: usize = 8;

/// The first eight bytes of any ICMP message.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
pub struct IcmpHeader {
    /// What it says.
    pub kind: u8,
    /// The finer cause.
    pub code: u8,
    /// Checksum over the whole message.
    pub checksum: U16,
    /// Echo: identifier. Errors: unused.
    pub identifier: U16,
    /// Echo: sequence number. "Fragmentation needed": the next hop's MTU.
    pub sequence: U16,
}

/// Types of message.
pub mod kind {
    /// Answer to an echo request.
    pub const ECHO_REPLY: u8 = 0;
    /// The packet could not be delivered.
    pub const DESTINATION_UNREACHABLE: u8 = 3;
    /// A better router exists.
    pub const REDIRECT: u8 = 5;
    /// Asks for an echo reply.
    pub const ECHO_REQUEST: u8 = 8;
    /// The packet passed too many routers.
    pub const TIME_EXCEEDED: u8 = 11;
    /// A field of the packet makes no sense.
    pub const PARAMETER_PROBLEM: u8 = 12;

    /// Whether a message reports a fault: no fault is reported about it (RFC 1122 section 3.2.2).
    #[must_use]
    pub const fn is_error(kind: u8) -> bool {
        matches!(
            kind,
            DESTINATION_UNREACHABLE | 4 | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM
        )
    }
}

/// Codes of "destination unreachable".
pub mod unreachable {
    /// No route.
    pub const NET: u8 = 0;
    /// The host does not answer.
    pub const HOST: u8 = 1;
    /// Nobody there speaks the protocol.
    pub const PROTOCOL: u8 = 2;
    /// Nobody listens on the port.
    pub const PORT: u8 = 3;
    /// It must be cut and may not be.
    pub const FRAGMENTATION_NEEDED: u8 = 4;
    /// Forbidden by an administrator.
    pub const ADMIN_PROHIBITED: u8 = 13;
}
