//! The tap device: its queues, and what only a tap does.

use crate::interface::{Device, HwIfIndex, InterfaceError, RxMode, SwIfIndex};
use crate::virtio::{DeviceInput, FrameSink, FrameSource, HEADER_LEN, RxQueue, VirtioNetHeader};
use barrow_engine::{Control, InputMode, NodeId, Packet, Watch};
use barrow_messages::ethernet_types::MacAddress;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// One queue of a tap, both directions.
#[derive(Clone, Debug)]
pub(super) struct TapQueue(pub(super) Arc<OwnedFd>);

impl FrameSource for TapQueue {
    fn receive(&mut self, room: &mut [u8]) -> io::Result<(usize, VirtioNetHeader)> {
        let mut header = [0; HEADER_LEN];
        let mut parts = [IoSliceMut::new(&mut header), IoSliceMut::new(room)];
        let len = rustix::io::readv(&*self.0, &mut parts)?;
        let Some(len) = len.checked_sub(HEADER_LEN) else {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        };
        let header = VirtioNetHeader::read_from_bytes(&header);
        Ok((len, header.unwrap_or_default()))
    }
}

impl FrameSink for TapQueue {
    fn send(&mut self, header: &VirtioNetHeader, packet: &Packet<'_>) -> io::Result<()> {
        let mut parts = Vec::with_capacity(8);
        parts.push(IoSlice::new(header.as_bytes()));
        parts.extend(packet.segments().map(IoSlice::new));
        rustix::io::writev(&*self.0, &parts)?;
        Ok(())
    }
}

/// Where a receive queue is served, and the watch that wakes its node.
struct Served {
    thread: usize,
    watch: Option<Watch>,
}

/// The device of one tap interface.
pub(super) struct TapDevice {
    control: Control,
    input: NodeId,
    interface: SwIfIndex,
    queues: Vec<TapQueue>,
    served: Vec<Served>,
}

impl fmt::Debug for TapDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapDevice").field("interface", &self.interface).finish_non_exhaustive()
    }
}

impl TapDevice {
    pub(super) fn new(control: Control, input: NodeId, queues: Vec<TapQueue>) -> Self {
        Self { control, input, interface: SwIfIndex::NONE, queues, served: Vec::new() }
    }

    /// Begins to receive, once the interface has its number; queue `n` on `threads[n]`.
    pub(super) fn serve(&mut self, interface: SwIfIndex, threads: &[usize]) -> io::Result<()> {
        self.interface = interface;
        for (number, (queue, thread)) in self.queues.iter().zip(threads).enumerate() {
            let served = self.start(number as u32, queue.clone(), *thread)?;
            self.served.push(served);
        }
        Ok(())
    }

    fn start(&self, number: u32, source: TapQueue, thread: usize) -> io::Result<Served> {
        let descriptor = Arc::clone(&source.0);
        let queue = RxQueue { interface: self.interface, queue: number, source };
        self.control.with_node(thread, self.input, move |node: &mut DeviceInput<TapQueue>| {
            node.add(queue);
        });
        let watch = self.control.watch_fd(thread, &*descriptor, self.input)?;
        Ok(Served { thread, watch: Some(watch) })
    }

    fn stop(&mut self, number: usize) {
        let Some(served) = self.served.get_mut(number) else { return };
        drop(served.watch.take());
        let (interface, queue) = (self.interface, number as u32);
        self.control.with_node(
            served.thread,
            self.input,
            move |node: &mut DeviceInput<TapQueue>| drop(node.take(interface, queue)),
        );
    }
}

impl Device for TapDevice {
    fn class(&self) -> &'static str {
        "virtio"
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
        let served = self.served.get(queue as usize).ok_or(InterfaceError::NoSuchQueue)?;
        let mode = match mode {
            RxMode::Polling => InputMode::Polling,
            RxMode::Interrupt => InputMode::Interrupt,
            RxMode::Adaptive => InputMode::Adaptive,
        };
        self.control.set_input_mode(served.thread, self.input, mode);
        Ok(())
    }

    fn place_rx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        thread: usize,
    ) -> Result<(), InterfaceError> {
        let number = queue as usize;
        let source = self.queues.get(number).cloned().ok_or(InterfaceError::NoSuchQueue)?;
        if thread >= self.control.thread_count() {
            return Err(InterfaceError::NoSuchWorker);
        }
        if self.served[number].thread == thread {
            return Ok(());
        }
        self.stop(number);
        let started = self.start(queue, source, thread);
        self.served[number] = started.map_err(|error| {
            InterfaceError::System(error.raw_os_error().unwrap_or(0), "watching a queue".to_owned())
        })?;
        Ok(())
    }

    fn remove(&mut self, _hw: HwIfIndex) {
        for number in 0..self.queues.len() {
            self.stop(number);
        }
        self.queues.clear();
    }
}
