//! `arp-disabled`: the end of the arc `arp` on an interface that takes no IPv4.

use super::ArpError;
use super::trace::ArpTrace;
use barrow_engine::{NextNodes, PacketContext, PacketNode, Vector};

/// Where packets go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub(super) enum Next {
    /// Nowhere.
    #[next_node = "error-drop"]
    Drop,
}

/// The node; one a thread.
#[derive(Debug)]
pub(super) struct ArpDisabled;

impl PacketNode for ArpDisabled {
    type NextNodes = Next;
    type Errors = ArpError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| ArpTrace::new(packet.data()));
        for mut packet in vector.packets() {
            // Other nodes of the arc have said why already, where they have looked at it.
            if packet.error == 0 {
                cx.error(&mut packet, ArpError::Disabled);
            }
        }
        let drop = cx.next(Next::Drop);
        cx.enqueue_all(vector, drop);
    }
}
