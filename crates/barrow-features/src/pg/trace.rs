//! What the packet generator's nodes record of traced packets.

use super::port::PortMode;
use crate::ethernet::trace::FrameTrace;
use crate::first_bytes::FirstBytes;
use crate::ip4::trace::Ip4Trace;
use barrow_engine::{Packet, PacketFlags};
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// Bytes kept of a packet that is shown as bytes, or as an IPv6 header.
const KEPT: usize = 64;

/// The metadata of a buffer (in the form of `vpp:src/vnet/buffer.c`).
struct BufferText {
    offset: i16,
    len: usize,
    rest: usize,
    trace: u32,
    flags: PacketFlags,
    headers: [i16; 3],
    gso_size: u16,
    gso_l4_header_length: u16,
}

impl BufferText {
    fn new(packet: &Packet<'_>) -> Self {
        Self {
            offset: packet.offset(),
            len: packet.len(),
            rest: packet.total_len() - packet.len(),
            trace: packet.trace_id().unwrap_or_default(),
            flags: packet.flags,
            headers: [
                packet.l2_header_offset,
                packet.l3_header_offset,
                packet.l4_header_offset,
            ],
            gso_size: packet.gso_size,
            gso_l4_header_length: packet.gso_l4_header_length,
        }
    }

    /// The second line: what the flags say. Empty if that is nothing.
    fn flag_text(&self) -> String {
        const NAMED: [(PacketFlags, &str); 7] = [
            (PacketFlags::L4_CKSUM_COMPUTED, "l4-cksum-computed "),
            (PacketFlags::L4_CKSUM_CORRECT, "l4-cksum-correct "),
            (PacketFlags::VLAN_2_DEEP, "vlan-2-deep "),
            (PacketFlags::VLAN_1_DEEP, "vlan-1-deep "),
            (PacketFlags::LOCALLY_ORIGINATED, "local "),
            (PacketFlags::IS_IP4, "ip4 "),
            (PacketFlags::IS_IP6, "ip6 "),
        ];
        const OFFLOADS: [(PacketFlags, &str); 3] = [
            (PacketFlags::OFFLOAD_IP4_CKSUM, "offload-ip-cksum "),
            (PacketFlags::OFFLOAD_TCP_CKSUM, "offload-tcp-cksum "),
            (PacketFlags::OFFLOAD_UDP_CKSUM, "offload-udp-cksum "),
        ];
        const OFFSETS: [(PacketFlags, &str); 3] = [
            (PacketFlags::L2_HDR_OFFSET_VALID, "l2-hdr-offset"),
            (PacketFlags::L3_HDR_OFFSET_VALID, "l3-hdr-offset"),
            (PacketFlags::L4_HDR_OFFSET_VALID, "l4-hdr-offset"),
        ];
        let set = |names: &[(PacketFlags, &'static str)]| {
            let set = names.iter().filter(|(flag, _)| self.flags.contains(*flag));
            set.map(|(_, name)| *name).collect::<String>()
        };
        let mut text = set(&NAMED);
        if self.flags.intersects(PacketFlags::OFFLOAD_ANY) {
            text.push_str(&set(&OFFLOADS));
            text.push(' ');
        }
        for ((flag, name), offset) in OFFSETS.iter().zip(self.headers) {
            if self.flags.contains(*flag) {
                text.push_str(&format!("{name} {offset} "));
            }
        }
        if self.flags.contains(PacketFlags::GSO) {
            let (len, size) = (self.gso_l4_header_length, self.gso_size);
            text.push_str(&format!("gso l4-hdr-len {len} gso-size {size}"));
        }
        text
    }
}

impl fmt::Display for BufferText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "current data {}, length {}, buffer-pool 0, ref-count 1",
            self.offset, self.len
        )?;
        if self.rest > 0 {
            write!(f, ", totlen-nifb {}", self.rest)?;
        }
        write!(f, ", trace handle 0x{:x}", self.trace)
    }
}

/// The first bytes of a packet, in the form that fits them.
enum Contents {
    Frame(FrameTrace),
    Ip4(Ip4Trace),
    Ip6(Bytes),
    Bytes(Bytes),
}

