//! The tap device: its queues, and what only a tap does.

use crate::interface::{Device, HwIfIndex, InterfaceError, RxMode, SwIfIndex};
use crate::virtio::{DeviceInput, FrameSink, FrameSource, HEADER_LEN, RxQueue, VirtioNetHeader};
use barrow_engine::{Control, InputMode, NodeId, Packet, Watch};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::OwnedFd;
use std::rc::Rc;
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

/// The device of one tap interface; a cheap handle.
#[derive(Clone)]
pub(super) struct TapDevice(Rc<RefCell<State>>);

struct State {
    control: Control,
    input: NodeId,
    interface: SwIfIndex,
    queues: Vec<TapQueue>,
    served: Vec<Served>,
}

impl fmt::Debug for TapDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TapDevice")
            .field(&self.0.borrow().interface)
            .finish()
    }
}

impl TapDevice {
    pub(super) fn new(control: Control, input: NodeId, queues: Vec<TapQueue>) -> Self {
        let interface = SwIfIndex::NONE;
        let state = State {
            control,
            input,
            interface,
            queues,
            served: Vec::new(),
        };
        Self(Rc::new(RefCell::new(state)))
    }

    /// The same device, for the table of interfaces.
    pub(super) fn shared(&self) -> Self {
        self.clone()
    }

    /// Begins to receive, once the interface has its number; queue `n` on `threads[n]`.
    pub(super) fn serve(&self, interface: SwIfIndex, threads: &[usize]) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        state.interface = interface;
        for (number, thread) in threads.iter().enumerate() {
            let served = state.start(number as u32, state.queues[number].clone(), *thread)?;
            state.served.push(served);
        }
        Ok(())
    }
}

impl State {
    fn start(&self, number: u32, source: TapQueue, thread: usize) -> io::Result<Served> {
        let descriptor = Arc::clone(&source.0);
        let queue = RxQueue {
            interface: self.interface,
            queue: number,
            source,
        };
        self.control.with_node(
            thread,
            self.input,
            move |node: &mut DeviceInput<TapQueue>| {
                node.add(queue);
            },
        );
        let watch = self.control.watch_fd(thread, &*descriptor, self.input)?;
        Ok(Served {
            thread,
            watch: Some(watch),
        })
    }

    fn stop(&mut self, number: usize) {
        let Some(served) = self.served.get_mut(number) else {
            return;
        };
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
        let state = self.0.borrow();
        let served = state
            .served
            .get(queue as usize)
            .ok_or(InterfaceError::NoSuchQueue)?;
        let mode = match mode {
            RxMode::Polling => InputMode::Polling,
            RxMode::Interrupt => InputMode::Interrupt,
            RxMode::Adaptive => InputMode::Adaptive,
        };
        state
            .control
            .set_input_mode(served.thread, state.input, mode);
        Ok(())
    }

    fn place_rx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        thread: usize,
    ) -> Result<(), InterfaceError> {
        let state = &mut *self.0.borrow_mut();
        let number = queue as usize;
        let source = state
            .queues
            .get(number)
            .cloned()
            .ok_or(InterfaceError::NoSuchQueue)?;
        if thread >= state.control.thread_count() {
            return Err(InterfaceError::NoSuchWorker);
        }
        if state.served[number].thread == thread {
            return Ok(());
        }
        state.stop(number);
        let started = state.start(queue, source, thread);
        state.served[number] = started.map_err(|error| {
            InterfaceError::System(
                error.raw_os_error().unwrap_or(0),
                "watching a queue".to_owned(),
            )
        })?;
        Ok(())
    }

    fn remove(&mut self, _hw: HwIfIndex) {
        let state = &mut *self.0.borrow_mut();
        for number in 0..state.queues.len() {
            state.stop(number);
        }
        state.queues.clear();
    }
}
