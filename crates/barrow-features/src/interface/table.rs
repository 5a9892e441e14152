//! The table of interfaces: the one owner of their state on the main thread.
//!
//! Features hold a clone of [`Interfaces`]. A change is made here first, then published to the packet
//! nodes ([`InterfaceWords`]), then told to the subscribers; no borrow is held while they are told, so
//! a subscriber may call back.

use super::device_nodes::DeviceNodes;
use super::notify::Subscriber;
use super::{
    Capabilities, Device, Framing, HwIfIndex, HwInterface, InterfaceError, InterfaceEvent,
    InterfaceWord, InterfaceWords, Mtu, OutputNodes, RxPlacement, SubInterface, SwIfIndex,
    SwInterface,
};
use barrow_engine::{NodeThread, PacketNode};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::{Ref, RefCell};
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

#[derive(Default)]
struct Table {
    sw: Vec<Option<SwInterface>>,
    hw: Vec<Option<HwInterface>>,
    by_name: HashMap<String, SwIfIndex>,
}

/// Clonable handle of the table; main thread only.
#[derive(Clone)]
pub struct Interfaces {
    table: Rc<RefCell<Table>>,
    subscribers: Rc<RefCell<Vec<Subscriber>>>,
    words: InterfaceWords,
    outputs: OutputNodes,
    nodes: Rc<DeviceNodes>,
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
                mtu: Mtu {
                    l3: new.mtu,
                    ip4: 0,
                    ip6: 0,
                    mpls: 0,
                },
                tag: String::new(),
                ip4_fib_index: 0,
                ip4_enabled: false,
                unnumbered: None,
            });
            table.hw[hw.0 as usize] = Some(HwInterface {
                index: hw,
                sw,
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
    /// can have none, [`SubInterfaceExists`](InterfaceError::SubInterfaceExists) for an id or a match in use.
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
            let taken = |other: &SubInterface| {
                other.parent == sub.parent && (other.id == sub.id || other.vlan == sub.vlan)
            };
            if table
                .sw
                .iter()
                .flatten()
                .any(|sw| sw.sub.as_ref().is_some_and(taken))
            {
                return Err(InterfaceError::SubInterfaceExists);
            }
            let name = format!("{}.{}", parent.name, sub.id);
            if table.by_name.contains_key(&name) {
                return Err(InterfaceError::SubInterfaceExists);
            }
            let index = table.free_sw()?;
            self.nodes.count(index)?;
            table.by_name.insert(name.clone(), index);
            table.sw[index.slot()] = Some(SwInterface {
                index,
                name,
                sub: Some(sub),
                admin_up: false,
                tag: String::new(),
                ip4_fib_index: 0,
                ip4_enabled: false,
                unnumbered: None,
                ..parent
            });
            index
        };
        self.publish_output(index);
        self.publish(index);
        self.tell(InterfaceEvent::Created(index));
        Ok(index)
    }

    /// Takes an interface down, tells that it goes, and removes it with its sub-interfaces.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), also for `local0`.
    pub fn delete(&self, index: SwIfIndex) -> Result<(), InterfaceError> {
        if index == SwIfIndex::LOCAL0 {
            return Err(InterfaceError::NoSuchInterface);
        }
        let subs: Vec<SwIfIndex> = {
            let table = self.table.borrow();
            table.sw(index)?;
            let is_child = |sw: &&SwInterface| sw.sub.is_some_and(|sub| sub.parent == index);
            table
                .sw
                .iter()
                .flatten()
                .filter(is_child)
                .map(|sw| sw.index)
                .collect()
        };
        for sub in subs {
            self.delete(sub)?;
        }
        self.set_admin(index, false)?;
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

    /// Takes an interface up or down.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), or what the device refused.
    pub fn set_admin(&self, index: SwIfIndex, up: bool) -> Result<(), InterfaceError> {
        let (hw, is_sub, changed) = {
            let table = self.table.borrow();
            let sw = table.sw(index)?;
            (sw.hw, sw.sub.is_some(), sw.admin_up != up)
        };
        if !changed {
            return Ok(());
        }
        if !is_sub {
            self.with_device(hw, |device| device.set_admin(hw, up))?;
        }
        self.change_sw(index, |sw| sw.admin_up = up)?;
        self.publish_with_children(index);
        self.tell(InterfaceEvent::Admin { index, up });
        Ok(())
    }

    /// Notes that a device's link came or went.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface).
    pub fn set_link(&self, hw: HwIfIndex, up: bool) -> Result<(), InterfaceError> {
        let index = {
            let mut table = self.table.borrow_mut();
            let hw = table.hw_mut(hw)?;
            if hw.link_up == up {
                return Ok(());
            }
            hw.link_up = up;
            hw.sw
        };
        self.tell(InterfaceEvent::Link { index, up });
        Ok(())
    }

    /// Changes the largest packets of a software interface.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface).
    pub fn set_mtu(&self, index: SwIfIndex, mtu: Mtu) -> Result<(), InterfaceError> {
        self.change_sw(index, |sw| sw.mtu = mtu)?;
        self.publish(index);
        self.tell(InterfaceEvent::Mtu(index));
        Ok(())
    }

    /// Changes the largest frame of a device, and the layer-3 MTU of its software interfaces.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), or what the device refused.
    pub fn set_hw_mtu(&self, hw: HwIfIndex, mtu: u32) -> Result<(), InterfaceError> {
        self.with_device(hw, |device| device.set_mtu(hw, mtu))?;
        let over: Vec<SwIfIndex> = {
            let mut table = self.table.borrow_mut();
            table.hw_mut(hw)?.mtu = mtu;
            table
                .sw
                .iter()
                .flatten()
                .filter(|sw| sw.hw == hw)
                .map(|sw| sw.index)
                .collect()
        };
        for index in over {
            self.change_sw(index, |sw| sw.mtu.l3 = mtu)?;
            self.publish(index);
            self.tell(InterfaceEvent::Mtu(index));
        }
        Ok(())
    }

    /// Changes the address that a device answers to.
    ///
    /// # Errors
    /// [`NotEthernet`](InterfaceError::NotEthernet), or what the device refused.
    pub fn set_mac(&self, hw: HwIfIndex, mac: MacAddress) -> Result<(), InterfaceError> {
        if self.table.borrow().hw(hw)?.framing != Framing::Ethernet {
            return Err(InterfaceError::NotEthernet);
        }
        self.with_device(hw, |device| device.set_mac(hw, mac))?;
        let index = {
            let mut table = self.table.borrow_mut();
            let hw = table.hw_mut(hw)?;
            hw.mac = mac;
            hw.sw
        };
        let over: Vec<SwIfIndex> = {
            let table = self.table.borrow();
            let own = table.sw(index)?.hw;
            table
                .sw
                .iter()
                .flatten()
                .filter(|sw| sw.hw == own)
                .map(|sw| sw.index)
                .collect()
        };
        over.into_iter()
            .for_each(|index| self.publish_output(index));
        self.tell(InterfaceEvent::Mac(index));
        Ok(())
    }

    /// Adds or removes a further address that a device answers to.
    ///
    /// # Errors
    /// [`NotEthernet`](InterfaceError::NotEthernet), or what the device refused.
    pub fn add_del_mac(
        &self,
        hw: HwIfIndex,
        mac: MacAddress,
        add: bool,
    ) -> Result<(), InterfaceError> {
        if self.table.borrow().hw(hw)?.framing != Framing::Ethernet {
            return Err(InterfaceError::NotEthernet);
        }
        self.with_device(hw, |device| device.add_del_mac(hw, mac, add))?;
        let index = {
            let mut table = self.table.borrow_mut();
            let hw = table.hw_mut(hw)?;
            hw.secondary_macs.retain(|known| *known != mac);
            if add {
                hw.secondary_macs.push(mac);
            }
            hw.sw
        };
        self.tell(InterfaceEvent::Mac(index));
        Ok(())
    }

    /// Receives frames for any address, or the device's own only.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), or what the device refused.
    pub fn set_promiscuous(&self, hw: HwIfIndex, on: bool) -> Result<(), InterfaceError> {
        self.with_device(hw, |device| device.set_promiscuous(hw, on))?;
        let index = {
            let mut table = self.table.borrow_mut();
            let hw = table.hw_mut(hw)?;
            hw.promiscuous = on;
            hw.sw
        };
        self.tell(InterfaceEvent::Mac(index));
        Ok(())
    }

    /// Lets an interface take IPv4 packets, or no longer; called by whoever keeps the addresses.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface).
    pub fn set_ip4_enabled(&self, index: SwIfIndex, on: bool) -> Result<(), InterfaceError> {
        self.change_sw(index, |sw| sw.ip4_enabled = on)?;
        self.tell(InterfaceEvent::Ip4(index));
        Ok(())
    }

    /// Tells that features were switched on or off for an interface.
    pub fn features_changed(&self, index: SwIfIndex) {
        self.tell(InterfaceEvent::Features(index));
    }

    /// Gives an interface another name.
    ///
    /// # Errors
    /// [`AlreadyExists`](InterfaceError::AlreadyExists) for a name in use,
    /// [`InvalidValue`](InterfaceError::InvalidValue) for one that is empty, too long or not printable ASCII.
    pub fn set_name(&self, index: SwIfIndex, name: &str) -> Result<(), InterfaceError> {
        if name.is_empty() || name.len() > 63 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InterfaceError::InvalidValue("name"));
        }
        {
            let mut table = self.table.borrow_mut();
            table.sw(index)?;
            match table.by_name.get(name) {
                Some(owner) if *owner == index => return Ok(()),
                Some(_) => return Err(InterfaceError::AlreadyExists),
                None => {}
            }
            let sw = table.sw_mut(index)?;
            let old = std::mem::replace(&mut sw.name, name.to_owned());
            let own_device = sw.sub.is_none().then_some(sw.hw);
            table.by_name.remove(&old);
            table.by_name.insert(name.to_owned(), index);
            if let Some(hw) = own_device {
                table.hw_mut(hw)?.name = name.to_owned();
            }
        }
        self.tell(InterfaceEvent::Name(index));
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

    fn publish_output(&self, index: SwIfIndex) {
        let output = self.hw_of(index).map(|hw| (hw.output_node, hw.mac.0));
        self.outputs.set(index, output);
    }

    fn publish(&self, index: SwIfIndex) {
        let table = self.table.borrow();
        let word = table.sw(index).ok().map(|sw| {
            let mtu = u16::try_from(sw.mtu.for_ip4()).unwrap_or(u16::MAX);
            InterfaceWord::new(table.is_up(index), sw.ip4_enabled, mtu, sw.ip4_fib_index)
        });
        self.words.set(index, word);
    }

    fn publish_with_children(&self, parent: SwIfIndex) {
        let indexes: Vec<SwIfIndex> = self.iter_indexes().collect();
        for index in indexes {
            let child = self
                .sw(index)
                .is_some_and(|sw| sw.sub.is_some_and(|s| s.parent == parent));
            if index == parent || child {
                self.publish(index);
            }
        }
    }

    fn tell(&self, event: InterfaceEvent) {
        // A copy of the list, so that a subscriber may change the table, which tells them all in turn.
        let subscribers = self.subscribers.borrow().clone();
        for subscriber in &subscribers {
            subscriber(event);
        }
    }
}

