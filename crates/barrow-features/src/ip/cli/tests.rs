//! The commands, in the words of VPP's captures.

use crate::fib::PathKind;
use crate::testing::{Router, frame, host_mac, own_mac, udp};
use std::net::{IpAddr, Ipv4Addr};

fn router() -> Router {
    let mut router = Router::new(2);
    router.run_all(&[
        "set interface ip address test0 10.0.0.1/24",
        "set interface ip address test1 10.0.1.1/24",
        "set ip neighbor test1 10.0.1.2 02:aa:00:00:00:02 static",
    ]);
    router
}

impl Router {
    /// Runs commands that succeed and say nothing.
    fn run_all(&mut self, commands: &[&str]) {
        for command in commands {
            let ran = self.bed.command(command);
            assert_eq!((ran.retval, ran.text.as_str()), (0, ""), "{command}");
        }
    }

    fn text(&mut self, command: &str) -> String {
        let ran = self.bed.command(command);
        assert_eq!(ran.retval, 0, "{command}: {}", ran.text);
        ran.text
    }

    fn error(&mut self, command: &str) -> String {
        let ran = self.bed.command(command);
        assert_eq!(ran.retval, -1, "{command}: {}", ran.text);
        ran.text
    }
}

#[test]
fn a_fresh_node_shows_what_vpp_shows() {
    let mut router = Router::new(0);
    let header = "ipv4-VRF:0, fib_index:0, flow hash:[src dst sport dport proto flowlabel ] epoch:0 flags:none locks:[default-route:1, ]\n";
    let summary = "    Prefix length         Count     \n                   0               1\n                   4               2\n                  32               2\n";
    assert_eq!(
        router.text("show ip fib summary"),
        format!("{header}{summary}")
    );
    assert_eq!(router.text("show ip table"), "[0] table_id:0 ipv4-VRF:0\n");
    for command in [
        "show ip neighbors",
        "show adj",
        "show ip pmtu",
        "show arp proxy",
    ] {
        assert_eq!(router.text(command), "", "{command}");
    }
    assert_eq!(router.text("show ip fib table 99"), "");
}

#[test]
fn addresses_are_set_and_taken() {
    let mut router = router();
    assert_eq!(
        router.error("set interface ip address local0"),
        "set interface ip address: expected IP4/IP6 address/length `'\n"
    );
    assert_eq!(
        router.error("set interface ip address test0 10.0.1.9/24"),
        "set interface ip address: failed to add 10.0.1.9/24 on test0 which conflicts with 10.0.1.1/24 for interface test1\n"
    );
    assert_eq!(
        router.error("set interface ip address del test0 10.77.0.1/24"),
        "set interface ip address: 10.77.0.1/24 not found for interface test0\n"
    );
    assert!(
        router
            .error("set interface ip address nowhere 1.1.1.1/8")
            .contains("unknown interface `nowhere")
    );
    router.run_all(&[
        "set interface ip address del test0 10.0.0.1/24",
        "set interface ip address del test1 all",
    ]);
    let left = router.text("show ip fib");
    assert!(
        !left.contains("10.0.0.1/32") && !left.contains("10.0.1.1/32"),
        "{left}"
    );
}

#[test]
fn tables_are_added_bound_and_deleted() {
    let mut router = router();
    router.run_all(&[
        "ip table add 7",
        "ip table add 8 name blue",
        "ip table del 99",
    ]);
    assert_eq!(
        router.text("show ip table"),
        "[0] table_id:0 ipv4-VRF:0\n[1] table_id:7 ipv4-VRF:7\n[2] table_id:8 blue\n"
    );
    assert_eq!(router.text("show ip table 8"), "[2] table_id:8 blue\n");
    assert_eq!(
        router.error("ip table add 0"),
        "ip table: Can't change the default table\n"
    );
    assert_eq!(router.error("ip table del"), "ip table: No table id\n");
    assert_eq!(router.text("ip table add"), "1\n");
    assert_eq!(
        router.error("set interface ip table test0 99"),
        "set interface ip table: no such table 99\n"
    );
    assert_eq!(
        router.error("set interface ip table test0 7"),
        "set interface ip table: IP addresses are still present on test0\n"
    );
    router.run_all(&[
        "set interface ip address del test0 all",
        "set interface ip table test0 7",
    ]);
    assert!(
        router
            .text("show ip fib table 7 summary")
            .contains("locks:[interface:1, CLI:1, ]")
    );
}

