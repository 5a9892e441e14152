//! Where a peer is.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::io::unix;

/// Address of an internet or UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// IPv4 or IPv6.
    Internet(SocketAddr),
    /// A UNIX socket with a name.
    Unix(Arc<unix::Address>),
    /// A UNIX socket without a name, or a device.
    Unnamed,
}

impl Address {
    /// The internet address, if it is one.
    #[must_use]
    pub fn internet(&self) -> Option<SocketAddr> {
        match self {
            Self::Internet(address) => Some(*address),
            _ => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Internet(address)
    }
}

impl From<unix::Address> for Address {
    fn from(address: unix::Address) -> Self {
        Self::Unix(Arc::new(address))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(address) => address.fmt(f),
            Self::Unix(address) => address.fmt(f),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}
