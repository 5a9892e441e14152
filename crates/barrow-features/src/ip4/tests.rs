//! What a router does with IPv4 packets, from the frame that comes in to the frame that leaves.

use crate::fib::PathKind;
use crate::interface::{Combined, InterfaceCounters};
use crate::ip4::check::check;
use crate::ip4::header::Ip4Header;
use crate::testing::{Router, frame, host_mac, own_mac, udp};
use std::net::{IpAddr, Ipv4Addr};
use zerocopy::FromBytes;

const IP4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const A: [u8; 4] = [10, 0, 0, 2];
const B: [u8; 4] = [10, 0, 1, 2];
const FAR: [u8; 4] = [20, 0, 0, 1];

/// Two networks, a neighbour on the second, and 20.0.0.0/8 behind it.
fn router() -> Router {
    let mut router = Router::new(2);
    router.address(0, [10, 0, 0, 1], 24);
    router.address(1, [10, 0, 1, 1], 24);
    router.neighbor(1, B, host_mac(2));
    let next_hop = IpAddr::V4(Ipv4Addr::from_octets(B));
    let interface = router.wires[1];
    router.route(
        [20, 0, 0, 0],
        8,
        PathKind::AttachedNextHop {
            next_hop,
            interface,
        },
    );
    router
}

fn to_router(packet: &[u8]) -> Vec<u8> {
    frame(own_mac(0), host_mac(1), IP4, packet)
}

fn header(bytes: &[u8]) -> Ip4Header {
    *Ip4Header::ref_from_prefix(&bytes[14..]).unwrap().0
}

#[test]
fn a_packet_with_a_route_leaves_with_the_next_hops_address_and_one_ttl_less() {
    let mut router = router();
    router.receive(0, [to_router(&udp(A, FAR, |_| ()))]);
    let sent = router.sent();
    assert_eq!(sent.len(), 1);
    let bytes = &sent[0].bytes;
    assert_eq!(bytes[..6], host_mac(2));
    assert_eq!(bytes[6..12], own_mac(1));
    assert!(check(&bytes[14..], bytes.len() - 14, true).is_ok());
    assert_eq!(header(bytes).ttl, 63);
    assert_eq!(
        bytes[34..],
        udp(A, FAR, |_| ())[20..],
        "the payload is untouched"
    );
    let counters: InterfaceCounters = router.bed.table();
    let tx = counters.combined(Combined::Tx).sum(router.wires[1].0);
    assert_eq!((tx.packets, tx.bytes), (1, 64));
    router.bed.assert_conserved();
}

#[test]
fn packets_spread_over_buffers_are_forwarded_whole() {
    use barrow_engine::testing::TestPacket;
    let mut router = router();
    let mut big = udp(A, FAR, |header| header.total_length = 8000.into());
    big.resize(8000, 0x5a);
    let index = router.wires[0].0;
    let packet = TestPacket::new(to_router(&big)).segments_of(1500).rx(index);
    router.bed.inject("ethernet-input", packet);
    router.bed.run();
    let sent = router.sent();
    assert_eq!(sent[0].bytes.len(), 8014);
    assert_eq!(sent[0].bytes[34..], big[20..]);
}

#[test]
fn an_expired_packet_is_answered_and_counted_as_the_inputs() {
    let mut router = router();
    router.neighbor(0, A, host_mac(1));
    router.receive(0, [to_router(&udp(A, FAR, |header| header.ttl = 1))]);
    let sent = router.sent();
    assert_eq!(sent.len(), 1, "the answer");
    let answer = &sent[0].bytes;
    assert_eq!(header(answer).source(), Ipv4Addr::new(10, 0, 0, 1));
    assert_eq!(header(answer).destination(), Ipv4Addr::from_octets(A));
    assert_eq!(answer[34..36], [11, 0], "time exceeded in transit");
    assert_eq!(router.bed.error("ip4-input", "time_expired"), 1);
    assert_eq!(router.bed.error("ip4-icmp-error", "ttl_expire_sent"), 1);
    router.bed.assert_conserved();
}

