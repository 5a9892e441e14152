//! The packet nodes that catch what is for a client: `ip4-dhcp-client-detect` on the arc `ip4-unicast`,
//! `dhcp-client-input` behind port 68, `arp-dhcp-client-detect` on the arc `arp`.
//!
//! They copy what they catch to the main thread through a bounded channel; a flood fills it, and the rest
//! is dropped and counted.

use super::message::CLIENT_PORT;
use super::process::Event;
use crate::arp::header::ArpPacket;
use crate::ip::checksum::Sum;
use crate::ip4::check::header_of;
use crate::ip4::header::protocol;
use crate::ip4::trace::Ip4Trace;
use arc_swap::ArcSwap;
use barrow_core::channel::Sender;
use barrow_engine::{
    ErrorCounters, NextNodes, NodeId, Packet, PacketContext, PacketFlags, PacketNode, Vector,
};
use rustc_hash::FxHashMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use zerocopy::FromBytes;

/// Bytes of a UDP header.
const UDP_LEN: usize = 8;
/// The longest message that is taken.
const MOST: usize = 1500;

/// What a client's interface is to be watched for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Guard {
    /// The address that nobody else may have.
    pub(super) address: Option<Ipv4Addr>,
    /// Our own link address.
    pub(super) mac: [u8; 6],
}

/// Interfaces with a client; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub(super) struct Guards(Arc<ArcSwap<FxHashMap<u32, Guard>>>);

impl Guards {
    /// Publishes them all. Main thread only, by convention.
    pub(super) fn set(&self, guards: FxHashMap<u32, Guard>) {
        if **self.0.load() != guards {
            self.0.store(Arc::new(guards));
        }
    }

    fn get(&self, interface: u32) -> Option<Guard> {
        self.0.load().get(&interface).copied()
    }
}

/// What the nodes of a thread share.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) guards: Guards,
    pub(super) events: Sender<Event>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.guards).finish()
    }
}

/// Where packets go that are for no client.
#[derive(Clone, Copy, Debug, NextNodes)]
pub(super) enum Next {
    /// Nowhere.
    #[next_node = "error-drop"]
    Drop,
}

/// Counters of the nodes.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(super) enum DetectError {
    /// Messages for a client.
    #[error_counter(name = "extract", description = "extract dhcp pkts", severity = INFO)]
    Taken,
    /// The interface has no client.
    #[error_counter(name = "no_client", description = "no client on the interface", severity = INFO)]
    NoClient,
    /// The checksum is wrong.
    #[error_counter(name = "bad_checksum", description = "UDP checksum is wrong", severity = ERROR)]
    Checksum,
    /// The main thread does not keep up.
    #[error_counter(name = "overload", description = "too many messages wait", severity = ERROR)]
    Overload,
}

/// What a packet is to a client.
enum Found {
    /// Nothing.
    Other,
    /// A message.
    Message(Box<[u8]>),
    /// For its port, but no message.
    Bad(DetectError),
}

/// The message in an IPv4 packet to the client's port.
fn message(packet: &Packet<'_>) -> Found {
    let Some(header) = header_of(packet) else {
        return Found::Other;
    };
    if header.protocol != protocol::UDP || header.is_fragment() {
        return Found::Other;
    }
    let start = header.header_len();
    let Some(udp) = packet.read::<UDP_LEN>(start) else {
        return Found::Other;
    };
    let word = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    if word(2) != CLIENT_PORT {
        return Found::Other;
    }
    let bytes = packet.to_vec();
    let len = usize::from(word(4));
    let datagram = bytes.get(start..).and_then(|rest| rest.get(..len));
    let Some(datagram) = datagram.filter(|d| (UDP_LEN..=MOST).contains(&d.len())) else {
        return Found::Bad(DetectError::Checksum);
    };
    let known = packet.flags.contains(PacketFlags::L4_CKSUM_CORRECT) || word(6) == 0;
    let sum = Sum::new()
        .pseudo_ip4(header.source, header.destination, protocol::UDP, word(4))
        .bytes(datagram);
    if known || sum.finish() == 0 {
        Found::Message(datagram[UDP_LEN..].into())
    } else {
        Found::Bad(DetectError::Checksum)
    }
}

/// `ip4-dhcp-client-detect` or `dhcp-client-input`; one a thread.
#[derive(Debug)]
pub(super) struct Detect {
    watch: Watch,
    /// It stands on an arc, and passes on what is for others.
    on_arc: bool,
    nexts: Vec<NodeId>,
}

impl Detect {
    pub(super) fn new(watch: Watch, on_arc: bool) -> Self {
        Self {
            watch,
            on_arc,
            nexts: Vec::with_capacity(256),
        }
    }

    /// Hands a message to the main thread.
    fn hand_over(&self, interface: u32, bytes: Box<[u8]>) -> DetectError {
        if self.watch.guards.get(interface).is_none() {
            return DetectError::NoClient;
        }
        match self
            .watch
            .events
            .try_send(Event::Message { interface, bytes })
        {
            Ok(()) => DetectError::Taken,
            Err(_) => DetectError::Overload,
        }
    }
}

impl PacketNode for Detect {
    type NextNodes = Next;
    type Errors = DetectError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| Ip4Trace::new(packet.data()));
        let drop = cx.next(Next::Drop);
        self.nexts.clear();
        for mut packet in vector.packets() {
            let outcome = match message(&packet) {
                Found::Other if self.on_arc => {
                    self.nexts.push(cx.next_feature(&mut packet));
                    continue;
                }
                Found::Other => DetectError::NoClient,
                Found::Bad(error) => error,
                Found::Message(bytes) => self.hand_over(packet.rx_sw_if_index, bytes),
            };
            // Also what was taken: it ends here, and its counter says why.
            cx.error(&mut packet, outcome);
            self.nexts.push(drop);
        }
        cx.enqueue(vector, &self.nexts);
    }
}

/// `arp-dhcp-client-detect`: looks at what others say of the client's address, and passes everything on.
#[derive(Debug)]
pub(super) struct ArpDetect {
    watch: Watch,
    nexts: Vec<NodeId>,
}

impl ArpDetect {
    pub(super) fn new(watch: Watch) -> Self {
        Self {
            watch,
            nexts: Vec::with_capacity(256),
        }
    }

    fn look(&self, packet: &Packet<'_>) {
        let interface = packet.rx_sw_if_index;
        let Ok((arp, _)) = ArpPacket::ref_from_prefix(packet.data()) else {
            return;
        };
        let Some(guard) = self.watch.guards.get(interface) else {
            return;
        };
        if guard.address == Some(arp.sender_ip()) && arp.sender_mac != guard.mac {
            let address = arp.sender_ip();
            // One that is lost is said again, as long as the other host is there.
            let _lost = self
                .watch
                .events
                .try_send(Event::Conflict { interface, address });
        }
    }
}

impl PacketNode for ArpDetect {
    type NextNodes = Next;
    type Errors = barrow_engine::NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        self.nexts.clear();
        for mut packet in vector.packets() {
            self.look(&packet);
            self.nexts.push(cx.next_feature(&mut packet));
        }
        cx.enqueue(vector, &self.nexts);
    }
}
