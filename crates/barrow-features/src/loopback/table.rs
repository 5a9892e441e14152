//! Which loopback instances exist.

use super::node::LoopbackTx;
use crate::interface::{
    Capabilities, Device, Framing, HwIfIndex, InterfaceError, Interfaces, NewInterface, SwIfIndex,
};
use barrow_engine::{ConfigStage, RunningConfig};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Largest packet of a new loopback interface, in bytes.
const MTU: u32 = 9000;
/// Loopback interfaces that can be told apart (VPP: `LOOPBACK_MAX_INSTANCE`).
const INSTANCES: u32 = 16 * 1024;

/// Which instances exist.
type Instances = Rc<RefCell<BTreeMap<u32, SwIfIndex>>>;

/// The loopback interfaces; a cheap handle, main thread only.
#[derive(Clone, Debug)]
pub struct Loopbacks {
    interfaces: Interfaces,
    instances: Instances,
}

/// One of them; it gives its number back when it goes.
#[derive(Debug)]
struct Loopback {
    instance: u32,
    instances: Instances,
}

impl Device for Loopback {
    fn class(&self) -> &'static str {
        "Loopback"
    }

    fn link_follows_admin(&self) -> bool {
        true
    }

    fn set_admin(&mut self, _hw: HwIfIndex, _up: bool) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn set_mtu(&mut self, _hw: HwIfIndex, _mtu: u32) -> Result<(), InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    fn set_promiscuous(&mut self, _hw: HwIfIndex, _on: bool) -> Result<(), InterfaceError> {
        Err(InterfaceError::Unsupported)
    }

    fn set_mac(&mut self, _hw: HwIfIndex, _mac: MacAddress) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn add_del_mac(
        &mut self,
        _hw: HwIfIndex,
        _mac: MacAddress,
        _add: bool,
    ) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn remove(&mut self, _hw: HwIfIndex) {
        self.instances.borrow_mut().remove(&self.instance);
    }
}

impl Loopbacks {
    pub(super) fn new(interfaces: Interfaces) -> Self {
        Self {
            interfaces,
            instances: Rc::default(),
        }
    }

    /// Makes `loopN` with the instance asked for, or the lowest free one; a zero address stands for
    /// `de:ad:00:00:00:NN`.
    ///
    /// # Errors
    /// [`AlreadyExists`](InterfaceError::AlreadyExists) for an instance in use,
    /// [`InvalidValue`](InterfaceError::InvalidValue) for one that is too large, or a group address.
    pub fn create(
        &self,
        mac: MacAddress,
        instance: Option<u32>,
    ) -> Result<SwIfIndex, InterfaceError> {
        if mac.0[0] & 1 != 0 {
            return Err(InterfaceError::InvalidValue("mac address"));
        }
        let instance = match instance {
            Some(wanted) if self.instances.borrow().contains_key(&wanted) => {
                return Err(InterfaceError::AlreadyExists);
            }
            Some(wanted) => wanted,
            None => self.lowest_free(),
        };
        if instance >= INSTANCES {
            return Err(InterfaceError::InvalidValue("instance"));
        }
        let mac = if mac.0 == [0; 6] {
            default_mac(instance)
        } else {
            mac
        };
        let new = NewInterface {
            name: format!("loop{instance}"),
            framing: Framing::Ethernet,
            mac,
            mtu: MTU,
            link_speed: 0,
            capabilities: Capabilities::default(),
            rx: Vec::new(),
            tx: Vec::new(),
            device: Box::new(Loopback {
                instance,
                instances: self.instances.clone(),
            }),
        };
        let make = |_, index: SwIfIndex| LoopbackTx { interface: index.0 };
        let (_, index) = self.interfaces.create(new, make)?;
        self.instances.borrow_mut().insert(instance, index);
        Ok(index)
    }

    /// Removes a loopback interface.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), also when the index is that of another kind.
    pub fn delete(&self, index: SwIfIndex) -> Result<(), InterfaceError> {
        let is_known = self
            .instances
            .borrow()
            .values()
            .any(|known| *known == index);
        if !is_known {
            return Err(InterfaceError::NoSuchInterface);
        }
        self.interfaces.delete(index)
    }

    /// The commands that make the loopback interfaces again.
    pub(super) fn write(&self, config: &mut RunningConfig) {
        for (instance, index) in &*self.instances.borrow() {
            if let Some(hw) = self.interfaces.hw_of(*index) {
                let mac = hw.mac;
                let command =
                    format_args!("create loopback interface mac {mac} instance {instance}");
                config.line(ConfigStage::Interfaces, index.0, command);
            }
        }
    }

    fn lowest_free(&self) -> u32 {
        let instances = self.instances.borrow();
        (0..)
            .find(|instance| !instances.contains_key(instance))
            .unwrap_or_default()
    }
}

/// `de:ad:00:00:NN:NN`, locally administered.
fn default_mac(instance: u32) -> MacAddress {
    let [_, _, high, low] = instance.to_be_bytes();
    MacAddress([0xde, 0xad, 0, 0, high, low])
}
