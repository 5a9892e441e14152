//! The text that clients see: VPP's captures, with the numbers of a node without IPv6.

use super::*;

const FIB: FibIndex = FibIndex::DEFAULT;

fn text(show: impl FnOnce(&mut dyn std::fmt::Write) -> std::fmt::Result) -> String {
    let mut text = String::new();
    show(&mut text).unwrap();
    text
}

fn show(fixture: &Fixture, part: ShowPart) -> String {
    text(|out| {
        fixture.fib.show_ip_fib(
            &ShowFib {
                part,
                ..ShowFib::default()
            },
            out,
        )
    })
}

/// The state of the captures, as far as routes go.
fn captured() -> Fixture {
    let fixture = Fixture::with_addresses();
    fixture
        .links
        .learn(PG1, ip("10.0.1.2"), [2, 0xfe, 0, 0, 0, 9]);
    fixture.fib.add_neighbour(FIB, PG1, ip("10.0.1.2")).unwrap();
    let add = |to, path| {
        fixture
            .change(true, true, Source::CLI, to, &[path])
            .unwrap();
    };
    add("20.0.0.0/8", neighbour("10.0.1.2", PG1));
    add("21.0.0.0/8", neighbour("10.0.1.2", PG1));
    add("21.0.0.0/8", neighbour("10.0.1.3", PG1));
    add("22.0.0.0/8", special(RoutePath::DROP));
    add("23.0.0.0/8", recursive("20.0.0.1"));
    fixture
}

#[test]
fn a_fresh_table_prints_as_vpp_prints_it() {
    let fixture = Fixture::new();
    let expected = "\
ipv4-VRF:0, fib_index:0, flow hash:[src dst sport dport proto flowlabel ] epoch:0 flags:none locks:[default-route:1, ]
0.0.0.0/0
  unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:1 buckets:1 uRPF:0 to:[0:0]]
    [0] [@0]: dpo-drop ip4
0.0.0.0/32
  unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:2 buckets:1 uRPF:1 to:[0:0]]
    [0] [@0]: dpo-drop ip4
224.0.0.0/4
  unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:4 buckets:1 uRPF:3 to:[0:0]]
    [0] [@0]: dpo-drop ip4
240.0.0.0/4
  unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:3 buckets:1 uRPF:2 to:[0:0]]
    [0] [@0]: dpo-drop ip4
255.255.255.255/32
  unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:5 buckets:1 uRPF:4 to:[0:0]]
    [0] [@0]: dpo-drop ip4
";
    assert_eq!(show(&fixture, ShowPart::Routes), expected);
    let summary = "\
ipv4-VRF:0, fib_index:0, flow hash:[src dst sport dport proto flowlabel ] epoch:0 flags:none locks:[default-route:1, ]
    Prefix length         Count     \n                   0               1
                   4               2
                  32               2
";
    let squeeze = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        squeeze(&show(&fixture, ShowPart::Summary)),
        squeeze(summary)
    );
    assert_eq!(
        text(|out| fixture.fib.show_ip_table(out)),
        "[0] table_id:0 ipv4-VRF:0\n"
    );
}

#[test]
fn routes_print_their_destinations() {
    let fixture = captured();
    let shown = show(&fixture, ShowPart::Routes);
    for expected in [
        "10.0.0.0/32\n  unicast-ip4-chain\n",
        "    [0] [@4]: ipv4-glean: [src:10.0.0.0/24] pg0: mtu:9000 next:1 flags:[] ffffffffffff02fe000000010806\n",
        "    [0] [@11]: dpo-receive: 10.0.0.1 on pg0\n",
        "    [0] [@5]: ipv4 via 10.0.1.2 pg1: mtu:9000 next:2 flags:[] 02fe0000000902fe000000020800\n    [1] [@3]: arp-ipv4: via 10.0.1.3 pg1\n",
        "locks:[adjacency:1, recursive-resolution:1, default-route:1, ]\n",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let nested = "\
23.0.0.0/8
  unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:19 buckets:1 uRPF:17 to:[0:0]]
    [0] [@12]: dpo-load-balance: [proto:ip4 index:18 buckets:1 uRPF:14 to:[0:0]]
          [0] [@5]: ipv4 via 10.0.1.2 pg1: mtu:9000 next:2 flags:[] 02fe0000000902fe000000020800
";
    assert!(shown.contains(nested), "{shown}");
}

