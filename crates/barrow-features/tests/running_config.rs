//! `show configuration`: a node that runs what it prints is the same.

use barrow_engine::cli::script_lines;
use barrow_engine::testing::Testbed;
use barrow_features::arcs::ArcsFeature;
use barrow_features::arp::ArpFeature;
use barrow_features::ethernet::EthernetFeature;
use barrow_features::interface::InterfaceFeature;
use barrow_features::ip::IpFeature;
use barrow_features::loopback::LoopbackFeature;
use barrow_features::neighbor::NeighborFeature;
use barrow_features::pg::PgFeature;
use barrow_messages::interface::SwInterfaceDump;
use barrow_messages::ip::{IpRouteV2Dump, IpTable};

fn node() -> Testbed {
    let bed = Testbed::builder()
        .workers(2)
        .feature(InterfaceFeature)
        .feature(EthernetFeature)
        .feature(ArcsFeature)
        .feature(IpFeature)
        .feature(NeighborFeature::default())
        .feature(ArpFeature)
        .feature(LoopbackFeature)
        .feature(PgFeature);
    bed.build().expect("the features fit together")
}

fn run(bed: &mut Testbed, command: &str) -> String {
    let ran = bed.command(command);
    assert_eq!(ran.retval, 0, "{command}: {}", ran.text);
    ran.text
}

/// What a client sees of a node's state, without addresses in memory, ages and counters.
fn seen(bed: &mut Testbed) -> String {
    let commands = [
        "show configuration",
        "show interface",
        "show interface address",
        "show interface wan tag",
        "show interface secondary-mac-address",
        "show ip table",
        "show ip fib summary",
        "show ip pmtu",
        "show ip neighbor-config",
        "show arp proxy",
    ];
    let mut seen = String::new();
    for command in commands {
        seen.push_str(&run(bed, command));
    }
    for sw in bed.dump(&SwInterfaceDump::default()) {
        seen.push_str(&format!("{sw:?}\n"));
    }
    for table_id in [0, 7, 8] {
        let table = IpTable {
            table_id,
            ..IpTable::default()
        };
        let mut routes = bed.dump(&IpRouteV2Dump { src: 0, table });
        // Which counter is whose depends on what was there before.
        routes
            .iter_mut()
            .for_each(|details| details.route.stats_index = 0);
        let mut routes: Vec<_> = routes.iter().map(|route| format!("{route:?}\n")).collect();
        routes.sort_unstable();
        seen.extend(routes);
    }
    seen
}

/// Runs a configuration on a new node.
fn replay(script: &str) -> Testbed {
    let mut bed = node();
    for (number, line) in script_lines(script) {
        let ran = bed.command(&line);
        assert_eq!(ran.retval, 0, "line {number}, `{line}': {}", ran.text);
    }
    bed
}

