//! `pgN-tx`: captures what is sent, and frees it.

use super::capture::CaptureSlot;
use super::coalesce::coalesce;
use super::{Offloads, PortMode};
use crate::interface::{InterfaceRows, Simple};
use crate::pcap::wall_clock;
use crate::pg::trace::TxRecord;
use barrow_engine::{
    Buffer, BufferExt, ErrorCounters, NoNext, PacketContext, PacketFlags, PacketNode, Vector,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What should not get here. Texts are VPP's (`vpp:src/vnet/pg/pg.h`), double blank included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ErrorCounters)]
pub(super) enum TxError {
    #[error_counter(
        name = "gso disabled on itf  -- gso packet drop",
        description = "gso disabled on itf  -- gso packet drop",
        severity = ERROR
    )]
    Gso,
    #[error_counter(
        name = "checksum offload disabled on itf -- csum offload packet drop",
        description = "checksum offload disabled on itf -- csum offload packet drop",
        severity = ERROR
    )]
    Checksum,
}

/// What the main thread may change while the nodes run.
#[derive(Debug)]
pub(super) struct PortShared {
    pub(super) capture: Arc<CaptureSlot>,
    pub(super) coalesce: AtomicBool,
}

/// The device of one interface; one instance a thread.
pub(super) struct PgTx {
    shared: Arc<PortShared>,
    mode: PortMode,
    offloads: Offloads,
    sw_if_index: u32,
    rows: InterfaceRows,
    joined: Vec<Buffer>,
}

impl PgTx {
    pub(super) fn new(
        shared: Arc<PortShared>,
        mode: PortMode,
        offloads: Offloads,
        sw_if_index: u32,
        rows: InterfaceRows,
    ) -> Self {
        Self {
            shared,
            mode,
            offloads,
            sw_if_index,
            rows,
            joined: Vec::new(),
        }
    }

    /// Counts packets that want something done which the interface does not pretend to do.
    #[inline]
    fn check(&self, cx: &mut PacketContext<'_, Self>, buffers: &[Buffer]) {
        let flags = buffers
            .iter()
            .fold(PacketFlags::NONE, |all, buffer| all | buffer.header().flags);
        if flags.intersects(PacketFlags::GSO | PacketFlags::OFFLOAD_ANY)
            && !matches!(self.offloads, Offloads::Gso(_))
        {
            self.count_strangers(cx, buffers);
        }
    }

    #[cold]
    fn count_strangers(&self, cx: &mut PacketContext<'_, Self>, buffers: &[Buffer]) {
        let (mut gso, mut checksum) = (0, 0);
        for flags in buffers.iter().map(|buffer| buffer.header().flags) {
            if flags.contains(PacketFlags::GSO) {
                gso += 1;
            } else if flags.intersects(PacketFlags::OFFLOAD_ANY) && self.offloads == Offloads::None
            {
                checksum += 1;
            }
        }
        cx.count(TxError::Gso, gso);
        cx.count(TxError::Checksum, checksum);
        self.rows
            .count(Simple::Drops, self.sw_if_index, gso + checksum);
    }

    fn finish(&self, cx: &mut PacketContext<'_, Self>, buffers: &mut [Buffer]) {
        self.check(cx, buffers);
        if cx.tracing() {
            for buffer in &mut *buffers {
                let index = buffer.index().get();
                let packet = buffer.packet();
                cx.trace_with(&packet, || TxRecord::new(index, self.mode, &packet));
            }
        }
        if self.shared.capture.is_active() {
            let packets = buffers.iter_mut().map(BufferExt::packet);
            self.shared.capture.write(wall_clock(), packets);
        }
    }
}

impl PacketNode for PgTx {
    type NextNodes = NoNext;
    type Errors = TxError;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        if self.shared.coalesce.load(Relaxed) {
            let mut joined = std::mem::take(&mut self.joined);
            coalesce(self.mode == PortMode::Ethernet, vector.drain(), &mut joined);
            self.finish(cx, &mut joined);
            cx.cache().free(&mut joined);
            self.joined = joined;
            return;
        }
        self.finish(cx, vector.buffers_mut());
        cx.free(vector);
    }
}

impl fmt::Debug for PgTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgTx")
            .field("sw_if_index", &self.sw_if_index)
            .finish_non_exhaustive()
    }
}
