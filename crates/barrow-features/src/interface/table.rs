//! The table of interfaces: the one owner of their state on the main thread.
//!
//! Features hold a clone of [`Interfaces`]. A change is made here first, then published to the packet
//! nodes ([`InterfaceWords`]), then told to the subscribers; no borrow is held while they are told, so
//! a subscriber may call back.

use super::device_nodes::DeviceNodes;
use super::notify::Subscriber;
use super::{
    Capabilities, Device, Framing, HwIfIndex, HwInterface, InterfaceError, InterfaceEvent,
    InterfaceWord, InterfaceWords, MadeWith, Mtu, OutputNodes, RxMode, RxPlacement, SubInterface,
    SwIfIndex, SwInterface,
};
use barrow_engine::{NodeThread, PacketNode};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::{Cell, Ref, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// What a feature says of the interface it makes.
#[derive(Debug)]
pub struct NewInterface {
    /// Its name: unique in the node, at most 63 ASCII characters.
    pub name: String,
    /// What its packets look like.
    pub framing: Framing,
    /// The address it answers to; zero unless Ethernet.
    pub mac: MacAddress,
    /// Largest layer-3 payload, in bytes.
    pub mtu: u32,
    /// Link speed in kbit/s; 0 when unknown.
    pub link_speed: u32,
    /// What the device can do.
    pub capabilities: Capabilities,
    /// Where its receive queues are served.
    pub rx: Vec<RxPlacement>,
    /// Which threads use each transmit queue.
    pub tx: Vec<Vec<usize>>,
    /// The device.
    pub device: Box<dyn Device>,
}

/// Largest packet of an interface that nobody gave an MTU (VPP: `vnet_sw_interface_get_mtu`).
const UNSET_MTU: u32 = 9000;

#[derive(Default)]
pub(super) struct Table {
    pub(super) sw: Vec<Option<SwInterface>>,
    pub(super) hw: Vec<Option<HwInterface>>,
    pub(super) by_name: HashMap<String, SwIfIndex>,
}

/// Clonable handle of the table; main thread only.
#[derive(Clone)]
pub struct Interfaces {
    pub(super) table: Rc<RefCell<Table>>,
    subscribers: Rc<RefCell<Vec<Subscriber>>>,
    words: InterfaceWords,
    outputs: OutputNodes,
    pub(super) nodes: Rc<DeviceNodes>,
    pub(super) default_rx_mode: Rc<Cell<RxMode>>,
}

impl std::fmt::Debug for Interfaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self
            .iter_indexes()
            .filter_map(|index| self.name(index))
            .collect();
        f.debug_tuple("Interfaces").field(&names).finish()
    }
}

impl Interfaces {
    pub(super) fn new(words: InterfaceWords, nodes: DeviceNodes) -> Self {
        Self {
            table: Rc::default(),
            subscribers: Rc::default(),
            words,
            outputs: OutputNodes::default(),
            nodes: Rc::new(nodes),
            default_rx_mode: Rc::default(),
        }
    }

    /// What packet nodes read.
    #[must_use]
    pub fn words(&self) -> InterfaceWords {
        self.words.clone()
    }

    /// Where packet nodes send what is to leave by an interface.
    #[must_use]
    pub fn outputs(&self) -> OutputNodes {
        self.outputs.clone()
    }

    /// Calls `subscriber` on the main thread after each change.
    pub fn subscribe(&self, subscriber: impl Fn(InterfaceEvent) + 'static) {
        self.subscribers.borrow_mut().push(Rc::new(subscriber));
    }

