//! Each message by value. Numbers without a source are those that VPP 26.06 answered when asked.

use crate::interface::SwIfIndex;
use crate::testing::Router;
use barrow_messages::fib_types::{FibPath, FibPathType};
use barrow_messages::interface::{
    SwInterfaceAddDelAddress, SwInterfaceAddressReplaceBegin, SwInterfaceAddressReplaceEnd,
    SwInterfaceGetTable, SwInterfaceSetIpDirectedBroadcast, SwInterfaceSetTable,
    SwInterfaceSetUnnumbered,
};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip::{
    IpAddressDump, IpDump, IpFlowHashConfig, IpFlowHashConfigV2, IpPathMtu, IpPathMtuGet,
    IpPathMtuReplaceBegin, IpPathMtuReplaceEnd, IpPathMtuUpdate, IpRoute, IpRouteAddDel,
    IpRouteAddDelV2, IpRouteDump, IpRouteLookup, IpRouteLookupV2, IpRouteV2, IpRouteV2Dump,
    IpTable, IpTableAddDel, IpTableAddDelV2, IpTableAllocate, IpTableDump, IpTableFlush,
    IpTableReplaceBegin, IpTableReplaceEnd, IpUnnumberedDump, SetIpFlowHash, SetIpFlowHashRouterId,
    SetIpFlowHashV2, SetIpFlowHashV3, SwInterfaceIp4EnableDisable,
};
use barrow_messages::ip_types::{AddressFamily, AddressUnion, Prefix};
use std::net::{IpAddr, Ipv4Addr};

/// What an interface has; addresses as text.
fn addresses(router: &mut Router, index: u32) -> Vec<String> {
    let sw_if_index = InterfaceIndex(index);
    let details = router.bed.dump(&IpAddressDump {
        sw_if_index,
        is_ipv6: false,
    });
    details
        .iter()
        .map(|details| details.prefix.to_string())
        .collect()
}

fn address(index: u32, is_add: bool, address: &str, len: u8) -> SwInterfaceAddDelAddress {
    SwInterfaceAddDelAddress {
        sw_if_index: InterfaceIndex(index),
        is_add,
        del_all: false,
        prefix: Prefix {
            address: address.parse().unwrap(),
            len,
        },
    }
}

fn table(table_id: u32) -> IpTable {
    IpTable {
        table_id,
        ..IpTable::default()
    }
}

fn add_table(router: &mut Router, id: u32) {
    assert_eq!(
        router.bed.retval(&IpTableAddDel {
            is_add: true,
            table: table(id)
        }),
        0
    );
}

fn path(next_hop: &str, sw_if_index: u32) -> FibPath {
    let mut path = FibPath {
        sw_if_index,
        weight: 1,
        ..FibPath::default()
    };
    path.nh.address = AddressUnion::from(next_hop.parse::<IpAddr>().unwrap());
    path
}

fn route(is_add: bool, table_id: u32, prefix: &str, paths: &[FibPath]) -> IpRouteAddDel {
    IpRouteAddDel {
        is_add,
        is_multipath: false,
        route: IpRoute {
            table_id,
            prefix: prefix.parse().unwrap(),
            paths: paths.to_vec(),
            ..IpRoute::default()
        },
    }
}

fn routes(router: &mut Router, id: u32) -> Vec<String> {
    let details = router.bed.dump(&IpRouteDump { table: table(id) });
    details
        .iter()
        .map(|details| details.route.prefix.to_string())
        .collect()
}

#[test]
fn addresses_are_added_dumped_and_removed() {
    let mut router = Router::new(2);
    let first = router.wires[0].0;
    assert_eq!(router.bed.retval(&address(first, true, "10.0.0.1", 24)), 0);
    assert_eq!(
        router.bed.retval(&address(first, true, "10.0.0.9", 24)),
        0,
        "the same network"
    );
    assert_eq!(
        addresses(&mut router, first),
        ["10.0.0.1/24", "10.0.0.9/24"]
    );
    assert_eq!(router.bed.retval(&address(first, false, "10.0.0.1", 24)), 0);
    assert_eq!(addresses(&mut router, first), ["10.0.0.9/24"]);
    let all = SwInterfaceAddDelAddress {
        del_all: true,
        ..address(first, false, "0.0.0.0", 0)
    };
    assert_eq!(router.bed.retval(&all), 0);
    assert!(addresses(&mut router, first).is_empty());
}

