//! Fragments for the router itself, from the frames that come in to the answers that leave.

use crate::icmp::header::kind;
use crate::interface::Mtu;
use crate::ip::checksum::Sum;
use crate::ip4::check::check;
use crate::ip4::header::{HEADER_LEN, Ip4Header, MORE_FRAGMENTS, protocol};
use crate::testing::{Router, frame, host_mac, own_mac, router_features};
use barrow_engine::testing::TestPacket;
use std::net::Ipv4Addr;
use std::time::Duration;
use zerocopy::{FromBytes, IntoBytes};

const US: [u8; 4] = [10, 0, 0, 1];
const HOST: [u8; 4] = [10, 0, 0, 2];

fn router(workers: usize) -> Router {
    let bed = router_features().workers(workers).build().unwrap();
    let mut router = Router::on(bed, 1);
    router.address(0, US, 24);
    router.neighbor(0, HOST, host_mac(1));
    let mtu = Mtu {
        l3: 9216,
        ..Mtu::default()
    };
    router.interfaces().set_mtu(router.wires[0], mtu).unwrap();
    router
}

/// An ICMP message with a payload that shows when bytes move.
fn echo(len: usize) -> Vec<u8> {
    let mut message = vec![kind::ECHO_REQUEST, 0, 0, 0, 0, 1, 0, 7];
    message.extend((8..len).map(|n| (n / 3) as u8));
    let sum = Sum::new().bytes(&message).finish();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// The part of a payload from `start` to `end`, as a frame to the router.
fn fragment(id: u16, payload: &[u8], start: usize, end: usize) -> Vec<u8> {
    let (from, to) = (Ipv4Addr::from_octets(HOST), Ipv4Addr::from_octets(US));
    let len = (HEADER_LEN + end - start) as u16;
    let mut header = Ip4Header::new(from, to, protocol::ICMP, 64, len);
    header.id = id.into();
    let more = if end < payload.len() {
        MORE_FRAGMENTS
    } else {
        0
    };
    header.flags_and_offset = ((start / 8) as u16 | more).into();
    header.set_checksum();
    let packet = [header.as_bytes(), &payload[start..end]].concat();
    let mut frame = frame(own_mac(0), host_mac(1), 0x0800, &packet);
    // As a link pads it.
    frame.resize(frame.len().max(60), 0xee);
    frame
}

fn fragments(id: u16, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let starts = (0..payload.len()).step_by(size);
    starts
        .map(|start| fragment(id, payload, start, payload.len().min(start + size)))
        .collect()
}

/// Checks that a frame is the answer to an echo.
fn assert_answers(frame: &[u8], echo: &[u8]) {
    let packet = &frame[14..];
    let header = check(packet, packet.len(), true).unwrap();
    assert_eq!(header.destination(), Ipv4Addr::from_octets(HOST));
    assert!(!header.is_fragment());
    assert_eq!(packet[20..22], [kind::ECHO_REPLY, 0]);
    assert_eq!(Sum::new().bytes(&packet[20..]).fold(), 0xffff);
    assert_eq!(packet[24..], echo[4..]);
}

#[test]
fn a_ping_of_9020_bytes_in_fragments_is_answered_in_whatever_order_they_come() {
    let echo = echo(9000);
    for turn in 0..7 {
        let mut router = router(0);
        let mut frames = fragments(1, &echo, 1480);
        assert_eq!(frames.len(), 7);
        frames.rotate_left(turn);
        if turn % 2 == 1 {
            frames.reverse();
        }
        let last = frames.pop().unwrap();
        router.receive(0, frames);
        assert!(router.sent().is_empty());
        router.receive(0, [last]);
        let sent = router.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].bytes.len(), 9034);
        assert_answers(&sent[0].bytes, &echo);
        let count = |name| router.bed.error("ip4-local-full-reassembly", name);
        assert_eq!(count("reass_success"), 1);
        assert_eq!(count("reass_fragments_rcvd"), 7);
        assert_eq!(count("reass_fragments_reassembled"), 7);
        router.bed.assert_conserved();
    }
}

#[test]
fn fragments_may_be_padded_and_spread_over_buffers() {
    let mut router = router(0);
    let echo = echo(1001);
    let index = router.wires[0].0;
    for size in [24, 200] {
        // The first buffer of each but the first ends with the IPv4 header.
        let frames = fragments(2, &echo, size).into_iter().enumerate();
        let spread = frames.map(|(n, frame)| {
            let first = if n == 0 { 50 } else { 34 };
            TestPacket::new(frame).segments_of(first).rx(index)
        });
        router.bed.inject_all("ethernet-input", spread);
        router.bed.run();
        let sent = router.sent();
        assert_eq!(sent.len(), 1);
        assert_answers(&sent[0].bytes, &echo);
    }
    router.bed.assert_conserved();
}

