//! Files by value, hostile ones, and traces through a graph.

use super::*;
use crate::testing::router_features;
use barrow_engine::testing::{TestPacket, Testbed};
use barrow_messages::interface::{PcapSetFilterFunction, PcapTraceOff, PcapTraceOn};
use barrow_messages::interface_types::InterfaceIndex;
use proptest::prelude::*;
use std::time::Duration;

/// A file of two packets with the magic number, byte order and time stamps asked for.
fn file(magic: u32, big: bool, link: u32) -> Vec<u8> {
    let word = |value: u32| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let half = |value: u16| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut bytes = Vec::new();
    bytes.extend(word(magic));
    bytes.extend(half(2));
    bytes.extend(half(4));
    [0, 0, 65_535, link]
        .iter()
        .for_each(|field| bytes.extend(word(*field)));
    for packet in [&b"abc"[..], b"defgh"] {
        // The second was longer than what was kept of it.
        let fields = [1, 2, packet.len() as u32, packet.len() as u32 * 40];
        fields.iter().for_each(|field| bytes.extend(word(*field)));
        bytes.extend(packet);
    }
    bytes
}

#[test]
fn both_byte_orders_and_both_clocks_are_read() {
    for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
        for big in [true, false] {
            let packets = parse(&file(magic, big, 1)).unwrap();
            assert_eq!(packets.iter().collect::<Vec<_>>(), [&b"abc"[..], b"defgh"]);
            assert_eq!((packets.len(), packets.lengths()), (2, (3, 5)));
        }
    }
}

#[test]
fn a_cut_file_is_an_error_that_says_where() {
    let whole = file(0xa1b2_c3d4, false, 1);
    // 43 bytes are the header and the first packet: a file of one packet.
    for len in (0..whole.len()).filter(|len| *len != 43) {
        let error = parse(&whole[..len]).unwrap_err();
        let expected = match len {
            0..24 => matches!(error, PcapError::Header(_)),
            24 => matches!(error, PcapError::Empty),
            25..43 => matches!(error, PcapError::Truncated(1)),
            _ => matches!(error, PcapError::Truncated(2)),
        };
        // After 43 bytes the first packet is whole, and alone.
        assert!(expected || len == 43, "{len}: {error}");
    }
}

#[test]
fn lengths_that_no_packet_has_are_errors() {
    let mut empty = file(0xa1b2_c3d4, false, 1);
    empty[32..36].fill(0);
    assert!(matches!(
        parse(&empty),
        Err(PcapError::Length { index: 1, len: 0 })
    ));
    let mut huge = file(0xa1b2_c3d4, false, 1);
    huge[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(parse(&huge), Err(PcapError::Truncated(1))));
    let mut long = file(0xa1b2_c3d4, false, 1);
    long[32..36].copy_from_slice(&70_000u32.to_le_bytes());
    long.resize(80_000, 0);
    assert!(matches!(
        parse(&long),
        Err(PcapError::Length {
            index: 1,
            len: 70_000
        })
    ));
    assert!(matches!(
        parse(b"GIF89a, which this is not"),
        Err(PcapError::Header(_))
    ));
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let error = read(&missing).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("open `{}': No such file or directory", missing.display())
    );
    assert!(matches!(
        read(directory.path()),
        Err(PcapError::NotAFile(_))
    ));
}

#[test]
fn a_written_file_is_read_back() {
    let mut bytes = Vec::new();
    let mut written = PcapFile::new(&mut bytes, LinkType::Ip).unwrap();
    written.bytes(Duration::new(5, 6_000), b"abcd", 9).unwrap();
    written.flush().unwrap();
    drop(written);
    assert_eq!(parse(&bytes).unwrap().get(0), b"abcd");
    let words: Vec<_> = bytes
        .chunks_exact(4)
        .map(|w| u32::from_le_bytes(w.try_into().unwrap()))
        .collect();
    assert_eq!((words[0], words[5]), (0xa1b2_c3d4, 12));
    assert_eq!(words[6..10], [5, 6, 4, 9]);
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(parse(&bytes));
        let mut framed = file(0xa1b2_3c4d, true, 1);
        framed.extend(&bytes);
        if let Ok(packets) = parse(&framed) {
            prop_assert!(packets.iter().all(|packet| !packet.is_empty()));
        }
    }
}