    /// Adds a device and its software interface, down, and gives their indexes: the lowest free.
    ///
    /// Its nodes `NAME-tx` (made by `make_tx`, an instance a thread) and `NAME-output` come with it.
    ///
    /// # Errors
    /// [`AlreadyExists`](InterfaceError::AlreadyExists) for a name in use,
    /// [`TooMany`](InterfaceError::TooMany) when the table, the graph or the statistics segment is full.
    pub fn create<N: PacketNode>(
        &self,
        new: NewInterface,
        make_tx: impl Fn(NodeThread, SwIfIndex) -> N + 'static,
    ) -> Result<(HwIfIndex, SwIfIndex), InterfaceError> {
        let (hw, sw) = {
            let mut table = self.table.borrow_mut();
            if table.by_name.contains_key(&new.name) {
                return Err(InterfaceError::AlreadyExists);
            }
            let sw = table.free_sw()?;
            let (tx_node, output_node) =
                self.nodes
                    .create(&new.name, sw, new.capabilities, make_tx)?;
            let hw = HwIfIndex(lowest_free(&mut table.hw));
            table.by_name.insert(new.name.clone(), sw);
            table.sw[sw.slot()] = Some(SwInterface {
                index: sw,
                hw,
                name: new.name.clone(),
                sub: None,
                admin_up: false,
                punt: false,
                mtu: Mtu {
                    l3: new.mtu,
                    ..Mtu::default()
                },
                tag: String::new(),
                detailed_stats: false,
                ip4_fib_index: 0,
                ip4_enabled: false,
                unnumbered: None,
            });
            table.hw[hw.0 as usize] = Some(HwInterface {
                index: hw,
                sw,
                device_name: new.name.clone(),
                made: MadeWith {
                    mtu: new.mtu,
                    rx: new.rx.clone(),
                    tx: new.tx.clone(),
                },
                name: new.name,
                framing: new.framing,
                mac: new.mac,
                secondary_macs: Vec::new(),
                link_up: false,
                link_speed: new.link_speed,
                mtu: new.mtu,
                promiscuous: false,
                capabilities: new.capabilities,
                rx: new.rx,
                tx: new.tx,
                output_node,
                tx_node,
                device: new.device,
            });
            (hw, sw)
        };
        self.publish_output(sw);
        self.publish(sw);
        self.tell(InterfaceEvent::Created(sw));
        Ok((hw, sw))
    }

    /// Adds a sub-interface, down.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface) for an unknown parent,
    /// [`NotEthernet`](InterfaceError::NotEthernet) or [`WrongKind`](InterfaceError::WrongKind) for one that
    /// can have none, [`SubInterfaceExists`](InterfaceError::SubInterfaceExists) for an id in use,
    /// [`VlanInUse`](InterfaceError::VlanInUse) for frames that another sub-interface takes.
    pub fn create_sub(&self, sub: SubInterface) -> Result<SwIfIndex, InterfaceError> {
        let index = {
            let mut table = self.table.borrow_mut();
            let parent = table.sw(sub.parent)?.clone();
            if parent.sub.is_some() {
                return Err(InterfaceError::WrongKind);
            }
            if table.hw(parent.hw)?.framing != Framing::Ethernet {
                return Err(InterfaceError::NotEthernet);
            }
            let siblings = || table.children(sub.parent).filter_map(|sw| sw.sub);
            if siblings().any(|other| other.id == sub.id) {
                return Err(InterfaceError::SubInterfaceExists);
            }
            if siblings().any(|other| other.vlan.overlaps(&sub.vlan)) {
                return Err(InterfaceError::VlanInUse);
            }
            let name = sub_name(&parent.name, sub.id);
            if table.by_name.contains_key(&name) {
                return Err(InterfaceError::SubInterfaceExists);
            }
            let index = table.free_sw()?;
            self.nodes.count(index)?;
            table.by_name.insert(name.clone(), index);
            table.sw[index.slot()] = Some(SwInterface {
                index,
                name,
                hw: parent.hw,
                sub: Some(sub),
                admin_up: false,
                punt: false,
                mtu: Mtu::default(),
                tag: String::new(),
                detailed_stats: false,
                ip4_fib_index: 0,
                ip4_enabled: false,
                unnumbered: None,
            });
            index
        };
        self.publish_output(index);
        self.publish(index);
        self.tell(InterfaceEvent::Created(index));
        Ok(index)
    }

    /// Removes a sub-interface.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface),
    /// [`NotSubInterface`](InterfaceError::NotSubInterface).
    pub fn delete_sub(&self, index: SwIfIndex) -> Result<(), InterfaceError> {
        if self.table.borrow().sw(index)?.sub.is_none() {
            return Err(InterfaceError::NotSubInterface);
        }
        self.delete(index)
    }

