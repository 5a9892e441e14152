//! `NAME-output`: the last stop before a device.
//!
//! Counts what leaves, refuses what must not, starts the arc `interface-output`, and finishes packets
//! that the device cannot finish itself: checksums in place, long TCP packets cut. One node a device,
//! one instance a thread.

use super::offload::{complete_checksums, segment};
use super::{Capabilities, Combined, InterfaceRows, InterfaceWords, SwIfIndex};
use crate::ethernet::header::Audience;
use barrow_engine::{
    ArcHandle, Buffer, BufferExt, ErrorCounters, NextNodes, NodeId, Packet, PacketContext,
    PacketFlags, PacketNode, Vector,
};
use std::fmt;

/// Where packets go that are not sent.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// Nowhere.
    #[next_node = "error-drop"]
    Drop,
}

/// Why a packet is not sent. Names as VPP's (`vpp:src/vnet/interface_output.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCounters)]
pub enum OutputError {
    /// The interface is down.
    #[error_counter(name = "interface is down", description = "interface is down", severity = ERROR)]
    Down,
    /// The interface is gone.
    #[error_counter(
        name = "interface is deleted",
        description = "interface is deleted",
        severity = ERROR
    )]
    Deleted,
    /// No buffer to cut a long packet into, or it cannot be cut.
    #[error_counter(
        name = "unhandled gso type",
        description = "long packet cannot be cut into segments",
        severity = ERROR
    )]
    Segmentation,
}

/// The node of one device; one instance a thread.
pub struct InterfaceOutput {
    interface: SwIfIndex,
    tx: NodeId,
    capabilities: Capabilities,
    arc: ArcHandle,
    words: InterfaceWords,
    rows: InterfaceRows,
    nexts: Vec<NodeId>,
    payload: Vec<u8>,
    segments: Vec<Buffer>,
}

impl fmt::Debug for InterfaceOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterfaceOutput")
            .field("interface", &self.interface)
            .finish_non_exhaustive()
    }
}

impl InterfaceOutput {
    /// Makes the instance of one thread for the device of `interface`, whose `NAME-tx` is `tx`; `arc` is
    /// `interface-output`.
    #[must_use]
    pub fn new(
        interface: SwIfIndex,
        tx: NodeId,
        capabilities: Capabilities,
        arc: ArcHandle,
        words: InterfaceWords,
        rows: InterfaceRows,
    ) -> Self {
        Self {
            interface,
            tx,
            capabilities,
            arc,
            words,
            rows,
            nexts: Vec::with_capacity(256),
            payload: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// What is still to be done to a packet before the device can have it.
    fn needs_cutting(&self, packet: &Packet<'_>) -> bool {
        packet.flags.contains(PacketFlags::GSO) && !self.capabilities.tcp_gso
    }

    fn finish(&self, packet: &mut Packet<'_>) {
        let can = &self.capabilities;
        if packet.flags.intersects(PacketFlags::OFFLOAD_ANY) {
            complete_checksums(
                packet,
                can.tx_ip4_checksum,
                can.tx_tcp_checksum,
                can.tx_udp_checksum,
            );
        }
    }

    /// Counts frames by kind of destination.
    #[cold]
    fn count_audience(&self, vector: &mut Vector<'_>) {
        for packet in vector.packets() {
            let which = match Audience::of(packet.data()) {
                Audience::Unicast => Combined::TxUnicast,
                Audience::Multicast => Combined::TxMulticast,
                Audience::Broadcast => Combined::TxBroadcast,
            };
            let bytes = packet.total_len() as u64;
            self.rows.count_bytes(which, self.interface.0, 1, bytes);
        }
    }

    /// The packet by packet way, for a vector in which something must be cut.
    fn dispatch_cutting(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let drop = cx.next(Next::Drop);
        for mut buffer in vector.drain() {
            let mut packet = buffer.packet();
            if !self.needs_cutting(&packet) {
                self.finish(&mut packet);
                cx.push(buffer, self.tx);
                continue;
            }
            let cut = segment(&packet, cx.cache(), &mut self.payload, &mut self.segments);
            if cut {
                for piece in self.segments.drain(..) {
                    cx.push(piece, self.tx);
                }
                cx.free_one(buffer);
            } else {
                for piece in self.segments.drain(..) {
                    cx.free_one(piece);
                }
                cx.error(&mut packet, OutputError::Segmentation);
                cx.push(buffer, drop);
            }
        }
    }
}

impl PacketNode for InterfaceOutput {
    type NextNodes = Next;
    type Errors = OutputError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, super::trace::output_trace);
        let own = self.words.get(self.interface);
        if !own.is_up() {
            let error = if own.exists() {
                OutputError::Down
            } else {
                OutputError::Deleted
            };
            for mut packet in vector.packets() {
                cx.error(&mut packet, error);
            }
            let drop = cx.next(Next::Drop);
            return cx.enqueue_all(vector, drop);
        }
        if own.has_detailed_stats() {
            self.count_audience(&mut vector);
        }
        let entry = cx.arc_entry(self.arc, self.interface.0);
        let (mut run, mut packets, mut bytes) = (self.interface.0, 0, 0);
        let mut cutting = false;
        let mut unlike = !cx.arc_is_idle(entry, self.tx);
        for mut packet in vector.packets() {
            let sub = packet.tx_sw_if_index;
            if sub != run {
                self.rows.count_bytes(Combined::Tx, run, packets, bytes);
                (run, packets, bytes) = (sub, 0, 0);
            }
            packets += 1;
            bytes += packet.total_len() as u64;
            if sub != self.interface.0 {
                unlike |= !self.words.get(SwIfIndex(sub)).is_up();
                let len = packet.total_len() as u64;
                self.rows
                    .count_bytes(Combined::Tx, self.interface.0, 1, len);
            }
            if packet
                .flags
                .intersects(PacketFlags::OFFLOAD_ANY | PacketFlags::GSO)
            {
                if self.needs_cutting(&packet) {
                    cutting = true;
                } else {
                    self.finish(&mut packet);
                }
            }
        }
        self.rows.count_bytes(Combined::Tx, run, packets, bytes);
        if unlike {
            self.dispatch_unlike(cx, vector);
        } else if cutting {
            self.dispatch_cutting(cx, vector);
        } else {
            cx.enqueue_all(vector, self.tx);
        }
    }
}

impl InterfaceOutput {
    /// For a vector whose packets go different ways: features on the arc, or a sub-interface that is down.
    fn dispatch_unlike(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let drop = cx.next(Next::Drop);
        let mut nexts = std::mem::take(&mut self.nexts);
        nexts.clear();
        for mut packet in vector.packets() {
            let sub = packet.tx_sw_if_index;
            let next = if self.words.get(SwIfIndex(sub)).is_up() {
                cx.arc_start(self.arc, self.interface.0, &mut packet, self.tx)
            } else {
                cx.error(&mut packet, OutputError::Down);
                drop
            };
            nexts.push(next);
        }
        cx.enqueue(vector, &nexts);
        self.nexts = nexts;
    }
}
