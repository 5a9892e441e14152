//! Detailed statistics, on the way in and on the way out.

use super::test_device::{Plan, node};
use super::{Combined, InterfaceCounters, Interfaces, SwIfIndex};
use barrow_engine::testing::{TestPacket, Testbed};

const COUNTED: [Combined; 6] = [
    Combined::RxUnicast,
    Combined::RxMulticast,
    Combined::RxBroadcast,
    Combined::TxUnicast,
    Combined::TxMulticast,
    Combined::TxBroadcast,
];

/// Frames to a station, two to a group, three to everybody; some of them chained.
fn frames() -> Vec<Vec<u8>> {
    let frame = |destination: [u8; 6]| {
        let mut frame = destination.to_vec();
        frame.resize(100, 0);
        frame
    };
    let (station, group) = ([2, 0xfe, 0, 0, 0, 1], [1, 0, 0x5e, 0, 0, 1]);
    [station, group, group, [0xff; 6], [0xff; 6], [0xff; 6]]
        .map(frame)
        .to_vec()
}

fn pass(bed: &mut Testbed, eth: SwIfIndex) -> [(u64, u64); 6] {
    bed.command("set interface state eth0 up");
    let chained = |frame: Vec<u8>| TestPacket::new(frame).segments_of(40);
    let received: Vec<_> = frames().into_iter().map(|f| chained(f).rx(eth.0)).collect();
    bed.inject_all("ethernet-input", received);
    let sent: Vec<_> = frames().into_iter().map(|f| chained(f).tx(eth.0)).collect();
    bed.inject_all("eth0-output", sent);
    bed.run();
    assert_eq!(bed.take("wire").len(), 6);
    let counters: InterfaceCounters = bed.table();
    COUNTED.map(|which| {
        let sum = counters.combined(which).sum(eth.0);
        (sum.packets, sum.bytes)
    })
}

#[test]
fn kinds_of_destinations_are_counted_where_that_is_on() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    let interfaces: Interfaces = bed.table();
    interfaces.set_detailed_stats(eth, true).unwrap();
    let each = [(1, 100), (2, 200), (3, 300)];
    assert_eq!(pass(&mut bed, eth), [each, each].concat()[..]);
}

#[test]
fn kinds_of_destinations_are_not_counted_by_default() {
    let mut bed = node();
    let (eth, _) = Plan::ethernet("eth0").add(&bed);
    assert_eq!(pass(&mut bed, eth), [(0, 0); 6]);
}
