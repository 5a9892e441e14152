//! The transmit node of devices behind a descriptor: `tapN-tx` and `host-NAME-tx`.

use super::VirtioNetHeader;
use crate::interface::{InterfaceRows, Simple, SwIfIndex};
use barrow_engine::{BufferExt, ErrorCounters, NoNext, Packet, PacketContext, PacketNode, Vector};
use std::fmt;
use std::io;

/// Where frames go; the device's end of one transmit queue.
pub(crate) trait FrameSink: Send + 'static {
    /// Sends a frame with its header, all its buffers in one call.
    ///
    /// # Errors
    /// `WouldBlock` when the device has no room.
    fn send(&mut self, header: &VirtioNetHeader, packet: &Packet<'_>) -> io::Result<()>;
}

/// Counters of the node.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(crate) enum Error {
    #[error_counter(name = "no-room", description = "the device has no room", severity = ERROR)]
    NoRoom,
    #[error_counter(name = "send-error", description = "the kernel refused", severity = ERROR)]
    Refused,
}

/// The node; one instance a thread.
pub(crate) struct DeviceTx<S> {
    interface: SwIfIndex,
    sink: S,
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
    pub(crate) fn new(interface: SwIfIndex, sink: S, rows: InterfaceRows) -> Self {
        Self {
            interface,
            sink,
            rows,
        }
    }
}

impl<S: FrameSink> PacketNode for DeviceTx<S> {
    type NextNodes = NoNext;
    type Errors = Error;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, crate::interface::output_trace);
        for buffer in vector.buffers_mut() {
            let mut packet = buffer.packet();
            let header = VirtioNetHeader::of(&mut packet);
            if let Err(error) = self.sink.send(&header, &packet) {
                self.rows.count(Simple::TxError, self.interface.0, 1);
                let full = matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS));
                cx.count(if full { Error::NoRoom } else { Error::Refused }, 1);
            }
        }
        cx.free(vector);
    }
}
