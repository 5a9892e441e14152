//! Why an interface operation failed, and the number that a client sees.

use barrow_engine::api::ApiError;
use std::fmt;

/// Why an operation on an interface failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InterfaceError {
    /// No interface has this index or name.
    NoSuchInterface,
    /// An interface of this name or instance exists.
    AlreadyExists,
    /// A sub-interface of this id or with these tags exists.
    SubInterfaceExists,
    /// Another sub-interface takes frames with these tags.
    VlanInUse,
    /// The interface beneath is down; this is its name.
    ParentDown(String),
    /// A sub-interface is shown as punting only above one that is; this is that one's name.
    ParentNotPunting(String),
    /// The operation needs a sub-interface.
    NotSubInterface,
    /// The operation needs a hardware interface, or one of another kind.
    WrongKind,
    /// The operation needs an Ethernet interface.
    NotEthernet,
    /// The interface has no such receive or transmit queue.
    NoSuchQueue,
    /// There is no such worker thread.
    NoSuchWorker,
    /// The kind of interface has no such operation.
    Unsupported,
    /// An argument is outside what the operation takes; the text says which.
    InvalidValue(&'static str),
    /// The node has as many interfaces as it can hold.
    TooMany,
    /// The kernel refused: its error number, and what was tried.
    System(i32, String),
}

impl InterfaceError {
    /// VPP's error number (`vpp:src/vnet/error.h`); a message that VPP answers otherwise overrides it.
    #[must_use]
    pub const fn retval(&self) -> i32 {
        match self {
            // UNSPECIFIED
            Self::TooMany | Self::VlanInUse | Self::ParentDown(_) | Self::ParentNotPunting(_) => -1,
            Self::NoSuchInterface => -2,     // INVALID_SW_IF_INDEX
            Self::InvalidValue(_) => -7,     // INVALID_VALUE
            Self::System(_, _) => -11,       // SYSCALL_ERROR_1
            Self::SubInterfaceExists => -56, // VLAN_ALREADY_EXISTS
            Self::WrongKind => -71,          // INVALID_INTERFACE
            Self::AlreadyExists => -79,      // IF_ALREADY_EXISTS
            Self::NoSuchWorker => -89,       // INVALID_WORKER
            Self::NotSubInterface => -98,    // INVALID_SUB_SW_IF_INDEX
            Self::NoSuchQueue => -125,       // INVALID_QUEUE
            Self::Unsupported => -126,       // UNSUPPORTED
            Self::NotEthernet => -151,       // NON_ETHERNET
        }
    }
}

impl fmt::Display for InterfaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface => f.write_str("unknown interface"),
            Self::AlreadyExists => f.write_str("interface exists already"),
            Self::SubInterfaceExists => f.write_str("sub-interface exists already"),
            Self::VlanInUse => f.write_str("vlan is already in use"),
            Self::ParentDown(parent) => write!(f, "super-interface {parent} must be up"),
            Self::ParentNotPunting(parent) => {
                write!(f, "super-interface {parent} must be down/punt")
            }
            Self::NotSubInterface => f.write_str("not a sub-interface"),
            Self::WrongKind => f.write_str("wrong kind of interface"),
            Self::NotEthernet => f.write_str("not an Ethernet interface"),
            Self::NoSuchQueue => f.write_str("no such queue"),
            Self::NoSuchWorker => f.write_str("no such worker"),
            Self::Unsupported => f.write_str("not supported by this interface"),
            Self::InvalidValue(what) => write!(f, "invalid {what}"),
            Self::TooMany => f.write_str("too many interfaces"),
            Self::System(number, what) => write!(f, "{what}: system error {number}"),
        }
    }
}

impl std::error::Error for InterfaceError {}

impl From<InterfaceError> for ApiError {
    fn from(error: InterfaceError) -> Self {
        Self(error.retval())
    }
}
