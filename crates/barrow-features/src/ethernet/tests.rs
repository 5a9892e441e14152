//! Frames in, packets out: which sub-interface, which node, which counter.

use super::{EtherType, EtherTypes};
use crate::interface::test_device::{Plan, node};
use crate::interface::{Combined, InterfaceCounters};
use barrow_engine::PacketFlags;
use barrow_engine::testing::{TestPacket, Testbed};
use proptest::prelude::*;

const OWN: [u8; 6] = [2, 0xfe, 0, 0, 0, 1];
const DOT1Q: u16 = 0x8100;
const DOT1AD: u16 = 0x88a8;

/// Kinds and ids of the tags of a frame, outermost first.
type TagList = [(u16, u16)];

/// A node with `eth0` up, on which these sub-interfaces are made; IPv4 goes to the sink `ip4`.
fn with_subs(subs: &[&str]) -> Testbed {
    let mut bed = crate::interface::test_device::features()
        .sink("ip4")
        .build()
        .unwrap();
    Plan::ethernet("eth0").add(&bed);
    assert_eq!(bed.command("set interface state eth0 up").retval, 0);
    for sub in subs {
        let ran = bed.command(&format!("create sub-interfaces eth0 {sub}"));
        assert_eq!(ran.retval, 0, "{}", ran.text);
        let name = ran.text.trim();
        assert_eq!(
            bed.command(&format!("set interface state {name} up"))
                .retval,
            0
        );
    }
    let types: EtherTypes = bed.table();
    let (input, ip4) = (bed.node("ethernet-input"), bed.node("ip4"));
    types.register(EtherType::IP4, ip4);
    bed.control().connect(input, ip4).unwrap();
    bed.run();
    bed
}

/// An IPv4 frame with these tags, outermost first.
fn frame(destination: [u8; 6], tags: &TagList) -> Vec<u8> {
    let mut frame = [destination, [2, 0xaa, 0, 0, 0, 9]].concat();
    for (kind, id) in tags {
        frame.extend(kind.to_be_bytes());
        frame.extend((0xe000 | id).to_be_bytes());
    }
    frame.extend(EtherType::IP4.0.to_be_bytes());
    frame.extend((0..46).collect::<Vec<u8>>());
    frame
}

/// The interface that takes a frame with these tags; `None` when it is dropped.
fn taken_by(bed: &mut Testbed, tags: &TagList) -> Option<u32> {
    bed.inject("ethernet-input", TestPacket::new(frame(OWN, tags)).rx(1));
    bed.run();
    let taken = bed.take("ip4");
    taken.first().map(|packet| packet.rx_sw_if_index)
}

#[test]
fn headers_and_tags_are_taken_off() {
    let mut bed = with_subs(&["7 dot1q 100", "8 dot1q 100 inner-dot1q 200"]);
    let payload: Vec<u8> = (0..46).collect();
    let cases: [(&TagList, u32, i16); 3] = [
        (&[], 1, 14),
        (&[(DOT1Q, 100)], 2, 18),
        (&[(DOT1Q, 100), (DOT1Q, 200)], 3, 22),
    ];
    for (tags, index, header) in cases {
        bed.inject("ethernet-input", TestPacket::new(frame(OWN, tags)).rx(1));
        bed.run();
        let [packet] = bed.take("ip4").try_into().unwrap();
        assert_eq!(packet.bytes, payload);
        assert_eq!(packet.rx_sw_if_index, index);
        assert_eq!(packet.l3_header_offset - packet.l2_header_offset, header);
        assert_eq!(
            packet.flags.contains(PacketFlags::VLAN_1_DEEP),
            tags.len() == 1
        );
        assert_eq!(
            packet.flags.contains(PacketFlags::VLAN_2_DEEP),
            tags.len() == 2
        );
    }
    bed.assert_conserved();
}

#[test]
fn a_frame_may_come_in_many_buffers() {
    let mut bed = with_subs(&["100"]);
    let tagged = frame(OWN, &[(DOT1Q, 100)]);
    let chained = TestPacket::new(&tagged).segments_of(20).rx(1);
    bed.inject("ethernet-input", chained);
    bed.run();
    let [packet] = bed.take("ip4").try_into().unwrap();
    assert_eq!(packet.bytes, tagged[18..]);
    assert_eq!(packet.segments, [2, 20, 20, 4]);
    let counters: InterfaceCounters = bed.table();
    let rx = counters.combined(Combined::Rx).sum(2);
    assert_eq!(
        (rx.packets, rx.bytes),
        (1, 64),
        "of the sub-interface, as it came"
    );
    bed.assert_conserved();
}

#[test]
fn an_exact_match_takes_as_many_tags_as_it_names() {
    let mut bed = with_subs(&["100", "5 dot1q 50"]);
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 100)]), Some(2));
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 100), (DOT1Q, 1)]), None);
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 50), (DOT1Q, 1)]), Some(3));
    assert_eq!(taken_by(&mut bed, &[(DOT1AD, 100)]), None);
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 101)]), None);
    assert_eq!(bed.error("ethernet-input", "unknown vlan"), 3);
    bed.assert_conserved();
}

