//! Each message by value. Numbers without a source are those that VPP 26.06 answered when asked.

mod addresses;
mod flow_hash;
mod path_mtu;
mod routes;
mod tables;

use crate::testing::Router;
use barrow_messages::fib_types::FibPath;
use barrow_messages::interface::SwInterfaceAddDelAddress;
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip::{
    IpAddressDump, IpRoute, IpRouteAddDel, IpRouteDump, IpTable, IpTableAddDel,
};
use barrow_messages::ip_types::{AddressUnion, Prefix};
use std::net::IpAddr;

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
