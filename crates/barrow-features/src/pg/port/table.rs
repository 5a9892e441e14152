//! Which packet generator interfaces exist.

use super::capture::CaptureSlot;
use super::device::PgDevice;
use super::tx::{PgTx, PortShared};
use super::{CaptureError, Offloads, PortMode, PortOptions};
use crate::interface::{
    HwIfIndex, InterfaceCounters, InterfaceError, InterfaceEvent, Interfaces, NewInterface,
    SwIfIndex,
};
use crate::pg::definition::Random;
use barrow_engine::log::Class;
use barrow_engine::{ConfigStage, Control, NodeThread, RunningConfig};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Largest packet of a new interface, in bytes.
const MTU: u32 = 9000;

/// One interface.
#[derive(Clone, Debug)]
pub(in crate::pg) struct Port {
    /// The number in its name.
    pub(in crate::pg) id: u32,
    pub(in crate::pg) index: SwIfIndex,
    hw: HwIfIndex,
    pub(in crate::pg) mode: PortMode,
    pub(in crate::pg) offloads: Offloads,
    shared: Arc<PortShared>,
}

impl Port {
    /// Whether segments are joined before they are captured.
    pub(in crate::pg) fn is_coalescing(&self) -> bool {
        self.shared.coalesce.load(Relaxed)
    }
}

struct Inner {
    control: Control,
    interfaces: Interfaces,
    counters: InterfaceCounters,
    log: Class,
    by_id: RefCell<BTreeMap<u32, Port>>,
    random: RefCell<Random>,
}

/// All interfaces of the packet generator; a cheap handle, main thread only.
#[derive(Clone)]
pub(in crate::pg) struct Ports(Rc<Inner>);

impl Ports {
    pub(in crate::pg) fn new(
        control: Control,
        interfaces: Interfaces,
        counters: InterfaceCounters,
        log: Class,
    ) -> Self {
        // The only source of chance in the standard library: different in every process.
        let seed = RandomState::new().build_hasher().finish();
        let (by_id, random) = (RefCell::default(), RefCell::new(Random::new(seed)));
        Self(Rc::new(Inner {
            control,
            interfaces,
            counters,
            log,
            by_id,
            random,
        }))
    }

    /// Makes `pgN`, or gives the one there is.
    pub(in crate::pg) fn get_or_create(
        &self,
        id: u32,
        options: &PortOptions,
    ) -> Result<Port, InterfaceError> {
        if let Some(port) = self.by_id(id) {
            return Ok(port);
        }
        let inner = &self.0;
        let offloads = options.offloads();
        let shared = Arc::new(PortShared {
            capture: CaptureSlot::new(options.mode.link_type(), inner.log.clone()),
            coalesce: AtomicBool::new(options.coalesce && options.gso_size.is_some()),
        });
        let mac = match options.mode {
            PortMode::Ethernet => options.mac.unwrap_or_else(|| self.made_up_mac()),
            PortMode::Ip4 | PortMode::Ip6 => MacAddress::ZERO,
        };
        let new = NewInterface {
            // VPP prints the number as a signed one: that of streams without a source is -1.
            name: format!("pg{}", id.cast_signed()),
            framing: options.mode.framing(),
            mac,
            mtu: MTU,
            link_speed: 0,
            capabilities: offloads.capabilities(),
            rx: Vec::new(),
            tx: Vec::new(),
            device: Box::new(PgDevice {
                shared: shared.clone(),
            }),
        };
        let make = {
            let (shared, mode, counters) = (shared.clone(), options.mode, inner.counters.clone());
            move |at: NodeThread, index: SwIfIndex| {
                let rows = counters.rows(at.thread).expect("every thread has its rows");
                PgTx::new(shared.clone(), mode, offloads, index.0, rows)
            }
        };
        let (hw, index) = inner.interfaces.create(new, make)?;
        // What comes in on an IP interface skips the node that takes Ethernet headers off.
        if options.mode != PortMode::Ethernet {
            let end = inner.control.node_by_name(options.mode.input_node());
            if let Err(error) = inner.control.arcs().set_end("device-input", index.0, end) {
                inner.log.warning(format_args!("pg{id}: {error}"));
            }
        }
        let mode = options.mode;
        let port = Port {
            id,
            index,
            hw,
            mode,
            offloads,
            shared,
        };
        inner.by_id.borrow_mut().insert(id, port.clone());
        Ok(port)
    }