    /// Takes an interface down, tells that it goes, and removes it with its sub-interfaces.
    ///
    /// A device that refuses to go down (the kernel may have taken it away) is removed all the same.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), also for `local0`.
    pub fn delete(&self, index: SwIfIndex) -> Result<(), InterfaceError> {
        if index == SwIfIndex::LOCAL0 {
            return Err(InterfaceError::NoSuchInterface);
        }
        self.table.borrow().sw(index)?;
        for sub in self.children(index) {
            self.delete(sub)?;
        }
        if self.set_admin(index, false).is_err() {
            self.note_admin(index, false)?;
        }
        self.tell(InterfaceEvent::Deleting(index));
        let device = {
            let mut table = self.table.borrow_mut();
            let sw = table.sw[index.slot()]
                .take()
                .ok_or(InterfaceError::NoSuchInterface)?;
            table.by_name.remove(&sw.name);
            let own = sw.sub.is_none();
            own.then(|| table.hw[sw.hw.0 as usize].take()).flatten()
        };
        self.words.set(index, None);
        self.outputs.set(index, None);
        if let Some(mut hw) = device {
            hw.device.remove(hw.index);
            self.nodes.remove(hw.output_node, hw.tx_node);
        }
        self.nodes.forget(index);
        self.tell(InterfaceEvent::Deleted(index));
        Ok(())
    }

    /// Changes a software interface in place and publishes it; for what no subscriber cares about.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface).
    pub fn change_sw(
        &self,
        index: SwIfIndex,
        change: impl FnOnce(&mut SwInterface),
    ) -> Result<(), InterfaceError> {
        change(self.table.borrow_mut().sw_mut(index)?);
        self.publish(index);
        Ok(())
    }

    /// Changes a hardware interface in place.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface).
    pub fn change_hw(
        &self,
        hw: HwIfIndex,
        change: impl FnOnce(&mut HwInterface),
    ) -> Result<(), InterfaceError> {
        change(self.table.borrow_mut().hw_mut(hw)?);
        Ok(())
    }

    /// Calls the device of a hardware interface.
    ///
    /// The device must not call back into the table.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), or what the call gives.
    pub fn with_device<T>(
        &self,
        hw: HwIfIndex,
        call: impl FnOnce(&mut dyn Device) -> Result<T, InterfaceError>,
    ) -> Result<T, InterfaceError> {
        call(self.table.borrow_mut().hw_mut(hw)?.device.as_mut())
    }

    /// A software interface; nothing when there is none of this index.
    #[must_use]
    pub fn sw(&self, index: SwIfIndex) -> Option<Ref<'_, SwInterface>> {
        Ref::filter_map(self.table.borrow(), |table| table.sw(index).ok()).ok()
    }

    /// A hardware interface; nothing when there is none of this index.
    #[must_use]
    pub fn hw(&self, index: HwIfIndex) -> Option<Ref<'_, HwInterface>> {
        Ref::filter_map(self.table.borrow(), |table| table.hw(index).ok()).ok()
    }

    /// The device beneath a software interface.
    #[must_use]
    pub fn hw_of(&self, index: SwIfIndex) -> Option<Ref<'_, HwInterface>> {
        let hw = self.sw(index)?.hw;
        self.hw(hw)
    }

    /// The index of a name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<SwIfIndex> {
        self.table.borrow().by_name.get(name).copied()
    }

    /// The name of an index.
    #[must_use]
    pub fn name(&self, index: SwIfIndex) -> Option<String> {
        Some(self.sw(index)?.name.clone())
    }

    /// Whether packets may pass: up, and so is the parent of a sub-interface.
    #[must_use]
    pub fn is_up(&self, index: SwIfIndex) -> bool {
        self.table.borrow().is_up(index)
    }

    /// The lowest index at or above `from`: the cursor of dumps and listings.
    #[must_use]
    pub fn next_index(&self, from: u32) -> Option<SwIfIndex> {
        let table = self.table.borrow();
        let rest = table.sw.get(from as usize..)?;
        rest.iter().flatten().next().map(|sw| sw.index)
    }

    /// All indexes, ascending; interfaces made or deleted meanwhile may be missed or found.
    pub fn iter_indexes(&self) -> impl Iterator<Item = SwIfIndex> + '_ {
        let mut from = 0;
        std::iter::from_fn(move || {
            let index = self.next_index(from)?;
            from = index.0 + 1;
            Some(index)
        })
    }

    /// The lowest device at or above `from`: the cursor of listings of devices.
    #[must_use]
    pub fn next_hw(&self, from: HwIfIndex) -> Option<HwIfIndex> {
        let table = self.table.borrow();
        let rest = table.hw.get(from.0 as usize..)?;
        rest.iter().flatten().next().map(|hw| hw.index)
    }

    /// The sub-interfaces of an interface, ascending.
    #[must_use]
    pub fn children(&self, parent: SwIfIndex) -> Vec<SwIfIndex> {
        let table = self.table.borrow();
        table.children(parent).map(|sw| sw.index).collect()
    }

    /// Largest IPv4 packet that may leave by an interface, in bytes: what was set for IPv4, else for
    /// layer 3, else its parent's.
    #[must_use]
    pub fn ip4_mtu(&self, index: SwIfIndex) -> u32 {
        self.table.borrow().mtu(index, Mtu::for_ip4)
    }

    /// Largest IPv6 packet that may leave by an interface, as [`ip4_mtu`](Self::ip4_mtu).
    #[must_use]
    pub fn ip6_mtu(&self, index: SwIfIndex) -> u32 {
        self.table.borrow().mtu(index, Mtu::for_ip6)
    }

    pub(super) fn publish_output(&self, index: SwIfIndex) {
        self.outputs.set(index, self.hw_of(index).as_deref());
    }

    /// Lets packet nodes see an interface as it is now.
    pub(super) fn publish(&self, index: SwIfIndex) {
        let table = self.table.borrow();
        let word = table.sw(index).ok().map(|sw| {
            let mtu = u16::try_from(table.mtu(index, Mtu::for_ip4)).unwrap_or(u16::MAX);
            let up = table.is_up(index);
            InterfaceWord::new(up, sw.ip4_enabled, mtu, sw.ip4_fib_index)
                .with_detailed_stats(sw.detailed_stats)
        });
        self.words.set(index, word);
    }

    pub(super) fn tell(&self, event: InterfaceEvent) {
        // A copy of the list, so that a subscriber may change the table, which tells them all in turn.
        let subscribers = self.subscribers.borrow().clone();
        for subscriber in &subscribers {
            subscriber(event);
        }
    }
}