#[test]
fn addresses_that_cannot_be_are_refused_with_vpps_numbers() {
    let mut router = Router::new(2);
    let (first, second) = (router.wires[0].0, router.wires[1].0);
    router.address(0, [10, 0, 0, 1], 24);
    router.address(1, [10, 0, 1, 1], 24);
    for (message, retval) in [
        (address(9999, true, "1.1.1.1", 24), -2),
        (address(first, true, "10.0.0.1", 24), -105),
        (address(first, true, "10.0.0.7", 16), -105),
        (address(first, true, "10.0.1.9", 24), -105),
        (address(first, false, "10.77.0.1", 24), -60),
        (address(first, true, "1.1.1.1", 40), -59),
        (address(second, true, "2001:db8::1", 64), -97),
    ] {
        assert_eq!(router.bed.retval(&message), retval, "{message:?}");
    }
}

#[test]
fn a_replacement_keeps_what_is_added_again_and_moves_what_moved() {
    let mut router = Router::new(2);
    let (first, second) = (router.wires[0].0, router.wires[1].0);
    router.address(0, [10, 0, 0, 1], 24);
    router.address(0, [10, 0, 5, 1], 24);
    router.address(1, [10, 0, 1, 1], 24);
    assert_eq!(router.bed.retval(&SwInterfaceAddressReplaceBegin {}), 0);
    assert_eq!(router.bed.retval(&address(first, true, "10.0.0.1", 24)), 0);
    assert_eq!(router.bed.retval(&address(second, true, "10.0.5.1", 24)), 0);
    assert_eq!(router.bed.retval(&SwInterfaceAddressReplaceEnd {}), 0);
    assert_eq!(addresses(&mut router, first), ["10.0.0.1/24"]);
    assert_eq!(addresses(&mut router, second), ["10.0.5.1/24"]);
}

#[test]
fn an_interface_moves_between_tables_while_it_has_no_address() {
    let mut router = Router::new(1);
    let index = InterfaceIndex(router.wires[0].0);
    let bind = |vrf_id| SwInterfaceSetTable {
        sw_if_index: index,
        is_ipv6: false,
        vrf_id,
    };
    let get = SwInterfaceGetTable {
        sw_if_index: index,
        is_ipv6: false,
    };
    add_table(&mut router, 7);
    assert_eq!(router.bed.retval(&bind(4242)), -3);
    assert_eq!(router.bed.retval(&bind(7)), 0);
    assert_eq!(router.bed.request(&get).vrf_id, 7);
    router.address(0, [10, 0, 0, 1], 24);
    assert!(routes(&mut router, 7).contains(&"10.0.0.1/32".to_owned()));
    assert_eq!(router.bed.retval(&bind(0)), -114);
    let unknown = SwInterfaceGetTable {
        sw_if_index: InterfaceIndex(9999),
        is_ipv6: false,
    };
    let reply = router.bed.request(&unknown);
    assert_eq!((reply.retval, reply.vrf_id), (-2, u32::MAX));
    let other = SwInterfaceSetTable {
        sw_if_index: InterfaceIndex(9999),
        ..bind(0)
    };
    assert_eq!(router.bed.retval(&other), -2);
    assert_eq!(
        router.bed.retval(&SwInterfaceSetTable {
            is_ipv6: true,
            ..bind(0)
        }),
        -97
    );
}

