//! `loopN-tx`: what is sent is received.

use barrow_engine::{NextNodes, NoErrors, PacketContext, PacketFlags, PacketNode, UNSET, Vector};

/// Where frames go.
#[derive(Clone, Copy, Debug, NextNodes)]
pub(super) enum Next {
    /// Back in.
    #[next_node = "ethernet-input"]
    Input,
}

/// The device of one loopback interface.
#[derive(Debug)]
pub(super) struct LoopbackTx {
    pub(super) interface: u32,
}

impl PacketNode for LoopbackTx {
    type NextNodes = Next;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        for mut packet in vector.packets() {
            packet.rx_sw_if_index = self.interface;
            packet.tx_sw_if_index = UNSET;
            packet.flags.remove(PacketFlags::LOCALLY_ORIGINATED);
        }
        let input = cx.next(Next::Input);
        cx.enqueue_all(vector, input);
    }
}
