//! What can go wrong when a segment is attached and read.

use std::io;

/// Why a segment could not be attached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The system refused the socket, the descriptor or the mapping.
    #[error("cannot attach the statistics segment: {0}")]
    Io(#[from] io::Error),
    /// The file could be cut short under the reader, which would kill it.
    #[error("the statistics file is not sealed against shrinking")]
    NotSealed,
    /// The file cannot hold a header.
    #[error("the statistics file has only {bytes} bytes")]
    TooSmall {
        /// Its length.
        bytes: u64,
    },
    /// A layout version other than 2.
    #[error("statistics layout version {0} is not supported")]
    Version(u64),
    /// Version 2 as of 20.09 to 22.02, which numbered kinds of entries otherwise.
    #[error("the statistics layout of VPP 20.09 to 22.02 is not supported")]
    EarlyVersion2,
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The structure changed each time.
    #[error("the statistics segment was changing all the time")]
    Busy,
    /// The segment contradicts itself.
    #[error("the statistics segment is corrupt: {0}")]
    Corrupt(&'static str),
    /// More than the reader's [`Limits`](super::Limits) allow.
    #[error("the statistics segment has too much: {0}")]
    TooMuch(&'static str),
}