#[test]
fn a_table_lives_as_long_as_an_interface_is_in_it() {
    let mut router = Router::new(1);
    add_table(&mut router, 7);
    let sw_if_index = InterfaceIndex(router.wires[0].0);
    let bind = |vrf_id| SwInterfaceSetTable {
        sw_if_index,
        is_ipv6: false,
        vrf_id,
    };
    assert_eq!(router.bed.retval(&bind(7)), 0);
    assert_eq!(
        router.bed.retval(&IpTableAddDel {
            is_add: false,
            table: table(7)
        }),
        0
    );
    assert_eq!(router.bed.dump(&IpTableDump {}).len(), 2);
    assert_eq!(router.bed.retval(&bind(0)), 0);
    assert_eq!(router.bed.dump(&IpTableDump {}).len(), 1);
}

#[test]
fn an_interface_borrows_the_address_of_another_one() {
    let mut router = Router::new(2);
    let (first, second) = (router.wires[0].0, router.wires[1].0);
    router.address(0, [10, 0, 0, 1], 24);
    let borrow = |lender, borrower, is_add| SwInterfaceSetUnnumbered {
        sw_if_index: InterfaceIndex(lender),
        unnumbered_sw_if_index: InterfaceIndex(borrower),
        is_add,
    };
    assert_eq!(router.bed.retval(&borrow(9999, second, true)), -10);
    assert_eq!(router.bed.retval(&borrow(first, 9999, true)), -2);
    assert_eq!(router.bed.retval(&borrow(first, second, true)), 0);
    assert!(
        router
            .interfaces()
            .sw(SwIfIndex(second))
            .unwrap()
            .ip4_enabled
    );
    let all = IpUnnumberedDump {
        sw_if_index: InterfaceIndex(u32::MAX),
    };
    let details = router.bed.dump(&all);
    assert_eq!(details.len(), 1);
    assert_eq!(
        (details[0].sw_if_index.0, details[0].ip_sw_if_index.0),
        (second, first)
    );
    assert!(
        router
            .bed
            .dump(&IpUnnumberedDump {
                sw_if_index: InterfaceIndex(first)
            })
            .is_empty()
    );
    let with_ip = router.bed.dump(&IpDump { is_ipv6: false });
    let with_ip: Vec<u32> = with_ip
        .iter()
        .map(|details| details.sw_if_index.0)
        .collect();
    assert_eq!(with_ip, [0, first], "all that do not borrow");
    assert_eq!(router.bed.retval(&borrow(first, second, false)), 0);
    assert!(router.bed.dump(&all).is_empty());
    // UNEXPECTED_INTF_STATE: vnet_sw_interface_check_table_same in vpp:src/vnet/interface.c
    add_table(&mut router, 7);
    let sw_if_index = InterfaceIndex(second);
    let bind = SwInterfaceSetTable {
        sw_if_index,
        is_ipv6: false,
        vrf_id: 7,
    };
    assert_eq!(router.bed.retval(&bind), 0);
    assert_eq!(router.bed.retval(&borrow(first, second, true)), -74);
}

#[test]
fn an_interface_takes_ip4_without_an_address_when_a_client_wants_it() {
    let mut router = Router::new(1);
    let index = router.wires[0];
    let want = |index, enable| SwInterfaceIp4EnableDisable {
        sw_if_index: InterfaceIndex(index),
        enable,
    };
    assert_eq!(router.bed.retval(&want(9999, true)), -2);
    for _ in 0..2 {
        assert_eq!(router.bed.retval(&want(index.0, true)), 0);
        assert!(router.interfaces().sw(index).unwrap().ip4_enabled);
    }
    assert_eq!(router.bed.retval(&want(index.0, false)), 0);
    assert!(!router.interfaces().sw(index).unwrap().ip4_enabled);
}

#[test]
fn packets_to_a_networks_broadcast_address_leave_when_that_is_wanted() {
    let mut router = Router::new(1);
    let index = router.wires[0].0;
    router.address(0, [10, 0, 0, 1], 24);
    let set = |index| SwInterfaceSetIpDirectedBroadcast {
        sw_if_index: InterfaceIndex(index),
        enable: true,
    };
    assert_eq!(router.bed.retval(&set(9999)), -2);
    assert_eq!(router.bed.retval(&set(index)), 0);
    let prefix = "10.0.0.255/32".parse().unwrap();
    let found = router.bed.request(&IpRouteLookup {
        table_id: 0,
        exact: 1,
        prefix,
    });
    assert_eq!(found.route.paths[0].sw_if_index, index);
    assert_eq!(
        found.route.paths[0].nh.address.ip4().to_string(),
        "255.255.255.255"
    );
}

