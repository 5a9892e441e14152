//! `ip4-icmp-echo-reply`: hands echo replies to the commands that asked.

use super::waiting::{Echo, Waiting};
use crate::icmp::header::{HEADER_LEN, IcmpHeader};
use crate::ip4::check::header_of;
use crate::ip4::trace::Ip4Trace;
use barrow_engine::{
    BufferExt, ErrorCounters, Instant, NextNodes, Packet, PacketContext, PacketNode, Vector,
};
use zerocopy::FromBytes;

/// Where answers go that nobody asked for.
#[derive(Clone, Copy, Debug, NextNodes)]
pub(super) enum Next {
    /// Somebody else's.
    #[next_node = "ip4-punt"]
    Punt,
}

/// Counters of the node.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(super) enum PingError {
    /// Answers to a command.
    #[error_counter(name = "received", description = "echo replies received", severity = INFO)]
    Received,
    /// Answers that no command waits for.
    #[error_counter(name = "unknown", description = "echo replies nobody waits for", severity = INFO)]
    Unknown,
}

/// The node; one a thread.
#[derive(Debug)]
pub(super) struct Ip4EchoReply {
    waiting: Waiting,
}

impl Ip4EchoReply {
    pub(super) const fn new(waiting: Waiting) -> Self {
        Self { waiting }
    }
}

/// The identifier of an answer, and what it says.
fn read(packet: &Packet<'_>, at: Instant) -> Option<(u16, Echo)> {
    let header = header_of(packet)?;
    let start = header.header_len();
    let (icmp, _) = IcmpHeader::ref_from_prefix(packet.at(start, HEADER_LEN)?).ok()?;
    let echo = Echo {
        from: header.source(),
        sequence: icmp.sequence.get(),
        ttl: header.ttl,
        bytes: usize::from(header.total_length.get()) + start,
        at,
    };
    Some((icmp.identifier.get(), echo))
}

impl PacketNode for Ip4EchoReply {
    type NextNodes = Next;
    type Errors = PingError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Ip4Trace::new(packet.data()));
        let (now, punt) = (cx.now(), cx.next(Next::Punt));
        for mut buffer in vector.drain() {
            let mut packet = buffer.packet();
            let answer = read(&packet, now);
            if answer.is_some_and(|(identifier, echo)| self.waiting.hand_over(identifier, echo)) {
                cx.count(PingError::Received, 1);
                cx.free_one(buffer);
            } else {
                cx.error(&mut packet, PingError::Unknown);
                cx.push(buffer, punt);
            }
        }
    }
}
