//! The device of a host interface: its receive queues, and the kernel's link beneath.

use super::ring::RxRing;
use super::table::Used;
use crate::interface::{Device, HwIfIndex, InterfaceError, RxMode, SwIfIndex};
use crate::linkwatch::LinkWatch;
use crate::virtio::{DeviceInput, RxQueue};
use barrow_engine::log::Class;
use barrow_engine::{Control, InputMode, NodeId, Watch};
use barrow_messages::ethernet_types::MacAddress;
use barrow_runtime::io::netlink::{Link, LinkChange, Netlink};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

/// Where a receive queue is served, and the watch that wakes its node; none while the queue moves.
struct Served {
    thread: usize,
    watch: Option<Watch>,
}

/// The device of one host interface; a cheap handle.
#[derive(Clone)]
pub(super) struct HostDevice(Rc<State>);

struct State {
    control: Control,
    input: NodeId,
    /// The kernel's number of the link.
    link: u32,
    /// A bridge's state and address are its own affair (`vpp:src/plugins/af_packet/af_packet.c`).
    is_bridge: bool,
    links: LinkWatch,
    used: Used,
    log: Class,
    queues: RefCell<Queues>,
}

struct Queues {
    interface: SwIfIndex,
    served: Vec<Served>,
    removed: bool,
}

impl fmt::Debug for HostDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = self.0.queues.borrow().interface;
        f.debug_struct("HostDevice")
            .field("interface", &interface)
            .field("link", &self.0.link)
            .finish_non_exhaustive()
    }
}

impl HostDevice {
    pub(super) fn new(
        control: Control,
        input: NodeId,
        link: &Link,
        links: LinkWatch,
        used: Used,
        log: Class,
    ) -> Self {
        let interface = SwIfIndex::NONE;
        let queues = Queues {
            interface,
            served: Vec::new(),
            removed: false,
        };
        Self(Rc::new(State {
            control,
            input,
            link: link.index,
            is_bridge: link.kind.as_deref() == Some("bridge"),
            links,
            used,
            log,
            queues: RefCell::new(queues),
        }))
    }

    /// Begins to receive, once the interface has its number; ring `n` on `threads[n]`.
    pub(super) fn serve(
        &self,
        interface: SwIfIndex,
        rings: Vec<RxRing>,
        threads: &[usize],
    ) -> io::Result<()> {
        self.0.queues.borrow_mut().interface = interface;
        for (number, (source, thread)) in rings.into_iter().zip(threads).enumerate() {
            let queue = RxQueue {
                interface,
                queue: number as u32,
                source,
            };
            let watch = self.0.start(queue, *thread)?;
            let served = Served {
                thread: *thread,
                watch: Some(watch),
            };
            self.0.queues.borrow_mut().served.push(served);
        }
        Ok(())
    }
}

impl State {
    /// Gives a queue to a thread, then lets it look at the queue once, and at each arrival.
    fn start(&self, queue: RxQueue<RxRing>, thread: usize) -> io::Result<Watch> {
        let descriptor = queue.source.as_fd().try_clone_to_owned()?;
        self.control
            .with_node(thread, self.input, move |node: &mut DeviceInput<RxRing>| {
                node.add(queue);
            });
        self.control.watch_fd(thread, descriptor, self.input)
    }

    /// Takes up a queue that has left its thread.
    fn resume(&self, queue: RxQueue<RxRing>) {
        let number = queue.queue as usize;
        let thread = {
            let queues = self.queues.borrow();
            match queues.served.get(number) {
                Some(served) if !queues.removed => served.thread,
                _ => return,
            }
        };
        match self.start(queue, thread) {
            Ok(watch) => self.queues.borrow_mut().served[number].watch = Some(watch),
            Err(error) => {
                self.log.error(format_args!(
                    "queue {number} of link {}: {error}",
                    self.link
                ));
            }
        }
    }