/// Two packet generator interfaces that route between each other, and a directory for files.
struct Node {
    bed: Testbed,
    directory: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut bed = router_features()
            .feature(crate::pg::PgFeature)
            .feature(PcapFeature::in_directory(directory.path()))
            .build()
            .unwrap();
        for command in [
            "create packet-generator interface pg0 hw-addr 02:fe:00:00:00:01",
            "create packet-generator interface pg1",
        ] {
            assert_eq!(bed.command(command).retval, 0, "{command}");
        }
        let interfaces: crate::interface::Interfaces = bed.table();
        for name in ["pg0", "pg1"] {
            let index = interfaces.by_name(name).unwrap();
            interfaces.set_admin(index, true).unwrap();
        }
        bed.run();
        Self { bed, directory }
    }

    fn run(&mut self, command: &str) -> (i32, String) {
        let ran = self.bed.command(command);
        (ran.retval, ran.text)
    }

    fn packets(&self, name: &str) -> PcapPackets {
        read(&self.directory.path().join(name)).unwrap()
    }

    /// A frame from outside on `pg0`, made by a stream.
    fn stream(&mut self, data: &str) {
        let text = format!(
            "name s limit 3 size 64-64 interface pg0 node ethernet-input data {{ {data} }}"
        );
        let generator: crate::pg::PacketGenerator = self.bed.table();
        generator.define(&text).unwrap();
        generator.enable("s").unwrap();
        self.bed.run();
    }
}

const STRANGER: &str = "0x9999: 02:fe:00:00:00:09 -> 02:fe:00:00:00:01 incrementing 50";

#[test]
fn received_packets_are_kept_until_the_trace_is_off() {
    let mut node = Node::new();
    assert_eq!(
        node.run("pcap trace status"),
        (0, "pcap dispatch capture disabled\n".into())
    );
    assert_eq!(node.run("pcap trace rx max 2 intfc pg0 file in.pcap").0, 0);
    node.stream(STRANGER);
    let file = node.directory.path().join("in.pcap");
    let status = format!(
        "pcap rx dispatch capture enabled: 2 of 2 pkts...\ncapture to file {}\n",
        file.display()
    );
    assert_eq!(node.run("pcap trace status"), (0, status));
    assert!(!file.exists());
    let written = format!(
        "Write 2 packets to {}, and stop capture...\n",
        file.display()
    );
    assert_eq!(node.run("pcap trace off"), (0, written));
    let packets = node.packets("in.pcap");
    assert_eq!(packets.lengths(), (64, 64));
    assert_eq!(packets.get(0)[12..16], [0x99, 0x99, 0, 1]);
    assert_eq!(
        node.run("pcap trace off").1,
        "pcap trace: dispatch trace already disabled...\n"
    );
    node.bed.assert_conserved();
}

#[test]
fn dropped_packets_say_why_behind_their_bytes() {
    let mut node = Node::new();
    assert_eq!(node.run("pcap trace drop max 10 file lost.pcap").0, 0);
    // For another station.
    node.stream("IP4: 1.2.3 -> 02:fe:00:00:00:77 incrementing 50");
    assert_eq!(node.run("pcap trace off").0, 0);
    let packets = node.packets("lost.pcap");
    assert_eq!(packets.len(), 3);
    let text = String::from_utf8_lossy(&packets.get(0)[64..]).into_owned();
    assert_eq!(text, "ethernet-input: l3 mac mismatch");
    assert_eq!(packets.get(0)[..6], [0x02, 0xfe, 0, 0, 0, 0x77]);
}

#[test]
fn sent_packets_are_kept_per_interface_and_reason_and_length() {
    let mut node = Node::new();
    let interfaces: crate::interface::Interfaces = node.bed.table();
    let [pg0, pg1] = ["pg0", "pg1"].map(|name| interfaces.by_name(name).unwrap());
    assert_eq!(
        node.run("pcap trace tx max-bytes-per-pkt 32 intfc pg1 file out.pcap")
            .0,
        0
    );
    for index in [pg0, pg1] {
        let output = interfaces.hw_of(index).unwrap().output_node;
        let name = node.bed.control().node_name(output).to_string();
        node.bed
            .inject(&name, TestPacket::new([index.0 as u8; 80]).tx(index.0));
    }
    node.bed.run();
    assert_eq!(node.run("pcap trace off").0, 0);
    let packets = node.packets("out.pcap");
    assert_eq!(packets.iter().collect::<Vec<_>>(), [&[pg1.0 as u8; 32][..]]);
    assert_eq!(
        node.run("pcap trace drop error ethernet-input.unknown_vlan file none.pcap")
            .0,
        0
    );
    node.stream("IP4: 1.2.3 -> 02:fe:00:00:00:77 incrementing 50");
    assert_eq!(
        node.run("pcap trace off").1,
        "pcap trace: No packets captured...\n"
    );
    assert!(!node.directory.path().join("none.pcap").exists());
}