#[test]
fn tables_are_added_once_and_deleted_once() {
    let mut router = Router::new(1);
    for _ in 0..2 {
        add_table(&mut router, 7);
    }
    let named = IpTable {
        name: barrow_wire::FixedString::truncated("blue"),
        ..table(8)
    };
    let named = IpTableAddDelV2 {
        table: named,
        create_mfib: false,
        is_add: true,
    };
    assert_eq!(router.bed.retval(&named), 0);
    let tables = router.bed.dump(&IpTableDump {});
    let tables: Vec<_> = tables
        .iter()
        .map(|details| {
            (
                details.table.table_id,
                details.table.name.to_string_lossy().into_owned(),
            )
        })
        .collect();
    let expected = [(0, "ipv4-VRF:0"), (7, "ipv4-VRF:7"), (8, "blue")];
    assert_eq!(tables, expected.map(|(id, name)| (id, name.to_owned())));
    for id in [0, 7, 555] {
        let delete = IpTableAddDel {
            is_add: false,
            table: table(id),
        };
        assert_eq!(router.bed.retval(&delete), 0, "table {id}");
    }
    assert_eq!(router.bed.dump(&IpTableDump {}).len(), 2);
    let six = IpTable {
        is_ip6: true,
        ..table(7)
    };
    assert_eq!(
        router.bed.retval(&IpTableAddDel {
            is_add: true,
            table: six
        }),
        -97
    );
}

#[test]
fn a_table_is_allocated_under_a_given_or_a_free_id() {
    let mut router = Router::new(0);
    let given = router.bed.request(&IpTableAllocate { table: table(9) });
    assert_eq!((given.retval, given.table.table_id), (0, 9));
    let free = router.bed.request(&IpTableAllocate {
        table: table(u32::MAX),
    });
    assert_eq!(free.retval, 0);
    assert_eq!(router.bed.dump(&IpTableDump {}).len(), 3);
    let six = IpTable {
        is_ip6: true,
        ..table(u32::MAX)
    };
    assert_eq!(router.bed.retval(&IpTableAllocate { table: six }), -97);
}

#[test]
fn routes_are_added_looked_up_dumped_and_deleted() {
    let mut router = Router::new(1);
    let index = router.wires[0].0;
    router.address(0, [10, 0, 0, 1], 24);
    let added = router
        .bed
        .request(&route(true, 0, "30.1.2.3/8", &[path("10.0.0.2", index)]));
    assert_eq!(added.retval, 0);
    let prefix: Prefix = "30.9.9.9/32".parse().unwrap();
    let found = router.bed.request(&IpRouteLookup {
        table_id: 0,
        exact: 0,
        prefix,
    });
    assert_eq!(
        (found.retval, found.route.prefix.to_string()),
        (0, "30.0.0.0/8".to_owned())
    );
    assert_eq!(found.route.stats_index, added.stats_index);
    assert_eq!(found.route.paths.len(), 1);
    assert_eq!(found.route.paths[0].sw_if_index, index);
    assert_eq!(
        found.route.paths[0].nh.address.ip4().to_string(),
        "10.0.0.2"
    );
    let v2 = router.bed.request(&IpRouteLookupV2 {
        table_id: 0,
        exact: 0,
        prefix,
    });
    assert_eq!(
        (v2.route.src, v2.route.paths),
        (8, found.route.paths),
        "made by the API"
    );
    assert!(routes(&mut router, 0).contains(&"30.0.0.0/8".to_owned()));
    assert_eq!(router.bed.retval(&route(false, 0, "30.0.0.0/8", &[])), 0);
    assert!(!routes(&mut router, 0).contains(&"30.0.0.0/8".to_owned()));
}

