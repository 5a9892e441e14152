//! Addresses of interfaces, and the tables that interfaces are in.

use super::{add_table, address, addresses, routes, table};
use crate::interface::SwIfIndex;
use crate::testing::Router;
use barrow_messages::interface::{
    SwInterfaceAddDelAddress, SwInterfaceAddressReplaceBegin, SwInterfaceAddressReplaceEnd,
    SwInterfaceGetTable, SwInterfaceSetIpDirectedBroadcast, SwInterfaceSetTable,
    SwInterfaceSetUnnumbered,
};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip::{
    IpDump, IpRouteLookup, IpTableAddDel, IpTableDump, IpUnnumberedDump,
    SwInterfaceIp4EnableDisable,
};

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
