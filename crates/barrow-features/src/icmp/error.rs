//! `ip4-icmp-error`: answers a packet that cannot be delivered with an ICMP error.
//!
//! Whoever gives up on a packet says why with [`set_error`] and sends it here. The packet itself goes on
//! to `ip4-drop` with the error counter it was given; the answer is a new packet that goes to
//! `ip4-lookup`. What RFC 1122 section 3.2.2 and RFC 1812 section 4.3.2 forbid is not answered: errors
//! about errors, about fragments other than the first, about packets to or from a group. Answers are
//! rate-limited on each thread (RFC 1812 section 4.3.2.8).

use super::header::{HEADER_LEN as ICMP_LEN, IcmpHeader, kind, unreachable};
use super::{Icmp4Error, SourceAddresses};
use crate::interface::SwIfIndex;
use crate::ip::checksum::Sum;
use crate::ip4::header::{HEADER_LEN as IP4_LEN, Ip4Header, protocol};
use crate::ip4::trace::Ip4Trace;
use barrow_engine::{
    BufferExt, Instant, NextNodes, Packet, PacketContext, PacketFlags, PacketNode, UNSET, Vector,
};
use std::fmt;
use zerocopy::{FromBytes, IntoBytes};

/// Bytes of the offending packet that an answer quotes: as much as keeps it within 576 bytes
/// (RFC 1812 section 4.3.2.3).
const QUOTE: usize = 576 - IP4_LEN - ICMP_LEN;

/// What an ICMP error says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpError {
    /// Type of the message.
    pub kind: u8,
    /// Code of the message.
    pub code: u8,
    /// The last word of the header's second half: the next hop's MTU where that is the cause.
    pub data: u16,
}

impl IcmpError {
    /// The packet passed too many routers.
    pub const TTL_EXPIRED: Self = Self {
        kind: kind::TIME_EXCEEDED,
        code: 0,
        data: 0,
    };
    /// The rest of a packet in fragments did not come.
    pub const REASSEMBLY_EXPIRED: Self = Self {
        kind: kind::TIME_EXCEEDED,
        code: 1,
        data: 0,
    };
    /// The host does not answer.
    pub const HOST_UNREACHABLE: Self = Self::unreachable(unreachable::HOST);
    /// There is no route.
    pub const NET_UNREACHABLE: Self = Self::unreachable(unreachable::NET);
    /// Nobody here speaks the protocol.
    pub const PROTOCOL_UNREACHABLE: Self = Self::unreachable(unreachable::PROTOCOL);
    /// Nobody here listens on the port.
    pub const PORT_UNREACHABLE: Self = Self::unreachable(unreachable::PORT);
    /// Forbidden by an administrator.
    pub const PROHIBITED: Self = Self::unreachable(unreachable::ADMIN_PROHIBITED);

    const fn unreachable(code: u8) -> Self {
        Self {
            kind: kind::DESTINATION_UNREACHABLE,
            code,
            data: 0,
        }
    }

    /// The packet is larger than the next link takes and must not be cut (RFC 1191).
    #[must_use]
    pub const fn fragmentation_needed(mtu: u16) -> Self {
        Self {
            kind: kind::DESTINATION_UNREACHABLE,
            code: unreachable::FRAGMENTATION_NEEDED,
            data: mtu,
        }
    }
}

/// Says with which error a packet is to be answered; then send it to `ip4-icmp-error`.
#[inline]
pub fn set_error(packet: &mut Packet<'_>, error: IcmpError) {
    packet.opaque[0] =
        u32::from(error.kind) << 24 | u32::from(error.code) << 16 | u32::from(error.data);
}

fn error_of(packet: &Packet<'_>) -> IcmpError {
    let [kind, code, high, low] = packet.opaque[0].to_be_bytes();
    IcmpError {
        kind,
        code,
        data: u16::from_be_bytes([high, low]),
    }
}

/// Where packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// The offending packets.
    #[next_node = "ip4-drop"]
    Drop,
    /// The answers.
    #[next_node = "ip4-lookup"]
    Lookup,
}

/// A bucket of tokens: errors a thread may still send.
#[derive(Debug)]
struct Limiter {
    tokens: u64,
    filled: Instant,
}

impl Limiter {
    /// Errors a second, and how many at once.
    const RATE: u64 = 1000;
    const BURST: u64 = 100;

    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_since(self.filled).as_nanos();
        let grown =
            u64::try_from(since * u128::from(Self::RATE) / 1_000_000_000).unwrap_or(u64::MAX);
        if grown > 0 {
            self.tokens = self.tokens.saturating_add(grown).min(Self::BURST);
            self.filled = now;
        }
        self.tokens = match self.tokens.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }
}

