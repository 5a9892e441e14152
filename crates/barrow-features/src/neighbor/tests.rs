//! Messages, events and commands about neighbours. Numbers without a source are those that VPP 26.06
//! answered when asked.

use crate::testing::{Router, frame, host_mac, own_mac, udp};
use barrow_messages::ethernet_types::MacAddress;
use barrow_messages::interface::SwInterfaceSetTable;
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip::{IpTable, IpTableAddDel};
use barrow_messages::ip_neighbor::{
    IpNeighbor, IpNeighborAddDel, IpNeighborConfig, IpNeighborConfigGet, IpNeighborDump,
    IpNeighborEvent, IpNeighborEventFlags, IpNeighborEventV2, IpNeighborFlags, IpNeighborFlush,
    IpNeighborReplaceBegin, IpNeighborReplaceEnd, WantIpNeighborEvents, WantIpNeighborEventsV2,
};
use barrow_messages::ip_types::{Address, AddressFamily};
use std::time::Duration;

const STATIC: u8 = 1;
const NO_FIB_ENTRY: u8 = 2;
const ALL: InterfaceIndex = InterfaceIndex(u32::MAX);

fn change(is_add: bool, index: u32, address: &str, mac: u8, flags: u8) -> IpNeighborAddDel {
    IpNeighborAddDel {
        is_add,
        neighbor: IpNeighbor {
            sw_if_index: InterfaceIndex(index),
            flags: IpNeighborFlags(flags),
            mac_address: MacAddress(host_mac(mac)),
            ip_address: address.parse().unwrap(),
        },
    }
}

fn dump(router: &mut Router, sw_if_index: InterfaceIndex) -> Vec<(String, u8, u8)> {
    let af = AddressFamily::ADDRESS_IP4;
    let details = router.bed.dump(&IpNeighborDump { sw_if_index, af });
    let neighbors = details.iter().map(|details| &details.neighbor);
    neighbors
        .map(|entry| {
            (
                entry.ip_address.to_string(),
                entry.mac_address.0[5],
                entry.flags.0,
            )
        })
        .collect()
}

fn router() -> Router {
    let mut router = Router::new(2);
    router.address(0, [10, 0, 0, 1], 24);
    router.address(1, [10, 0, 1, 1], 24);
    router
}

#[test]
fn neighbors_are_added_dumped_and_deleted() {
    let mut router = router();
    let (first, second) = (router.wires[0].0, router.wires[1].0);
    let added = router
        .bed
        .request(&change(true, first, "10.0.0.2", 2, STATIC));
    assert_eq!(added.retval, 0);
    let shown = router
        .bed
        .command(&format!("show adj {}", added.stats_index))
        .text;
    assert!(
        shown.contains("ipv4 via 10.0.0.2 test0"),
        "the index is the adjacency's: {shown}"
    );
    assert_eq!(
        router
            .bed
            .retval(&change(true, second, "10.0.1.2", 3, NO_FIB_ENTRY)),
        0
    );
    let all = [
        ("10.0.0.2".to_owned(), 2, STATIC),
        ("10.0.1.2".to_owned(), 3, NO_FIB_ENTRY),
    ];
    assert_eq!(dump(&mut router, ALL), all);
    assert_eq!(dump(&mut router, InterfaceIndex(second)), all[1..]);
    let af = AddressFamily::ADDRESS_IP6;
    assert!(
        router
            .bed
            .dump(&IpNeighborDump {
                sw_if_index: ALL,
                af
            })
            .is_empty()
    );
    assert!(
        router
            .bed
            .command("show ip fib")
            .text
            .contains("10.0.0.2/32")
    );
    assert!(
        !router
            .bed
            .command("show ip fib")
            .text
            .contains("10.0.1.2/32")
    );
    assert_eq!(
        router.bed.retval(&change(false, first, "10.0.0.2", 2, 0)),
        0
    );
    assert_eq!(dump(&mut router, ALL), all[1..]);
}

