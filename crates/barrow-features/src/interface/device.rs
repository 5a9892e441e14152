//! What a kind of interface implements: the part of an interface that differs between devices.

use super::{HwIfIndex, InterfaceError};
use barrow_messages::ethernet_types::MacAddress;
use std::fmt;

/// How a receive queue is served (`vl_api_rx_mode_t` in `vpp:src/vnet/interface_types.api`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RxMode {
    /// Looked at in every turn of its thread.
    Polling,
    /// Looked at when the device says so.
    #[default]
    Interrupt,
    /// Polling under load, interrupts otherwise.
    Adaptive,
}

impl RxMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Polling, Self::Interrupt, Self::Adaptive];

    /// Its name in commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::Interrupt => "interrupt",
            Self::Adaptive => "adaptive",
        }
    }

    /// The mode of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn to_wire(self) -> u32 {
        match self {
            Self::Polling => 1,
            Self::Interrupt => 2,
            Self::Adaptive => 3,
        }
    }

    /// The mode of a number on the wire; `None` for `UNKNOWN`, `DEFAULT` and strangers.
    #[must_use]
    pub const fn from_wire(wire: u32) -> Option<Self> {
        match wire {
            1 => Some(Self::Polling),
            2 => Some(Self::Interrupt),
            3 => Some(Self::Adaptive),
            _ => None,
        }
    }
}

impl fmt::Display for RxMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a device can do by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// It completes the IPv4 header checksum of a packet it sends.
    pub tx_ip4_checksum: bool,
    /// It completes the TCP checksum of a packet it sends.
    pub tx_tcp_checksum: bool,
    /// It completes the UDP checksum of a packet it sends.
    pub tx_udp_checksum: bool,
    /// It cuts TCP packets that are larger than the link.
    pub tcp_gso: bool,
}

/// One kind of interface: loopback, packet generator, tap, host.
///
/// Called on the main thread only. What it cannot do is a typed error, never a silent success.
pub trait Device: fmt::Debug + 'static {
    /// The class that clients see in `interface_dev_type`.
    fn class(&self) -> &'static str;

    /// The kind of link that `show hardware-interfaces` names where there is no Ethernet address.
    fn link_class(&self) -> &'static str {
        self.class()
    }

    /// Whether the link is up exactly while the device is: for devices without a carrier of their own. Other
    /// devices tell their link with [`Interfaces::set_link`](super::Interfaces::set_link).
    fn link_follows_admin(&self) -> bool {
        false
    }

    /// Takes the device up or down; the software interface follows when this succeeds.
    ///
    /// # Errors
    /// What the device or the kernel refused.
    fn set_admin(&mut self, hw: HwIfIndex, up: bool) -> Result<(), InterfaceError>;

    /// Changes the address that the device answers to.
    ///
    /// # Errors
    /// [`InterfaceError::Unsupported`] unless the device has one to change.
    fn set_mac(&mut self, _hw: HwIfIndex, _mac: MacAddress) -> Result<(), InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    /// Adds or removes a further unicast or multicast address.
    ///
    /// # Errors
    /// [`InterfaceError::Unsupported`] unless the device filters addresses.
    fn add_del_mac(
        &mut self,
        _hw: HwIfIndex,
        _mac: MacAddress,
        _add: bool,
    ) -> Result<(), InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    /// Changes the largest frame, in bytes of layer-3 payload.
    ///
    /// # Errors
    /// What the device or the kernel refused.
    fn set_mtu(&mut self, _hw: HwIfIndex, _mtu: u32) -> Result<(), InterfaceError> {
        Ok(())
    }

    /// Receives frames for any destination address, or its own only.
    ///
    /// # Errors
    /// What the device or the kernel refused.
    fn set_promiscuous(&mut self, _hw: HwIfIndex, _on: bool) -> Result<(), InterfaceError> {
        Ok(())
    }

    /// Changes how one receive queue is served.
    ///
    /// # Errors
    /// [`InterfaceError::Unsupported`] unless the device has receive queues.
    fn set_rx_mode(
        &mut self,
        _hw: HwIfIndex,
        _queue: u32,
        _mode: RxMode,
    ) -> Result<(), InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    /// Moves one receive queue to another thread, losing and reordering nothing.
    ///
    /// # Errors
    /// [`InterfaceError::Unsupported`] unless the device has receive queues.
    fn place_rx(
        &mut self,
        _hw: HwIfIndex,
        _queue: u32,
        _thread: usize,
    ) -> Result<(), InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    /// Lets these threads, and no others, send by one transmit queue.
    ///
    /// # Errors
    /// [`InterfaceError::Unsupported`] unless the device's queues can be placed.
    fn place_tx(
        &mut self,
        _hw: HwIfIndex,
        _queue: u32,
        _threads: &[usize],
    ) -> Result<(), InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    /// Gives the device another number and tells the name that comes with it.
    ///
    /// # Errors
    /// [`InterfaceError::Unsupported`] unless names of this kind can be renumbered.
    fn renumber(&mut self, _hw: HwIfIndex, _instance: u32) -> Result<String, InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    /// Sets the counters that only the device keeps to 0.
    fn clear_counters(&mut self, _hw: HwIfIndex) {}

    /// Ends the device's own resources; its nodes are removed by the table afterwards.
    fn remove(&mut self, _hw: HwIfIndex) {}

    /// The device's own lines of `show hardware-interfaces`, indented by the caller.
    fn describe(&self, _verbose: bool, _out: &mut dyn fmt::Write) -> fmt::Result {
        Ok(())
    }
}