#[test]
fn routes_that_cannot_be_are_refused_with_vpps_numbers() {
    let mut router = Router::new(1);
    let via = path("10.0.1.2", u32::MAX);
    let drop = FibPath {
        r#type: FibPathType::FIB_API_PATH_TYPE_DROP,
        ..path("0.0.0.0", u32::MAX)
    };
    let too_long = |mut message: IpRouteAddDel| {
        message.route.prefix.len = 33;
        message
    };
    for (message, retval) in [
        (
            route(true, 4242, "30.0.0.0/8", std::slice::from_ref(&via)),
            -3,
        ),
        (route(true, 0, "30.0.0.0/8", &[path("10.0.1.2", 9999)]), -54),
        (
            route(
                true,
                0,
                "30.0.0.0/8",
                &[FibPath {
                    table_id: 4242,
                    ..path("0.0.0.0", u32::MAX)
                }],
            ),
            -3,
        ),
        (route(true, 0, "30.0.0.0/8", &[]), -52),
        (route(false, 0, "31.0.0.0/8", &[]), 0),
        (too_long(route(true, 0, "1.1.1.1/32", &[via])), -171),
        (route(true, 0, "2001:db8::/32", &[drop]), -97),
    ] {
        let reply = router.bed.request(&message);
        assert_eq!(
            (reply.retval, reply.stats_index),
            (retval, u32::MAX),
            "{message:?}"
        );
    }
    for (table_id, prefix, exact, retval) in [
        (0, "199.1.2.0/24", 1, -6),
        (4242, "1.1.1.1/32", 0, -3),
        (0, "::1/128", 0, -97),
    ] {
        let prefix = prefix.parse().unwrap();
        let lookup = IpRouteLookup {
            table_id,
            exact,
            prefix,
        };
        assert_eq!(router.bed.retval(&lookup), retval);
        let lookup = IpRouteLookupV2 {
            table_id,
            exact,
            prefix,
        };
        assert_eq!(router.bed.retval(&lookup), retval);
    }
}

#[test]
fn sources_tell_whose_a_route_is() {
    let mut router = Router::new(1);
    let drop = FibPath {
        r#type: FibPathType::FIB_API_PATH_TYPE_DROP,
        ..path("0.0.0.0", u32::MAX)
    };
    let message = |src| IpRouteAddDelV2 {
        is_add: true,
        is_multipath: false,
        route: IpRouteV2 {
            prefix: "40.0.0.0/8".parse().unwrap(),
            src,
            paths: vec![drop.clone()],
            ..IpRouteV2::default()
        },
    };
    assert_eq!(router.bed.retval(&message(12)), 0, "DHCP");
    assert_eq!(
        router.bed.retval(&message(4)),
        -126,
        "interfaces are the node's own"
    );
    let of = |src| IpRouteV2Dump {
        src,
        table: table(0),
    };
    assert_eq!(router.bed.dump(&of(12)).len(), 1);
    assert_eq!(router.bed.dump(&of(12))[0].route.src, 12);
    assert!(router.bed.dump(&of(8)).is_empty());
    assert!(router.bed.dump(&of(200)).is_empty());
    assert_eq!(router.bed.dump(&of(0)).len(), routes(&mut router, 0).len());
    assert!(
        router
            .bed
            .dump(&IpRouteDump { table: table(4242) })
            .is_empty()
    );
}

#[test]
fn paths_join_and_leave_a_route() {
    let mut router = Router::new(1);
    let index = router.wires[0].0;
    router.address(0, [10, 0, 0, 1], 24);
    let change = |is_add, last: u8| IpRouteAddDel {
        is_multipath: true,
        ..route(
            is_add,
            0,
            "30.0.0.0/8",
            &[path(&Ipv4Addr::new(10, 0, 0, last).to_string(), index)],
        )
    };
    for message in [
        change(true, 2),
        change(true, 3),
        change(true, 4),
        change(false, 3),
    ] {
        assert_eq!(router.bed.retval(&message), 0);
    }
    let prefix = "30.0.0.0/8".parse().unwrap();
    let found = router.bed.request(&IpRouteLookup {
        table_id: 0,
        exact: 1,
        prefix,
    });
    let hops: Vec<_> = found
        .route
        .paths
        .iter()
        .map(|path| path.nh.address.ip4().to_string())
        .collect();
    assert_eq!(hops, ["10.0.0.2", "10.0.0.4"]);
}