#[test]
fn a_packet_without_any_time_to_live_is_answered_before_its_next_hop_is_looked_for() {
    let mut router = router();
    router.neighbor(0, A, host_mac(1));
    let unresolved = [10, 0, 1, 77];
    router.receive(0, [to_router(&udp(A, unresolved, |header| header.ttl = 0))]);
    let sent = router.sent();
    assert_eq!(sent.len(), 1, "the answer, and no question");
    assert_eq!(sent[0].bytes[34..36], [11, 0]);
    assert_eq!(router.bed.error("ip4-input", "time_expired"), 1);
    // With 1 left it is `ip4-rewrite` that would find it expired, so the neighbour is asked for first
    // (`vpp:src/vnet/ip/ip4_input.h`, `ip4_forward.c`).
    router.receive(0, [to_router(&udp(A, unresolved, |header| header.ttl = 1))]);
    assert_eq!(router.sent()[0].bytes[12..14], ARP.to_be_bytes());
}

#[test]
fn errors_about_errors_are_not_sent() {
    let mut router = router();
    router.neighbor(0, A, host_mac(1));
    let mut packet = udp(A, FAR, |header| {
        header.ttl = 1;
        header.protocol = 1;
    });
    packet[20] = 3;
    router.receive(0, [to_router(&packet)]);
    assert!(router.sent().is_empty());
    assert_eq!(router.bed.error("ip4-icmp-error", "drop"), 1);
}

#[test]
fn a_ping_to_the_router_is_answered() {
    let mut router = router();
    router.neighbor(0, A, host_mac(1));
    let mut ping = udp(A, [10, 0, 0, 1], |header| header.protocol = 1);
    ping[20..28].copy_from_slice(&[8, 0, 0, 0, 0, 1, 0, 7]);
    let sum = crate::ip::checksum::Sum::new().bytes(&ping[20..]).finish();
    ping[22..24].copy_from_slice(&sum.to_be_bytes());
    router.receive(0, [to_router(&ping)]);
    let sent = router.sent();
    assert_eq!(sent.len(), 1);
    let bytes = &sent[0].bytes;
    assert_eq!(bytes[34], 0, "echo reply");
    assert_eq!(
        crate::ip::checksum::Sum::new().bytes(&bytes[34..]).fold(),
        0xffff
    );
    assert_eq!(header(bytes).destination(), Ipv4Addr::from_octets(A));
    assert_eq!(router.bed.error("ip4-icmp-input", "echo_replies_sent"), 1);
}

#[test]
fn a_port_that_nobody_listens_on_is_unreachable() {
    let mut router = router();
    router.neighbor(0, A, host_mac(1));
    router.receive(0, [to_router(&udp(A, [10, 0, 0, 1], |_| ()))]);
    let sent = router.sent();
    assert_eq!(sent[0].bytes[34..36], [3, 3], "port unreachable");
}

#[test]
fn a_packet_to_an_unresolved_neighbour_waits_for_the_answer() {
    let mut router = router();
    let target = [10, 0, 1, 77];
    router.receive(0, [to_router(&udp(A, target, |_| ()))]);
    let asked = router.sent();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].bytes[..6], [0xff; 6]);
    assert_eq!(asked[0].bytes[12..14], ARP.to_be_bytes());
    assert_eq!(
        asked[0].bytes[28..32],
        [10, 0, 1, 1],
        "asked from the address of that network"
    );
    assert_eq!(asked[0].bytes[38..42], target);
    // A second packet replaces the first, and asks no second time.
    router.receive(
        0,
        [to_router(&udp(A, target, |header| header.id = 2.into()))],
    );
    assert!(router.sent().is_empty());
    let mut answer = vec![0, 1, 8, 0, 6, 4, 0, 2];
    answer.extend_from_slice(&host_mac(7));
    answer.extend_from_slice(&target);
    answer.extend_from_slice(&own_mac(1));
    answer.extend_from_slice(&[10, 0, 1, 1]);
    router.receive(1, [frame(own_mac(1), host_mac(7), ARP, &answer)]);
    let sent = router.sent();
    assert_eq!(sent.len(), 1, "the latest packet");
    assert_eq!(sent[0].bytes[..6], host_mac(7));
    assert_eq!(header(&sent[0].bytes).id.get(), 2);
    assert_eq!(router.bed.error("ip4-glean", "hold_dropped"), 0);
    router.bed.assert_conserved();
}

