//! Echo requests.

use crate::fib::FibIndex;
use crate::icmp::header::{HEADER_LEN, IcmpHeader, kind};
use crate::interface::SwIfIndex;
use crate::ip::checksum::Sum;
use crate::ip4::header::{HEADER_LEN as IP4_HEADER_LEN, Ip4Header, protocol};
use barrow_engine::{Buffer, BufferExt, Control, Frame, PacketFlags, ThreadPackets};
use std::net::Ipv4Addr;
use zerocopy::IntoBytes;

/// Time to live of a request.
const TTL: u8 = 64;
/// What VPP has between the header and the payload: the time at which it was sent.
const STAMP: usize = 8;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct EchoRequest {
    pub(super) from: Ipv4Addr,
    pub(super) to: Ipv4Addr,
    /// The table that the host is looked up in.
    pub(super) table: FibIndex,
    pub(super) identifier: u16,
    pub(super) sequence: u16,
    /// Bytes of payload.
    pub(super) size: u16,
}

impl EchoRequest {
    /// The packet from its IPv4 header on.
    fn bytes(&self) -> Vec<u8> {
        let payload = STAMP + usize::from(self.size);
        let total = IP4_HEADER_LEN + HEADER_LEN + payload;
        let ip4 = Ip4Header::new(self.from, self.to, protocol::ICMP, TTL, total as u16);
        let mut icmp = IcmpHeader {
            kind: kind::ECHO_REQUEST,
            code: 0,
            checksum: 0.into(),
            identifier: self.identifier.into(),
            sequence: self.sequence.into(),
        };
        let payload: Vec<u8> = (0..payload).map(|at| at as u8).collect();
        icmp.checksum = Sum::new()
            .bytes(icmp.as_bytes())
            .bytes(&payload)
            .finish()
            .into();
        [ip4.as_bytes(), icmp.as_bytes(), &payload].concat()
    }

    fn build(&self, packets: &mut ThreadPackets) -> Option<Buffer> {
        let cache = packets.packets().cache();
        let mut buffer = cache.alloc_one()?;
        let mut packet = buffer.packet();
        packet.restart(0);
        packet.flags.insert(PacketFlags::LOCALLY_ORIGINATED);
        packet.rx_sw_if_index = SwIfIndex::LOCAL0.0;
        packet.tx_sw_if_index = self.table.0;
        packet.l3_header_offset = 0;
        if packet.extend(&self.bytes(), cache) {
            Some(buffer)
        } else {
            cache.free_one(buffer);
            None
        }
    }

    /// Sends `burst` requests with this sequence number from the main thread.
    pub(super) fn send(self, control: &Control, burst: u32) {
        let Some(lookup) = control.node_by_name("ip4-lookup") else {
            return;
        };
        control.on_thread(0, move |packets| {
            let mut frame = Frame::new();
            for _ in 0..burst {
                // Without a buffer it is lost, as any network may lose it.
                let Some(buffer) = self.build(packets) else {
                    break;
                };
                if let Err(buffer) = frame.push(buffer) {
                    packets.packets().cache().free_one(buffer);
                    break;
                }
            }
            packets.inject(lookup, &mut frame);
        });
    }
}