#[test]
fn one_route_prints_its_sources_and_paths() {
    let fixture = captured();
    fixture.to.totals.borrow_mut().insert(
        18,
        Totals {
            packets: 4,
            bytes: 344,
        },
    );
    let part = ShowPart::Match {
        prefix: prefix("20.0.0.1"),
        detail: false,
    };
    let expected = "\
ipv4-VRF:0, fib_index:0, flow hash:[src dst sport dport proto flowlabel ] epoch:0 flags:none locks:[adjacency:1, recursive-resolution:1, default-route:1, ]
20.0.0.1/32 fib:0 index:17 locks:3
  recursive-resolution refs:1 src-flags:added,contributing,active, cover:14
    path-list:[14] locks:4 flags:shared, uPRF-list:14 len:1 itfs:[2, ]
      path:[14] pl-index:14 ip4 weight=1 pref=0 attached-nexthop:  oper-flags:resolved,
        10.0.1.2 pg1
      [@0]: ipv4 via 10.0.1.2 pg1: mtu:9000 next:2 flags:[] 02fe0000000902fe000000020800

 forwarding:   unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:18 buckets:1 uRPF:14 to:[4:344]]
    [0] [@5]: ipv4 via 10.0.1.2 pg1: mtu:9000 next:2 flags:[] 02fe0000000902fe000000020800
";
    assert_eq!(show(&fixture, part), expected);
    let part = ShowPart::Match {
        prefix: prefix("20.0.0.0/8"),
        detail: true,
    };
    let shown = show(&fixture, part);
    assert!(
        shown.ends_with(" Delegates:\n  covered:[{entry:17}]\n Children:\n"),
        "{shown}"
    );
    let part = ShowPart::Match {
        prefix: prefix("1.1.1.1"),
        detail: false,
    };
    let expected = "\
  default-route refs:1 entry-flags:drop, src-flags:added,contributing,active,
    path-list:[0] locks:2 flags:drop, uPRF-list:0 len:0 itfs:[]
      path:[0] pl-index:0 ip4 weight=1 pref=0 special:  cfg-flags:drop,
        [@0]: dpo-drop ip4
";
    assert!(show(&fixture, part).contains(expected));
}

#[test]
fn a_neighbour_outside_its_network_is_unresolved() {
    let fixture = Fixture::new();
    fixture.fib.add_neighbour(FIB, PG1, ip("10.0.1.2")).unwrap();
    let shown = text(|out| fixture.fib.show_entry(None, out));
    assert!(shown.contains("5@10.0.1.2/32\n  UNRESOLVED\n"), "{shown}");
}

#[test]
fn paths_and_lists_print_as_vpp_prints_them() {
    let fixture = captured();
    let lists = text(|out| fixture.fib.show_path_lists(None, out));
    assert!(lists.starts_with(
        "FIB Path Lists\npath-list:[0] locks:2 flags:drop, uPRF-list:0 len:0 itfs:[]\n  \
         path:[0] pl-index:0 ip4 weight=1 pref=0 special:  cfg-flags:drop,\n    \
         [@0]: dpo-drop ip4\n"
    ));
    assert!(lists.contains(
        "path-list:[6] locks:2 uPRF-list:6 len:1 itfs:[1, ]\n  \
         path:[6] pl-index:6 ip4 weight=1 pref=0 attached:  oper-flags:resolved, cfg-flags:glean,\n     \
         pg0\n"
    ));
    let paths = text(|out| fixture.fib.show_paths(None, out));
    assert!(paths.starts_with("FIB Paths\npath:[0] pl-index:0 "));
    assert!(paths.contains(
        " recursive:  oper-flags:resolved,\n  via 20.0.0.1 in fib:0 via-fib:17 via-dpo:[dpo-load-balance:18]\n"
    ));
    assert!(paths.contains(
        " receive:  oper-flags:resolved, cfg-flags:local,\n  [@0]: dpo-receive: 10.0.0.1 on pg0\n"
    ));
    assert_eq!(
        text(|out| fixture.fib.show_paths(Some(99), out)),
        "path 99 invalid\n"
    );
    assert_eq!(
        text(|out| fixture.fib.show_path_lists(Some(99), out)),
        "path list 99 invalid\n"
    );
    assert_eq!(
        text(|out| fixture.fib.show_entry(Some(99), out)),
        "entry 99 invalid\n"
    );
    assert!(text(|out| fixture.fib.show_sources(false, out)).starts_with("[0] invalid prio:255.0"));
}

