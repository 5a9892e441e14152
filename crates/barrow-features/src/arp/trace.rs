//! ARP packets as `show trace` prints them.

use super::header::{ArpPacket, REPLY, REQUEST};
use std::fmt;
use zerocopy::FromBytes;

/// Shows the bytes of an ARP packet.
#[derive(Debug)]
pub struct ArpText<'a>(pub &'a [u8]);

impl fmt::Display for ArpText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok((arp, _)) = ArpPacket::ref_from_prefix(self.0) else {
            return f.write_str("ARP header truncated");
        };
        match arp.operation.get() {
            REQUEST => f.write_str("request")?,
            REPLY => f.write_str("reply")?,
            other => write!(f, "operation {other}")?,
        }
        write!(
            f,
            ", type ethernet/IP4, address size {}/{}",
            arp.hardware_len, arp.protocol_len
        )?;
        let side = |f: &mut fmt::Formatter<'_>, mac: [u8; 6], ip: std::net::Ipv4Addr| {
            let [a, b, c, d, e, g] = mac;
            write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}/{ip}")
        };
        f.write_str("\n")?;
        side(f, arp.sender_mac, arp.sender_ip())?;
        f.write_str(" -> ")?;
        side(f, arp.target_mac, arp.target_ip())
    }
}

/// The start of a traced ARP packet.
#[derive(Clone, Copy, Debug)]
pub struct ArpTrace {
    bytes: [u8; 28],
    len: u8,
}

impl ArpTrace {
    /// Keeps the start of a packet.
    #[must_use]
    pub fn new(data: &[u8]) -> Self {
        let mut bytes = [0; 28];
        let len = data.len().min(bytes.len());
        bytes[..len].copy_from_slice(&data[..len]);
        Self {
            bytes,
            len: len as u8,
        }
    }
}

impl fmt::Display for ArpTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ArpText(&self.bytes[..usize::from(self.len)]).fmt(f)
    }
}
