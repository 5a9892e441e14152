//! The transmit node of devices behind a descriptor: `tapN-tx` and `host-NAME-tx`.

use super::VirtioNetHeader;
use crate::interface::{InterfaceRows, Simple, SwIfIndex};
use barrow_engine::{
    BufferExt, ErrorCounters, NoNext, Packet, PacketContext, PacketNode, VECTOR, Vector,
};
use smallvec::SmallVec;
use std::fmt;
use std::io;

/// Where frames go; the device's end of one transmit queue.
pub(crate) trait FrameSink: Send + 'static {
    /// Sends a frame with its header, all its buffers in one call.
    ///
    /// # Errors
    /// `WouldBlock` when the device has no room.
    fn send(&mut self, header: &VirtioNetHeader, packet: &Packet<'_>) -> io::Result<()>;

    /// Sends frames in their order, in as few calls as the device lets; tells of each that was not sent.
    fn send_all(
        &mut self,
        frames: &[(VirtioNetHeader, Packet<'_>)],
        failed: &mut dyn FnMut(io::Error),
    ) {
        for (header, packet) in frames {
            if let Err(error) = self.send(header, packet) {
                failed(error);
            }
        }
    }
}

/// Counters of the node.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(crate) enum Error {
    #[error_counter(name = "no-room", description = "the device has no room", severity = ERROR)]
    NoRoom,
    #[error_counter(name = "send-error", description = "the kernel refused", severity = ERROR)]
    Refused,
    #[error_counter(
        name = "no-tx-queue",
        description = "this thread has no transmit queue",
        severity = ERROR
    )]
    NoQueue,
}

/// The node; one instance a thread.
pub(crate) struct DeviceTx<S> {
    interface: SwIfIndex,
    sink: Option<S>,
    rows: InterfaceRows,
}

impl<S> fmt::Debug for DeviceTx<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceTx")
            .field("interface", &self.interface)
            .finish_non_exhaustive()
    }
}

impl<S> DeviceTx<S> {
    /// Makes the instance of one thread.
    pub(crate) fn new(interface: SwIfIndex, sink: Option<S>, rows: InterfaceRows) -> Self {
        Self {
            interface,
            sink,
            rows,
        }
    }

    /// Sends by another queue from now on, or by none.
    pub(super) fn set_sink(&mut self, sink: Option<S>) {
        self.sink = sink;
    }
}

impl<S: FrameSink> PacketNode for DeviceTx<S> {
    type NextNodes = NoNext;
    type Errors = Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, crate::interface::output_trace);
        let Some(sink) = &mut self.sink else {
            let lost = vector.len() as u64;
            self.rows.count(Simple::TxError, self.interface.0, lost);
            cx.count(Error::NoQueue, lost);
            return cx.free(vector);
        };
        let frames = vector.buffers_mut().iter_mut().map(|buffer| {
            let mut packet = buffer.packet();
            (VirtioNetHeader::of(&mut packet), packet)
        });
        let frames: SmallVec<[_; VECTOR]> = frames.collect();
        let (rows, interface) = (&self.rows, self.interface);
        sink.send_all(&frames, &mut |error| {
            rows.count(Simple::TxError, interface.0, 1);
            let full = matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS));
            cx.count(if full { Error::NoRoom } else { Error::Refused }, 1);
        });
        drop(frames);
        cx.free(vector);
    }
}
