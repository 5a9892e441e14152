//! Ethernet frames as `show trace` prints them.

use super::header::{EtherType, EthernetHeader, VlanTag};
use crate::arp::trace::ArpText;
use crate::first_bytes::FirstBytes;
use crate::ip4::trace::Ip4Trace;
use std::fmt;
use zerocopy::FromBytes;

/// Bytes of a frame that a record keeps.
const KEPT: usize = 128;

/// The start of a traced frame; text is made only when somebody looks.
#[derive(Clone, Copy, Debug)]
pub struct FrameTrace {
    start: FirstBytes<KEPT>,
    payload: bool,
}

impl FrameTrace {
    /// Keeps the start of a frame, to be shown with what it carries.
    #[must_use]
    pub fn new(data: &[u8]) -> Self {
        Self {
            start: FirstBytes::of(data),
            payload: true,
        }
    }

    /// Keeps the start of a frame, of which only the link header is shown.
    #[must_use]
    pub fn header_only(data: &[u8]) -> Self {
        Self {
            payload: false,
            ..Self::new(data)
        }
    }
}

/// A MAC address in the usual form.
struct Mac([u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Display for FrameTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.start.get();
        let Ok((header, mut rest)) = EthernetHeader::ref_from_prefix(data) else {
            return f.write_str("frame too short for an Ethernet header");
        };
        let mut ether_type = header.ether_type();
        let mut tags = Vec::new();
        while ether_type.is_vlan() && tags.len() < 2 {
            let Ok((tag, after)) = VlanTag::ref_from_prefix(rest) else {
                break;
            };
            tags.push((ether_type, *tag));
            (ether_type, rest) = (tag.ether_type(), after);
        }
        match ether_type {
            EtherType::IP4 => f.write_str("IP4")?,
            EtherType::IP6 => f.write_str("IP6")?,
            EtherType::ARP => f.write_str("ARP")?,
            EtherType::MPLS => f.write_str("MPLS")?,
            EtherType(other) => write!(f, "0x{other:04x}")?,
        }
        write!(f, ": {} -> {}", Mac(header.source), Mac(header.destination))?;
        for (kind, tag) in &tags {
            let name = if *kind == EtherType::DOT1Q {
                "802.1q"
            } else {
                "802.1ad"
            };
            write!(f, " {name} vlan {}", tag.id())?;
        }
        if !self.payload {
            return Ok(());
        }
        match ether_type {
            EtherType::IP4 => write!(f, "\n{}", Ip4Trace::new(rest)),
            EtherType::ARP => write!(f, "\n{}", ArpText(rest)),
            _ => Ok(()),
        }
    }
}