const RICH: &[&str] = &[
    "set interface default rx-mode polling",
    "set ip neighbor-config ip4 limit 7000 age 900 recycle",
    "adjacency counters enable",
    "set ip flow-hash router-id 99",
    "create loopback interface instance 3",
    "create packet-generator interface pg0",
    "create packet-generator interface pg7 mode ip4 gso-enabled gso-size 1448 coalesce-enabled",
    "create packet-generator interface pg2 hw-addr 02:00:00:00:00:22 csum-offload-enabled",
    "create loopback interface mac 02:00:00:00:00:33",
    "create sub-interfaces pg0 10",
    "create sub-interfaces pg0 20 dot1ad 200 inner-dot1q any",
    "create sub-interfaces pg0 30 dot1q 300 inner-dot1q 301 exact-match",
    "create sub-interfaces pg2 40 default",
    "create sub-interfaces pg2 41 untagged",
    "set interface name pg0 wan",
    // Two names change places.
    "set interface name loop0 spare",
    "set interface name loop3 loop0",
    "set interface name spare loop3",
    "set interface mac address pg2 02:00:00:00:00:44",
    "set interface mtu packet 1500 ip4 1400 wan",
    "set interface mtu packet 1300 wan.10",
    "set interface secondary-mac-address wan 02:00:00:00:00:99 add",
    "set interface tag wan \"to the world\"",
    "set interface tag wan.10 customer",
    "set interface detailed-stats wan enable",
    "ip table add 7",
    "ip table add 8 name \"the blue one\"",
    "set ip flow-hash table 7 src dst",
    "set ip flow-hash table 0 src dst sport dport proto symmetric",
    "set interface ip table wan.10 7",
    "set interface state wan up",
    "set interface state wan.10 up",
    "set interface state loop0 up",
    "set interface ip address wan 10.0.0.1/24",
    "set interface ip address wan 10.0.0.2/24",
    "set interface ip address wan.10 10.7.0.1/24",
    "set interface ip address loop0 192.0.2.1/32",
    "set interface unnumbered pg7 use loop0",
    "enable ip4 interface pg2",
    "set interface ip directed-broadcast wan enable",
    "set ip neighbor wan 10.0.0.9 02:00:00:00:09:09 static",
    "set ip neighbor wan 10.0.0.10 02:00:00:00:09:10 static no-fib-entry",
    "ip route add 20.0.0.0/8 via 10.0.0.9 wan weight 3 via 10.0.0.10 wan",
    "ip route add 21.0.0.0/8 via 20.0.0.1 resolve-via-host",
    "ip route add 22.0.0.0/8 via 10.7.0.5 next-hop-table 7 preference 5",
    "ip route add 23.0.0.0/8 via lookup in table 8",
    "ip route add 24.0.0.0/8 via drop",
    "ip route add 25.0.0.0/8 via unreachable",
    "ip route add 26.0.0.0/8 via prohibited",
    "ip route add 27.0.0.1/32 via local",
    "ip route add 28.0.0.0/8 via rx-ip4 wan",
    "ip route add 29.0.0.0/8 via pg7",
    "ip route add table 7 30.0.0.0/24 count 3 via 10.7.0.2 wan.10",
    "ip route add table 8 0.0.0.0/0 via 10.0.0.9 wan",
    // Hidden by the interface's own.
    "ip route add 10.0.0.1/32 via drop",
    "set ip pmtu 20.0.0.5 1280",
    "set ip pmtu 30.0.0.5 1281 table 7",
    "set arp proxy start 10.0.0.100 end 10.0.0.110",
    "set arp proxy table-id 7 start 10.7.0.100 end 10.7.0.110",
    "set interface proxy-arp wan enable",
    "set interface feature wan ip4-not-enabled arc ip4-unicast",
    "set interface state pg7 up",
];

#[test]
fn a_node_that_runs_the_script_is_the_same() {
    let mut bed = node();
    for command in RICH {
        run(&mut bed, command);
    }
    let script = run(&mut bed, "show configuration");
    assert!(
        !script.contains("02:00:00:00:09:11"),
        "what was learned is no configuration: {script}"
    );
    let mut again = replay(&script);
    assert_eq!(seen(&mut again), seen(&mut bed), "{script}");
}

#[test]
fn a_new_node_has_no_configuration() {
    assert_eq!(run(&mut node(), "show configuration"), "");
}

#[test]
fn what_is_heard_of_neighbours_is_no_configuration() {
    let mut bed = node();
    run(&mut bed, "create loopback interface");
    run(
        &mut bed,
        "set ip neighbor loop0 10.0.0.11 02:00:00:00:09:11",
    );
    assert!(!run(&mut bed, "show configuration").contains("02:00:00:00:09:11"));
}

#[test]
fn what_was_taken_back_is_not_in_the_script() {
    let mut bed = node();
    for command in RICH {
        run(&mut bed, command);
    }
    for command in [
        "set interface feature wan ip4-not-enabled arc ip4-unicast disable",
        "set interface proxy-arp wan disable",
        "set arp proxy del start 10.0.0.100 end 10.0.0.110",
        "set ip pmtu 20.0.0.5 0",
        "clear interface tag wan",
        "disable ip4 interface pg2",
        "delete sub-interface pg2.40",
        "delete packet-generator interface pg7",
    ] {
        run(&mut bed, command);
    }
    let script = run(&mut bed, "show configuration");
    for gone in [
        "ip4-not-enabled",
        "proxy-arp",
        "10.0.0.100",
        "1280",
        "world",
        "ip4 interface",
        " 40 ",
        "pg7",
    ] {
        assert!(!script.contains(gone), "{gone}: {script}");
    }
    replay(&script);
}

#[test]
fn what_no_script_can_hold_is_a_comment() {
    let mut bed = node();
    run(&mut bed, "create loopback interface");
    run(&mut bed, "set interface tag loop0 a#b");
    let script = run(&mut bed, "show configuration");
    assert!(
        script.contains("# no script can hold: set interface tag loop0 a#b"),
        "{script}"
    );
    replay(&script);
}
