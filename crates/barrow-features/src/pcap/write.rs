//! Writing capture files.

use barrow_engine::Packet;
use pcap_file::pcap::{PcapHeader, PcapWriter, RawPcapPacket};
use pcap_file::{DataLink, Endianness, PcapError, TsResolution};
use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

/// Longest packet that a file says it may hold.
const SNAPLEN: u32 = 1 << 18;

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
pub struct PcapFile<W: Write> {
    writer: PcapWriter<BufWriter<W>>,
    /// Where chained packets are brought together.
    joined: Vec<u8>,
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
            endianness: Endianness::native(),
            ..PcapHeader::default()
        };
        let writer =
            PcapWriter::with_header(BufWriter::new(output), header).map_err(into_io)?;
        Ok(Self { writer, joined: Vec::new() })
    }

    /// Appends a packet, with everything chained behind its first buffer.
    ///
    /// # Errors
    /// What the output refused.
    pub fn packet(&mut self, at: Duration, packet: &Packet<'_>) -> io::Result<()> {
        if !packet.is_chained() {
            return self.bytes(at, packet.data(), packet.len());
        }
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        packet.segments().for_each(|segment| joined.extend_from_slice(segment));
        let written = self.bytes(at, &joined, joined.len());
        self.joined = joined;
        written
    }

    /// Appends the bytes kept of a packet that had `len` of them. `at` counts from 1970.
    ///
    /// # Errors
    /// What the output refused.
    pub fn bytes(&mut self, at: Duration, kept: &[u8], len: usize) -> io::Result<()> {
        let packet = RawPcapPacket {
            // The format's clock ends in 2106.
            ts_sec: u32::try_from(at.as_secs()).unwrap_or(u32::MAX),
            ts_frac: at.subsec_micros(),
            incl_len: kept.len() as u32,
            orig_len: len as u32,
            data: Cow::Borrowed(kept),
        };
        self.writer.write_raw_packet(&packet).map(drop).map_err(into_io)
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// What the output refused.
    pub fn finish(self) -> io::Result<W> {
        self.writer.into_writer().into_inner().map_err(io::IntoInnerError::into_error)
    }
}

impl<W: Write> std::fmt::Debug for PcapFile<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcapFile").finish_non_exhaustive()
    }
}

fn into_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