#[test]
fn an_interface_borrows_by_command() {
    let mut router = router();
    router.run_all(&[
        "set interface ip address del test1 all",
        "set interface unnumbered test1 use test0",
    ]);
    assert_eq!(
        router.interfaces().sw(router.wires[1]).unwrap().unnumbered,
        Some(router.wires[0])
    );
    router.run_all(&["set interface unnumbered del test1"]);
    assert_eq!(
        router.interfaces().sw(router.wires[1]).unwrap().unnumbered,
        None
    );
    assert!(
        router
            .error("set interface unnumbered test1 test0")
            .contains("parse error 'test1 test0'")
    );
}

#[test]
fn routes_are_added_shown_and_deleted() {
    let mut router = router();
    router.run_all(&[
        "ip route add 20.0.0.0/8 via 10.0.1.2 test1",
        "ip route add 21.0.0.0/8 via 10.0.1.2 test1",
        "ip route add 21.0.0.0/8 via 10.0.1.3 test1",
        "ip route add 22.0.0.0/8 via drop",
        "ip route add 23.0.0.0/8 via 20.0.0.1",
    ]);
    let shown = router.text("show ip fib 20.0.0.0/8");
    assert!(
        shown.contains("attached-nexthop:  oper-flags:resolved,\n        10.0.1.2 test1\n"),
        "{shown}"
    );
    assert!(router.text("show ip fib 21.0.0.1").contains("buckets:2"));
    assert!(router.text("show ip fib 22.0.0.1").contains("dpo-drop ip4"));
    assert!(router.text("show ip fib 23.0.0.1").contains("recursive:"));
    assert!(router.text("show ip fib mtrie").contains("16-8-8:"));
    assert!(router.text("show ip fib memory").contains("totals: mtrie:"));
    router.run_all(&[
        "ip route del 21.0.0.0/8 via 10.0.1.3 test1",
        "ip route del 20.0.0.0/8",
    ]);
    assert!(router.text("show ip fib 21.0.0.1").contains("buckets:1"));
    assert!(!router.text("show ip fib").contains("\n20.0.0.0/8\n"));
}

#[test]
fn many_routes_are_added_at_once() {
    let mut router = router();
    let text = router.text("ip route add 1.0.0.0/24 count 300 via 10.0.1.2 test1");
    assert!(text.ends_with(" routes/sec\n"), "{text}");
    let summary = router.text("show ip fib summary");
    assert!(
        summary.contains("                  24             302\n"),
        "{summary}"
    );
    router.text("ip route del 1.0.0.0/24 count 300 via 10.0.1.2 test1");
    assert!(
        router
            .text("show ip fib summary")
            .contains("                  24               2\n")
    );
}

#[test]
fn routes_that_cannot_be_are_told() {
    let mut router = router();
    assert_eq!(
        router.text("ip route add 1.2.3.4/99 via 1.1.1.1"),
        "Invalid prefix len: 99\n"
    );
    assert_eq!(
        router.error("ip route add"),
        "ip route: expected ip4/ip6 destination address/length.\n"
    );
    assert_eq!(
        router.error("ip route add 1.0.0.0/8"),
        "ip route: expected paths.\n"
    );
    assert_eq!(
        router.error("ip route add 1.0.0.0/8 table 9 via drop"),
        "ip route: Nonexistent table id 9\n"
    );
    assert_eq!(
        router.error("ip route add 1.0.0.0/8 via 1.1.1.1 next-hop-table 9"),
        "ip route: no such table\n"
    );
    assert!(
        router
            .error("ip route add 1.0.0.0/8 via nowhere")
            .contains("parse error: `via nowhere'")
    );
}