impl Table {
    fn sw(&self, index: SwIfIndex) -> Result<&SwInterface, InterfaceError> {
        let slot = self.sw.get(index.slot()).and_then(Option::as_ref);
        slot.ok_or(InterfaceError::NoSuchInterface)
    }

    fn sw_mut(&mut self, index: SwIfIndex) -> Result<&mut SwInterface, InterfaceError> {
        let slot = self.sw.get_mut(index.slot()).and_then(Option::as_mut);
        slot.ok_or(InterfaceError::NoSuchInterface)
    }

    fn hw(&self, index: HwIfIndex) -> Result<&HwInterface, InterfaceError> {
        let slot = self.hw.get(index.0 as usize).and_then(Option::as_ref);
        slot.ok_or(InterfaceError::NoSuchInterface)
    }

    fn hw_mut(&mut self, index: HwIfIndex) -> Result<&mut HwInterface, InterfaceError> {
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

    fn free_sw(&mut self) -> Result<SwIfIndex, InterfaceError> {
        let slot = lowest_free(&mut self.sw);
        if slot >= InterfaceWords::CAPACITY {
            return Err(InterfaceError::TooMany);
        }
        Ok(SwIfIndex(slot))
    }
}

/// The lowest empty slot, made when there is none.
fn lowest_free<T>(slots: &mut Vec<Option<T>>) -> u32 {
    let slot = slots.iter().position(Option::is_none).unwrap_or_else(|| {
        slots.push(None);
        slots.len() - 1
    });
    u32::try_from(slot).expect("fewer than 2^32 interfaces")
}
