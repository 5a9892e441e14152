//! `arp-input`: checks that a packet is ARP for IPv4 over Ethernet, and starts the arc `arp`.

use super::ArpError;
use super::header::{ArpPacket, REPLY, REQUEST};
use super::trace::ArpTrace;
use crate::interface::SwIfIndex;
use crate::neighbor::ArpRows;
use barrow_engine::{ArcHandle, NextNodes, NodeId, PacketContext, PacketNode, Vector};
use std::fmt;
use zerocopy::FromBytes;

/// Where packets go that do not start the arc.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Nowhere.
    #[next_node = "error-drop"]
    Drop,
    /// The interface takes no IPv4.
    #[next_node = "arp-disabled"]
    Disabled,
}

/// The node; one a thread.
pub struct ArpInput {
    arc: ArcHandle,
    rows: ArpRows,
    nexts: Vec<NodeId>,
}

impl fmt::Debug for ArpInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArpInput").finish_non_exhaustive()
    }
}

impl ArpInput {
    /// Makes the instance of one thread; `arc` is `arp`.
    #[must_use]
    pub fn new(arc: ArcHandle, rows: ArpRows) -> Self {
        Self {
            arc,
            rows,
            nexts: Vec::with_capacity(256),
        }
    }

    fn check(&self, data: &[u8], interface: SwIfIndex) -> Result<(), ArpError> {
        let Ok((arp, _)) = ArpPacket::ref_from_prefix(data) else {
            return Err(ArpError::NotEthernet);
        };
        if arp.hardware_type.get() != 1 || arp.hardware_len != 6 {
            return Err(ArpError::NotEthernet);
        }
        if arp.protocol_type.get() != 0x0800 || arp.protocol_len != 4 {
            return Err(ArpError::NotIp4);
        }
        match arp.operation.get() {
            _ if arp.is_gratuitous() => self.rows.gratuitous(interface),
            REQUEST => self.rows.request(interface),
            REPLY => self.rows.reply(interface),
            _ => return Err(ArpError::NotRequest),
        }
        Ok(())
    }
}

impl PacketNode for ArpInput {
    type NextNodes = Next;
    type Errors = ArpError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| ArpTrace::new(packet.data()));
        self.nexts.clear();
        let mut nexts = std::mem::take(&mut self.nexts);
        for mut packet in vector.packets() {
            let interface = packet.rx_sw_if_index;
            let next = match self.check(packet.data(), SwIfIndex(interface)) {
                Ok(()) => cx.arc_start(self.arc, interface, &mut packet, cx.next(Next::Disabled)),
                Err(error) => {
                    cx.error(&mut packet, error);
                    cx.next(Next::Drop)
                }
            };
            nexts.push(next);
        }
        cx.enqueue(vector, &nexts);
        self.nexts = nexts;
    }
}