impl Table {
    pub(super) fn sw(&self, index: SwIfIndex) -> Result<&SwInterface, InterfaceError> {
        let slot = self.sw.get(index.slot()).and_then(Option::as_ref);
        slot.ok_or(InterfaceError::NoSuchInterface)
    }

    pub(super) fn sw_mut(&mut self, index: SwIfIndex) -> Result<&mut SwInterface, InterfaceError> {
        let slot = self.sw.get_mut(index.slot()).and_then(Option::as_mut);
        slot.ok_or(InterfaceError::NoSuchInterface)
    }

    pub(super) fn hw(&self, index: HwIfIndex) -> Result<&HwInterface, InterfaceError> {
        let slot = self.hw.get(index.0 as usize).and_then(Option::as_ref);
        slot.ok_or(InterfaceError::NoSuchInterface)
    }

    pub(super) fn hw_mut(&mut self, index: HwIfIndex) -> Result<&mut HwInterface, InterfaceError> {
        let slot = self.hw.get_mut(index.0 as usize).and_then(Option::as_mut);
        slot.ok_or(InterfaceError::NoSuchInterface)
    }

    fn is_up(&self, index: SwIfIndex) -> bool {
        self.sw(index).is_ok_and(|sw| {
            sw.admin_up
                && sw
                    .sub
                    .is_none_or(|sub| self.sw(sub.parent).is_ok_and(|p| p.admin_up))
        })
    }

    pub(super) fn children(&self, parent: SwIfIndex) -> impl Iterator<Item = &SwInterface> {
        let is_child = move |sw: &&SwInterface| sw.sub.is_some_and(|sub| sub.parent == parent);
        self.sw.iter().flatten().filter(is_child)
    }

    fn mtu(&self, index: SwIfIndex, of: impl Fn(&Mtu) -> u32) -> u32 {
        let own = self.sw(index).map_or(0, |sw| of(&sw.mtu));
        let parents = || {
            let parent = self.sw(index).ok()?.sub?.parent;
            Some(of(&self.sw(parent).ok()?.mtu))
        };
        let set = if own == 0 {
            parents().unwrap_or(0)
        } else {
            own
        };
        if set == 0 { UNSET_MTU } else { set }
    }

    fn free_sw(&mut self) -> Result<SwIfIndex, InterfaceError> {
        let slot = lowest_free(&mut self.sw);
        if slot >= InterfaceWords::CAPACITY {
            return Err(InterfaceError::TooMany);
        }
        Ok(SwIfIndex(slot))
    }
}

/// What a sub-interface is called.
pub(super) fn sub_name(parent: &str, id: u32) -> String {
    format!("{parent}.{id}")
}

/// The lowest empty slot, made when there is none.
fn lowest_free<T>(slots: &mut Vec<Option<T>>) -> u32 {
    let slot = slots.iter().position(Option::is_none).unwrap_or_else(|| {
        slots.push(None);
        slots.len() - 1
    });
    u32::try_from(slot).expect("fewer than 2^32 interfaces")
}
