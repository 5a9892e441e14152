//! What tells the flows of a load balance apart.

use super::header::{Ip4Header, protocol};
use crate::fib::Ip4Flow;
use barrow_engine::Packet;
use zerocopy::FromBytes;

/// The GTP-U port (3GPP TS 29.281).
const GTPU: u16 = 2152;

/// Addresses, protocol and ports of a packet; ports are 0 in a fragment and where there are none.
#[must_use]
pub(super) fn flow_of(packet: &Packet<'_>) -> Ip4Flow {
    flow_in(packet.data())
}

/// The same of a packet's bytes, from the IPv4 header on.
#[must_use]
pub(super) fn flow_in(data: &[u8]) -> Ip4Flow {
    let Ok((header, _)) = Ip4Header::ref_from_prefix(data) else {
        return Ip4Flow::default();
    };
    let mut flow = Ip4Flow {
        src: u32::from_be_bytes(header.source),
        dst: u32::from_be_bytes(header.destination),
        protocol: header.protocol,
        ..Ip4Flow::default()
    };
    let has_ports = matches!(header.protocol, protocol::TCP | protocol::UDP);
    let payload = data.get(header.header_len()..).unwrap_or(&[]);
    if let (true, false, Some(ports)) =
        (has_ports, header.is_fragment(), payload.first_chunk::<4>())
    {
        flow.sport = u16::from_be_bytes([ports[0], ports[1]]);
        flow.dport = u16::from_be_bytes([ports[2], ports[3]]);
        if header.protocol == protocol::UDP && flow.dport == GTPU {
            let teid = payload.get(12..).and_then(<[u8]>::first_chunk);
            flow.teid = teid.copied().map_or(0, u32::from_be_bytes);
        }
    }
    flow
}
