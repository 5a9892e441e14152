//! Frames on their way out as `show trace` prints them.

use crate::ethernet::trace::FrameTrace;
use barrow_engine::Packet;
use std::fmt;

/// What `NAME-output` and `NAME-tx` record.
struct OutputTrace {
    interface: u32,
    flags: u32,
    frame: FrameTrace,
}

impl fmt::Display for OutputTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "sw_if_index {} flags 0x{:08x}",
            self.interface, self.flags
        )?;
        self.frame.fmt(f)
    }
}

/// The record of a packet that is about to leave.
pub(crate) fn output_trace(packet: &Packet<'_>) -> impl fmt::Display + Send + 'static + use<> {
    OutputTrace {
        interface: packet.tx_sw_if_index,
        flags: packet.flags.bits(),
        frame: FrameTrace::new(packet.data()),
    }
}