    /// Removes an interface.
    pub(in crate::pg) fn delete(&self, index: SwIfIndex) -> Result<(), InterfaceError> {
        self.by_index(index)
            .ok_or(InterfaceError::NoSuchInterface)?;
        self.0.interfaces.delete(index)
    }

    /// The commands that make the interfaces again; streams are no configuration.
    pub(in crate::pg) fn write(&self, config: &mut RunningConfig) {
        for port in self.0.by_id.borrow().values() {
            let Some(hw) = self.0.interfaces.hw(port.hw) else {
                continue;
            };
            let mut words = vec![format!("mode {}", port.mode)];
            if port.mode == PortMode::Ethernet {
                words.push(format!("hw-addr {}", hw.mac));
            }
            match port.offloads {
                Offloads::None => {}
                Offloads::Checksums => words.push("csum-offload-enabled".to_owned()),
                Offloads::Gso(size) => words.push(format!("gso-enabled gso-size {size}")),
            }
            if port.is_coalescing() {
                words.push("coalesce-enabled".to_owned());
            }
            let (name, words) = (&hw.device_name, words.join(" "));
            let command = format_args!("create packet-generator interface {name} {words}");
            config.line(ConfigStage::Interfaces, port.index.0, command);
        }
    }

    pub(in crate::pg) fn by_id(&self, id: u32) -> Option<Port> {
        self.0.by_id.borrow().get(&id).cloned()
    }

    pub(in crate::pg) fn by_index(&self, index: SwIfIndex) -> Option<Port> {
        self.0
            .by_id
            .borrow()
            .values()
            .find(|port| port.index == index)
            .cloned()
    }

    /// Begins a capture of what an interface sends.
    pub(in crate::pg) fn capture(
        &self,
        port: &Port,
        path: &Path,
        count: Option<u64>,
    ) -> Result<(), CaptureError> {
        port.shared.capture.start(path, count)
    }

    /// Ends the capture of an interface, if there is one.
    pub(in crate::pg) fn end_capture(&self, port: &Port) {
        port.shared.capture.stop();
    }

    /// Joins segments or leaves them; refused on an interface without GSO.
    pub(in crate::pg) fn set_coalesce(&self, port: &Port, on: bool) -> bool {
        let can = matches!(port.offloads, Offloads::Gso(_));
        if can {
            port.shared.coalesce.store(on, Relaxed);
        }
        can
    }

    /// Keeps links as their interfaces are, and forgets interfaces that are gone.
    pub(in crate::pg) fn follow(&self, event: InterfaceEvent) -> Result<(), InterfaceError> {
        match event {
            InterfaceEvent::Admin { index, up } => match self.by_index(index) {
                Some(port) => self.0.interfaces.set_link(port.hw, up),
                None => Ok(()),
            },
            InterfaceEvent::Deleted(index) => {
                self.0
                    .by_id
                    .borrow_mut()
                    .retain(|_, port| port.index != index);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `02:fe:` and four octets by chance, as VPP makes them (`vpp:src/vnet/ethernet/mac_address.h`).
    fn made_up_mac(&self) -> MacAddress {
        let [a, b, c, d, ..] = self.0.random.borrow_mut().bits().to_be_bytes();
        MacAddress([0x02, 0xfe, a, b, c, d])
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ports")
            .field(&self.0.by_id.borrow())
            .finish()
    }
}
