//! The fused group against the single nodes: nobody can tell them apart.

use super::forward::NODES;
use crate::fib::{EntryFlags, Fib, FibIndex, PathKind, PathSpec, Prefix, Source};
use crate::interface::{Combined, InterfaceCounters, Simple};
use crate::testing::{Router, frame, host_mac, own_mac, udp};
use barrow_engine::PacketFlags;
use barrow_engine::testing::TestPacket;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

const A: [u8; 4] = [10, 0, 0, 2];
const B: [u8; 4] = [10, 0, 1, 2];
const C: [u8; 4] = [10, 0, 2, 2];

/// Destinations that lead everywhere a packet can go.
const DESTINATIONS: [[u8; 4]; 16] = [
    [20, 0, 0, 1],
    [20, 9, 0, 1],
    [21, 0, 0, 1],
    [21, 0, 0, 2],
    [22, 0, 0, 1],
    [23, 0, 0, 1],
    [24, 0, 0, 1],
    [25, 0, 0, 1],
    [26, 0, 0, 1],
    [27, 0, 0, 1],
    B,
    C,
    [10, 0, 1, 77],
    [10, 0, 0, 1],
    [10, 0, 1, 255],
    [99, 0, 0, 1],
];

fn ip(address: [u8; 4]) -> IpAddr {
    Ipv4Addr::from_octets(address).into()
}

/// Three networks, a neighbour on each, a sub-interface on the first, and routes of every kind.
fn router() -> Router {
    let mut router = Router::new(3);
    for wire in 0..3 {
        router.address(wire, [10, 0, wire as u8, 1], 24);
        router.neighbor(wire, [10, 0, wire as u8, 2], host_mac(wire as u8));
    }
    for command in [
        "create sub-interfaces test0 5",
        "set interface state test0.5 up",
        "set interface ip address test0.5 10.0.5.1/24",
        "set interface mtu ip4 400 test2",
    ] {
        let ran = router.bed.command(command);
        assert_eq!(ran.retval, 0, "{command}: {}", ran.text);
    }
    let (one, two) = (router.wires[1], router.wires[2]);
    let via = |next_hop, interface| PathKind::AttachedNextHop {
        next_hop: ip(next_hop),
        interface,
    };
    router.route([20, 0, 0, 0], 8, via(B, one));
    router.route([22, 0, 0, 0], 8, via(C, two));
    router.route([23, 0, 0, 0], 8, PathKind::Drop);
    let recursive = PathKind::Recursive {
        next_hop: ip([20, 0, 0, 9]),
        fib: FibIndex::DEFAULT,
        via_host: false,
        via_attached: false,
    };
    router.route([24, 0, 0, 0], 8, recursive);
    router.route([25, 0, 0, 0], 8, PathKind::Unreachable);
    router.route([26, 0, 0, 0], 8, via([10, 0, 1, 7], one));
    router.route([27, 0, 0, 0], 8, PathKind::Prohibited);
    let fib: Fib = router.bed.table();
    let both = [via(B, one), via(C, two)].map(PathSpec::new);
    let prefix = Prefix::new(ip([21, 0, 0, 0]), 8).unwrap();
    let flags = EntryFlags::default();
    fib.update(FibIndex::DEFAULT, prefix, Source::CLI, flags, &both)
        .unwrap();
    router.bed.run();
    router
}

/// What is special about a packet.
#[derive(Clone, Debug)]
enum Special {
    Nothing,
    Ttl(u8),
    NoFragment,
    Tagged,
    Options,
    Foreign,
    Broadcast,
    EtherType(u16),
    /// A byte of the frame, changed.
    Flipped(usize, u8),
    Cut(usize),
    Chained(usize),
    /// Bytes of the whole packet.
    Long(usize),
    /// Looked up in the default table whatever the interface says.
    Chosen,
    Offload,
    Local,
}

#[derive(Clone, Debug)]
struct Sent {
    wire: usize,
    destination: usize,
    port: u8,
    special: Special,
}