#[test]
fn neighbors_that_cannot_be_are_refused_with_vpps_numbers() {
    let mut router = router();
    let index = router.wires[0].0;
    assert_eq!(
        router
            .bed
            .retval(&change(true, index, "10.0.0.7", 7, STATIC)),
        0
    );
    for (message, retval) in [
        (change(true, 9999, "1.1.1.9", 9, 0), -2),
        (change(false, index, "10.0.0.99", 9, 0), -6),
        (change(true, index, "2001:db8::1", 9, 0), -97),
        // ip_neighbor_add in vpp:src/vnet/ip-neighbor/ip_neighbor.c
        (change(true, index, "10.0.0.7", 8, 0), -2),
        (change(true, index, "10.0.0.7", 7, 0), 0),
    ] {
        let reply = router.bed.request(&message);
        assert_eq!(reply.retval, retval, "{message:?}");
        assert_eq!(reply.stats_index == u32::MAX, retval != 0);
    }
    assert_eq!(
        dump(&mut router, ALL),
        [("10.0.0.7".to_owned(), 7, STATIC)],
        "still static"
    );
}

#[test]
fn a_dynamic_neighbor_tells_its_age() {
    let mut router = router();
    let index = router.wires[0].0;
    router.bed.request(&change(true, index, "10.0.0.2", 2, 0));
    router.bed.advance(Duration::from_millis(2500));
    let af = AddressFamily::ADDRESS_IP4;
    let details = router.bed.dump(&IpNeighborDump {
        sw_if_index: ALL,
        af,
    });
    assert!((details[0].age - 2.5).abs() < 1e-6, "{}", details[0].age);
}

#[test]
fn limits_are_set_and_told() {
    let mut router = router();
    let af = AddressFamily::ADDRESS_IP4;
    let config = IpNeighborConfig {
        af,
        max_number: 2,
        max_age: 30,
        recycle: true,
    };
    assert_eq!(router.bed.retval(&config), 0);
    let told = router.bed.request(&IpNeighborConfigGet { af });
    assert_eq!((told.max_number, told.max_age, told.recycle), (2, 30, true));
    let index = router.wires[0].0;
    for n in 2..5 {
        let address = format!("10.0.0.{n}");
        assert_eq!(router.bed.retval(&change(true, index, &address, n, 0)), 0);
        router.bed.advance(Duration::from_millis(1));
    }
    assert_eq!(dump(&mut router, ALL).len(), 2, "the oldest made room");
    assert_eq!(
        router.bed.retval(&IpNeighborConfig {
            recycle: false,
            ..config.clone()
        }),
        0
    );
    // LIMIT_EXCEEDED: ip_neighbor_add in vpp:src/vnet/ip-neighbor/ip_neighbor.c
    assert_eq!(
        router.bed.retval(&change(true, index, "10.0.0.9", 9, 0)),
        -162
    );
    let af = AddressFamily::ADDRESS_IP6;
    assert_eq!(router.bed.retval(&IpNeighborConfig { af, ..config }), -97);
    assert_eq!(router.bed.retval(&IpNeighborConfigGet { af }), -97);
}

#[test]
fn a_flush_takes_all_of_an_interface_or_of_all() {
    let mut router = router();
    let (first, second) = (router.wires[0].0, router.wires[1].0);
    router
        .bed
        .request(&change(true, first, "10.0.0.2", 2, STATIC));
    router.bed.request(&change(true, second, "10.0.1.2", 3, 0));
    let af = AddressFamily::ADDRESS_IP4;
    let flush = |sw_if_index| IpNeighborFlush { af, sw_if_index };
    assert_eq!(router.bed.retval(&flush(InterfaceIndex(9999))), -2);
    assert_eq!(router.bed.retval(&flush(InterfaceIndex(first))), 0);
    assert_eq!(dump(&mut router, ALL).len(), 1);
    assert_eq!(router.bed.retval(&flush(ALL)), 0);
    assert!(dump(&mut router, ALL).is_empty());
    let six = IpNeighborFlush {
        af: AddressFamily::ADDRESS_IP6,
        sw_if_index: ALL,
    };
    assert_eq!(router.bed.retval(&six), -97);
}

