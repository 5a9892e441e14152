//! Interfaces of the packet generator.

use super::*;

#[test]
fn a_gso_interface_marks_long_tcp_packets_and_a_checksum_one_what_is_to_be_filled_in() {
    let mut node = Node::new();
    node.ok("create packet-generator interface pg4 gso-enabled gso-size 1448");
    node.ok("create packet-generator interface pg5 csum-offload-enabled");
    let tcp = "IP4: 1.2.3 -> 4.5.6 TCP: 1.1.1.1 -> 2.2.2.2 TCP: 1 -> 2 ACK incrementing 10";
    let sent = node.send(&format!(
        "name g limit 1 size 5000-5000 source pg4 node out data {{ ethernet-input {tcp} }}"
    ));
    let all = PacketFlags::GSO | PacketFlags::OFFLOAD_IP4_CKSUM | PacketFlags::OFFLOAD_TCP_CKSUM;
    assert!(
        sent[0]
            .flags
            .contains(all | PacketFlags::IS_IP4 | PacketFlags::L4_HDR_OFFSET_VALID)
    );
    assert_eq!((sent[0].gso_size, sent[0].gso_l4_header_length), (1448, 20));
    assert_eq!(
        (sent[0].l3_header_offset, sent[0].l4_header_offset),
        (14, 34)
    );
    let sent = node.send(&format!(
        "name g limit 1 size 1000-1000 source pg4 node out data {{ ethernet-input {tcp} }}"
    ));
    assert!(!sent[0].flags.contains(PacketFlags::GSO));
    let sent = node.send(&format!(
        "name g limit 1 size 100-100 source pg5 node out data {{ ethernet-input {UDP} }}"
    ));
    assert!(sent[0].flags.contains(PacketFlags::OFFLOAD_UDP_CKSUM));
    let sent = node.send(
        "name g limit 1 size 100-100 node out buffer-flags ip4 offload \
         buffer-offload-flags offload-ip-cksum data { hex 0x4500 }",
    );
    assert!(sent[0].flags.contains(PacketFlags::IS_IP4));
}

#[test]
fn segments_of_a_connection_are_joined_where_that_is_on() {
    let mut node = Node::new();
    node.route();
    node.ok("create packet-generator interface pg6 hw-addr 02:fe:00:00:00:06 gso-enabled gso-size 1448 coalesce-enabled");
    let interfaces = node.interfaces();
    let pg6 = node.index("pg6");
    interfaces.set_admin(pg6, true).unwrap();
    let file = node.path("gro.pcap").display().to_string();
    node.ok(&format!("packet-generator capture pg6 pcap {file}"));
    // Three in order, one with a gap, one of another connection.
    let segment = |port: u16, sequence: u32, flags: &str| {
        let text = format!(
            "IP4: 1.2.3 -> 4.5.6 TCP: 1.1.1.1 -> 2.2.2.2 TCP: {port} -> 2 seqnum {sequence} {flags} incrementing 255"
        );
        let sizes = Some(Sizes {
            min: 554,
            max: 554,
            random: false,
        });
        let program = definition::parse(&text, Start::Ethernet, sizes).unwrap();
        definition::Writer::new(program.into(), definition::Random::new(0))
            .packet()
            .to_vec()
    };
    let packets = [
        segment(9, 1000, "ACK"),
        segment(7, 5, "ACK"),
        segment(9, 1500, "ACK"),
        segment(9, 2000, "ACK PSH"),
        segment(9, 9000, "ACK"),
        segment(9, 9500, "SYN"),
    ];
    let slices: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    let file = node.file("segments.pcap", &slices);
    node.ok(&format!(
        "packet-generator new pcap {file} source pg0 name t node pg6"
    ));
    node.ok("packet-generator enable t");
    let captured = node.captured("gro.pcap");
    assert_eq!(
        captured.iter().map(Vec::len).collect::<Vec<_>>(),
        [554 + 1000, 554, 554, 554]
    );
    let joined = &captured[0];
    assert_eq!(u16::from_be_bytes([joined[16], joined[17]]), 1540);
    assert_eq!(joined[47], 0x18, "the push of the last segment");
    let sum = |bytes: &[u8]| crate::ip::checksum::Sum::new().bytes(bytes);
    assert_eq!(sum(&joined[14..34]).fold(), 0xffff);
    let pseudo = crate::ip::checksum::Sum::new().pseudo_ip4([1; 4], [2; 4], 6, 1520);
    assert_eq!(pseudo.bytes(&joined[34..]).fold(), 0xffff);
    node.bed.assert_conserved();
}

