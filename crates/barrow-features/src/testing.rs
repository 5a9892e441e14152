//! A router on the engine's test bed: Ethernet interfaces whose frames a test makes and looks at.
//!
//! The devices here stand in for real ones ([`TestWire`] is a test double); everything above them is the
//! real thing.

use crate::arp::ArpFeature;
use crate::ethernet::EthernetFeature;
use crate::fib::{EntryFlags, Fib, FibIndex, PathKind, PathSpec, Prefix, Source};
use crate::interface::{
    Capabilities, Device, Framing, HwIfIndex, InterfaceError, InterfaceFeature, Interfaces,
    NewInterface, SwIfIndex,
};
use crate::ip::{Addresses, InterfaceAddress, IpFeature};
use crate::ip4::header::{Ip4Header, protocol};
use crate::loopback::LoopbackFeature;
use crate::neighbor::{NeighborFeature, NeighborKey, Neighbors, Origin};
use crate::ping::PingFeature;
use barrow_engine::testing::{Captured, TestPacket, Testbed, TestbedBuilder};
use barrow_engine::{NextNodes, NoErrors, PacketContext, PacketNode, Vector};
use barrow_messages::ethernet_types::MacAddress;
use std::net::{IpAddr, Ipv4Addr};
use zerocopy::IntoBytes;

/// A device that hands frames to the sink `wire`; the test double of a real one.
#[derive(Debug)]
pub(crate) struct TestWire;

#[derive(Clone, Copy, Debug, NextNodes)]
pub(crate) enum WireNext {
    #[next_node = "wire"]
    Wire,
}

impl PacketNode for TestWire {
    type NextNodes = WireNext;
    type Errors = NoErrors;

    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let wire = cx.next(WireNext::Wire);
        cx.enqueue_all(vector, wire);
    }
}

#[derive(Debug)]
struct WireDevice;

impl Device for WireDevice {
    fn class(&self) -> &'static str {
        "test-wire"
    }

    fn set_admin(&mut self, _hw: HwIfIndex, _up: bool) -> Result<(), InterfaceError> {
        Ok(())
    }
}

/// Every feature that a router needs, and no device.
pub(crate) fn router_features() -> TestbedBuilder {
    Testbed::builder()
        .feature(InterfaceFeature)
        .feature(EthernetFeature)
        .feature(IpFeature)
        .feature(NeighborFeature::default())
        .feature(ArpFeature)
        .feature(PingFeature)
        .feature(LoopbackFeature)
        .sink("wire")
}

/// A router with as many wires as a test asks for: `test0`, `test1` … , each up.
pub(crate) struct Router {
    pub(crate) bed: Testbed,
    pub(crate) wires: Vec<SwIfIndex>,
}

/// The router's own address on wire `n`.
pub(crate) fn own_mac(n: usize) -> [u8; 6] {
    [0x02, 0xfe, 0, 0, 0, n as u8]
}

/// The address of a host.
pub(crate) fn host_mac(n: u8) -> [u8; 6] {
    [0x02, 0xaa, 0, 0, 0, n]
}

impl Router {
    pub(crate) fn new(wires: usize) -> Self {
        Self::on(
            router_features()
                .build()
                .expect("the features fit together"),
            wires,
        )
    }

    pub(crate) fn on(bed: Testbed, wires: usize) -> Self {
        let mut router = Self {
            bed,
            wires: Vec::new(),
        };
        for n in 0..wires {
            let index = router.add_wire(n);
            router.wires.push(index);
        }
        router.bed.run();
        router
    }

    fn add_wire(&mut self, n: usize) -> SwIfIndex {
        let interfaces = self.interfaces();
        let new = NewInterface {
            name: format!("test{n}"),
            framing: Framing::Ethernet,
            mac: MacAddress(own_mac(n)),
            mtu: 9000,
            link_speed: 0,
            capabilities: Capabilities::default(),
            rx: Vec::new(),
            tx: Vec::new(),
            device: Box::new(WireDevice),
        };
        let (hw, index) = interfaces
            .create(new, |_, _| TestWire)
            .expect("the name is free");
        interfaces.set_link(hw, true).expect("it exists");
        interfaces.set_admin(index, true).expect("it exists");
        index
    }

    pub(crate) fn interfaces(&self) -> Interfaces {
        self.bed.table()
    }

    pub(crate) fn address(&mut self, wire: usize, address: [u8; 4], len: u8) {
        let addresses: Addresses = self.bed.table();
        let address = InterfaceAddress {
            address: Ipv4Addr::from_octets(address),
            len,
        };
        addresses
            .add(self.wires[wire], address)
            .expect("no conflict");
        self.bed.run();
    }

    pub(crate) fn neighbor(&mut self, wire: usize, address: [u8; 4], mac: [u8; 6]) {
        let neighbors: Neighbors = self.bed.table();
        let address = IpAddr::V4(Ipv4Addr::from_octets(address));
        let key = NeighborKey {
            interface: self.wires[wire],
            address,
        };
        neighbors
            .add(key, MacAddress(mac), Origin::Static, false)
            .expect("it exists");
        self.bed.run();
    }

    pub(crate) fn route(&mut self, to: [u8; 4], len: u8, via: PathKind) {
        let fib: Fib = self.bed.table();
        let prefix = Prefix::new(IpAddr::V4(Ipv4Addr::from_octets(to)), len).expect("a prefix");
        fib.update(
            FibIndex::DEFAULT,
            prefix,
            Source::CLI,
            EntryFlags::default(),
            &[PathSpec::new(via)],
        )
        .expect("a route");
        self.bed.run();
    }

    /// Sends frames in on a wire and runs until all is quiet.
    pub(crate) fn receive(&mut self, wire: usize, frames: impl IntoIterator<Item = Vec<u8>>) {
        let index = self.wires[wire].0;
        let frames = frames
            .into_iter()
            .map(|bytes| TestPacket::new(bytes).rx(index));
        self.bed
            .inject_all("ethernet-input", frames.collect::<Vec<_>>());
        self.bed.run();
    }

    /// What has left since the last look.
    pub(crate) fn sent(&mut self) -> Vec<Captured> {
        self.bed.take("wire")
    }
}

/// An Ethernet frame.
pub(crate) fn frame(to: [u8; 6], from: [u8; 6], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&to[..], &from, &ether_type.to_be_bytes(), payload].concat()
}

/// An IPv4 packet with 30 bytes of UDP behind its header.
pub(crate) fn udp(from: [u8; 4], to: [u8; 4], change: impl FnOnce(&mut Ip4Header)) -> Vec<u8> {
    let (from, to) = (Ipv4Addr::from_octets(from), Ipv4Addr::from_octets(to));
    let mut header = Ip4Header::new(from, to, protocol::UDP, 64, 50);
    change(&mut header);
    header.set_checksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(&[0x04, 0xd2, 0x09, 0x29, 0, 30, 0, 0]);
    bytes.extend(0..22);
    bytes
}
