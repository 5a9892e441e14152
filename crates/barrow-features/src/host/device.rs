//! The device of a host interface: its queues, and the kernel's link beneath.

use super::open::Opened;
use super::ring::{RxRing, TxSocket};
use super::table::Made;
use crate::interface::{Device, HwIfIndex, InterfaceError, RxMode};
use crate::linkwatch::{LinkUser, LinkWatch};
use crate::virtio::DeviceQueues;
use barrow_messages::ethernet_types::MacAddress;
use barrow_runtime::io::netlink::{Link, LinkChange, Netlink};
use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;

/// The device of one host interface; a cheap handle.
#[derive(Clone)]
pub(super) struct HostDevice(Rc<State>);

struct State {
    queues: DeviceQueues<RxRing, TxSocket>,
    /// The kernel's number of the link.
    link: Cell<u32>,
    /// The link's MTU, as the kernel said last.
    mtu: Cell<u32>,
    /// A bridge's state and address are its own affair (`vpp:src/plugins/af_packet/af_packet.c`).
    is_bridge: bool,
    links: LinkWatch,
    made: Made,
}

impl fmt::Debug for HostDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostDevice")
            .field("interface", &self.0.queues.interface())
            .field("link", &self.0.link)
            .finish_non_exhaustive()
    }
}

impl HostDevice {
    pub(super) fn new(
        queues: DeviceQueues<RxRing, TxSocket>,
        link: &Link,
        links: LinkWatch,
        made: Made,
    ) -> Self {
        Self(Rc::new(State {
            queues,
            link: Cell::new(link.index),
            mtu: Cell::new(link.mtu),
            is_bridge: link.kind.as_deref() == Some("bridge"),
            links,
            made,
        }))
    }

    pub(super) fn queues(&self) -> &DeviceQueues<RxRing, TxSocket> {
        &self.0.queues
    }
}

impl State {
    /// Changes the kernel's link, unless it is a bridge.
    fn change(&self, what: &str, change: LinkChange<'_>) -> Result<(), InterfaceError> {
        if self.is_bridge {
            return Ok(());
        }
        let changed = Netlink::open()
            .map_err(|error| (error.raw_os_error(), error.to_string()))
            .and_then(|mut netlink| {
                let changed = netlink.change_link(self.link.get(), change);
                changed.map_err(|error| (None, error.to_string()))
            });
        changed.map_err(|(number, reason)| {
            InterfaceError::System(number.unwrap_or(0), format!("{what} of the link: {reason}"))
        })
    }
}

impl LinkUser for HostDevice {
    /// Binds to a link that was made anew under the name of the former one.
    fn rebind(&self, link: &Link) -> io::Result<()> {
        let state = &*self.0;
        let made = state.made.borrow();
        let new = made.get(&state.queues.interface());
        let new = new.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let Opened { rings, sockets } = Opened::new(new, link)?;
        drop(made);
        state.queues.replace(rings, sockets)?;
        state.link.set(link.index);
        state.mtu.set(link.mtu);
        Ok(())
    }

    fn note(&self, link: &Link) {
        self.0.mtu.set(link.mtu);
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
        if self.0.mtu.get() == mtu {
            return Ok(());
        }
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
        self.0.queues.set_mode(queue, mode)
    }

    fn place_rx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        thread: usize,
    ) -> Result<(), InterfaceError> {
        self.0.queues.place_rx(queue, thread)
    }

    fn place_tx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        threads: &[usize],
    ) -> Result<(), InterfaceError> {
        self.0.queues.place_tx(queue, threads)
    }

    fn remove(&mut self, hw: HwIfIndex) {
        let state = &*self.0;
        state.links.forget(hw);
        state.queues.close();
        state.made.borrow_mut().remove(&state.queues.interface());
    }

    fn describe(&self, _verbose: bool, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "Linux PACKET socket interface v2")?;
        for (number, thread) in self.0.queues.threads().into_iter().enumerate() {
            writeln!(out, "  RX Queue {number}: thread {thread}")?;
        }
        Ok(())
    }
}