#[test]
fn deleting_an_interface_ends_its_capture_and_its_streams() {
    let mut node = Node::new();
    node.route();
    node.generator()
        .define("name s interface pg0 node out data { hex 0x00 }")
        .unwrap();
    node.generator().enable("s").unwrap();
    node.ok("delete packet-generator interface pg0");
    assert!(node.generator().streams().is_empty());
    node.ok("delete packet-generator interface pg1");
    assert!(node.interfaces().by_name("pg1").is_none());
    node.bed.run();
    node.bed.take("out");
    node.bed.run();
    assert!(node.bed.take("out").is_empty());
    // The index is free again, and the name.
    node.ok("create packet-generator interface pg0");
    node.bed.assert_conserved();
}

#[test]
fn interfaces_are_as_they_were_asked_for() {
    let mut node = Node::new();
    node.ok("create packet-generator interface pg0 mode ip4");
    node.ok("create packet-generator interface pg1 hw-addr 02:fe:00:00:00:07 gso-enabled gso-size 1448 coalesce-enabled");
    node.ok("create packet-generator interface pg2 csum-offload-enabled");
    assert_eq!(
        node.ok("show packet-generator interface pg1"),
        "Interface: pg1\n  id: 1\n  mode: ethernet\n  hw-addr: 02:fe:00:00:00:07\n  \
         csum_offload_enabled: 0\n  gso_enabled: 1\n    gso_size: 1448\n  coalesce_enabled: 1\n"
    );
    assert_eq!(
        node.ok("show packet-generator interface pg0"),
        "Interface: pg0\n  id: 0\n  mode: ip4\n  csum_offload_enabled: 0\n  gso_enabled: 0\n  \
         coalesce_enabled: 0\n"
    );
    let interfaces = node.interfaces();
    let hw = interfaces.hw_of(node.index("pg2")).unwrap();
    assert_eq!((hw.mac.0[0], hw.mac.0[1], hw.mtu), (0x02, 0xfe, 9000));
    assert!(hw.capabilities.tx_udp_checksum && !hw.capabilities.tcp_gso);
    assert_eq!(hw.device.class(), "pg");
    drop(hw);
    for (command, text) in [
        (
            "create packet-generator interface",
            "please specify interface name",
        ),
        (
            "create packet-generator interface pg9 gso-enabled",
            "gso enabled but gso size missing",
        ),
        (
            "create packet-generator interface pg9 mode ip5",
            "unknown input `mode ip5'",
        ),
        (
            "delete packet-generator interface local0",
            "not a pg interface",
        ),
        (
            "delete packet-generator interface",
            "please specify interface name or sw_if_index",
        ),
        (
            "delete packet-generator interface nosuch",
            "unknown input `nosuch'",
        ),
    ] {
        let path = command
            .split_whitespace()
            .take(3)
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(
            node.run(command),
            Ran {
                retval: -1,
                text: format!("{path}: {text}\n")
            }
        );
    }
}

#[test]
fn the_link_of_an_interface_follows_its_state() {
    let mut node = Node::new();
    node.ok("create packet-generator interface pg0");
    let (interfaces, index) = (node.interfaces(), node.index("pg0"));
    let link = || interfaces.hw_of(index).unwrap().link_up;
    assert!(!link());
    interfaces.set_admin(index, true).unwrap();
    assert!(link());
    interfaces.set_admin(index, false).unwrap();
    assert!(!link());
}
