//! Routes.

use super::{path, route, routes, table};
use crate::testing::Router;
use barrow_messages::fib_types::{FibPath, FibPathType};
use barrow_messages::ip::{
    IpRouteAddDel, IpRouteAddDelV2, IpRouteDump, IpRouteLookup, IpRouteLookupV2, IpRouteV2,
    IpRouteV2Dump,
};
use barrow_messages::ip_types::Prefix;
use std::net::Ipv4Addr;

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
