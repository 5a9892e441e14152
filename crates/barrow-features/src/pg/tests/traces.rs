//! What the nodes record of traced packets.

use super::*;

#[test]
fn a_traced_packet_shows_where_it_came_from_and_where_it_went() {
    let mut node = Node::new();
    node.route();
    let input = node.bed.node("pg-input");
    node.bed.control().trace().add(input, 1);
    let pg0 = node.index("pg0").0;
    node.send(&format!(
        "name s1 limit 2 size 100-100 interface pg0 node ethernet-input data {{ {UDP} }}"
    ));
    let traces = node.bed.traces();
    assert_eq!(traces.len(), 1);
    let first = format!(
        ": pg-input\n  stream s1, 100 bytes, sw_if_index {pg0}, next_node ethernet-input\n  \
         current data 0, length 100, buffer-pool 0, ref-count 1, trace handle 0x1\n  \
         IP4: 02:fe:11:11:11:11 -> 02:fe:00:00:00:01\n  UDP: 10.0.0.2 -> 20.0.0.1\n    \
         tos 0x00, ttl 64, length 86, checksum 0x5c95"
    );
    assert!(traces[0].contains(&first), "{}", traces[0]);
    assert!(
        traces[0].contains(": pg1-tx\n    buffer 0x"),
        "{}",
        traces[0]
    );
    let last = "ref-count 1, trace handle 0x1\n";
    assert!(
        traces[0].contains(last) && traces[0].contains("tos 0x00, ttl 63"),
        "{}",
        traces[0]
    );
}

#[test]
fn a_trace_names_offloads_as_vpp_does() {
    let mut node = Node::new();
    node.route();
    let input = node.bed.node("pg-input");
    node.bed.control().trace().add(input, 1);
    node.send(&format!(
        "name s size 100+100 limit 1 source pg0 node ethernet-input buffer-flags ip4 offload \
         buffer-offload-flags offload-ip-cksum offload-udp-cksum data {{ {UDP} }}"
    ));
    let trace = node.bed.traces().remove(0);
    // vpp:test/test_pg_stream.py looks for these.
    let marked =
        "ip4 offload-ip-cksum offload-udp-cksum  l2-hdr-offset 0 l3-hdr-offset 14 l4-hdr-offset 34";
    assert!(trace.contains(marked), "{trace}");
    let (_, sent) = trace.split_once(marked).unwrap();
    assert!(
        sent.contains("ip4 l2-hdr-offset 0 l3-hdr-offset 14 l4-hdr-offset 34"),
        "{trace}"
    );
}