#[test]
fn options_of_the_first_fragment_stay_and_the_header_sums_up() {
    let mut router = router(0);
    let echo = echo(64);
    let mut frames = fragments(3, &echo, 32);
    let first = &mut frames[0];
    first.truncate(14 + 20 + 32);
    first.splice(34..34, [1, 1, 1, 0]);
    let (header, _) = Ip4Header::mut_from_prefix(&mut first[14..]).unwrap();
    header.version_and_length = 0x46;
    header.total_length = 56.into();
    header.checksum = 0.into();
    let sum = Sum::new().bytes(&first[14..38]).finish();
    first[24..26].copy_from_slice(&sum.to_be_bytes());
    router.receive(0, frames);
    let sent = router.sent();
    assert_eq!(sent.len(), 1);
    let packet = &sent[0].bytes[14..];
    assert!(check(packet, packet.len(), true).is_ok());
    assert_eq!(packet[28..], echo[4..]);
}

#[test]
fn a_packet_with_fragments_that_overlap_is_dropped_whole() {
    let mut router = router(0);
    let echo = echo(64);
    let frames = [
        fragment(4, &echo, 0, 32),
        fragment(4, &echo, 24, 48),
        fragment(4, &echo, 32, 64),
    ];
    router.receive(0, frames);
    assert!(router.sent().is_empty());
    let node = "ip4-local-full-reassembly";
    assert_eq!(router.bed.error(node, "reass_duplicate_fragment"), 3);
    router.bed.assert_conserved();
}

#[test]
fn a_fragment_that_no_packet_has_is_dropped() {
    let mut router = router(0);
    let long = vec![0; 65_528];
    router.receive(
        0,
        [
            fragment(5, &long, 16, 21),
            fragment(5, &long, 65_480, 65_528),
        ],
    );
    let node = "ip4-local-full-reassembly";
    assert_eq!(router.bed.error(node, "reass_malformed_packet"), 2);
    router.bed.assert_conserved();
}

#[test]
fn what_is_not_completed_in_time_goes_and_the_sender_is_told() {
    let mut router = router(0);
    let echo = echo(64);
    router.receive(0, [fragment(6, &echo, 0, 32), fragment(7, &echo, 32, 64)]);
    router.bed.advance(Duration::from_millis(150));
    assert_eq!(router.bed.buffers_in_use(), 2);
    router.bed.advance(Duration::from_millis(100));
    assert_eq!(router.bed.buffers_in_use(), 0);
    let node = "ip4-local-full-reassembly";
    assert_eq!(router.bed.error(node, "reass_timeout"), 2);
    let sent = router.sent();
    assert_eq!(sent.len(), 1, "one of them was a first one");
    assert_eq!(sent[0].bytes[34..36], [kind::TIME_EXCEEDED, 1]);
    // Nobody looks any more, and a new packet of the same numbers is another one.
    router.receive(0, [fragment(6, &echo, 32, 64)]);
    assert!(router.sent().is_empty());
    router.bed.advance(Duration::from_secs(1));
    assert_eq!(router.bed.error(node, "reass_timeout"), 3);
    router.bed.assert_conserved();
}

#[test]
fn fragments_of_a_packet_meet_on_one_thread() {
    let mut router = router(2);
    let echo = echo(4000);
    let index = router.wires[0].0;
    for id in 0..20 {
        for (n, frame) in fragments(id, &echo, 1000).into_iter().enumerate() {
            let packet = TestPacket::new(frame).rx(index);
            router.bed.inject_on(n % 3, "ethernet-input", [packet]);
        }
    }
    router.bed.run();
    let sent = router.sent();
    assert_eq!(sent.len(), 20);
    sent.iter()
        .for_each(|sent| assert_answers(&sent.bytes, &echo));
    assert!(sent.iter().all(|sent| sent.thread > 0));
    router.bed.assert_conserved();
}

#[test]
fn a_flood_of_first_fragments_is_bounded() {
    let mut router = router(0);
    let echo = echo(64);
    let flood = (0..3000).map(|id| fragment(id, &echo, 0, 32));
    router.receive(0, flood);
    assert_eq!(router.bed.buffers_in_use(), super::PACKETS);
    let node = "ip4-local-full-reassembly";
    let refused = router.bed.error(node, "reass_limit_reached");
    assert_eq!(refused, 3000 - super::PACKETS as u64);
    router.bed.advance(Duration::from_secs(1));
    router.bed.assert_conserved();
}

#[test]
fn a_traced_fragment_shows_its_place() {
    let mut router = router(0);
    let echo = echo(64);
    let input = router.bed.node("ethernet-input");
    router.bed.control().trace().add(input, 2);
    router.receive(0, fragments(8, &echo, 32));
    let traces = router.bed.traces();
    let shown =
        "ip4-local-full-reassembly\n  reass id: 0, op id: 0, data len: 0, ip/fragment[0, 31]\n";
    assert!(traces[0].contains(shown), "{traces:?}");
    let shown = "reass id: 0, op id: 1, data len: 32, ip/fragment[32, 63] last\n";
    assert!(traces[1].contains(shown), "{traces:?}");
    assert!(
        traces[0].contains("ip4-icmp-echo-request"),
        "the whole goes on as the first one"
    );
}