#[test]
fn a_replacement_keeps_what_is_added_again() {
    let mut router = router();
    let index = router.wires[0].0;
    for n in 2..4 {
        router
            .bed
            .request(&change(true, index, &format!("10.0.0.{n}"), n, STATIC));
    }
    assert_eq!(router.bed.retval(&IpNeighborReplaceBegin {}), 0);
    router
        .bed
        .request(&change(true, index, "10.0.0.3", 3, STATIC));
    assert_eq!(router.bed.retval(&IpNeighborReplaceEnd {}), 0);
    assert_eq!(dump(&mut router, ALL), [("10.0.0.3".to_owned(), 3, STATIC)]);
}

fn want(enable: bool, index: u32, address: &str) -> WantIpNeighborEventsV2 {
    let ip: Address = address.parse().unwrap();
    WantIpNeighborEventsV2 {
        enable,
        pid: 77,
        ip,
        sw_if_index: InterfaceIndex(index),
    }
}

#[test]
fn clients_are_told_of_the_neighbors_they_asked_for() {
    let mut router = router();
    let (first, second) = (router.wires[0].0, router.wires[1].0);
    assert_eq!(router.bed.retval(&want(true, 9999, "0.0.0.0")), -2);
    for _ in 0..2 {
        assert_eq!(
            router.bed.retval(&want(true, first, "0.0.0.0")),
            0,
            "twice is once"
        );
    }
    let v1 = WantIpNeighborEvents {
        enable: true,
        pid: 78,
        ip: "10.0.1.2".parse().unwrap(),
        sw_if_index: ALL,
    };
    assert_eq!(router.bed.retval(&v1), 0);
    let shown = router.bed.command("show ip neighbor-watcher").text;
    assert!(
        shown.contains("Key: [test0, 0.0.0.0]\n  [pid:77, client:"),
        "{shown}"
    );
    router
        .bed
        .request(&change(true, first, "10.0.0.2", 2, STATIC));
    router.bed.request(&change(true, second, "10.0.1.2", 3, 0));
    router.bed.request(&change(true, second, "10.0.1.3", 4, 0));
    router.bed.request(&change(false, first, "10.0.0.2", 2, 0));
    let v2: Vec<IpNeighborEventV2> = router.bed.events();
    let v2: Vec<_> = v2
        .iter()
        .map(|event| {
            (
                event.pid,
                event.flags,
                event.neighbor.ip_address.to_string(),
            )
        })
        .collect();
    let added = IpNeighborEventFlags::IP_NEIGHBOR_API_EVENT_FLAG_ADDED;
    let removed = IpNeighborEventFlags::IP_NEIGHBOR_API_EVENT_FLAG_REMOVED;
    assert_eq!(
        v2,
        [
            (77, added, "10.0.0.2".to_owned()),
            (77, removed, "10.0.0.2".to_owned())
        ]
    );
    let v1: Vec<IpNeighborEvent> = router.bed.events();
    assert_eq!(v1.len(), 1);
    assert_eq!(
        (v1[0].pid, v1[0].neighbor.ip_address.to_string()),
        (78, "10.0.1.2".to_owned())
    );
    for _ in 0..2 {
        assert_eq!(router.bed.retval(&want(false, first, "0.0.0.0")), 0);
    }
    router
        .bed
        .request(&change(true, first, "10.0.0.2", 2, STATIC));
    assert!(router.bed.events::<IpNeighborEventV2>().is_empty());
}

#[test]
fn neighbors_follow_their_interface_into_another_table() {
    let mut router = Router::new(1);
    let index = router.wires[0].0;
    let table = IpTable {
        table_id: 7,
        ..IpTable::default()
    };
    router.bed.request(&IpTableAddDel {
        is_add: true,
        table,
    });
    router
        .bed
        .request(&change(true, index, "10.0.0.2", 2, STATIC));
    let sw_if_index = InterfaceIndex(index);
    let bind = SwInterfaceSetTable {
        sw_if_index,
        is_ipv6: false,
        vrf_id: 7,
    };
    assert_eq!(router.bed.retval(&bind), 0);
    assert!(
        router
            .bed
            .command("show ip fib table 7")
            .text
            .contains("10.0.0.2/32")
    );
    assert!(
        !router
            .bed
            .command("show ip fib table 0")
            .text
            .contains("10.0.0.2/32")
    );
    assert_eq!(
        router.bed.retval(&change(false, index, "10.0.0.2", 2, 0)),
        0
    );
    assert!(
        !router
            .bed
            .command("show ip fib")
            .text
            .contains("10.0.0.2/32")
    );
}

