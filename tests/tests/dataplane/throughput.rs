//! Streams: TCP byte for byte, iperf3 by TCP and UDP.

use barrow_tests::{Attach, Routed, Skip, iperf3, report, transfer};
use serde_json::Value;

const PAIRS: [[Attach; 2]; 3] = [
    [Attach::Tap, Attach::Host],
    [Attach::Host, Attach::Host],
    [Attach::Tap, Attach::Tap],
];

/// Bytes of a transfer.
const LEN: usize = 16 << 20;

fn both_ways(net: &Routed) {
    let (left, right) = (net.left(), net.right());
    transfer(&left.netns, &right.netns, right.address, LEN);
    transfer(&right.netns, &left.netns, left.address, LEN);
}

fn number(report: &Value, path: &str) -> u64 {
    let value = report.pointer(path).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no {path} in {report}")) as u64
}

#[test]
fn tcp_arrives_byte_for_byte() {
    report(|| {
        for pair in PAIRS {
            both_ways(&Routed::of(&pair).start()?);
        }
        Ok(())
    });
}

#[test]
fn tcp_arrives_byte_for_byte_where_links_cut_and_sum_nothing() {
    report(|| {
        for pair in PAIRS {
            both_ways(&Routed::of(&pair).without_veth_offloads().start()?);
        }
        Ok(())
    });
}

#[test]
fn segmented_packets_are_cut_for_a_link_that_cannot_take_them() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host]).start()?;
        // Two hosts behind the node, of which one gets its packets cut by the node.
        let near = net.right().near.clone().expect("it is a veth");
        net.node.set(&format!("delete host-interface name {near}"));
        let made = net.node.cli(&format!(
            "create host-interface name {near} cksum-gso-disable"
        ));
        assert_eq!(made.trim(), net.right().interface);
        let name = &net.right().interface;
        net.node.set(&format!("set interface state {name} up"));
        net.node
            .set(&format!("set interface ip address {name} 10.1.0.1/24"));
        both_ways(&net);
        Ok(())
    });
}

#[test]
fn iperf3_moves_bytes_by_tcp_in_both_directions() {
    report(|| {
        for pair in PAIRS {
            let net = Routed::of(&pair).start()?;
            let (left, right) = (net.left(), net.right());
            let to = right.address;
            let arguments = ["--time", "1", "--bidir"];
            let report = iperf3(&left.netns, &right.netns, to, &arguments)?;
            assert!(number(&report, "/sum_received/bytes") > 0);
            assert!(number(&report, "/sum_received_bidir_reverse/bytes") > 0);
        }
        Ok(())
    });
}

#[test]
fn iperf3_loses_nothing_by_udp_at_a_modest_rate() {
    report(|| {
        for pair in PAIRS {
            udp(&Routed::of(&pair).start()?)?;
            udp(&Routed::of(&pair).without_veth_offloads().start()?)?;
        }
        Ok(())
    });
}

fn udp(net: &Routed) -> Result<(), Skip> {
    net.acquaint();
    let (left, right) = (net.left(), net.right());
    let arguments = [
        "--udp",
        "--bitrate",
        "4M",
        "--length",
        "1400",
        "--time",
        "1",
    ];
    let report = iperf3(&left.netns, &right.netns, right.address, &arguments)?;
    assert!(number(&report, "/sum/packets") > 0, "{report}");
    assert_eq!(number(&report, "/sum/lost_packets"), 0, "{report}");
    Ok(())
}
