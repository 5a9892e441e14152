//! What definitions mean, byte by byte. The UDP and ICMP packets and their checksums are those of VPP's own
//! generator in `vpp/cli-captures.json`.

use super::*;
use crate::ip::checksum::Sum;
use proptest::prelude::*;
use std::sync::Arc;

fn size(min: u32, max: u32) -> Option<Sizes> {
    Some(Sizes {
        min,
        max,
        random: false,
    })
}

fn program(text: &str, sizes: Option<Sizes>) -> Program {
    parse(text, Start::Ethernet, sizes).unwrap()
}

/// The first packets of a definition.
fn packets(text: &str, start: Start, sizes: Option<Sizes>, count: usize) -> Vec<Vec<u8>> {
    let program = Arc::new(parse(text, start, sizes).unwrap());
    let mut writer = Writer::new(program, Random::new(1));
    let mut packets = Vec::new();
    for _ in 0..count {
        packets.push(writer.packet().to_vec());
        writer.advance();
    }
    packets
}

fn packet(text: &str, start: Start) -> Vec<u8> {
    packets(text, start, size(100, 100), 1).remove(0)
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// Whether the IPv4 packet at `at` has right checksums, its own and its transport's.
fn assert_right(packet: &[u8], at: usize) {
    let ip = &packet[at..];
    assert_eq!(Sum::new().bytes(&ip[..20]).fold(), 0xffff, "IPv4 checksum");
    let l4 = &ip[20..usize::from(word(ip, 2))];
    let pseudo = match ip[9] {
        1 => Sum::new(),
        protocol => {
            let [a, b] = [12, 16].map(|at: usize| ip[at..at + 4].try_into().unwrap());
            Sum::new().pseudo_ip4(a, b, protocol, l4.len() as u16)
        }
    };
    assert_eq!(pseudo.bytes(l4).fold(), 0xffff, "transport checksum");
}

const UDP: &str = "IP4: 02:fe:11:11:11:11 -> 02:fe:81:37:35:1f UDP: 10.0.0.2 -> 20.0.0.1 \
                   UDP: 1234 -> 2345 incrementing 30";

#[test]
fn a_udp_packet_is_the_one_that_vpp_makes() {
    let packet = packet(UDP, Start::Ethernet);
    let head = [
        0x02, 0xfe, 0x81, 0x37, 0x35, 0x1f, 0x02, 0xfe, 0x11, 0x11, 0x11, 0x11, 0x08,
        0x00, // link
        0x45, 0, 0, 86, 0, 0, 0, 0, 64, 17, 0x5c, 0x95, 10, 0, 0, 2, 20, 0, 0, 1, // network
        0x04, 0xd2, 0x09, 0x29, 0, 66, 0x00, 0x8b, // transport
        0, 1, 2, 3,
    ];
    assert_eq!(packet.len(), 100);
    assert_eq!(packet[..head.len()], head);
    assert_eq!(packet[42 + 29], 29);
    assert!(packet[42 + 30..].iter().all(|byte| *byte == 0));
}

#[test]
fn an_icmp_header_has_four_bytes_and_the_payload_goes_on_behind_them() {
    let text = "IP4: 02:fe:11:11:11:11 -> 02:fe:81:37:35:1f ICMP: 10.0.0.2 -> 10.0.0.1 \
                ICMP echo_request incrementing 30";
    let bytes = packet(text, Start::Ethernet);
    assert_eq!(bytes[34..42], [8, 0, bytes[36], bytes[37], 0, 1, 2, 3]);
    assert_right(&bytes, 14);
    let program = program(text, size(100, 100));
    let layers: Vec<_> = program.layers().iter().map(|l| (l.len, l.offset)).collect();
    assert_eq!(layers, [(14, 0), (20, 14), (4, 34), (62, 38)]);
    assert_eq!(
        program.layers()[2].edit_function,
        Some("icmp4_pg_edit_function")
    );
}

#[test]
fn what_is_given_is_not_computed() {
    let text = "UDP: 10.0.0.2 -> 20.0.0.1 checksum 1 length 40 ttl 1 tos 0x10 \
                fragment id 7 offset 1480 mf df UDP: 1 -> 2 length 9 checksum 0xabcd hex 0xff";
    let bytes = packet(text, Start::Ip4);
    assert_eq!(
        bytes[..12],
        [0x45, 0x10, 0, 40, 0, 7, 0x60, 185, 1, 17, 0, 1]
    );
    assert_eq!(bytes[20..29], [0, 1, 0, 2, 0, 9, 0xab, 0xcd, 0xff]);
    let program = parse(text, Start::Ip4, size(100, 100)).unwrap();
    assert!(
        program
            .layers()
            .iter()
            .all(|layer| layer.edit_function.is_none())
    );
}

#[test]
fn fields_count_up_and_start_again_and_checksums_follow() {
    let text = "IP4: 1.2.3 -> 4.5.6 UDP: 10.0.0.2 -> 20.0.0.254 - 20.0.1.0 UDP: 7 -> 8 - 9 \
                incrementing 30";
    let packets = packets(text, Start::Ethernet, size(64, 64), 7);
    assert_eq!(packets[0][..12], [0, 4, 0, 5, 0, 6, 0, 1, 0, 2, 0, 3]);
    let seen: Vec<_> = packets.iter().map(|p| (word(p, 32), word(p, 36))).collect();
    assert_eq!(
        seen,
        [
            (254, 8),
            (255, 9),
            (256, 8),
            (254, 9),
            (255, 8),
            (256, 9),
            (254, 8)
        ]
    );
    packets.iter().for_each(|packet| assert_right(packet, 14));
    let program = program(text, size(64, 64));
    assert_eq!(
        program.layers()[1].edit_function,
        Some("ip4_pg_edit_function")
    );
    assert!(!program.is_constant());
}

#[test]
fn random_fields_stay_within_their_range_and_differ() {
    let text = "TCP: 10.0.0.2 -> 20.0.0.0 + 20.0.3.255 TCP: 1000 + 1003 -> 80 SYN incrementing 9";
    let packets = packets(text, Start::Ip4, size(64, 64), 200);
    let mut ports = [0; 4];
    for packet in &packets {
        assert_eq!(packet[16..18], [20, 0]);
        assert!(packet[18] < 4);
        ports[usize::from(word(packet, 20)) - 1000] += 1;
        assert_eq!(packet[33], 0x02);
        assert_right(packet, 0);
    }
    assert!(ports.iter().all(|count| *count > 20), "{ports:?}");
}

#[test]
fn sizes_grow_or_are_random_and_lengths_follow() {
    let growing = packets(UDP, Start::Ethernet, size(60, 62), 5);
    assert_eq!(
        growing.iter().map(Vec::len).collect::<Vec<_>>(),
        [60, 61, 62, 60, 61]
    );
    for packet in &growing {
        assert_eq!(usize::from(word(packet, 16)), packet.len() - 14);
        assert_eq!(usize::from(word(packet, 38)), packet.len() - 34);
        assert_right(packet, 14);
    }
    let sizes = Some(Sizes {
        min: 100,
        max: 9020,
        random: true,
    });
    let random = packets(UDP, Start::Ethernet, sizes, 50);
    assert!(
        random
            .iter()
            .all(|packet| (100..=9020).contains(&packet.len()))
    );
    assert!(random.iter().any(|packet| packet.len() != random[0].len()));
    random.iter().for_each(|packet| assert_right(packet, 14));
}

#[test]
fn without_sizes_a_packet_has_64_bytes_or_what_its_headers_need() {
    let payload = |text: &str, start| packets(text, start, None, 1).remove(0).len();
    assert_eq!(payload("hex 0x0102", Start::Payload), 64);
    assert_eq!(
        payload(&format!("hex 0x{}", "ab".repeat(100)), Start::Payload),
        64
    );
    assert_eq!(payload(UDP, Start::Ethernet), 64);
    let long = "IP6: 1.2.3 -> 4.5.6 TCP: 1::2 -> 3::4 TCP: 1 -> 2 opt timestamp 1 2 incrementing 1";
    assert_eq!(payload(long, Start::Ethernet), 14 + 40 + 20 + 12);
    let arp = "ARP: 1.2.3 -> ffff.ffff.ffff request: 1.2.3/10.0.0.1 -> 0.0.0/10.0.0.2";
    assert_eq!(payload(arp, Start::Ethernet), 42);
}

#[test]
fn frames_carry_up_to_two_tags() {
    let text = "0x88cc: 1:2:3:4:5:6 -> 02fe.0000.0001 vlan 9 priority 5 cfi 1 vlan 4095 \
                hex 0xaa";
    let bytes = packet(text, Start::Ethernet);
    assert_eq!(
        bytes[..23],
        [
            2, 0xfe, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 0x81, 0, 0xb0, 9, 0x81, 0, 0x0f, 0xff, 0x88,
            0xcc, 0xaa
        ]
    );
    let tagged = "IP4: 1.2.3 -> 4.5.6 vlan 100 UDP: 1.2.3.4 -> 5.6.7.8 UDP: 1 -> 2 incrementing 8";
    let bytes = packet(tagged, Start::Ethernet);
    assert_eq!(
        (word(&bytes, 12), word(&bytes, 14), word(&bytes, 16)),
        (0x8100, 100, 0x0800)
    );
    assert_right(&bytes, 18);
}

#[test]
fn an_arp_packet_names_both_stations() {
    let text = "ARP: 02:fe:00:00:00:01 -> ff:ff:ff:ff:ff:ff \
                request: 02:fe:00:00:00:01/10.0.0.2 -> 00:00:00:00:00:00/10.0.0.1 - 10.0.0.9 incrementing 0";
    let packets = packets(text, Start::Ethernet, size(60, 60), 2);
    let arp = &packets[1][14..42];
    assert_eq!(arp[..8], [0, 1, 8, 0, 6, 4, 0, 1]);
    assert_eq!(arp[8..18], [2, 0xfe, 0, 0, 0, 1, 10, 0, 0, 2]);
    assert_eq!(arp[24..], [10, 0, 0, 2]);
}

#[test]
fn ip6_packets_have_lengths_and_checksums_too() {
    let text = "IP6: 1.2.3 -> 4.5.6 UDP: 2001:db8::1 -> 2001:db8::2 hop-limit 3 traffic-class 0x2e \
                flow-label 0x12345 UDP: 1 -> 2 incrementing 10";
    let bytes = packet(text, Start::Ethernet);
    let ip = &bytes[14..];
    assert_eq!(ip[..8], [0x62, 0xe1, 0x23, 0x45, 0, 46, 17, 3]);
    let sum = Sum::new()
        .bytes(&ip[8..40])
        .word(17)
        .word(46)
        .bytes(&ip[40..]);
    assert_eq!(sum.fold(), 0xffff);
    let ping = "ICMP6: 1::2 -> 3::4 ICMP echo_request incrementing 10";
    let bytes = packet(ping, Start::Ip6);
    assert_eq!(bytes[40], 128);
    let sum = Sum::new()
        .bytes(&bytes[8..40])
        .word(58)
        .word(60)
        .bytes(&bytes[40..]);
    assert_eq!(sum.fold(), 0xffff);
}

#[test]
fn tcp_options_are_padded_and_counted_in_the_offset() {
    let text = "TCP: 1.2.3.4 -> 5.6.7.8 TCP: 1 -> 2 SYN ACK seqnum 0x01020304 acknum 5 window 100 \
                opt mss 1460 opt winscale 7 opt sackperm incrementing 8";
    let bytes = packet(text, Start::Ip4);
    assert_eq!(bytes[24..36], [1, 2, 3, 4, 0, 0, 0, 5, 0x80, 0x12, 0, 100]);
    assert_eq!(bytes[40..52], [2, 4, 5, 0xb4, 3, 3, 7, 4, 2, 1, 1, 1]);
    assert_right(&bytes, 0);
}

#[test]
fn a_payload_may_name_the_node_whose_header_follows() {
    let bytes = packet(
        "ip4-input UDP: 1.2.3.4 -> 5.6.7.8 UDP: 1 -> 2 incrementing 8",
        Start::Payload,
    );
    assert_right(&bytes, 0);
    let text = "IP_IN_IP: 9.9.9.9 -> 8.8.8.8 ip4-lookup UDP: 1.2.3.4 -> 5.6.7.8 incrementing 1";
    assert_eq!(packet(text, Start::Ip4)[9], 4);
}

#[test]
fn what_is_no_definition_is_named_where_it_stops_making_sense() {
    let error = |text, start| parse(text, start, None).unwrap_err().to_string();
    let failed = |rest: &str| format!("failed to parse packet data from `{rest}'");
    assert_eq!(error("", Start::Ethernet), failed(""));
    assert_eq!(error("IP4: 1.2.3 -> 4.5", Start::Ethernet), failed("4.5"));
    assert_eq!(
        error("IP5: 1.2.3 -> 4.5.6 hex 0x00", Start::Ethernet),
        failed("IP5: 1.2.3 -> 4.5.6 hex 0x00")
    );
    assert_eq!(
        error(
            "UDP: 1.2.3.4 -> 1.2.3.5 UDP: 1 -> 99999 hex 0x1",
            Start::Ip4
        ),
        failed("99999 hex 0x1")
    );
    assert_eq!(
        error("UDP: 1.2.3.4 -> 1.2.3.5 UDP: 1 -> 2", Start::Ip4),
        failed("")
    );
    assert_eq!(error("hex 0x123", Start::Payload), failed("0x123"));
    assert_eq!(
        error("hex 0x12 leftover", Start::Payload),
        failed("leftover")
    );
    assert_eq!(
        error("UDP: 1.2.3.4 -> 1.2.3.9 - 1.2.3.5 hex 0x00", Start::Ip4),
        "range ends before it begins in `1.2.3.9 - 1.2.3.5 hex 0x00'"
    );
    let nested = "ip4-input UDP: ".repeat(20) + "hex 0x00";
    assert_eq!(error(&nested, Start::Payload), "too many headers");
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let error = |sizes| parse(UDP, Start::Ethernet, sizes).unwrap_err().to_string();
    assert_eq!(error(size(100, 99)), "max-size < min-size");
    assert_eq!(error(size(41, 100)), "min-size < total header size 42");
    assert_eq!(
        error(size(100, 70_000)),
        "packets are limited to 65600 bytes"
    );
    assert!(parse("hex 0x00", Start::Payload, size(0, 0)).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}", max in 0u32..70_000) {
        for start in [Start::Ethernet, Start::Arp, Start::Ip4, Start::Ip6, Start::Udp, Start::Payload] {
            drop(parse(&text, start, size(1, max)));
        }
    }

    #[test]
    fn no_sentence_of_the_language_makes_the_writer_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "IP4:", "IP6:", "ARP:", "UDP:", "TCP:", "ICMP:", "ICMP", "echo_request", "->", "-", "+", "1.2.3.4",
            "1.2.3.9", "1::2", "02:fe:00:00:00:01", "1.2.3", "1234", "65535", "0x10", "vlan", "length", "checksum",
            "ttl", "fragment", "id", "offset", "mf", "incrementing", "30", "hex", "0x0011", "request:", "/",
            "ip4-input", "ethernet-input", "opt", "mss", "sack", "nvalues", "3", "header-length", "15",
        ]), 0..40),
        min in 1u32..200,
        more in 0u32..100,
        random: bool,
    ) {
        let text = words.join(" ");
        let sizes = Some(Sizes { min, max: min + more, random });
        for start in [Start::Ethernet, Start::Ip4, Start::Ip6] {
            if let Ok(program) = parse(&text, start, sizes) {
                let mut writer = Writer::new(Arc::new(program), Random::new(7));
                for _ in 0..5 {
                    let len = writer.packet().len() as u32;
                    prop_assert!((min..=min + more).contains(&len));
                    writer.advance();
                }
            }
        }
    }

    #[test]
    fn right_texts_with_any_numbers_give_right_packets(
        source: u32, low: u32, span in 0u32..1000, port: u16, ttl: u8, vlan in 0u16..4096, len in 64u32..2000,
    ) {
        let address = |bits: u32| std::net::Ipv4Addr::from_bits(bits);
        let high = low.saturating_add(span);
        let text = format!(
            "IP4: 1.2.3 -> 4.5.6 vlan {vlan} UDP: {} -> {} - {} ttl {ttl} UDP: {port} -> {port} incrementing 7",
            address(source), address(low), address(high)
        );
        for (i, packet) in packets(&text, Start::Ethernet, size(len, len), 3).iter().enumerate() {
            let span = u64::from(high) - u64::from(low) + 1;
            let expected = u64::from(low) + i as u64 % span;
            prop_assert_eq!(u64::from(u32::from_be_bytes(packet[34..38].try_into().unwrap())), expected);
            prop_assert_eq!(packet[26], ttl);
            assert_right(packet, 18);
        }
    }
}