#[test]
fn service_tags_any_tag_untagged_and_default_are_told_apart() {
    let mut bed = with_subs(&[
        "1 dot1ad 100 exact-match",
        "2 dot1ad 100 inner-dot1q 7 exact-match",
        "3 dot1q any",
        "4 dot1q 9 inner-dot1q any",
        "5 untagged",
        "6 default",
    ]);
    assert_eq!(taken_by(&mut bed, &[(DOT1AD, 100)]), Some(2));
    assert_eq!(taken_by(&mut bed, &[(DOT1AD, 100), (DOT1Q, 7)]), Some(3));
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 4000)]), Some(4));
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 9), (DOT1Q, 8)]), Some(5));
    assert_eq!(taken_by(&mut bed, &[]), Some(6));
    assert_eq!(taken_by(&mut bed, &[(DOT1AD, 5), (DOT1Q, 5)]), Some(7));
}

#[test]
fn a_sub_interface_that_is_down_or_gone_takes_nothing() {
    let mut bed = with_subs(&["100"]);
    bed.command("set interface state eth0.100 down");
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 100)]), None);
    assert_eq!(bed.error("ethernet-input", "subinterface down"), 1);
    bed.command("delete sub-interface eth0.100");
    assert_eq!(taken_by(&mut bed, &[(DOT1Q, 100)]), None);
    assert_eq!(bed.error("ethernet-input", "unknown vlan"), 1);
    bed.command("set interface state eth0 down");
    assert_eq!(taken_by(&mut bed, &[]), None);
    assert_eq!(bed.error("ethernet-input", "subinterface down"), 2);
}

#[test]
fn frames_for_other_stations_are_dropped() {
    let mut bed = with_subs(&[]);
    let other = [2, 0, 0, 0, 0, 0x99];
    let take = |bed: &mut Testbed, destination| {
        let packet = TestPacket::new(frame(destination, &[])).rx(1);
        bed.inject("ethernet-input", packet);
        bed.run();
        bed.take("ip4").len()
    };
    assert_eq!(take(&mut bed, other), 0);
    assert_eq!(bed.error("ethernet-input", "l3 mac mismatch"), 1);
    assert_eq!(take(&mut bed, [0xff; 6]), 1);
    assert_eq!(take(&mut bed, [1, 0, 0x5e, 0, 0, 1]), 1);
    bed.command("set interface secondary-mac-address eth0 02:00:00:00:00:99 add");
    assert_eq!(take(&mut bed, other), 1);
    bed.command("set interface mac address eth0 02:00:00:00:00:77");
    assert_eq!(take(&mut bed, OWN), 0);
    assert_eq!(take(&mut bed, [2, 0, 0, 0, 0, 0x77]), 1);
}

#[test]
fn what_is_cut_short_or_nobodys_is_counted() {
    let mut bed = with_subs(&["100"]);
    let whole = frame(OWN, &[(DOT1Q, 100)]);
    for len in [0, 5, 13, 14, 17] {
        bed.inject("ethernet-input", TestPacket::new(&whole[..len]).rx(1));
    }
    bed.run();
    assert_eq!(bed.error("ethernet-input", "llc length > packet length"), 5);
    let mut unknown = frame(OWN, &[]);
    unknown[12..14].copy_from_slice(&[0x88, 0xcc]);
    bed.inject("ethernet-input", TestPacket::new(unknown).rx(1));
    bed.run();
    assert_eq!(bed.error("ethernet-input", "unknown ethernet type"), 1);
    bed.inject("ethernet-input", TestPacket::new(whole).rx(77));
    bed.run();
    assert_eq!(bed.take("ip4").len(), 0, "no such interface");
    bed.assert_conserved();
}

#[test]
fn a_loopback_receives_what_it_sends() {
    let mut bed = with_subs(&[]);
    bed.command("create loopback interface");
    bed.command("set interface state loop0 up");
    let own = [0xde, 0xad, 0, 0, 0, 0];
    bed.inject("loop0-output", TestPacket::new(frame(own, &[])).tx(2));
    bed.run();
    let [packet] = bed.take("ip4").try_into().unwrap();
    assert_eq!(packet.rx_sw_if_index, 2);
    let counters: InterfaceCounters = bed.table();
    assert_eq!(counters.combined(Combined::Tx).sum(2).packets, 1);
    bed.assert_conserved();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_frame_makes_the_node_panic_or_lose_a_buffer(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..64),
        tagged in any::<bool>(),
        cut in 1_usize..40,
    ) {
        let mut bed = node();
        Plan::ethernet("eth0").add(&bed);
        bed.command("set interface state eth0 up");
        bed.command("create sub-interfaces eth0 1 dot1q any");
        let packets = frames.into_iter().map(|mut frame| {
            if tagged && frame.len() >= 14 {
                frame[..6].copy_from_slice(&OWN);
                frame[12..14].copy_from_slice(&DOT1Q.to_be_bytes());
            }
            TestPacket::new(frame).segments_of(cut).rx(1)
        });
        bed.inject_all("ethernet-input", packets.collect::<Vec<_>>());
        bed.run();
        bed.assert_conserved();
    }
}
