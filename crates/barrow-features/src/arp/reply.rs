//! `arp-reply`: answers who asks for an address of this node, and learns from what neighbours say.
//!
//! Only addresses of the interface that was asked on are answered for, and only to hosts of its own
//! networks. What is learnt goes to the main thread through a bounded channel; when that is full, the
//! packet is still answered, and the neighbour learnt the next time.

use super::ArpError;
use super::header::{ArpPacket, REPLY, REQUEST};
use super::trace::ArpTrace;
use crate::adj::{AdjIndex, AdjKind};
use crate::ethernet::header::EthernetHeader;
use crate::fib::{DpoKind, FibIndex};
use crate::icmp::SourceAddresses;
use crate::interface::{InterfaceWords, OutputNodes, SwIfIndex};
use crate::ip4::Forwarding;
use crate::neighbor::{ArpRows, Learnt};
use barrow_core::channel::Sender;
use barrow_engine::{NextNodes, NodeId, Packet, PacketContext, PacketFlags, PacketNode, Vector};
use std::fmt;
use std::net::Ipv4Addr;
use zerocopy::FromBytes;

/// Where packets go that are not answered.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Nowhere.
    #[next_node = "error-drop"]
    Drop,
}

/// What the ARP nodes of a thread read and whom they tell.
#[derive(Clone, Debug)]
pub struct ArpView {
    /// Routes: whose an address is.
    pub forwarding: Forwarding,
    /// Which table an interface belongs to.
    pub words: InterfaceWords,
    /// Where answers leave.
    pub outputs: OutputNodes,
    /// Addresses of interfaces.
    pub sources: SourceAddresses,
    /// Who keeps the neighbours.
    pub learner: Sender<Learnt>,
}

/// What an address is to an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address {
    /// One of this node's, reachable on the interface.
    Ours,
    /// Of a host on the interface's networks.
    OnLink,
    /// Anything else.
    Elsewhere,
}

impl ArpView {
    /// What an address is to an interface: asked of the forwarding table, so that it follows every change.
    fn classify(&self, interface: SwIfIndex, address: Ipv4Addr) -> Address {
        let table = self
            .forwarding
            .ip4_table(FibIndex(self.words.get(interface).fib_index()));
        let Some(mtrie) = &*table else {
            return Address::Elsewhere;
        };
        let choice = self
            .forwarding
            .load_balances()
            .load(mtrie.lookup(address.to_bits()));
        let Some(dpo) = choice.only() else {
            return Address::Elsewhere;
        };
        match dpo.kind() {
            DpoKind::Receive => {
                let own = SwIfIndex(dpo.index()) == interface;
                let borrowed = self.sources.get(interface) == Some(address);
                if own || borrowed {
                    Address::Ours
                } else {
                    Address::Elsewhere
                }
            }
            DpoKind::Adjacency => {
                let adjacency = self.forwarding.adjacencies().read(AdjIndex(dpo.index()));
                let neighbour = !matches!(adjacency.kind, AdjKind::Drop);
                if neighbour && adjacency.interface == interface {
                    Address::OnLink
                } else {
                    Address::Elsewhere
                }
            }
            _ => Address::Elsewhere,
        }
    }

    fn learn(&self, interface: SwIfIndex, arp: &ArpPacket, only_known: bool) -> bool {
        let learnt = Learnt {
            interface,
            address: arp.sender_ip(),
            mac: arp.sender_mac,
            only_known,
        };
        self.learner.try_send(learnt).is_ok()
    }

    /// Turns a request into its answer and says where it leaves.
    pub(super) fn answer(&self, packet: &mut Packet<'_>) -> Option<NodeId> {
        let interface = SwIfIndex(packet.rx_sw_if_index);
        let back = packet.offset() - packet.l2_header_offset;
        if !(0..=64).contains(&back) || usize::try_from(back).ok()? > packet.headroom() {
            return None;
        }
        let output = self.outputs.get(interface)?;
        let own_mac = self.own_mac(interface)?;
        let (arp, _) = ArpPacket::mut_from_prefix(packet.data_mut()).ok()?;
        let asker = arp.sender_mac;
        let (asked, from) = (arp.target_ip(), arp.sender_ip());
        *arp = ArpPacket::new(REPLY, (own_mac, asked), (asker, from));
        packet.l3_header_offset = packet.offset();
        packet.advance(-back);
        let (frame, _) = EthernetHeader::mut_from_prefix(packet.data_mut()).ok()?;
        frame.destination = asker;
        frame.source = own_mac;
        packet.flags.insert(PacketFlags::LOCALLY_ORIGINATED);
        packet.tx_sw_if_index = interface.0;
        Some(output)
    }