/// Bytes that a record keeps.
type Bytes = FirstBytes<KEPT>;

impl Contents {
    fn of_mode(mode: PortMode, data: &[u8]) -> Self {
        match mode {
            PortMode::Ethernet => Self::Frame(FrameTrace::new(data)),
            PortMode::Ip4 => Self::Ip4(Ip4Trace::new(data)),
            PortMode::Ip6 => Self::Ip6(Bytes::of(data)),
        }
    }

    /// In the form that a node expects.
    fn for_node(node: &str, data: &[u8]) -> Self {
        match node {
            "ethernet-input" => Self::of_mode(PortMode::Ethernet, data),
            node if node.starts_with("ip4-") => Self::of_mode(PortMode::Ip4, data),
            node if node.starts_with("ip6-") => Self::of_mode(PortMode::Ip6, data),
            node if node.ends_with("-output") => Self::of_mode(PortMode::Ethernet, data),
            _ => Self::Bytes(Bytes::of(data)),
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => frame.fmt(f),
            Self::Ip4(packet) => packet.fmt(f),
            Self::Ip6(bytes) => ip6(bytes.get(), f),
            Self::Bytes(bytes) => bytes
                .get()
                .iter()
                .try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// An IPv6 header (RFC 8200 section 3).
fn ip6(data: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(header) = data.first_chunk::<40>() else {
        return f.write_str("IP6 header truncated");
    };
    match header[6] {
        6 => f.write_str("TCP")?,
        17 => f.write_str("UDP")?,
        58 => f.write_str("ICMP6")?,
        other => write!(f, "unknown {other}")?,
    }
    let address = |at: usize| {
        let bytes: [u8; 16] = header[at..at + 16].try_into().expect("sixteen bytes");
        Ipv6Addr::from(bytes)
    };
    let first = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    let payload = u16::from_be_bytes([header[4], header[5]]);
    write!(
        f,
        ": {} -> {}\n  tos 0x{:02x}, ",
        address(8),
        address(24),
        first >> 20 & 0xff
    )?;
    write!(
        f,
        "flow label 0x{:x}, hop limit {}, ",
        first & 0xf_ffff,
        header[7]
    )?;
    write!(f, "payload length {payload}")
}

/// What `pg-input` records.
pub(super) struct InputRecord {
    stream: Arc<str>,
    next: Arc<str>,
    len: usize,
    sw_if_index: u32,
    buffer: BufferText,
    contents: Contents,
}

impl InputRecord {
    pub(super) fn new(stream: &Arc<str>, next: &Arc<str>, packet: &Packet<'_>) -> Self {
        Self {
            contents: Contents::for_node(next, packet.data()),
            stream: stream.clone(),
            next: next.clone(),
            len: packet.total_len(),
            sw_if_index: packet.rx_sw_if_index,
            buffer: BufferText::new(packet),
        }
    }
}

impl fmt::Display for InputRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {}, {} bytes, ", self.stream, self.len)?;
        writeln!(
            f,
            "sw_if_index {}, next_node {}",
            self.sw_if_index.cast_signed(),
            self.next
        )?;
        writeln!(f, "{}", self.buffer)?;
        let flags = self.buffer.flag_text();
        if !flags.is_empty() {
            writeln!(f, "{flags}")?;
        }
        self.contents.fmt(f)
    }
}

/// What `pgN-tx` records.
pub(super) struct TxRecord {
    index: u32,
    buffer: BufferText,
    contents: Contents,
}

impl TxRecord {
    pub(super) fn new(index: u32, mode: PortMode, packet: &Packet<'_>) -> Self {
        Self {
            index,
            buffer: BufferText::new(packet),
            contents: Contents::of_mode(mode, packet.data()),
        }
    }
}

impl fmt::Display for TxRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = format!("  buffer 0x{:x}: ", self.index);
        writeln!(f, "{head}{}", self.buffer)?;
        let flags = self.buffer.flag_text();
        if !flags.is_empty() {
            writeln!(f, "{:width$}{flags}", "", width = head.len())?;
        }
        self.contents.fmt(f)
    }
}
