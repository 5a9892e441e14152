//! What is sent and captured, and when a stream counts as off.

use super::*;

#[test]
fn what_is_off_has_gone_through_the_graph_and_into_the_capture() {
    let mut node = Node::new();
    node.route();
    node.generator()
        .define(&format!(
            "name s limit 257 size 100-100 interface pg0 node ethernet-input data {{ {UDP} }}"
        ))
        .unwrap();
    node.generator().enable("s").unwrap();
    let mut rounds = 0;
    while node.generator().streams()[0].enabled {
        node.bed.round();
        rounds += 1;
        assert!(rounds < 200);
    }
    // Read at once: nothing runs in between.
    let packets = node.captured("out.pcap");
    assert_eq!(packets.len(), 257);
    assert_eq!(packets[0][..12], [2, 0xaa, 0, 0, 0, 2, 2, 0xfe, 0, 0, 0, 2]);
    assert_eq!(packets[0][22], 63);
    node.bed.run();
    node.bed.assert_conserved();
}

#[test]
fn an_answer_that_goes_back_in_the_graph_is_waited_for() {
    let mut node = Node::new();
    node.route();
    let file = node.path("icmp.pcap").display().to_string();
    node.ok(&format!("packet-generator capture pg0 pcap {file}"));
    // Time exceeded is an error that is made behind the lookup and goes through it again.
    let expired = "IP4: 02:fe:11:11:11:11 -> 02:fe:00:00:00:01 UDP: 10.0.0.2 -> 20.0.0.1 ttl 1 \
                   UDP: 1234 -> 2345 incrementing 30";
    node.generator()
        .define(&format!(
            "name s limit 1 size 100-100 interface pg0 node ethernet-input data {{ {expired} }}"
        ))
        .unwrap();
    node.generator().enable("s").unwrap();
    while node.generator().streams()[0].enabled {
        node.bed.round();
    }
    // The sender is not resolved: what is captured is the question for its address.
    assert_eq!(node.captured("icmp.pcap")[0][12..14], [8, 6]);
}

#[test]
fn jumbo_packets_are_chains_on_both_sides() {
    let mut node = Node::new();
    node.route();
    let packet: Vec<u8> = {
        let program = definition::parse(
            UDP,
            Start::Ethernet,
            Some(Sizes {
                min: 9014,
                max: 9014,
                random: false,
            }),
        );
        definition::Writer::new(program.unwrap().into(), definition::Random::new(0))
            .packet()
            .to_vec()
    };
    let file = node.file("in.pcap", &[&packet, &packet[..60]]);
    node.ok(&format!(
        "packet-generator new pcap {file} source pg0 name big"
    ));
    node.ok("packet-generator enable");
    let captured = node.captured("out.pcap");
    assert_eq!(captured[0].len(), 9014);
    assert_eq!(captured[0][42..], packet[42..]);
    let long = vec![7; 65_254];
    let file = node.file("long.pcap", &[&long]);
    node.ok(&format!(
        "packet-generator new pcap {file} source pg0 name long node out"
    ));
    node.ok("packet-generator enable long");
    let sent = node.bed.take("out");
    assert_eq!(sent[0].bytes, long);
    assert_eq!(sent[0].segments.len(), 65_254usize.div_ceil(2048));
    node.bed.assert_conserved();
}

#[test]
fn a_capture_refuses_a_file_that_exists_and_writes_nothing_after_its_end() {
    let mut node = Node::new();
    node.route();
    let path = node.path("taken.pcap");
    std::fs::write(&path, "").unwrap();
    let ran = node.run(&format!(
        "packet-generator capture pg1 pcap {}",
        path.display()
    ));
    let expected = format!(
        "packet-generator capture: pcap file '{}' already exists.\n",
        path.display()
    );
    assert_eq!((ran.retval, ran.text), (-1, expected));
    let words =
        format!("name s limit 3 size 100-100 interface pg0 node ethernet-input data {{ {UDP} }}");
    // The capture before goes on.
    node.send(&words);
    assert_eq!(node.captured("out.pcap").len(), 3);
    node.ok("packet-generator capture pg1 disable");
    node.ok("packet-generator capture pg1 disable");
    node.send(&words);
    assert_eq!(node.captured("out.pcap").len(), 3);
    let counted = node.path("two.pcap").display().to_string();
    node.ok(&format!(
        "packet-generator capture pg1 pcap {counted} count 2"
    ));
    assert!(
        !node.path("two.pcap").exists(),
        "a capture of nothing leaves no file"
    );
    node.send(&words);
    assert_eq!(node.captured("two.pcap").len(), 2);
    let nowhere = node.run("packet-generator capture pg1 pcap /nosuch/directory/x");
    assert_eq!(nowhere.retval, -1);
}