    /// The address that the interface's own frames carry, from its table of ports.
    fn own_mac(&self, interface: SwIfIndex) -> Option<[u8; 6]> {
        self.outputs.mac(interface)
    }
}

/// The node; one a thread.
pub struct ArpReply {
    view: ArpView,
    rows: ArpRows,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for ArpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArpReply").finish_non_exhaustive()
    }
}

/// What is to be done with a packet.
enum Verdict {
    Answer,
    /// Somebody else's: the next feature of the arc may know better.
    Pass(ArpError),
    Done(ArpError),
}

impl ArpReply {
    /// Makes the instance of one thread.
    #[must_use]
    pub fn new(view: ArpView, rows: ArpRows) -> Self {
        Self {
            view,
            rows,
            nexts: Vec::with_capacity(256),
        }
    }

    fn judge(&self, packet: &Packet<'_>) -> (Verdict, bool) {
        let Ok((arp, _)) = ArpPacket::ref_from_prefix(packet.data()) else {
            return (Verdict::Done(ArpError::NotIp4), false);
        };
        let interface = SwIfIndex(packet.rx_sw_if_index);
        let frame = packet.from_offset(packet.l2_header_offset);
        let source = frame.and_then(|frame| frame.get(6..12));
        if source != Some(arp.sender_mac.as_slice()) {
            return (Verdict::Done(ArpError::AddressMismatch), false);
        }
        match self.view.classify(interface, arp.sender_ip()) {
            Address::Ours => return (Verdict::Done(ArpError::SourceIsLocal), false),
            Address::Elsewhere if !arp.sender_ip().is_unspecified() => {
                return (Verdict::Pass(ArpError::SourceNotLocal), false);
            }
            _ => {}
        }
        let target = self.view.classify(interface, arp.target_ip());
        let probe = arp.sender_ip().is_unspecified();
        if arp.is_gratuitous() {
            let learnt = !probe && self.view.learn(interface, arp, true);
            return (Verdict::Done(ArpError::Gratuitous), learnt);
        }
        match (arp.operation.get(), target) {
            (REQUEST, Address::Ours) => {
                let learnt = !probe && self.view.learn(interface, arp, false);
                (Verdict::Answer, learnt)
            }
            (REPLY, Address::Ours) => {
                let learnt = self.view.learn(interface, arp, false);
                (Verdict::Done(ArpError::RepliesReceived), learnt)
            }
            (REPLY, _) => (Verdict::Done(ArpError::TargetNotLocal), false),
            _ => (Verdict::Pass(ArpError::TargetNotLocal), false),
        }
    }
}

impl PacketNode for ArpReply {
    type NextNodes = Next;
    type Errors = ArpError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| ArpTrace::new(packet.data()));
        let drop = cx.next(Next::Drop);
        let mut nexts = std::mem::take(&mut self.nexts);
        nexts.clear();
        for mut packet in vector.packets() {
            let (verdict, learnt) = self.judge(&packet);
            if learnt {
                cx.count(ArpError::SourceLearned, 1);
            }
            let next = match verdict {
                Verdict::Answer => match self.view.answer(&mut packet) {
                    Some(output) => {
                        self.rows.reply(SwIfIndex(packet.rx_sw_if_index));
                        cx.count(ArpError::RepliesSent, 1);
                        output
                    }
                    None => {
                        cx.error(&mut packet, ArpError::TargetNotLocal);
                        drop
                    }
                },
                Verdict::Pass(error) => {
                    cx.error(&mut packet, error);
                    cx.next_feature(&mut packet)
                }
                Verdict::Done(error) => {
                    cx.error(&mut packet, error);
                    drop
                }
            };
            nexts.push(next);
        }
        cx.enqueue(vector, &nexts);
        self.nexts = nexts;
    }
}
