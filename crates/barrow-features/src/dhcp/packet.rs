//! The packets around the client's messages.

use super::clients::Plant;
use super::message::{CLIENT_PORT, SERVER_PORT};
use crate::arp::header::{ArpPacket, REQUEST};
use crate::interface::{SwIfIndex, broadcast_header, question_header};
use crate::ip::checksum::Sum;
use crate::ip4::header::{HEADER_LEN, Ip4Header, protocol};
use barrow_engine::{Buffer, BufferExt, PacketFlags};
use std::net::Ipv4Addr;
use zerocopy::IntoBytes;

/// Bytes of a UDP header.
const UDP_LEN: usize = 8;
/// Time to live of the client's packets.
const TTL: u8 = 128;

/// A message as an IPv4 packet.
fn datagram(from: Ipv4Addr, to: Ipv4Addr, dscp: u8, message: &[u8]) -> Vec<u8> {
    let udp_len = (UDP_LEN + message.len()) as u16; // a message is shorter than 1500 bytes
    let mut ip4 = Ip4Header::new(from, to, protocol::UDP, TTL, HEADER_LEN as u16 + udp_len);
    ip4.tos = dscp << 2;
    ip4.set_checksum();
    let mut udp = [0; UDP_LEN];
    udp[..2].copy_from_slice(&CLIENT_PORT.to_be_bytes());
    udp[2..4].copy_from_slice(&SERVER_PORT.to_be_bytes());
    udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
    let sum = Sum::new()
        .pseudo_ip4(ip4.source, ip4.destination, protocol::UDP, udp_len)
        .bytes(&udp)
        .bytes(message)
        .finish();
    // A sum of zero is written as its complement: zero says that there is none (RFC 768).
    let sum = if sum == 0 { u16::MAX } else { sum };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    [ip4.as_bytes(), &udp, message].concat()
}

impl Plant {
    /// Broadcasts a message on an interface, from no address.
    pub(super) fn broadcast(&self, index: SwIfIndex, dscp: u8, message: &[u8]) {
        let everybody = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST);
        self.direct(index, dscp, everybody, message);
    }

    /// Sends a message out of an interface in a frame to all stations, whatever the routes.
    pub(super) fn direct(
        &self,
        index: SwIfIndex,
        dscp: u8,
        (from, to): (Ipv4Addr, Ipv4Addr),
        message: &[u8],
    ) {
        let bytes = datagram(from, to, dscp, message);
        if let Some(header) = broadcast_header(&self.interfaces, index) {
            self.frame(index, &header, &bytes);
        }
    }

    /// Asks the hosts of an interface who has an address, without saying that we do (RFC 5227).
    pub(super) fn probe(&self, index: SwIfIndex, address: Ipv4Addr) {
        let mac = self.interfaces.outputs().mac(index);
        if let (Some(header), Some(mac)) = (question_header(&self.interfaces, index), mac) {
            let none = Ipv4Addr::UNSPECIFIED;
            let arp = ArpPacket::new(REQUEST, (mac, none), ([0; 6], address));
            self.frame(index, &header, arp.as_bytes());
        }
    }

    /// Sends a message to one server, by the routes of the interface's table.
    pub(super) fn unicast(
        &self,
        index: SwIfIndex,
        dscp: u8,
        (from, to): (Ipv4Addr, Ipv4Addr),
        message: &[u8],
    ) {
        let Ok(table) = self.addresses.table_of(index) else {
            return;
        };
        let bytes = datagram(from, to, dscp, message);
        self.send(self.control.node_by_name("ip4-lookup"), |buffer| {
            let mut packet = buffer.packet();
            packet.restart(0);
            packet.rx_sw_if_index = SwIfIndex::LOCAL0.0;
            packet.tx_sw_if_index = table.0;
            packet.l3_header_offset = 0;
            packet.append_bytes(&bytes)
        });
    }

    fn frame(&self, index: SwIfIndex, header: &[u8], payload: &[u8]) {
        self.send(self.interfaces.outputs().get(index), |buffer| {
            let mut packet = buffer.packet();
            packet.restart(0);
            packet.tx_sw_if_index = index.0;
            packet.l2_header_offset = 0;
            packet.l3_header_offset = header.len() as i16;
            packet.append_bytes(header) && packet.append_bytes(payload)
        });
    }

    /// Sends a packet. Without a buffer or a node it is lost, as any network may lose it; the client asks
    /// again.
    fn send(&self, node: Option<barrow_engine::NodeId>, fill: impl FnOnce(&mut Buffer) -> bool) {
        let (Some(node), Some(mut buffer)) = (node, self.control.alloc()) else {
            return;
        };
        let filled = fill(&mut buffer);
        buffer
            .packet()
            .flags
            .insert(PacketFlags::LOCALLY_ORIGINATED);
        let refused = if filled {
            self.control
                .send(node, buffer)
                .err()
                .map(|(_, buffer)| buffer)
        } else {
            Some(buffer)
        };
        if let Some(buffer) = refused {
            self.control.free(buffer);
        }
    }
}