#[test]
fn who_asks_for_the_routers_address_gets_it_and_is_learnt() {
    let mut router = router();
    let mut ask = vec![0, 1, 8, 0, 6, 4, 0, 1];
    ask.extend_from_slice(&host_mac(1));
    ask.extend_from_slice(&A);
    ask.extend_from_slice(&[0; 6]);
    ask.extend_from_slice(&[10, 0, 0, 1]);
    router.receive(0, [frame([0xff; 6], host_mac(1), ARP, &ask)]);
    let sent = router.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].bytes[..6], host_mac(1));
    assert_eq!(sent[0].bytes[20..22], [0, 2], "a reply");
    assert_eq!(sent[0].bytes[22..28], own_mac(0));
    // A packet to the asker needs no question any more.
    router.receive(1, [frame(own_mac(1), host_mac(2), IP4, &udp(B, A, |_| ()))]);
    let sent = router.sent();
    assert_eq!(sent[0].bytes[..6], host_mac(1));
    assert_eq!(sent[0].bytes[12..14], IP4.to_be_bytes());
}

#[test]
fn a_packet_that_is_too_big_is_cut_or_refused_as_it_asks() {
    let mut router = router();
    router.neighbor(0, A, host_mac(1));
    let interfaces = router.interfaces();
    let mtu = crate::interface::Mtu {
        l3: 576,
        ip4: 0,
        ip6: 0,
        mpls: 0,
    };
    interfaces.set_mtu(router.wires[1], mtu).unwrap();
    router.bed.run();
    let big = |flags: u16| {
        let mut packet = udp(A, FAR, |header| {
            header.total_length = 1200.into();
            header.flags_and_offset = flags.into();
        });
        packet.resize(1200, 7);
        packet
    };
    router.receive(0, [to_router(&big(0))]);
    let sent = router.sent();
    assert_eq!(sent.len(), 3);
    let mut payload = Vec::new();
    for fragment in &sent {
        assert!(fragment.bytes.len() - 14 <= 576);
        assert!(check(&fragment.bytes[14..], fragment.bytes.len() - 14, true).is_ok());
        assert_eq!(header(&fragment.bytes).ttl, 63);
        assert_eq!(header(&fragment.bytes).fragment_offset(), payload.len());
        payload.extend_from_slice(&fragment.bytes[34..]);
    }
    assert_eq!(payload, big(0)[20..]);
    router.receive(0, [to_router(&big(0x4000))]);
    let sent = router.sent();
    assert_eq!(sent[0].bytes[34..36], [3, 4], "fragmentation needed");
    assert_eq!(
        sent[0].bytes[40..42],
        576u16.to_be_bytes(),
        "and the MTU to keep to"
    );
    router.bed.assert_conserved();
}

#[test]
fn corrupt_headers_are_counted_and_dropped() {
    let mut router = router();
    let mut flipped = udp(A, FAR, |_| ());
    flipped[8] ^= 1;
    let long = udp(A, FAR, |header| header.total_length = 400.into());
    let version = udp(A, FAR, |header| header.version_and_length = 0x65);
    router.receive(
        0,
        [to_router(&flipped), to_router(&long), to_router(&version)],
    );
    router.receive(
        0,
        [
            vec![1, 2, 3],
            frame(host_mac(9), host_mac(1), IP4, &udp(A, FAR, |_| ())),
        ],
    );
    assert!(router.sent().is_empty());
    for (node, name) in [
        ("ip4-input", "bad_checksum"),
        ("ip4-input", "bad_length"),
        ("ip4-input", "version"),
        ("ethernet-input", "llc length > packet length"),
        ("ethernet-input", "l3 mac mismatch"),
    ] {
        assert_eq!(router.bed.error(node, name), 1, "{node} {name}");
    }
    router.bed.assert_conserved();
}

