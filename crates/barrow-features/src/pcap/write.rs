//! Writing capture files.

use barrow_engine::Packet;
use pcap_file::pcap::PcapHeader;
use pcap_file::{DataLink, Endianness, PcapError, TsResolution};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// Longest packet that a file says it may hold.
const SNAPLEN: u32 = 1 << 18;
/// Staged bytes that are handed on without being asked.
const STAGE: usize = 1 << 20;

/// What the packets of a file begin with. The numbers are VPP's (`vpp:src/vppinfra/pcap.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkType {
    /// An Ethernet header.
    Ethernet,
    /// An IP header, of either version.
    Ip,
}

impl LinkType {
    fn to_wire(self) -> DataLink {
        DataLink::from(match self {
            Self::Ethernet => 1,
            Self::Ip => 12,
        })
    }
}

/// A capture file that is being written, with time stamps in microseconds.
///
/// Packets are staged in memory until [`flush`](Self::flush): one system call a batch.
pub struct PcapFile<W> {
    output: W,
    staged: Vec<u8>,
}

impl PcapFile<File> {
    /// Creates a file that does not exist yet.
    ///
    /// # Errors
    /// What the system refused: that it exists, above all.
    pub fn create_new(path: &Path, link: LinkType) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Self::new(file, link)
    }
}

impl<W: Write> PcapFile<W> {
    /// Begins a file in `output`.
    ///
    /// # Errors
    /// What the output refused.
    pub fn new(output: W, link: LinkType) -> io::Result<Self> {
        let header = PcapHeader {
            snaplen: SNAPLEN,
            datalink: link.to_wire(),
            ts_resolution: TsResolution::MicroSecond,
            endianness: Endianness::Little,
            ..PcapHeader::default()
        };
        let mut staged = Vec::new();
        header.write_to(&mut staged).map_err(|error| match error {
            PcapError::IoError(error) => error,
            other => io::Error::other(other),
        })?;
        let mut file = Self { output, staged };
        file.flush()?;
        Ok(file)
    }

    /// Appends a packet, with everything chained behind its first buffer. `at` counts from 1970.
    ///
    /// # Errors
    /// What the output refused.
    pub fn packet(&mut self, at: Duration, packet: &Packet<'_>) -> io::Result<()> {
        self.record(at, packet.total_len(), packet.total_len());
        packet
            .segments()
            .for_each(|segment| self.staged.extend_from_slice(segment));
        self.flush_if_large()
    }

    /// Appends the bytes kept of a packet that had `len` of them.
    ///
    /// # Errors
    /// What the output refused.
    pub fn bytes(&mut self, at: Duration, kept: &[u8], len: usize) -> io::Result<()> {
        self.record(at, kept.len(), len);
        self.staged.extend_from_slice(kept);
        self.flush_if_large()
    }

    /// Appends the header of a record, whose bytes follow.
    fn record(&mut self, at: Duration, kept: usize, len: usize) {
        // The format's clock ends in 2106.
        let seconds = u32::try_from(at.as_secs()).unwrap_or(u32::MAX);
        for word in [seconds, at.subsec_micros(), kept as u32, len as u32] {
            self.staged.extend_from_slice(&word.to_le_bytes());
        }
    }

    fn flush_if_large(&mut self) -> io::Result<()> {
        if self.staged.len() < STAGE {
            Ok(())
        } else {
            self.flush()
        }
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// What the output refused; what was staged is lost then.
    pub fn flush(&mut self) -> io::Result<()> {
        let written = self.output.write_all(&self.staged);
        self.staged.clear();
        written
    }
}

impl<W> std::fmt::Debug for PcapFile<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcapFile")
            .field("staged", &self.staged.len())
            .finish_non_exhaustive()
    }
}
