//! Changing interfaces: up and down, sizes, addresses, names.
//!
//! Each change is made in the table first, then published to packet nodes, then told.

use super::table::sub_name;
use super::{
    Framing, HwIfIndex, HwInterface, InterfaceError, InterfaceEvent, Interfaces, Mtu, SwIfIndex,
};
use barrow_messages::ethernet_types::MacAddress;

/// Longest name or tag of an interface, in bytes (VPP: 64 with the byte that ends it).
const LONGEST_TEXT: usize = 63;

impl Interfaces {
    /// Takes an interface up or down. Its sub-interfaces keep what was configured for them.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), [`ParentDown`](InterfaceError::ParentDown) for a
    /// sub-interface that is to be up above one that is down, or what the device refused.
    pub fn set_admin(&self, index: SwIfIndex, up: bool) -> Result<(), InterfaceError> {
        let (hw, parent, changed) = {
            let table = self.table.borrow();
            let sw = table.sw(index)?;
            (sw.hw, sw.sub.map(|sub| sub.parent), sw.admin_up != up)
        };
        if let Some(parent) = parent.filter(|_| up) {
            let table = self.table.borrow();
            let parent = table.sw(parent)?;
            if !parent.admin_up {
                return Err(InterfaceError::ParentDown(parent.name.clone()));
            }
        }
        self.table.borrow_mut().sw_mut(index)?.punt = false;
        if !changed {
            return Ok(());
        }
        if parent.is_none() {
            self.with_device(hw, |device| device.set_admin(hw, up))?;
        }
        self.note_admin(index, up)
    }

    /// Takes an interface down, and notes or no longer notes that its packets are to be punted. VPP 26.06
    /// keeps and shows that flag, and does nothing else with it (`vpp:src/vnet/interface_cli.c`, `set_state`).
    ///
    /// # Errors
    /// [`ParentNotPunting`](InterfaceError::ParentNotPunting), or as [`set_admin`](Self::set_admin).
    pub fn set_punt(&self, index: SwIfIndex, punt: bool) -> Result<(), InterfaceError> {
        let parent = self.table.borrow().sw(index)?.sub.map(|sub| sub.parent);
        if let Some(parent) = parent.filter(|_| punt) {
            let table = self.table.borrow();
            let parent = table.sw(parent)?;
            if !parent.punt {
                return Err(InterfaceError::ParentNotPunting(parent.name.clone()));
            }
        }
        self.set_admin(index, false)?;
        self.change_sw(index, |sw| sw.punt = punt)
    }