#[test]
fn a_replacement_of_a_table_keeps_what_is_added_again() {
    let mut router = Router::new(0);
    add_table(&mut router, 7);
    let drop = [FibPath {
        r#type: FibPathType::FIB_API_PATH_TYPE_DROP,
        ..path("0.0.0.0", u32::MAX)
    }];
    for prefix in ["30.0.0.0/8", "31.0.0.0/8"] {
        assert_eq!(router.bed.retval(&route(true, 7, prefix, &drop)), 0);
    }
    assert_eq!(
        router.bed.retval(&IpTableReplaceBegin { table: table(7) }),
        0
    );
    assert_eq!(router.bed.retval(&route(true, 7, "31.0.0.0/8", &drop)), 0);
    assert_eq!(router.bed.retval(&IpTableReplaceEnd { table: table(7) }), 0);
    let left = routes(&mut router, 7);
    assert!(left.contains(&"31.0.0.0/8".to_owned()) && !left.contains(&"30.0.0.0/8".to_owned()));
    assert_eq!(
        router
            .bed
            .retval(&IpTableReplaceBegin { table: table(4242) }),
        -3
    );
    assert_eq!(
        router.bed.retval(&IpTableReplaceEnd { table: table(4242) }),
        -3
    );
}

#[test]
fn a_flushed_table_has_lost_its_clients_routes_and_its_interfaces_are_down() {
    let mut router = Router::new(2);
    add_table(&mut router, 7);
    let sw_if_index = InterfaceIndex(router.wires[0].0);
    let bind = SwInterfaceSetTable {
        sw_if_index,
        is_ipv6: false,
        vrf_id: 7,
    };
    assert_eq!(router.bed.retval(&bind), 0);
    let drop = [FibPath {
        r#type: FibPathType::FIB_API_PATH_TYPE_DROP,
        ..path("0.0.0.0", u32::MAX)
    }];
    assert_eq!(router.bed.retval(&route(true, 7, "30.0.0.0/8", &drop)), 0);
    assert_eq!(router.bed.retval(&IpTableFlush { table: table(7) }), 0);
    assert!(!routes(&mut router, 7).contains(&"30.0.0.0/8".to_owned()));
    let interfaces = router.interfaces();
    assert!(!interfaces.is_up(router.wires[0]) && interfaces.is_up(router.wires[1]));
    assert_eq!(router.bed.retval(&IpTableFlush { table: table(4242) }), -3);
}

#[test]
fn the_fields_of_the_flow_hash_are_those_of_the_table() {
    let mut router = Router::new(0);
    let v1 = SetIpFlowHash {
        src: true,
        proto: true,
        ..SetIpFlowHash::default()
    };
    assert_eq!(router.bed.retval(&v1), 0);
    assert!(
        router
            .bed
            .command("show ip fib summary")
            .text
            .contains("flow hash:[src proto ]")
    );
    let v2 = |table_id, bits| SetIpFlowHashV2 {
        table_id,
        af: AddressFamily::ADDRESS_IP4,
        flow_hash_config: IpFlowHashConfig(bits),
    };
    assert_eq!(router.bed.retval(&v2(4242, 3)), -3);
    assert_eq!(
        router.bed.retval(&v2(0, 0x7fff_ffff)),
        0,
        "unknown bits are dropped"
    );
    assert_eq!(router.bed.retval(&v2(0, 3)), 0);
    assert!(
        router
            .bed
            .command("show ip fib summary")
            .text
            .contains("flow hash:[src dst ]")
    );
    let v3 = SetIpFlowHashV3 {
        table_id: 0,
        af: AddressFamily::ADDRESS_IP4,
        flow_hash_config: IpFlowHashConfigV2(0x100),
    };
    assert_eq!(router.bed.retval(&v3), 0);
    assert!(
        router
            .bed
            .command("show ip fib summary")
            .text
            .contains("flow hash:[gtpv1teid ]")
    );
    let six = SetIpFlowHashV3 {
        af: AddressFamily::ADDRESS_IP6,
        ..v3
    };
    assert_eq!(router.bed.retval(&six), -97);
    assert_eq!(
        router.bed.retval(&SetIpFlowHash {
            is_ipv6: true,
            ..v1
        }),
        -97
    );
    assert_eq!(
        router.bed.retval(&SetIpFlowHashRouterId { router_id: 77 }),
        0
    );
    let forwarding: crate::ip4::Forwarding = router.bed.table();
    assert_eq!(forwarding.router_id(), 77);
}

