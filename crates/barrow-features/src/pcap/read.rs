//! Reading capture files.

use super::PcapError;
use pcap_file::pcap::PcapParser;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Most bytes of a capture file that are read.
pub const MAX_FILE: u64 = 256 << 20;
/// Longest packet: an IP packet of 65,535 bytes with its link header, tags included.
pub const MAX_PACKET: usize = 65_600;

/// The packets of a capture file, in its order; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PcapPackets {
    bytes: Vec<u8>,
    /// Where each packet ends in `bytes`.
    ends: Vec<usize>,
}

impl PcapPackets {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never: a file without packets is an error.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Packet `index`; the empty slice beyond the last.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> &[u8] {
        let Some(end) = self.ends.get(index) else {
            return &[];
        };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..*end]
    }

    /// All packets, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Lengths of the shortest and of the longest packet.
    #[must_use]
    pub fn lengths(&self) -> (usize, usize) {
        let lens = || self.iter().map(<[u8]>::len);
        (lens().min().unwrap_or(0), lens().max().unwrap_or(0))
    }
}

/// Reads a capture file as a whole.
///
/// # Errors
/// See [`PcapError`].
pub fn read(path: &Path) -> Result<PcapPackets, PcapError> {
    let failed = |error: io::Error| PcapError::Open {
        path: path.display().to_string(),
        error,
    };
    // Looked at before it is opened: opening a pipe waits for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(PcapError::NotAFile(path.display().to_string()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(PcapError::TooLarge);
    }
    parse(&bytes)
}

/// Takes the bytes of a capture file apart: either byte order, microseconds or nanoseconds.
///
/// # Errors
/// See [`PcapError`].
pub fn parse(file: &[u8]) -> Result<PcapPackets, PcapError> {
    let (mut rest, parser) =
        PcapParser::new(file).map_err(|error| PcapError::Header(error.to_string()))?;
    let mut packets = PcapPackets {
        bytes: Vec::with_capacity(rest.len()),
        ends: Vec::new(),
    };
    while !rest.is_empty() {
        let index = packets.len() + 1;
        // The raw form: a packet that was cut when it was captured is replayed as it was kept.
        let (after, packet) = parser
            .next_raw_packet(rest)
            .map_err(|_| PcapError::Truncated(index))?;
        let len = packet.data.len();
        if len == 0 || len > MAX_PACKET {
            return Err(PcapError::Length { index, len });
        }
        packets.bytes.extend_from_slice(&packet.data);
        packets.ends.push(packets.bytes.len());
        rest = after;
    }
    if packets.is_empty() {
        return Err(PcapError::Empty);
    }
    Ok(packets)
}
