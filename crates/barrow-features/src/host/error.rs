//! Why a host interface was not made or removed.

use crate::interface::{InterfaceError, SwIfIndex};
use barrow_runtime::io::netlink::NetlinkError;
use std::fmt;
use std::io;

/// Why a host interface was not made or removed.
#[derive(Debug)]
pub enum HostError {
    /// The link is in use by this interface already.
    Exists(SwIfIndex),
    /// The kernel has no link of this name.
    NoSuchLink,
    /// No host interface uses a link of this name.
    NotUsed,
    /// An argument is outside what a host interface takes; the text says which.
    Invalid(&'static str),
    /// The table of interfaces refused.
    Interface(InterfaceError),
    /// The kernel refused; the text says what was tried.
    System(&'static str, io::Error),
    /// The kernel's network configuration refused.
    Netlink(NetlinkError),
}

impl HostError {
    /// VPP's error number (`vpp:src/plugins/af_packet/af_packet.c`).
    #[must_use]
    pub const fn retval(&self) -> i32 {
        match self {
            Self::Invalid(_) => -7,                                       // INVALID_VALUE
            Self::System(_, _) | Self::Netlink(_) | Self::NotUsed => -11, // SYSCALL_ERROR_1
            Self::NoSuchLink => -71,                                      // INVALID_INTERFACE
            Self::Exists(_) => -79,                                       // IF_ALREADY_EXISTS
            Self::Interface(error) => error.retval(),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(_) => f.write_str("Interface already exists"),
            Self::NoSuchLink => f.write_str("Invalid interface name"),
            Self::NotUsed => f.write_str("no such host interface"),
            Self::Invalid(what) => write!(f, "invalid {what}"),
            Self::Interface(error) => error.fmt(f),
            Self::System(what, error) => write!(f, "{what}: {error}"),
            Self::Netlink(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HostError {}

impl From<InterfaceError> for HostError {
    fn from(error: InterfaceError) -> Self {
        Self::Interface(error)
    }
}

impl From<NetlinkError> for HostError {
    fn from(error: NetlinkError) -> Self {
        Self::Netlink(error)
    }
}
