//! A device for tests: does what it is told, notes it, and refuses what it was told to refuse.

use super::{
    Capabilities, Device, Framing, HwIfIndex, InterfaceError, InterfaceFeature, Interfaces,
    NewInterface, RxMode, RxPlacement, SwIfIndex,
};
use crate::ethernet::EthernetFeature;
use crate::loopback::LoopbackFeature;
use barrow_engine::testing::{Testbed, TestbedBuilder};
use barrow_engine::{NextNodes, NoErrors, NodeId, PacketContext, PacketNode, Vector};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// What was asked of a device, in order.
pub(crate) type Asked = Rc<RefCell<Vec<String>>>;

/// The device.
#[derive(Debug)]
struct TestDevice {
    asked: Asked,
    /// Everything is refused.
    stubborn: bool,
}

impl TestDevice {
    fn note(&self, what: fmt::Arguments<'_>) -> Result<(), InterfaceError> {
        self.asked.borrow_mut().push(what.to_string());
        if self.stubborn {
            Err(InterfaceError::System(5, "the test device".to_owned()))
        } else {
            Ok(())
        }
    }
}

impl Device for TestDevice {
    fn class(&self) -> &'static str {
        "test"
    }

    fn set_admin(&mut self, _hw: HwIfIndex, up: bool) -> Result<(), InterfaceError> {
        self.note(format_args!("admin {up}"))
    }

    fn set_mac(&mut self, _hw: HwIfIndex, mac: MacAddress) -> Result<(), InterfaceError> {
        self.note(format_args!("mac {mac}"))
    }

    fn add_del_mac(
        &mut self,
        _hw: HwIfIndex,
        mac: MacAddress,
        add: bool,
    ) -> Result<(), InterfaceError> {
        self.note(format_args!("further mac {mac} {add}"))
    }

    fn set_mtu(&mut self, _hw: HwIfIndex, mtu: u32) -> Result<(), InterfaceError> {
        self.note(format_args!("mtu {mtu}"))
    }

    fn set_promiscuous(&mut self, _hw: HwIfIndex, on: bool) -> Result<(), InterfaceError> {
        self.note(format_args!("promiscuous {on}"))
    }

    fn set_rx_mode(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        mode: RxMode,
    ) -> Result<(), InterfaceError> {
        self.note(format_args!("queue {queue} {mode}"))
    }

    fn place_rx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        thread: usize,
    ) -> Result<(), InterfaceError> {
        self.note(format_args!("queue {queue} on thread {thread}"))
    }

    fn place_tx(
        &mut self,
        _hw: HwIfIndex,
        queue: u32,
        threads: &[usize],
    ) -> Result<(), InterfaceError> {
        self.note(format_args!("tx queue {queue} for {threads:?}"))
    }

    fn renumber(&mut self, _hw: HwIfIndex, instance: u32) -> Result<String, InterfaceError> {
        self.note(format_args!("number {instance}"))?;
        Ok(format!("test{instance}"))
    }

    fn clear_counters(&mut self, _hw: HwIfIndex) {
        self.asked.borrow_mut().push("clear".to_owned());
    }

    fn describe(&self, verbose: bool, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "a test device")?;
        if verbose {
            writeln!(out, "  in detail")?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, NextNodes)]
enum WireNext {
    #[next_node = "wire"]
    Wire,
}

/// Hands frames to the sink `wire`.
struct Wire;

impl PacketNode for Wire {
    type NextNodes = WireNext;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let wire = cx.next(WireNext::Wire);
        cx.enqueue_all(vector, wire);
    }
}

/// The features of this crate that know nothing above interfaces.
pub(crate) fn features() -> TestbedBuilder {
    Testbed::builder()
        .feature(InterfaceFeature)
        .feature(EthernetFeature)
        .feature(LoopbackFeature)
        .sink("wire")
}

/// A node with these.
pub(crate) fn node() -> Testbed {
    features().build().expect("the features fit together")
}

/// What a test device is to be.
pub(crate) struct Plan<'a> {
    pub(crate) name: &'a str,
    pub(crate) framing: Framing,
    pub(crate) queues: u32,
    pub(crate) stubborn: bool,
}

impl<'a> Plan<'a> {
    /// An obedient Ethernet device with one queue each way.
    pub(crate) fn ethernet(name: &'a str) -> Self {
        Self {
            name,
            framing: Framing::Ethernet,
            queues: 1,
            stubborn: false,
        }
    }

    /// Adds the device, `02:fe:00:00:00:01`, MTU 1500, its queues polled by main.
    pub(crate) fn add(self, bed: &Testbed) -> (SwIfIndex, Asked) {
        let asked = Asked::default();
        let placement = RxPlacement {
            thread: 0,
            mode: RxMode::Polling,
            node: NodeId::NONE,
        };
        let new = NewInterface {
            name: self.name.to_owned(),
            framing: self.framing,
            mac: MacAddress([2, 0xfe, 0, 0, 0, 1]),
            mtu: 1500,
            link_speed: 1_000_000,
            capabilities: Capabilities::default(),
            rx: vec![placement; self.queues as usize],
            tx: vec![vec![0]; self.queues as usize],
            device: Box::new(TestDevice {
                asked: asked.clone(),
                stubborn: self.stubborn,
            }),
        };
        let interfaces: Interfaces = bed.table();
        let (_, index) = interfaces
            .create(new, |_, _| Wire)
            .expect("the name is free");
        (index, asked)
    }
}

/// Takes what a device was asked since the last call.
pub(crate) fn take(asked: &Asked) -> Vec<String> {
    asked.borrow_mut().drain(..).collect()
}