#[test]
fn special_destinations_print() {
    let fixture = Fixture::with_addresses();
    fixture
        .fib
        .add_table(AddressFamily::Ip4, 7, "", Source::CLI)
        .unwrap();
    let rx = RoutePath {
        sw_if_index: PG2.0,
        ..special(RoutePath::INTERFACE_RX)
    };
    let lookup = RoutePath {
        table_id: 7,
        ..RoutePath::default()
    };
    for (to, path, expected) in [
        (
            "1.0.0.0/8",
            special(RoutePath::ICMP_UNREACH),
            "ip4-null action:send-unreachable",
        ),
        (
            "2.0.0.0/8",
            special(RoutePath::ICMP_PROHIBIT),
            "ip4-null action:send-prohibited",
        ),
        (
            "3.0.0.0/8",
            lookup,
            "dst-address,unicast lookup in ipv4-VRF:7",
        ),
        ("4.0.0.0/8", rx, "pg2-rx-dpo: ip4"),
        ("5.0.0.0/8", special(RoutePath::LOCAL), "dpo-receive"),
    ] {
        fixture.route(to, &[path]);
        let part = ShowPart::Match {
            prefix: prefix(to),
            detail: false,
        };
        assert!(
            show(&fixture, part).contains(&format!("]: {expected}\n")),
            "{expected}"
        );
    }
}

#[test]
fn the_lookup_structure_prints_level_by_level() {
    let fixture = Fixture::new();
    fixture.route("20.0.0.0/15", &[special(RoutePath::DROP)]);
    fixture.route("10.0.0.1/32", &[special(RoutePath::DROP)]);
    let shown = show(&fixture, ShowPart::Mtrie { brief: false });
    let expected = "
16-8-8: 6 plies, memory usage 262k
root-ply
    0.0.0.0/16 next ply 1
        ply index 1, 1 non-empty leaves
            0.0.0.0/24 next ply 0
                ply index 0, 1 non-empty leaves
                    0.0.0.0/32 lb-index 2
    10.0.0.0/16 next ply 5
        ply index 5, 1 non-empty leaves
            10.0.0.0/24 next ply 4
                ply index 4, 1 non-empty leaves
                    10.0.0.1/32 lb-index 7
    20.0.0.0/15 lb-index 6
    20.1.0.0/15 lb-index 6
    224.0.0.0/4 lb-index 4
";
    assert!(shown.contains(expected), "{shown}");
    assert!(show(&fixture, ShowPart::Memory).contains("ipv4-VRF:0 mtrie:268288 hash:"));
}

#[test]
fn tables_are_selected_by_id_or_index() {
    let fixture = Fixture::new();
    fixture
        .fib
        .add_table(AddressFamily::Ip4, 7, "", Source::CLI)
        .unwrap();
    let names = |table_id, index| {
        let what = ShowFib {
            table_id,
            index,
            part: ShowPart::Summary,
        };
        let shown = text(|out| fixture.fib.show_ip_fib(&what, out));
        shown.matches("ipv4-VRF:").count()
    };
    assert_eq!(names(None, None), 2);
    assert_eq!(names(Some(7), None), 1);
    assert_eq!(names(None, Some(1)), 1);
    assert_eq!(names(Some(99), None), 0);
}

#[test]
fn recursion_over_many_paths_prints_no_flood() {
    let fixture = Fixture::with_addresses();
    let hop = |level: u32, path: u32| format!("1.{level}.0.{path}");
    for path in 0..8 {
        fixture.route(&hop(0, path), &[neighbour("10.0.1.2", PG1)]);
    }
    for level in 1..12 {
        let paths: Vec<RoutePath> = (0..8)
            .map(|path| recursive(&hop(level - 1, path)))
            .collect();
        for path in 0..8 {
            fixture.route(&hop(level, path), &paths);
        }
    }
    let part = ShowPart::Match {
        prefix: prefix(&hop(11, 0)),
        detail: true,
    };
    let shown = show(&fixture, part);
    assert!(shown.contains("..."));
    assert!(shown.lines().count() < 10_200);
}