fn pmtu(address: &str, path_mtu: u16) -> IpPathMtuUpdate {
    let nh = address.parse().unwrap();
    IpPathMtuUpdate {
        pmtu: IpPathMtu {
            nh,
            path_mtu,
            ..IpPathMtu::default()
        },
    }
}

fn pmtus(router: &mut Router) -> Vec<(String, u16)> {
    let (details, reply) = router.bed.cursor(&IpPathMtuGet { cursor: 0 });
    assert_eq!((reply.retval, reply.cursor), (0, u32::MAX));
    details
        .iter()
        .map(|details| (details.pmtu.nh.to_string(), details.pmtu.path_mtu))
        .collect()
}

#[test]
fn path_mtus_are_kept_until_they_are_taken_back() {
    let mut router = Router::new(0);
    assert!(pmtus(&mut router).is_empty());
    for message in [
        pmtu("20.0.0.1", 1300),
        pmtu("20.0.0.2", 1400),
        pmtu("20.0.0.1", 1200),
    ] {
        assert_eq!(router.bed.retval(&message), 0);
    }
    let both = [("20.0.0.1".to_owned(), 1200), ("20.0.0.2".to_owned(), 1400)];
    assert_eq!(pmtus(&mut router), both);
    let (details, _) = router.bed.cursor(&IpPathMtuGet { cursor: 1 });
    assert_eq!(details.len(), 1, "from the second one on");
    let (_, reply) = router.bed.cursor(&IpPathMtuGet { cursor: 2 });
    assert_eq!(reply.retval, -7, "behind the last one");
    assert_eq!(router.bed.retval(&IpPathMtuReplaceBegin {}), 0);
    assert_eq!(router.bed.retval(&pmtu("20.0.0.2", 1400)), 0);
    assert_eq!(router.bed.retval(&IpPathMtuReplaceEnd {}), 0);
    assert_eq!(pmtus(&mut router), both[1..]);
    assert_eq!(router.bed.retval(&pmtu("20.0.0.2", 0)), 0);
    assert!(pmtus(&mut router).is_empty());
    // NO_SUCH_TABLE: ip_path_mtu_update in vpp:src/vnet/ip/ip_path_mtu.c
    let mut unknown = pmtu("20.0.0.1", 1300);
    unknown.pmtu.table_id = 4242;
    assert_eq!(router.bed.retval(&unknown), -65);
    assert_eq!(router.bed.retval(&pmtu("2001:db8::1", 1300)), -97);
}

#[test]
fn a_dump_gives_what_exists_throughout_exactly_once() {
    let mut router = Router::new(1);
    let index = router.wires[0];
    for last in 1..=4 {
        router.address(0, [10, 0, 0, last], 24);
    }
    let addresses: crate::ip::Addresses = router.bed.table();
    let (serial, first) = addresses.next(index, None).unwrap();
    assert_eq!(first.to_string(), "10.0.0.1/24");
    addresses.remove(index, first).unwrap();
    router.address(0, [10, 0, 0, 9], 24);
    let mut seen = Vec::new();
    let mut last = Some(serial);
    while let Some((serial, address)) = addresses.next(index, last) {
        seen.push(address.address.octets()[3]);
        last = Some(serial);
    }
    assert_eq!(seen, [2, 3, 4, 9]);
}
