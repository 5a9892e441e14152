//! Why an address was not added or removed, and the number that a client sees.

use crate::fib::FibError;
use barrow_engine::api::ApiError;
use std::fmt;

/// Why an address was not added or removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// No interface has this index.
    NoSuchInterface,
    /// The interface that is to lend its address does not exist.
    NoSuchLender,
    /// The prefix is longer than an address.
    PrefixLength,
    /// The address or its network is in use, on this interface or another one in the same table.
    InUse,
    /// The interface does not have this address.
    NotFound,
    /// The table of an interface cannot be changed while it has addresses.
    HasAddresses,
    /// No table has this id.
    NoSuchTable,
    /// An interface can borrow from another one of its own table only.
    DifferentTables,
    /// A sub-interface that takes frames with further tags cannot have addresses.
    NotExact,
    /// The forwarding tables refused.
    Fib(FibError),
}

impl AddressError {
    /// VPP's error number (`vpp:src/vnet/error.h`).
    #[must_use]
    pub const fn retval(&self) -> i32 {
        match self {
            Self::NoSuchInterface => -2,  // INVALID_SW_IF_INDEX
            Self::NoSuchTable => -3,      // NO_SUCH_FIB
            Self::NoSuchLender => -10,    // INVALID_SW_IF_INDEX_2
            Self::PrefixLength => -59,    // ADDRESS_LENGTH_MISMATCH
            Self::NotFound => -60,        // ADDRESS_NOT_FOUND_FOR_INTERFACE
            Self::DifferentTables => -74, // UNEXPECTED_INTF_STATE
            Self::InUse => -105,          // ADDRESS_IN_USE
            Self::HasAddresses => -114,   // ADDRESS_FOUND_FOR_INTERFACE
            Self::NotExact => -126,       // UNSUPPORTED
            Self::Fib(error) => error.retval(),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface => f.write_str("unknown interface"),
            Self::NoSuchLender => f.write_str("unknown interface to borrow from"),
            Self::PrefixLength => f.write_str("prefix longer than an address"),
            Self::InUse => f.write_str("address or network in use"),
            Self::NotFound => f.write_str("the interface has no such address"),
            Self::HasAddresses => f.write_str("the interface has addresses"),
            Self::NoSuchTable => f.write_str("no such table"),
            Self::DifferentTables => f.write_str("both interfaces must be in the same table"),
            Self::NotExact => f.write_str("a sub-interface needs an exact match to have addresses"),
            Self::Fib(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AddressError {}

impl From<AddressError> for ApiError {
    fn from(error: AddressError) -> Self {
        Self(error.retval())
    }
}

impl From<FibError> for AddressError {
    fn from(error: FibError) -> Self {
        Self::Fib(error)
    }
}
