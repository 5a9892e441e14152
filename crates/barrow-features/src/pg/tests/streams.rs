//! What streams send, when, and on which thread.

use super::*;

#[test]
fn a_stream_sends_as_many_packets_as_it_may_to_the_node_it_is_for() {
    let mut node = Node::new();
    let sent = node.send("name s limit 600 size 100-100 node out data { hex 0x0a0b0c }");
    assert_eq!(sent.len(), 600);
    assert!(
        sent.iter()
            .all(|packet| packet.bytes[..4] == [10, 11, 12, 0])
    );
    let own = node.index("pg-1");
    assert!(
        sent.iter()
            .all(|p| p.rx_sw_if_index == own.0 && p.tx_sw_if_index == UNSET)
    );
    let stream = node.generator().streams().remove(0);
    assert_eq!((stream.enabled, stream.sent), (false, 600));
    node.bed.assert_conserved();
}

#[test]
fn a_stream_counts_what_its_interface_receives() {
    let mut node = Node::new();
    node.ok("create packet-generator interface pg0");
    node.send("name s limit 5 size 100-102 source pg0 node out data { hex 0x00 }");
    let counters: crate::interface::InterfaceCounters = node.bed.table();
    let rx = counters
        .combined(crate::interface::Combined::Rx)
        .sum(node.index("pg0").0);
    assert_eq!((rx.packets, rx.bytes), (5, 100 + 101 + 102 + 100 + 101));
}

#[test]
fn a_stream_without_limit_sends_one_frame_a_turn_until_it_is_stopped() {
    let mut node = Node::new();
    let generator = node.generator();
    generator
        .define("name s maxframe 16 node out data { hex 0x00 }")
        .unwrap();
    generator.enable("s").unwrap();
    for _ in 0..3 {
        node.bed.round();
    }
    let sent = node.bed.take("out").len();
    assert!(sent >= 16 && sent.is_multiple_of(16), "{sent}");
    assert!(generator.streams()[0].enabled);
    generator.disable("s").unwrap();
    assert!(!generator.streams()[0].enabled);
    node.bed.run();
    node.bed.take("out");
    node.bed.run();
    assert!(node.bed.take("out").is_empty());
    node.bed.assert_conserved();
}

#[test]
fn a_rate_is_kept_on_the_node_clock() {
    let mut node = Node::new();
    let generator = node.generator();
    generator
        .define("name s rate 100 node out data { hex 0x00 }")
        .unwrap();
    generator.enable("s").unwrap();
    node.bed.advance(Duration::from_secs(2));
    let sent = node.bed.take("out").len();
    assert!((199..=200).contains(&sent), "{sent}");
    // A jump of the clock does not bring a burst longer than a frame.
    node.bed.control().clock().adjust(Duration::from_secs(3600));
    node.bed.run();
    assert!(node.bed.take("out").len() <= 256);
    generator.disable("s").unwrap();
    node.bed.advance(Duration::from_secs(1));
    assert!(node.bed.take("out").is_empty());
}

#[test]
fn a_stream_of_the_same_name_replaces_the_old_one() {
    let mut node = Node::new();
    let generator = node.generator();
    generator
        .define("name s node out data { hex 0x01 }")
        .unwrap();
    generator
        .define("name t limit 1 node out data { hex 0x02 }")
        .unwrap();
    generator.enable("s").unwrap();
    node.bed.round();
    generator
        .define("name s limit 2 node out data { hex 0x03 }")
        .unwrap();
    assert_eq!(generator.streams().len(), 2);
    assert!(!generator.streams()[0].enabled);
    node.bed.run();
    node.bed.take("out");
    generator.enable("s").unwrap();
    node.bed.run();
    let sent = node.bed.take("out");
    assert_eq!(sent.iter().map(|p| p.bytes[0]).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn a_stream_starts_again_from_its_first_packet() {
    let mut node = Node::new();
    node.send("name s limit 2 size 64-64 node ip4-input data { UDP: 1.0.0.1 - 1.0.0.9 -> 2.2.2.2 UDP: 1 -> 2 incrementing 1 }");
    let file = node.file("in.pcap", &[b"one", b"two", b"three"]);
    node.ok(&format!(
        "packet-generator new pcap {file} source pg0 name replay node out limit 4"
    ));
    for _ in 0..2 {
        node.generator().enable("replay").unwrap();
        node.bed.run();
        let sent: Vec<_> = node
            .bed
            .take("out")
            .into_iter()
            .map(|packet| packet.bytes)
            .collect();
        assert_eq!(sent, [&b"one"[..], b"two", b"three", b"one"]);
    }
}

#[test]
fn a_file_is_replayed_once_into_what_its_interface_expects() {
    let mut node = Node::new();
    node.ok("create packet-generator interface pg3 mode ip4");
    let file = node.file("in.pcap", &[&[0x45; 40], &[0x45; 30]]);
    node.ok(&format!(
        "packet-generator new pcap {file} source pg3 name p"
    ));
    let stream = node.generator().streams().remove(0);
    assert_eq!(
        (stream.limit, stream.sizes.min, stream.sizes.max),
        (2, 30, 40)
    );
    node.generator().enable("p").unwrap();
    assert!(node.interfaces().is_up(node.index("pg3")));
    node.bed.run();
    assert_eq!(node.generator().streams()[0].sent, 2);
    let counters: crate::interface::InterfaceCounters = node.bed.table();
    let ip4 = counters
        .simple(crate::interface::Simple::Ip4)
        .sum(node.index("pg3").0);
    assert_eq!(ip4, 2);
    node.bed.assert_conserved();
}

#[test]
fn streams_run_on_their_worker_and_what_they_hand_over_is_waited_for() {
    let mut node = Node::with_workers(2);
    node.route();
    for (name, worker) in [("a", 0), ("b", 1), ("c", 7)] {
        let words = format!("name {name} limit 300 worker {worker} node out data {{ hex 0x00 }}");
        node.generator().define(&words).unwrap();
    }
    node.generator().enable_all().unwrap();
    node.bed.run();
    let sent = node.bed.take("out");
    let on = |thread| sent.iter().filter(|packet| packet.thread == thread).count();
    assert_eq!((on(0), on(1), on(2)), (0, 600, 300));
    let workers: Vec<_> = node
        .generator()
        .streams()
        .iter()
        .map(|s| s.worker)
        .collect();
    assert_eq!(workers, [0, 1, 0]);
    assert!(node.ok("show packet-generator").contains("worker 1, "));
    node.bed.assert_conserved();
}

#[test]
fn a_pool_without_buffers_is_counted_and_loses_none() {
    let mut settings = barrow_engine::config::Settings::default();
    settings.buffers.buffers_per_numa = Some(1024);
    let bed = router_features()
        .feature(PgFeature)
        .sink("out")
        .settings(settings)
        .build();
    let mut node = Node {
        bed: bed.unwrap(),
        directory: tempfile::tempdir().unwrap(),
    };
    let long = vec![7; 60_000];
    let packets: Vec<&[u8]> = std::iter::repeat_n(&long[..], 60).collect();
    let file = node.file("long.pcap", &packets);
    node.ok(&format!(
        "packet-generator new pcap {file} source pg0 name long node out"
    ));
    node.generator().enable("long").unwrap();
    node.bed.run();
    assert_eq!(node.bed.take("out").len(), 60);
    assert!(node.bed.error("pg-input", "no buffers") > 0);
    node.bed.assert_conserved();
}