    /// Changes the kernel's link, unless it is a bridge.
    fn change(&self, what: &str, change: LinkChange<'_>) -> Result<(), InterfaceError> {
        if self.is_bridge {
            return Ok(());
        }
        let changed = Netlink::open()
            .map_err(|error| (error.raw_os_error(), error.to_string()))
            .and_then(|mut netlink| {
                let changed = netlink.change_link(self.link, change);
                changed.map_err(|error| (None, error.to_string()))
            });
        changed.map_err(|(number, reason)| {
            InterfaceError::System(number.unwrap_or(0), format!("{what} of the link: {reason}"))
        })
    }
}

impl Device for HostDevice {
    fn class(&self) -> &'static str {
        "af-packet"
    }

    fn set_admin(&mut self, _hw: HwIfIndex, up: bool) -> Result<(), InterfaceError> {
        let change = LinkChange::new();
        self.0
            .change("state", if up { change.up() } else { change.down() })
    }

    fn set_mac(&mut self, _hw: HwIfIndex, mac: MacAddress) -> Result<(), InterfaceError> {
        self.0.change("address", LinkChange::new().mac(mac.0))
    }

    fn set_mtu(&mut self, _hw: HwIfIndex, mtu: u32) -> Result<(), InterfaceError> {
        self.0.change("mtu", LinkChange::new().mtu(mtu))
    }

    /// The sockets receive frames for any address at all times: the interface's differs from the link's.
    fn set_promiscuous(&mut self, _hw: HwIfIndex, _on: bool) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn set_rx_mode(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        mode: RxMode,
    ) -> Result<(), InterfaceError> {
        let queues = self.0.queues.borrow();
        let served = queues
            .served
            .get(queue as usize)
            .ok_or(InterfaceError::NoSuchQueue)?;
        let mode = match mode {
            RxMode::Polling => InputMode::Polling,
            RxMode::Interrupt => InputMode::Interrupt,
            RxMode::Adaptive => InputMode::Adaptive,
        };
        self.0
            .control
            .set_input_mode(served.thread, self.0.input, mode);
        Ok(())
    }

    /// The ring leaves its thread before another gets it: nobody reads a slot twice.
    fn place_rx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        thread: usize,
    ) -> Result<(), InterfaceError> {
        if thread >= self.0.control.thread_count() {
            return Err(InterfaceError::NoSuchWorker);
        }
        let (interface, from) = {
            let queues = &mut *self.0.queues.borrow_mut();
            let served = queues.served.get_mut(queue as usize);
            let served = served.ok_or(InterfaceError::NoSuchQueue)?;
            drop(served.watch.take());
            (
                queues.interface,
                std::mem::replace(&mut served.thread, thread),
            )
        };
        let input = self.0.input;
        let taken = self.0.control.call(from, move |packets| {
            packets
                .node::<DeviceInput<RxRing>, _>(input)?
                .take(interface, queue)
        });
        let state = Rc::clone(&self.0);
        self.0.control.spawner().spawn_task(async move {
            // Not there: an earlier move is under way, and ends at the thread noted above.
            if let Ok(Some(queue)) = taken.await {
                state.resume(queue);
            }
        });
        Ok(())
    }

    fn remove(&mut self, hw: HwIfIndex) {
        let state = &*self.0;
        state.links.forget(hw);
        let (interface, served) = {
            let queues = &mut *state.queues.borrow_mut();
            queues.removed = true;
            (queues.interface, std::mem::take(&mut queues.served))
        };
        state.used.borrow_mut().remove(&interface);
        for (number, served) in served.into_iter().enumerate() {
            drop(served.watch);
            state.control.with_node(
                served.thread,
                state.input,
                move |node: &mut DeviceInput<RxRing>| drop(node.take(interface, number as u32)),
            );
        }
    }

    fn describe(&self, _verbose: bool, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "Linux PACKET socket interface v2")?;
        let queues = self.0.queues.borrow();
        for (number, served) in queues.served.iter().enumerate() {
            writeln!(out, "  RX Queue {number}: thread {}", served.thread)?;
        }
        Ok(())
    }
}
