//! What can go wrong when asking the kernel.

use std::io;

/// Why a request had no success.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// The kernel refused; the source's raw number is its error.
    #[error("{request}: {source}")]
    Refused {
        /// What was asked for.
        request: &'static str,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The socket failed.
    #[error("{request}: netlink socket: {source}")]
    Socket {
        /// What was asked for.
        request: &'static str,
        /// The failure.
        source: io::Error,
    },
    /// The table kept changing while it was read.
    #[error("{request}: the table changed during each of {attempts} attempts to read it")]
    Unstable {
        /// What was asked for.
        request: &'static str,
        /// How often it was tried.
        attempts: usize,
    },
}

impl NetlinkError {
    /// The kind of the underlying error.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Refused { source, .. } | Self::Socket { source, .. } => source.kind(),
            Self::Unstable { .. } => io::ErrorKind::Interrupted,
        }
    }
}

impl From<NetlinkError> for io::Error {
    fn from(error: NetlinkError) -> Self {
        Self::new(error.kind(), error)
    }
}