#[test]
fn what_routes_are_made_of_is_shown() {
    let mut router = router();
    router.run_all(&["ip route add 20.0.0.0/8 via 10.0.1.2 test1"]);
    assert!(
        router
            .text("show fib entry")
            .starts_with("FIB Entries:\n0@0.0.0.0/0\n")
    );
    assert!(
        router
            .text("show fib entry 0")
            .starts_with("0@0.0.0.0/0 fib:0")
    );
    assert!(router.text("show fib paths").starts_with("FIB Paths\n"));
    assert!(
        router
            .text("show fib path-lists")
            .starts_with("FIB Path Lists\n")
    );
    assert!(router.text("show fib path-lists 999").contains("invalid"));
    assert!(
        router
            .text("show fib source")
            .contains("[8] API prio:128.0 behaviour:api\n")
    );
    assert!(
        router
            .text("show fib source prio")
            .starts_with("[1] special")
    );
    assert!(
        router
            .error("show fib entry here")
            .contains("unknown input `here'")
    );
}

#[test]
fn adjacencies_are_shown_and_counted() {
    let mut router = router();
    let all = router.text("show adj");
    assert!(all.contains("ipv4 via 10.0.1.2 test1: mtu:9000"), "{all}");
    assert!(!router.text("show adj test0").contains("test1"));
    assert!(router.text("show adj 0").contains("   counts:[0:0]\n"));
    assert_eq!(router.text("show adj 99"), "adjacency 99 invalid\n");
    assert!(
        router
            .text("show adj summary")
            .contains("Per-adjacency counters: disabled\n")
    );
    router.run_all(&["adjacency counters enable"]);
    assert!(
        router
            .text("show adj summary")
            .contains("Per-adjacency counters: enabled\n")
    );
    router.run_all(&["adjacency counters disable"]);
    assert!(
        router
            .error("adjacency counters")
            .contains("specify 'enable' or 'disable'")
    );
}

#[test]
fn flow_hashes_are_set_by_field() {
    let mut router = router();
    router.run_all(&["set ip flow-hash table 0 src dst symmetric"]);
    assert!(
        router
            .text("show ip fib summary")
            .contains("flow hash:[src dst symmetric ]")
    );
    assert_eq!(
        router.error("set ip flow-hash table 9 src"),
        "set ip flow-hash: no such FIB table 9\n"
    );
    assert!(
        router
            .error("set ip flow-hash colour")
            .contains("unknown input `colour'")
    );
}

#[test]
fn a_path_narrower_than_its_link_has_packets_cut() {
    use crate::ip::{PathMtuKey, PathMtus};
    let mut router = router();
    let next_hop = IpAddr::V4(Ipv4Addr::new(10, 0, 1, 2));
    let interface = router.wires[1];
    router.route(
        [20, 0, 0, 0],
        8,
        PathKind::AttachedNextHop {
            next_hop,
            interface,
        },
    );
    let mtus: PathMtus = router.bed.table();
    let address = Ipv4Addr::new(20, 0, 0, 1);
    mtus.set(
        PathMtuKey {
            table_id: 0,
            address,
        },
        576,
    )
    .unwrap();
    assert_eq!(
        router.text("show ip pmtu"),
        "[0] [tbl:[0:0]] 20.0.0.1/32 pmtu:[cfg:576, oper:576, parent:0] [remote ]\n"
    );
    assert_eq!(router.text("show ip pmtu 3"), "entry 3 invalid\n");
    let big = |to| {
        let mut packet = udp([10, 0, 0, 2], to, |header| {
            header.total_length = 1200.into()
        });
        packet.resize(1200, 7);
        frame(own_mac(0), host_mac(1), 0x0800, &packet)
    };
    router.receive(0, [big([20, 0, 0, 1])]);
    let sent = router.sent();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|fragment| fragment.bytes.len() <= 14 + 576));
    router.receive(0, [big([20, 0, 0, 2])]);
    assert_eq!(router.sent().len(), 1, "another destination");
    router.bed.assert_conserved();
}

#[test]
fn the_section_ip_names_the_default_table() {
    use barrow_engine::config::{Config, Source};
    let config = Config::parse(Source::file("test", "ip { default-table-name blue }")).unwrap();
    let bed = crate::testing::router_features()
        .config(config)
        .build()
        .unwrap();
    let mut router = Router::on(bed, 0);
    assert_eq!(router.text("show ip table"), "[0] table_id:0 blue\n");
}
