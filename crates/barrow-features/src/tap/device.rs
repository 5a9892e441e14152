//! The tap device: its queues, and what only a tap does.

use crate::interface::{Device, HwIfIndex, InterfaceError, RxMode};
use crate::virtio::{
    DeviceQueues, FrameSink, FrameSource, HEADER_LEN, Inbox, LONGEST, VirtioNetHeader,
};
use barrow_engine::{Buffer, BufferExt, Packet};
use barrow_messages::ethernet_types::MacAddress;
use smallvec::SmallVec;
use std::fmt;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// Parts of a frame that need no memory from the heap: those of the longest one in usual buffers.
const PARTS: usize = 36;
/// A frame above this lets the next one be expected to be long, too.
const LONG: usize = 4096;

/// One queue of a tap, both directions.
#[derive(Clone, Debug)]
pub(super) struct TapQueue {
    fd: Arc<OwnedFd>,
    /// Bytes that the next frame is read for in place; a longer one is read all the same.
    expected: usize,
}

impl TapQueue {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self {
            fd: Arc::new(fd),
            expected: 1,
        }
    }
}

impl AsFd for TapQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl FrameSource for TapQueue {
    fn receive(&mut self, inbox: &mut Inbox<'_>) -> io::Result<Option<(Buffer, VirtioNetHeader)>> {
        let mut header = [0; HEADER_LEN];
        let read = inbox.read(&mut header, self.expected, |parts| {
            Ok(rustix::io::readv(&*self.fd, parts)?)
        });
        let Some(mut buffer) = read? else {
            return Ok(None);
        };
        let is_long = buffer.packet().total_len() > LONG;
        self.expected = if is_long { LONGEST } else { 1 };
        let header = VirtioNetHeader::read_from_bytes(&header).unwrap_or_default();
        Ok(Some((buffer, header)))
    }
}

impl FrameSink for TapQueue {
    fn send(&mut self, header: &VirtioNetHeader, packet: &Packet<'_>) -> io::Result<()> {
        let mut parts: SmallVec<[IoSlice<'_>; PARTS]> = SmallVec::new();
        parts.push(IoSlice::new(header.as_bytes()));
        parts.extend(packet.segments().map(IoSlice::new));
        rustix::io::writev(&*self.fd, &parts)?;
        Ok(())
    }
}

/// The device of one tap interface; a cheap handle.
#[derive(Clone)]
pub(super) struct TapDevice(pub(super) DeviceQueues<TapQueue, TapQueue>);

impl fmt::Debug for TapDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TapDevice")
            .field(&self.0.interface())
            .finish()
    }
}

impl Device for TapDevice {
    fn class(&self) -> &'static str {
        "virtio"
    }

    /// Up when it is made, and as the interface from then on (`vpp:src/plugins/tap/tap.c`).
    fn link_follows_admin(&self) -> bool {
        true
    }

    fn set_admin(&mut self, _hw: HwIfIndex, _up: bool) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn set_mac(&mut self, _hw: HwIfIndex, _mac: MacAddress) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn set_rx_mode(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        mode: RxMode,
    ) -> Result<(), InterfaceError> {
        self.0.set_mode(queue, mode)
    }

    fn place_rx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        thread: usize,
    ) -> Result<(), InterfaceError> {
        self.0.place_rx(queue, thread)
    }

    fn place_tx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        threads: &[usize],
    ) -> Result<(), InterfaceError> {
        self.0.place_tx(queue, threads)
    }

    fn remove(&mut self, _hw: HwIfIndex) {
        self.0.close();
    }
}
