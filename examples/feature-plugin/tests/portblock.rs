//! The example feature in a whole node: what it drops, what it lets pass, what it tells.

use barrow_engine::testing::{TestPacket, Testbed};
use barrow_features::ethernet::EthernetFeature;
use barrow_features::interface::{InterfaceFeature, Interfaces, SwIfIndex};
use barrow_features::ip::{Addresses, InterfaceAddress, IpFeature};
use barrow_features::ip4::header::{Ip4Header, protocol};
use barrow_features::loopback::{LoopbackFeature, Loopbacks};
use barrow_features::{arp::ArpFeature, neighbor::NeighborFeature};
use barrow_messages::ethernet_types::MacAddress;
use feature_plugin::PortBlock;
use std::net::Ipv4Addr;
use zerocopy::IntoBytes;

fn node() -> (Testbed, SwIfIndex) {
    let mut bed = Testbed::builder()
        .feature(InterfaceFeature)
        .feature(EthernetFeature)
        .feature(IpFeature)
        .feature(NeighborFeature::default())
        .feature(ArpFeature)
        .feature(LoopbackFeature)
        .feature(PortBlock)
        .build()
        .expect("the features fit together");
    let loopbacks: Loopbacks = bed.table();
    let index = loopbacks
        .create(MacAddress::default(), None)
        .expect("nothing is in the way");
    let interfaces: Interfaces = bed.table();
    interfaces.set_admin(index, true).expect("it exists");
    let addresses: Addresses = bed.table();
    let address = InterfaceAddress {
        address: Ipv4Addr::new(10, 0, 0, 1),
        len: 24,
    };
    addresses
        .add(index, address)
        .expect("nothing is in the way");
    bed.run();
    (bed, index)
}

fn datagram(interface: SwIfIndex, port: u16) -> TestPacket {
    let (from, to) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(192, 0, 2, 1));
    let header = Ip4Header::new(from, to, protocol::UDP, 64, 28);
    let [high, low] = port.to_be_bytes();
    let bytes = [header.as_bytes(), &[4, 0, high, low, 0, 8, 0, 0]].concat();
    TestPacket::new(bytes).rx(interface.0)
}

fn run(bed: &mut Testbed, line: &str) -> String {
    let ran = bed.command(line);
    ran.text
}

#[test]
fn packets_to_a_blocked_port_are_dropped_and_counted() {
    let (mut bed, index) = node();
    assert_eq!(run(&mut bed, "portblock loop0 53"), "");
    bed.inject_all(
        "ip4-input",
        [
            datagram(index, 53),
            datagram(index, 80),
            datagram(index, 53),
        ],
    );
    bed.run();
    assert_eq!(bed.error("portblock", "blocked"), 2);
    assert_eq!(
        run(&mut bed, "show portblock"),
        "loop0 port 53: 2 packets dropped\n"
    );
    assert_eq!(run(&mut bed, "portblock loop0 53 del"), "");
    bed.inject_all("ip4-input", [datagram(index, 53)]);
    bed.run();
    assert_eq!(bed.error("portblock", "blocked"), 2, "no longer on the arc");
    bed.assert_conserved();
}

#[test]
fn a_port_of_no_interface_cannot_be_blocked() {
    let (mut bed, _) = node();
    assert!(run(&mut bed, "portblock nosuch 53").contains("unknown interface nosuch"));
}