#[test]
fn an_interface_without_address_takes_no_packets() {
    let mut router = Router::new(1);
    router.receive(0, [to_router(&udp(A, FAR, |_| ()))]);
    assert_eq!(router.bed.error("ip4-not-enabled", "drop"), 1);
}

#[test]
fn a_tagged_frame_belongs_to_its_sub_interface_and_answers_carry_the_tag() {
    use crate::interface::{SubInterface, VlanMatch};
    let mut router = router();
    let vlan = VlanMatch {
        tags: 1,
        exact: true,
        outer_id: 100,
        ..VlanMatch::default()
    };
    let sub = SubInterface {
        parent: router.wires[0],
        id: 100,
        vlan,
    };
    let interfaces = router.interfaces();
    let index = interfaces.create_sub(sub).unwrap();
    interfaces.set_admin(index, true).unwrap();
    router.wires.push(index);
    router.address(2, [10, 0, 100, 1], 24);
    router.neighbor(2, [10, 0, 100, 2], host_mac(5));
    let packet = udp(B, [10, 0, 100, 2], |_| ());
    router.receive(1, [frame(own_mac(1), host_mac(2), IP4, &packet)]);
    let sent = router.sent();
    assert_eq!(sent[0].bytes[12..18], [0x81, 0x00, 0, 100, 0x08, 0x00]);
    let tagged = [&[0, 100, 0x08, 0x00][..], &udp([10, 0, 100, 2], B, |_| ())].concat();
    router.receive(0, [frame(own_mac(0), host_mac(5), 0x8100, &tagged)]);
    let sent = router.sent();
    assert_eq!(sent[0].bytes[12..14], IP4.to_be_bytes());
    assert_eq!(sent[0].bytes[..6], host_mac(2));
}

#[test]
fn equal_paths_share_the_flows_and_keep_each_flow_together() {
    use crate::fib::{EntryFlags, Fib, FibIndex, PathSpec, Prefix, Source};
    use std::collections::BTreeMap;
    let mut router = router();
    router.neighbor(1, [10, 0, 1, 3], host_mac(3));
    let interface = router.wires[1];
    let path = |last| {
        let next_hop = IpAddr::V4(Ipv4Addr::new(10, 0, 1, last));
        PathSpec::new(PathKind::AttachedNextHop {
            next_hop,
            interface,
        })
    };
    let fib: Fib = router.bed.table();
    let prefix = Prefix::new(IpAddr::V4(Ipv4Addr::new(30, 0, 0, 0)), 8).unwrap();
    fib.update(
        FibIndex::DEFAULT,
        prefix,
        Source::CLI,
        EntryFlags::default(),
        &[path(2), path(3)],
    )
    .unwrap();
    let flows = (0..64u8).map(|n| udp(A, [30, 0, 0, n], |_| ()));
    let packets: Vec<_> = flows
        .flat_map(|packet| [to_router(&packet), to_router(&packet)])
        .collect();
    router.receive(0, packets);
    let mut by_flow: BTreeMap<Ipv4Addr, Vec<u8>> = BTreeMap::new();
    for sent in router.sent() {
        by_flow
            .entry(header(&sent.bytes).destination())
            .or_default()
            .push(sent.bytes[5]);
    }
    assert_eq!(by_flow.len(), 64);
    assert!(
        by_flow
            .values()
            .all(|hops| hops.len() == 2 && hops[0] == hops[1])
    );
    let second = by_flow.values().filter(|hops| hops[0] == 3).count();
    assert!(
        (16..=48).contains(&second),
        "{second} of 64 flows took the second path"
    );
}