fn special() -> impl Strategy<Value = Special> {
    prop_oneof![
        12 => Just(Special::Nothing),
        1 => (0u8..4).prop_map(Special::Ttl),
        1 => Just(Special::NoFragment),
        1 => Just(Special::Tagged),
        1 => Just(Special::Options),
        1 => Just(Special::Foreign),
        1 => Just(Special::Broadcast),
        1 => any::<u16>().prop_map(Special::EtherType),
        2 => (0usize..64, 1u8..).prop_map(|(at, mask)| Special::Flipped(at, mask)),
        1 => (1usize..64).prop_map(Special::Cut),
        1 => (34usize..60).prop_map(Special::Chained),
        1 => (380usize..1500).prop_map(Special::Long),
        1 => Just(Special::Chosen),
        1 => Just(Special::Offload),
        1 => Just(Special::Local),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    (0usize..2, 0..DESTINATIONS.len(), 0u8..8, special()).prop_map(
        |(wire, destination, port, special)| Sent {
            wire,
            destination,
            port,
            special,
        },
    )
}

/// Mostly like real traffic: runs from one wire, most of it forwarded.
fn traffic() -> impl Strategy<Value = Vec<Sent>> {
    let plain = (0usize..2, 0usize..4, 0u8..8).prop_map(|(wire, destination, port)| Sent {
        wire,
        destination,
        port,
        special: Special::Nothing,
    });
    let run = |of: BoxedStrategy<Sent>| {
        (of, 1usize..80)
            .prop_map(|(packet, count)| vec![packet; count])
            .boxed()
    };
    let runs = prop_oneof![
        2 => run(plain.boxed()),
        1 => run(sent().boxed()),
        2 => proptest::collection::vec(sent(), 1..20),
    ];
    proptest::collection::vec(runs, 1..6).prop_map(|runs| runs.concat())
}

fn make(sent: &Sent, number: usize, router: &Router) -> TestPacket {
    let special = sent.special.clone();
    let mut packet = udp(A, DESTINATIONS[sent.destination], |header| {
        header.id = (number as u16).into();
        match special {
            Special::Ttl(ttl) => header.ttl = ttl,
            Special::NoFragment => header.flags_and_offset = 0x4000.into(),
            Special::Options => header.version_and_length = 0x46,
            Special::Long(len) => header.total_length = (len as u16).into(),
            _ => {}
        }
    });
    packet[21] = sent.port;
    if let Special::Long(len) = special {
        packet.resize(len, 0x5a);
    }
    let (to, ether_type) = match special {
        Special::Foreign => (own_mac(9), 0x0800),
        Special::Broadcast => ([0xff; 6], 0x0800),
        Special::EtherType(ether_type) => (own_mac(sent.wire), ether_type),
        _ => (own_mac(sent.wire), 0x0800),
    };
    let mut bytes = frame(to, host_mac(1), ether_type, &packet);
    match special {
        Special::Tagged => {
            bytes.splice(12..12, [0x81, 0, 0, 5]);
        }
        Special::Flipped(at, mask) => bytes[at] ^= mask,
        Special::Cut(len) => bytes.truncate(len),
        _ => {}
    }
    let made = TestPacket::new(bytes).rx(router.wires[sent.wire].0);
    match special {
        Special::Chained(bytes) => made.segments_of(bytes),
        Special::Chosen => made.tx(0),
        Special::Offload => made.with(|packet| {
            packet.flags.insert(PacketFlags::OFFLOAD_IP4_CKSUM);
            packet.l3_header_offset = packet.offset() + 14;
        }),
        Special::Local => made.with(|packet| packet.flags.insert(PacketFlags::LOCALLY_ORIGINATED)),
        _ => made,
    }
}

/// A packet that has left: its bytes, those of each buffer, and its metadata.
type Left = (Vec<u8>, Vec<usize>, [u32; 8]);

/// Everything that somebody outside can see of a node.
#[derive(Debug, PartialEq)]
struct Seen {
    /// Packets with their metadata, in order, by the interface that they left by, and whether the node itself
    /// made them: an answer may leave before or after what is forwarded.
    packets: BTreeMap<(u32, bool), Vec<Left>>,
    errors: BTreeMap<(String, String), u64>,
    /// Packets by node.
    vectors: BTreeMap<String, u64>,
    /// Packets along each edge.
    edges: BTreeMap<(String, String), u64>,
    interfaces: Vec<Vec<(u64, u64)>>,
    /// `show ip fib`, which counts packets and bytes of each route.
    routes: String,
    /// Packets held for neighbours, or lost.
    in_use: usize,
}

fn see(router: &mut Router) -> Seen {
    let mut packets: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for packet in router.sent() {
        let metadata = [
            packet.rx_sw_if_index,
            packet.adj_index,
            packet.fib_index,
            packet.flow_hash,
            packet.flags.bits(),
            packet.offset() as u32,
            packet.l2_header_offset as u32,
            packet.l3_header_offset as u32,
        ];
        let seen = (packet.bytes.clone(), packet.segments.clone(), metadata);
        let made = packet.flags.contains(PacketFlags::LOCALLY_ORIGINATED);
        let way = (packet.tx_sw_if_index, made);
        packets.entry(way).or_default().push(seen);
    }
    let control = router.bed.control();
    let errors = control.errors().list().into_iter();
    let errors = errors.map(|e| ((e.node.to_string(), e.name.to_owned()), e.total()));
    let nodes = control.nodes();
    let thread = control.runtime().swap_remove(0);
    let vectors = thread.nodes.iter();
    let vectors = vectors.map(|node| (node.name.to_string(), node.runtime.vectors));
    let mut edges = BTreeMap::new();
    for node in &nodes {
        for (name, next) in &node.nexts {
            let packets = next.map_or(0, |next| control.sent(node.id, next));
            edges.insert((node.name.to_string(), name.clone()), packets);
        }
    }
    let counters: InterfaceCounters = router.bed.table();
    let interfaces = (0..6).map(|index| {
        let simple = Simple::ALL.map(|c| (counters.simple(c).sum(index), 0));
        let combined = Combined::ALL.map(|c| {
            let sum = counters.combined(c).sum(index);
            (sum.packets, sum.bytes)
        });
        simple.into_iter().chain(combined).collect()
    });
    let routes = router.bed.command("show ip fib").text;
    Seen {
        packets,
        errors: errors.collect(),
        vectors: vectors.collect(),
        edges,
        interfaces: interfaces.collect(),
        routes,
        in_use: router.bed.buffers_in_use(),
    }
}

fn pass(router: &mut Router, traffic: &[Sent]) -> Seen {
    let packets: Vec<_> = traffic
        .iter()
        .enumerate()
        .map(|(number, sent)| make(sent, number, router))
        .collect();
    router.bed.inject_all("ethernet-input", packets);
    router.bed.run();
    see(router)
}

fn plain(count: usize) -> Vec<Sent> {
    vec![
        Sent {
            wire: 0,
            destination: 0,
            port: 0,
            special: Special::Nothing
        };
        count
    ]
}

fn fused(router: &Router) -> u64 {
    router.bed.control().fused()[0].packets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn fused_and_single_nodes_give_the_same_packets_counters_and_errors(traffic in traffic()) {
        let mut one = router();
        let mut single = router();
        single.bed.control().set_fusing(false);
        let seen = pass(&mut one, &traffic);
        prop_assert_eq!(&seen, &pass(&mut single, &traffic));
        prop_assert_eq!(fused(&single), 0);
    }
}

#[test]
fn plain_packets_pass_as_one_and_every_node_counts_them() {
    let mut router = router();
    let seen = pass(&mut router, &plain(300));
    router.bed.assert_conserved();
    assert_eq!(fused(&router), 300);
    let interface = router.wires[1].0;
    assert_eq!(seen.packets[&(interface, false)].len(), 300);
    for node in NODES.iter().chain(&["test1-output", "test1-tx"]) {
        assert_eq!(seen.vectors[*node], 300, "{node}");
    }
    assert_eq!(
        seen.edges[&("ip4-lookup".to_owned(), "ip4-rewrite".to_owned())],
        300
    );
    assert_eq!(
        seen.edges[&("test1-output".to_owned(), "test1-tx".to_owned())],
        300
    );
}

#[test]
fn packets_over_several_paths_are_fused_too() {
    let mut router = router();
    let mut traffic = plain(64);
    for (port, sent) in traffic.iter_mut().enumerate() {
        (sent.destination, sent.port) = (2, port as u8);
    }
    let seen = pass(&mut router, &traffic);
    assert_eq!(fused(&router), 64);
    assert_eq!(seen.packets.len(), 2, "both paths are used");
}

#[test]
fn whoever_waits_for_a_trace_gets_that_of_the_single_nodes() {
    for node in ["ethernet-input", "ip4-lookup", "test1-output"] {
        let mut router = router();
        let id = router.bed.node(node);
        router.bed.control().trace().add(id, 2);
        assert_eq!(
            pass(&mut router, &plain(10)).packets[&(router.wires[1].0, false)].len(),
            10
        );
        assert_eq!(fused(&router), 0);
        let traces = router.bed.traces();
        assert_eq!(traces.len(), 2);
        assert!(traces[0].contains("test1-output"), "{}", traces[0]);
        pass(&mut router, &plain(10));
        assert_eq!(fused(&router), 10, "nothing is left to trace");
    }
}

#[test]
fn a_feature_on_an_arc_inside_sees_every_packet() {
    let mut router = router();
    let arcs = router.bed.control().arcs().clone();
    let index = router.wires[0].0;
    arcs.enable("ip4-unicast", "ip4-not-enabled", index, true, &[])
        .unwrap();
    let seen = pass(&mut router, &plain(10));
    assert_eq!((fused(&router), seen.packets.len()), (0, 0));
    assert_eq!(seen.vectors["ip4-not-enabled"], 10);
    arcs.enable("ip4-unicast", "ip4-not-enabled", index, false, &[])
        .unwrap();
    pass(&mut router, &plain(10));
    assert_eq!(fused(&router), 10);
}

#[test]
fn a_later_vector_does_not_overtake_what_is_left_of_an_earlier_one() {
    let mut router = router();
    let mut traffic = plain(400);
    traffic[200].special = Special::Chosen;
    let seen = pass(&mut router, &traffic);
    assert_eq!(fused(&router), 200);
    let ids: Vec<_> = seen.packets[&(router.wires[1].0, false)]
        .iter()
        .map(|(bytes, ..)| u16::from_be_bytes([bytes[18], bytes[19]]))
        .collect();
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn one_packet_that_may_not_overtake_keeps_those_behind_it_back() {
    let mut router = router();
    let mut traffic = plain(20);
    traffic[5].special = Special::Foreign;
    traffic[10].special = Special::Chosen;
    let seen = pass(&mut router, &traffic);
    assert_eq!(fused(&router), 9);
    let ids: Vec<_> = seen.packets[&(router.wires[1].0, false)]
        .iter()
        .map(|(bytes, ..)| u16::from_be_bytes([bytes[18], bytes[19]]))
        .collect();
    let expected: Vec<u16> = (0..20).filter(|i| *i != 5).collect();
    assert_eq!(ids, expected);
}