#[test]
fn commands_set_and_show_neighbors() {
    let mut router = router();
    let mut run = |command: &str| router.bed.command(command);
    assert_eq!(
        run("set ip neighbor test1 10.0.1.2 02:fe:00:00:00:02 static").retval,
        0
    );
    let header = "     Age                       IP                    Flags      Ethernet              Interface       \n";
    let line =
        "       .0000                10.0.1.2                   S    02:fe:00:00:00:02 test1\n";
    for command in [
        "show ip neighbors",
        "show ip4 neighbors test1",
        "show ip neighbor",
    ] {
        assert_eq!(run(command).text, format!("{header}{line}"), "{command}");
    }
    assert_eq!(run("show ip neighbors test0").text, "");
    assert_eq!(
        run("ip neighbor add test0 10.0.0.2 02fe.0000.0001 count 3").retval,
        0
    );
    let sorted = run("show ip4 neighbor-sorted").text;
    assert_eq!(sorted.lines().count(), 4, "no static ones: {sorted}");
    assert!(sorted.contains("10.0.0.4") && sorted.contains("02:fe:00:00:00:03"));
    assert_eq!(
        run("ip neighbor del test0 10.0.0.2 02fe.0000.0001 count 3").retval,
        0
    );
    assert_eq!(run("set ip neighbor flush").retval, 0);
    assert_eq!(run("show ip neighbors").text, "");
    assert!(
        run("set ip neighbor test0")
            .text
            .contains("specify interface, IP address and MAC")
    );
    assert!(
        run("set ip neighbor test0 bogus")
            .text
            .contains("unknown input `bogus'")
    );
}

#[test]
fn limits_and_counters_are_shown() {
    let mut router = router();
    let ip6 = "ip6:\n  limit:50000, age:0, recycle:0\n";
    assert_eq!(
        router.bed.command("show ip neighbor-config").text,
        format!("ip4:\n  limit:50000, age:0, recycle:0\n{ip6}")
    );
    assert_eq!(
        router
            .bed
            .command("set ip neighbor-config ip4 limit 7 age 9 recycle")
            .retval,
        0
    );
    assert_eq!(
        router.bed.command("show ip neighbor-config").text,
        format!("ip4:\n  limit:7, age:9, recycle:1\n{ip6}")
    );
    assert_eq!(
        router
            .bed
            .command("set ip neighbor-config ip6 limit 7")
            .retval,
        -1
    );
    router.receive(
        0,
        [frame(
            own_mac(0),
            host_mac(1),
            0x0800,
            &udp([10, 0, 0, 2], [10, 0, 1, 9], |_| ()),
        )],
    );
    let none = "rx:[reply:0 request:0 gratuitous:0 ] tx:[reply:0 request:0 gratuitous:0 ]";
    assert_eq!(
        router.bed.command("show ip neighbor-stats test1").text,
        format!(
            "  test1\n    arp: rx:[reply:0 request:0 gratuitous:0 ] tx:[reply:0 request:1 gratuitous:0 ]\n    nd:  {none}\n"
        )
    );
    assert!(
        router
            .bed
            .command("show ip neighbor-stats")
            .text
            .starts_with(&format!("  local0\n    arp: {none}\n"))
    );
}

#[test]
fn the_section_ip_neighbor_says_how_many_packets_wait() {
    use barrow_engine::config::{Config, Source};
    let config = Config::parse(Source::file("test", "ip-neighbor { hold 0 }")).unwrap();
    let bed = crate::testing::router_features()
        .config(config)
        .build()
        .unwrap();
    let mut router = Router::on(bed, 1);
    router.address(0, [10, 0, 0, 1], 24);
    let packet = udp([10, 0, 0, 2], [10, 0, 0, 9], |_| ());
    router.receive(0, [frame(own_mac(0), host_mac(1), 0x0800, &packet)]);
    assert_eq!(router.bed.error("ip4-glean", "held"), 0);
    router.bed.assert_conserved();
}