    /// Notes that an interface is up or down now, whatever its device says.
    pub(super) fn note_admin(&self, index: SwIfIndex, up: bool) -> Result<(), InterfaceError> {
        let device = {
            let mut table = self.table.borrow_mut();
            let sw = table.sw_mut(index)?;
            sw.admin_up = up;
            let own = sw.sub.is_none().then_some(sw.hw);
            own.map(|hw| {
                table
                    .hw(hw)
                    .map(|hw| (hw.index, hw.device.link_follows_admin()))
            })
            .transpose()?
        };
        self.publish(index);
        self.children(index)
            .into_iter()
            .for_each(|child| self.publish(child));
        self.tell(InterfaceEvent::Admin { index, up });
        match device {
            Some((hw, true)) => self.set_link(hw, up),
            _ => Ok(()),
        }
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

    /// Changes the largest packets of a software interface. Sub-interfaces without a size of their own
    /// follow.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface).
    pub fn set_mtu(&self, index: SwIfIndex, mtu: Mtu) -> Result<(), InterfaceError> {
        let changed = {
            let mut table = self.table.borrow_mut();
            let sw = table.sw_mut(index)?;
            std::mem::replace(&mut sw.mtu, mtu) != mtu
        };
        if changed {
            let over = self.children(index);
            for index in std::iter::once(index).chain(over) {
                self.publish(index);
                self.tell(InterfaceEvent::Mtu(index));
            }
        }
        Ok(())
    }

    /// Changes the largest frame of a device, and the layer-3 MTU of its software interfaces.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), or what the device refused.
    pub fn set_hw_mtu(&self, hw: HwIfIndex, mtu: u32) -> Result<(), InterfaceError> {
        if self.table.borrow().hw(hw)?.mtu == mtu {
            return Ok(());
        }
        self.with_device(hw, |device| device.set_mtu(hw, mtu))?;
        self.note_hw_mtu(hw, mtu)
    }

    /// Notes that a device's largest frame is another now, whoever changed it.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface).
    pub(crate) fn note_hw_mtu(&self, hw: HwIfIndex, mtu: u32) -> Result<(), InterfaceError> {
        if self.table.borrow().hw(hw)?.mtu == mtu {
            return Ok(());
        }
        self.change_hw(hw, |hw| hw.mtu = mtu)?;
        for index in self.above(hw) {
            self.change_sw(index, |sw| sw.mtu.l3 = mtu)?;
            self.tell(InterfaceEvent::Mtu(index));
        }
        Ok(())
    }

    /// Changes the address that a device answers to.
    ///
    /// # Errors
    /// [`NotEthernet`](InterfaceError::NotEthernet), or what the device refused.
    pub fn set_mac(&self, hw: HwIfIndex, mac: MacAddress) -> Result<(), InterfaceError> {
        self.require_ethernet(hw)?;
        self.with_device(hw, |device| device.set_mac(hw, mac))?;
        self.change_hw(hw, |hw| hw.mac = mac)?;
        for index in self.above(hw) {
            self.publish_output(index);
            self.tell(InterfaceEvent::Mac(index));
        }
        Ok(())
    }

    /// Adds or removes a further address that a device answers to. What is there is not added again, and
    /// what is not there needs no removal.
    ///
    /// # Errors
    /// [`NotEthernet`](InterfaceError::NotEthernet), or what the device refused.
    pub fn add_del_mac(
        &self,
        hw: HwIfIndex,
        mac: MacAddress,
        add: bool,
    ) -> Result<(), InterfaceError> {
        self.require_ethernet(hw)?;
        self.with_device(hw, |device| device.add_del_mac(hw, mac, add))?;
        let index = self.with_hw(hw, |hw| {
            hw.secondary_macs.retain(|known| *known != mac);
            if add {
                hw.secondary_macs.push(mac);
            }
            hw.sw
        })?;
        self.tell(InterfaceEvent::Mac(index));
        Ok(())
    }

    /// Receives frames for any address, or the device's own only.
    ///
    /// # Errors
    /// [`NotEthernet`](InterfaceError::NotEthernet), or what the device refused.
    pub fn set_promiscuous(&self, hw: HwIfIndex, on: bool) -> Result<(), InterfaceError> {
        self.require_ethernet(hw)?;
        self.with_device(hw, |device| device.set_promiscuous(hw, on))?;
        let index = self.with_hw(hw, |hw| {
            hw.promiscuous = on;
            hw.sw
        })?;
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

    /// Counts an interface's packets by kind of destination, too, or no longer.
    ///
    /// # Errors
    /// [`WrongKind`](InterfaceError::WrongKind) for a sub-interface,
    /// [`NotEthernet`](InterfaceError::NotEthernet) where packets have no link address.
    pub fn set_detailed_stats(&self, index: SwIfIndex, on: bool) -> Result<(), InterfaceError> {
        let hw = self.device_of(index)?;
        self.require_ethernet(hw)?;
        self.change_sw(index, |sw| sw.detailed_stats = on)
    }

    /// Gives an interface another name, and its sub-interfaces and nodes with it
    /// (`vnet_rename_interface` in `vpp:src/vnet/interface.c`).
    ///
    /// # Errors
    /// [`WrongKind`](InterfaceError::WrongKind) for a sub-interface, whose name comes from its parent;
    /// [`AlreadyExists`](InterfaceError::AlreadyExists) for a name in use,
    /// [`InvalidValue`](InterfaceError::InvalidValue) for one that is empty, too long or not printable ASCII.
    pub fn set_name(&self, index: SwIfIndex, name: &str) -> Result<(), InterfaceError> {
        let hw = self.device_of(index)?;
        let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || name.len() > LONGEST_TEXT || !printable {
            return Err(InterfaceError::InvalidValue("name"));
        }
        let renamed: Vec<(SwIfIndex, String)> = {
            let table = self.table.borrow();
            let child = |child: &super::SwInterface| {
                let id = child.sub.map_or(0, |sub| sub.id);
                (child.index, sub_name(name, id))
            };
            let children = table.children(index).map(child);
            std::iter::once((index, name.to_owned()))
                .chain(children)
                .collect()
        };
        {
            let mut table = self.table.borrow_mut();
            let own = |owner: &SwIfIndex| renamed.iter().any(|(index, _)| index == owner);
            let taken = |name: &String| table.by_name.get(name).is_some_and(|owner| !own(owner));
            if renamed.iter().any(|(_, name)| taken(name)) {
                return Err(InterfaceError::AlreadyExists);
            }
            let nodes = table.hw(hw)?;
            self.nodes.rename(nodes.output_node, nodes.tx_node, name)?;
            for (index, name) in &renamed {
                let old = std::mem::replace(&mut table.sw_mut(*index)?.name, name.clone());
                table.by_name.remove(&old);
            }
            let names = renamed.iter().map(|(index, name)| (name.clone(), *index));
            table.by_name.extend(names);
            name.clone_into(&mut table.hw_mut(hw)?.name);
        }
        for (index, _) in renamed {
            self.tell(InterfaceEvent::Name(index));
        }
        Ok(())
    }

    /// Gives a device another number, and the name that comes with it.
    ///
    /// # Errors
    /// What the device refused, or as [`set_name`](Self::set_name).
    pub fn renumber(&self, hw: HwIfIndex, instance: u32) -> Result<(), InterfaceError> {
        let index = self.table.borrow().hw(hw)?.sw;
        let name = self.with_device(hw, |device| device.renumber(hw, instance))?;
        self.set_name(index, &name)
    }

    /// Sets the text that clients attach to an interface; empty for none.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface),
    /// [`InvalidValue`](InterfaceError::InvalidValue) for a text that is too long or not printable ASCII.
    pub fn set_tag(&self, index: SwIfIndex, tag: &str) -> Result<(), InterfaceError> {
        let printable = tag
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if tag.len() > LONGEST_TEXT || !printable {
            return Err(InterfaceError::InvalidValue("tag"));
        }
        self.change_sw(index, |sw| tag.clone_into(&mut sw.tag))
    }

    /// The device of an interface that is no sub-interface.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), [`WrongKind`](InterfaceError::WrongKind).
    pub fn device_of(&self, index: SwIfIndex) -> Result<HwIfIndex, InterfaceError> {
        let table = self.table.borrow();
        let sw = table.sw(index)?;
        match sw.sub {
            None => Ok(sw.hw),
            Some(_) => Err(InterfaceError::WrongKind),
        }
    }

    /// The software interfaces above a device, ascending.
    fn above(&self, hw: HwIfIndex) -> Vec<SwIfIndex> {
        let table = self.table.borrow();
        let above = table.sw.iter().flatten().filter(|sw| sw.hw == hw);
        above.map(|sw| sw.index).collect()
    }

    /// Whether a device carries Ethernet frames; one that does not exist carries nothing.
    #[must_use]
    pub fn is_ethernet(&self, hw: HwIfIndex) -> bool {
        let table = self.table.borrow();
        table.hw(hw).is_ok_and(|hw| hw.framing == Framing::Ethernet)
    }

    fn require_ethernet(&self, hw: HwIfIndex) -> Result<(), InterfaceError> {
        if self.table.borrow().hw(hw)?.framing == Framing::Ethernet {
            Ok(())
        } else {
            Err(InterfaceError::NotEthernet)
        }
    }

    fn with_hw<T>(
        &self,
        hw: HwIfIndex,
        change: impl FnOnce(&mut HwInterface) -> T,
    ) -> Result<T, InterfaceError> {
        Ok(change(self.table.borrow_mut().hw_mut(hw)?))
    }
}
