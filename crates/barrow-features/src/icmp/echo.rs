//! `ip4-icmp-echo-request`: answers pings (RFC 792).
//!
//! The request itself is turned into its answer: addresses swapped, type changed, checksums mended, the
//! payload untouched, so a payload in further buffers costs nothing and a wrong checksum stays wrong.
//!
//! A counter of `ip4-icmp-input` counts the answers, as in VPP.

use super::Icmp4Error;
use super::header::{IcmpHeader, kind};
use crate::ErrorBase;
use crate::ip::checksum;
use crate::ip4::header::Ip4Header;
use crate::ip4::trace::Ip4Trace;
use barrow_engine::{
    NextNodes, NodeId, Packet, PacketContext, PacketFlags, PacketNode, UNSET, Vector,
};
use std::fmt;
use zerocopy::FromBytes;

/// Time to live of an answer.
const TTL: u8 = 64;

/// Where packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// The answers.
    #[next_node = "ip4-lookup"]
    Lookup,
    /// What cannot be answered.
    #[next_node = "ip4-drop"]
    Drop,
}

/// The node; one a thread.
pub struct Ip4IcmpEcho {
    input_errors: ErrorBase<Icmp4Error>,
    nexts: Vec<NodeId>,
}

impl Ip4IcmpEcho {
    /// Makes the instance of one thread; `input_errors` are the counters of `ip4-icmp-input`.
    #[must_use]
    pub fn new(input_errors: ErrorBase<Icmp4Error>) -> Self {
        Self {
            input_errors,
            nexts: Vec::with_capacity(256),
        }
    }
}

impl fmt::Debug for Ip4IcmpEcho {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4IcmpEcho").finish_non_exhaustive()
    }
}

/// Turns a request into its answer; `None` when it must not be answered or is too short.
fn turn_around(packet: &mut Packet<'_>) -> Option<()> {
    let (ip4, rest) = Ip4Header::mut_from_prefix(packet.data_mut()).ok()?;
    let options = ip4.header_len().checked_sub(size_of::<Ip4Header>())?;
    let (icmp, _) = IcmpHeader::mut_from_prefix(rest.get_mut(options..)?).ok()?;
    if ip4.source().is_multicast() || ip4.source().is_unspecified() || ip4.source().is_broadcast() {
        return None;
    }
    // A ping to a group is answered by whoever it was meant for (RFC 1122 section 3.2.2.6), not by us.
    if ip4.destination().is_multicast() || ip4.destination().is_broadcast() {
        return None;
    }
    let old = u16::from_be_bytes([icmp.kind, icmp.code]);
    icmp.kind = kind::ECHO_REPLY;
    icmp.code = 0;
    icmp.checksum = checksum::update(icmp.checksum.get(), old, 0).into();
    std::mem::swap(&mut ip4.source, &mut ip4.destination);
    let old = u16::from_be_bytes([ip4.ttl, ip4.protocol]);
    ip4.ttl = TTL;
    let new = u16::from_be_bytes([ip4.ttl, ip4.protocol]);
    ip4.checksum = checksum::update(ip4.checksum.get(), old, new).into();
    packet.flags.insert(PacketFlags::LOCALLY_ORIGINATED);
    packet.tx_sw_if_index = UNSET;
    Some(())
}

impl PacketNode for Ip4IcmpEcho {
    type NextNodes = Next;
    type Errors = Icmp4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Ip4Trace::new(packet.data()));
        let (lookup, drop) = (cx.next(Next::Lookup), cx.next(Next::Drop));
        let mut sent = 0;
        self.nexts.clear();
        for mut packet in vector.packets() {
            let next = if turn_around(&mut packet).is_some() {
                sent += 1;
                lookup
            } else {
                cx.error(&mut packet, Icmp4Error::TooShort);
                drop
            };
            self.nexts.push(next);
        }
        cx.count_index(self.input_errors.index(Icmp4Error::EchoRepliesSent), sent);
        cx.enqueue(vector, &self.nexts);
    }
}
