//! Why an operation on the forwarding tables failed, and the number that a client sees.

use std::fmt;

/// Why an operation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FibError {
    /// No table has this id or index.
    NoSuchTable,
    /// A path names an interface that does not exist.
    NoSuchInterface,
    /// A route was added without a path.
    NoPaths,
    /// No route has this prefix.
    NoSuchEntry,
    /// The address family has no tables here.
    AddressFamily,
    /// The prefix is longer than an address of its family.
    PrefixLength,
    /// The next-hop protocol of a path is no known number.
    NextHopProtocol,
    /// What was asked for exists in VPP but not here; the text says what.
    Unsupported(&'static str),
    /// A table is full; the text says which.
    Limit(&'static str),
}

impl FibError {
    /// VPP's error number (`vpp:src/vnet/error.h`).
    #[must_use]
    pub const fn retval(self) -> i32 {
        match self {
            Self::NextHopProtocol => -1, // UNSPECIFIED, as fib_api_path_decode answers
            Self::NoSuchTable => -3,     // NO_SUCH_FIB
            Self::NoSuchEntry => -6,     // NO_SUCH_ENTRY
            Self::NoPaths => -52,        // NO_PATHS_IN_ROUTE
            Self::NoSuchInterface => -54, // NO_MATCHING_INTERFACE
            Self::AddressFamily => -97,  // INVALID_ADDRESS_FAMILY
            Self::Unsupported(_) => -126, // UNSUPPORTED
            Self::Limit(_) => -162,      // LIMIT_EXCEEDED
            Self::PrefixLength => -171,  // INVALID_PREFIX_LENGTH
        }
    }
}

impl fmt::Display for FibError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchTable => f.write_str("no such table"),
            Self::NoSuchInterface => f.write_str("no such interface"),
            Self::NoPaths => f.write_str("route without paths"),
            Self::NoSuchEntry => f.write_str("no such route"),
            Self::AddressFamily => f.write_str("address family not supported"),
            Self::PrefixLength => f.write_str("invalid prefix length"),
            Self::NextHopProtocol => f.write_str("unknown next-hop protocol"),
            Self::Unsupported(what) => write!(f, "{what} not supported"),
            Self::Limit(what) => write!(f, "too many {what}"),
        }
    }
}

impl std::error::Error for FibError {}