/// The node; one a thread.
pub struct Ip4IcmpError {
    sources: SourceAddresses,
    limiter: Limiter,
}

impl fmt::Debug for Ip4IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ip4IcmpError")
            .field("limiter", &self.limiter)
            .finish_non_exhaustive()
    }
}

impl Ip4IcmpError {
    /// Makes the instance of one thread; `sources` gives the address that an interface answers from.
    #[must_use]
    pub fn new(sources: SourceAddresses) -> Self {
        let limiter = Limiter {
            tokens: Limiter::BURST,
            filled: Instant::ZERO,
        };
        Self { sources, limiter }
    }
}

/// Whether RFC 1122 section 3.2.2 lets a packet be answered with an error.
fn may_be_answered(header: &Ip4Header, payload: &[u8]) -> bool {
    let about_error = header.protocol == protocol::ICMP
        && payload.first().is_none_or(|first| kind::is_error(*first));
    let source = header.source();
    header.fragment_offset() == 0
        && !about_error
        && !source.is_unspecified()
        && !source.is_multicast()
        && !source.is_broadcast()
        && !source.is_loopback()
        && !header.destination().is_multicast()
        && !header.destination().is_broadcast()
}

/// Fills `answer` with an error about `offender`; says whether it fits the rules and the buffer.
fn answer(offender: &Packet<'_>, answer: &mut Packet<'_>, sources: &SourceAddresses) -> bool {
    let error = error_of(offender);
    let data = offender.data();
    let Ok((header, _)) = Ip4Header::ref_from_prefix(data) else {
        return false;
    };
    let payload = data.get(header.header_len()..).unwrap_or(&[]);
    if !may_be_answered(header, payload) {
        return false;
    }
    let Some(source) = sources.get(SwIfIndex(offender.rx_sw_if_index)) else {
        return false;
    };
    let whole = usize::from(header.total_length.get());
    let quote = &data[..data.len().min(whole).min(QUOTE)];
    let icmp = IcmpHeader {
        kind: error.kind,
        code: error.code,
        checksum: 0.into(),
        identifier: 0.into(),
        sequence: error.data.into(),
    };
    let sum = Sum::new().bytes(icmp.as_bytes()).bytes(quote).finish();
    let icmp = IcmpHeader {
        checksum: sum.into(),
        ..icmp
    };
    let len = (IP4_LEN + ICMP_LEN + quote.len()) as u16;
    let ip4 = Ip4Header::new(source, header.source(), protocol::ICMP, 255, len);
    answer.copy_metadata_from(offender);
    answer
        .flags
        .remove(PacketFlags::OFFLOAD_ANY | PacketFlags::GSO);
    answer.flags.insert(PacketFlags::LOCALLY_ORIGINATED);
    answer.tx_sw_if_index = UNSET;
    answer.error = 0;
    answer.restart(0);
    answer.append_bytes(ip4.as_bytes())
        && answer.append_bytes(icmp.as_bytes())
        && answer.append_bytes(quote)
}

impl PacketNode for Ip4IcmpError {
    type NextNodes = Next;
    type Errors = Icmp4Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Ip4Trace::new(packet.data()));
        let (drop, lookup) = (cx.next(Next::Drop), cx.next(Next::Lookup));
        for i in 0..vector.len() {
            let sent = if self.limiter.take(cx.now()) {
                cx.alloc_one()
            } else {
                None
            };
            let offender = vector.packet(i);
            let Some(mut buffer) = sent else {
                cx.count(Icmp4Error::Drop, 1);
                continue;
            };
            if answer(&offender, &mut buffer.packet(), &self.sources) {
                cx.count(sent_counter(error_of(&offender)), 1);
                cx.push(buffer, lookup);
            } else {
                cx.count(Icmp4Error::Drop, 1);
                cx.free_one(buffer);
            }
        }
        cx.enqueue_all(vector, drop);
    }
}

const fn sent_counter(error: IcmpError) -> Icmp4Error {
    match error.kind {
        kind::TIME_EXCEEDED => Icmp4Error::TtlExpireSent,
        kind::PARAMETER_PROBLEM => Icmp4Error::ParameterProblemSent,
        _ => Icmp4Error::UnreachableSent,
    }
}
