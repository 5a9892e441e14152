//! What can be wrong with a capture file.

use super::{MAX_FILE, MAX_PACKET};
use std::io;

/// Why a capture file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PcapError {
    /// The system refused.
    #[error("open `{path}': {}", plain(.error))]
    Open {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is a directory, a pipe or a device.
    #[error("`{0}' is not a regular file")]
    NotAFile(String),
    /// It is larger than this node reads.
    #[error("capture file is larger than {MAX_FILE} bytes")]
    TooLarge,
    /// It does not begin as a pcap file.
    #[error("not a pcap file: {0}")]
    Header(String),
    /// It ends within a packet.
    #[error("capture file ends within packet {0}")]
    Truncated(usize),
    /// A packet is empty, or longer than any packet can be.
    #[error("packet {index} has {len} bytes, not 1 to {MAX_PACKET}")]
    Length {
        /// Which packet, from 1.
        index: usize,
        /// Its length.
        len: usize,
    },
    /// There is no packet in it.
    #[error("no packets in the capture file")]
    Empty,
}

/// The system's text for an error, without the number that the standard library appends.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((plain, _)) => plain.to_owned(),
        None => text,
    }
}
