//! Tables.

use super::{add_table, path, route, routes, table};
use crate::testing::Router;
use barrow_messages::fib_types::{FibPath, FibPathType};
use barrow_messages::interface::SwInterfaceSetTable;
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip::{
    IpTable, IpTableAddDel, IpTableAddDelV2, IpTableAllocate, IpTableDump, IpTableFlush,
    IpTableReplaceBegin, IpTableReplaceEnd,
};

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