#[test]
fn a_trace_of_all_interfaces_takes_new_ones_in() {
    let mut node = Node::new();
    assert_eq!(node.run("pcap trace rx").0, 0);
    assert_eq!(
        node.run("create packet-generator interface pg7 hw-addr 02:fe:00:00:00:07")
            .0,
        0
    );
    let generator: crate::pg::PacketGenerator = node.bed.table();
    let text = "name s limit 1 source pg7 node ethernet-input data { hex 0x0102 }";
    generator.define(text).unwrap();
    generator.enable("s").unwrap();
    node.bed.run();
    assert_eq!(node.run("delete packet-generator interface pg7").0, 0);
    assert_eq!(node.run("pcap trace off").0, 0);
    assert_eq!(node.packets("rx.pcap").len(), 1);
}

#[test]
fn a_link_in_the_way_of_a_trace_is_replaced_not_followed() {
    let mut node = Node::new();
    let target = node.directory.path().join("precious");
    std::fs::write(&target, "kept").unwrap();
    let link = node.directory.path().join("in.pcap");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert_eq!(node.run("pcap trace rx file in.pcap").0, 0);
    node.stream(STRANGER);
    assert_eq!(node.run("pcap trace off").0, 0);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "kept");
    assert_eq!(node.packets("in.pcap").len(), 3);
}

#[test]
fn wrong_words_and_wrong_moments_are_told_apart() {
    let mut node = Node::new();
    let text = |node: &mut Node, command: &str| node.run(command).1;
    assert_eq!(
        text(&mut node, "pcap trace rx nonsense"),
        "pcap trace: unknown input `nonsense'\n"
    );
    assert_eq!(
        text(&mut node, "pcap trace rx intfc nosuch"),
        "pcap trace: unknown input `nosuch'\n"
    );
    assert_eq!(
        text(&mut node, "pcap trace rx max-bytes-per-pkt 9001"),
        "pcap trace: Max bytes per pkt must be > 32, < 9000...\n"
    );
    assert_eq!(
        text(&mut node, "pcap trace rx file ../x"),
        "pcap trace: file name not acceptable\n"
    );
    assert_eq!(text(&mut node, "pcap trace rx tx"), "");
    assert_eq!(
        text(&mut node, "pcap trace drop"),
        "pcap trace: dispatch trace already enabled...\n"
    );
}

#[test]
fn messages_begin_and_end_a_trace() {
    let mut node = Node::new();
    let on = |name: &str| PcapTraceOn {
        capture_rx: true,
        capture_tx: true,
        filename: name.try_into().unwrap(),
        ..PcapTraceOn::default()
    };
    // The numbers of the comments are those of vpp:src/vnet/error.h.
    assert_eq!(node.bed.retval(&PcapTraceOff {}), -81); // retvals.json
    assert_eq!(node.bed.retval(&on("")), -133);
    assert_eq!(node.bed.retval(&on("a/b")), -133);
    let stranger = PcapTraceOn {
        sw_if_index: InterfaceIndex(9999),
        ..on("x")
    };
    assert_eq!(node.bed.retval(&stranger), -2);
    let short = PcapTraceOn {
        max_bytes_per_packet: 31,
        ..on("x")
    };
    assert_eq!(node.bed.retval(&short), -70);
    let unknown = PcapTraceOn {
        error: "{no-node}.{reason}".try_into().unwrap(),
        ..on("x")
    };
    assert_eq!(node.bed.retval(&unknown), -6);
    assert_eq!(node.bed.retval(&on("any.pcap")), 0);
    assert_eq!(node.bed.retval(&on("any.pcap")), -7);
    node.stream(STRANGER);
    assert_eq!(node.bed.retval(&PcapTraceOff {}), 0);
    assert_eq!(node.packets("any.pcap").len(), 3);
    // Without a classifier the filter takes nothing, so there is nothing to write.
    assert_eq!(
        node.bed.retval(&PcapTraceOn {
            filter: true,
            ..on("filtered")
        }),
        0
    );
    node.stream(STRANGER);
    assert_eq!(node.bed.retval(&PcapTraceOff {}), -6);
    assert!(!node.directory.path().join("filtered").exists());
    let function = |name: &str| PcapSetFilterFunction {
        filter_function_name: name.into(),
    };
    assert_eq!(node.bed.retval(&function("vnet_is_packet_traced")), 0);
    assert_eq!(node.bed.retval(&function("nosuch")), -1);
}
