//! Paths that resolve through other routes.

use super::*;

const FIB: FibIndex = FibIndex::DEFAULT;

#[test]
fn a_next_hop_without_interface_resolves_through_its_route() {
    let fixture = Fixture::with_addresses();
    let via = fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    fixture.route("23.0.0.0/8", &[recursive("20.0.0.1")]);
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.2", PG1));
    // the target has a route of its own, which follows 20.0.0.0/8
    let target = fixture.info("20.0.0.1");
    assert_eq!(
        (target.source, target.paths),
        (Source::RECURSIVE, vec![neighbour("10.0.1.2", PG1)])
    );
    let mut passed = Vec::new();
    let lb = fixture.lb("23.0.0.1");
    fixture
        .reader
        .load_balances()
        .resolve(lb, |_| 0, |lb| passed.push(lb));
    assert_eq!(passed, [target.stats_index]);
    assert_ne!(target.stats_index, via);
    fixture.delete("23.0.0.0/8");
    assert!(fixture.fib.lookup(FIB, prefix("20.0.0.1"), true).is_err());
}

#[test]
fn a_change_of_the_covering_route_is_followed() {
    let fixture = Fixture::with_addresses();
    fixture.route("23.0.0.0/8", &[recursive("20.0.0.1")]);
    assert_eq!(fixture.only_end("23.0.0.1"), End::Drop);
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.2", PG1));
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.3", PG1)]);
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.3", PG1));
    fixture.route("20.0.0.0/16", &[neighbour("10.0.0.2", PG0)]);
    assert_eq!(
        fixture.only_end("23.0.0.1"),
        to("10.0.0.2", PG0),
        "a longer one covers it"
    );
    fixture.route("20.0.0.1/32", &[neighbour("10.0.0.3", PG0)]);
    assert_eq!(
        fixture.only_end("23.0.0.1"),
        to("10.0.0.3", PG0),
        "a host route is best"
    );
    fixture.delete("20.0.0.1/32");
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.0.2", PG0));
    fixture.delete("20.0.0.0/16");
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.3", PG1));
    fixture.delete("20.0.0.0/8");
    assert_eq!(fixture.only_end("23.0.0.1"), End::Drop);
}

#[test]
fn a_next_hop_in_a_connected_network_is_a_neighbour() {
    let fixture = Fixture::with_addresses();
    fixture.route("23.0.0.0/8", &[recursive("10.0.1.9")]);
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.9", PG1));
    assert_eq!(fixture.only_end("10.0.1.9"), to("10.0.1.9", PG1));
    // the same adjacency as the neighbour's own route, once that comes
    fixture.fib.add_neighbour(FIB, PG1, ip("10.0.1.9")).unwrap();
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.9", PG1));
    fixture
        .fib
        .remove_neighbour(FIB, PG1, ip("10.0.1.9"))
        .unwrap();
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.9", PG1));
}

#[test]
fn a_change_behind_a_next_hop_touches_no_route_in_front_of_it() {
    let fixture = Fixture::with_addresses();
    fixture.route("20.0.0.1/32", &[neighbour("10.0.1.2", PG1)]);
    let lb = fixture.route("23.0.0.0/8", &[recursive("20.0.0.1")]);
    let before = fixture.reader.load_balances().load(lb);
    fixture.route(
        "20.0.0.1/32",
        &[neighbour("10.0.1.3", PG1), neighbour("10.0.1.4", PG1)],
    );
    assert_eq!(fixture.reader.load_balances().load(lb), before);
    assert_eq!(fixture.ends("23.0.0.1").len(), 2);
}

#[test]
fn equal_paths_may_recurse() {
    let fixture = Fixture::with_addresses();
    fixture.route(
        "20.0.0.1/32",
        &[neighbour("10.0.1.2", PG1), neighbour("10.0.1.3", PG1)],
    );
    fixture.route("20.0.0.2/32", &[neighbour("10.0.0.2", PG0)]);
    fixture.route(
        "23.0.0.0/8",
        &[recursive("20.0.0.1"), recursive("20.0.0.2")],
    );
    assert_eq!(fixture.ends("23.0.0.1").len(), 3);
    fixture.delete("20.0.0.1/32");
    assert_eq!(
        fixture.only_end("23.0.0.1"),
        to("10.0.0.2", PG0),
        "unresolved paths take no share"
    );
}

#[test]
fn resolution_can_be_limited_to_host_routes() {
    let fixture = Fixture::with_addresses();
    let via_host = RoutePath {
        flags: RoutePath::VIA_HOST,
        ..recursive("20.0.0.1")
    };
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    fixture.route("23.0.0.0/8", &[via_host]);
    assert_eq!(fixture.only_end("23.0.0.1"), End::Drop);
    fixture.route("20.0.0.1/32", &[neighbour("10.0.1.3", PG1)]);
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.3", PG1));
    fixture.delete("20.0.0.1/32");
    assert_eq!(fixture.only_end("23.0.0.1"), End::Drop);
}

#[test]
fn resolution_can_be_limited_to_attached_routes() {
    let fixture = Fixture::with_addresses();
    let via_attached = |next| RoutePath {
        flags: RoutePath::VIA_ATTACHED,
        ..recursive(next)
    };
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    fixture.route("23.0.0.0/8", &[via_attached("20.0.0.1")]);
    assert_eq!(fixture.only_end("23.0.0.1"), End::Drop);
    fixture.route("23.0.0.0/8", &[via_attached("10.0.1.9")]);
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.9", PG1));
    fixture.fib.add_neighbour(FIB, PG1, ip("10.0.1.9")).unwrap();
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.9", PG1));
}

#[test]
fn a_route_through_itself_drops() {
    let fixture = Fixture::with_addresses();
    fixture.route("30.0.0.1/32", &[recursive("30.0.0.1")]);
    assert_eq!(fixture.only_end("30.0.0.1"), End::Drop);
    // inside itself: resolves as soon as something longer covers the next hop
    fixture.route("40.0.0.0/8", &[recursive("40.1.1.1")]);
    assert_eq!(fixture.only_end("40.0.0.1"), End::Drop);
    fixture.route("40.1.0.0/16", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(fixture.only_end("40.0.0.1"), to("10.0.1.2", PG1));
    fixture.delete("40.1.0.0/16");
    assert_eq!(fixture.only_end("40.0.0.1"), End::Drop);
}

#[test]
fn a_circle_drops_and_opens_when_it_is_broken_anywhere() {
    let fixture = Fixture::with_addresses();
    let routes = ["1.0.0.1", "1.0.0.2", "1.0.0.3", "1.0.0.4"];
    for (index, route) in routes.iter().enumerate() {
        fixture.route(route, &[recursive(routes[(index + 1) % 4])]);
    }
    for route in routes {
        assert_eq!(fixture.only_end(route), End::Drop);
    }
    for (index, route) in routes.iter().enumerate() {
        fixture.route(route, &[neighbour("10.0.1.2", PG1)]);
        for route in routes {
            assert_eq!(fixture.only_end(route), to("10.0.1.2", PG1));
        }
        fixture.route(route, &[recursive(routes[(index + 1) % 4])]);
        for route in routes {
            assert_eq!(fixture.only_end(route), End::Drop);
        }
    }
}

#[test]
fn a_circle_through_a_backup_path_is_noticed_when_it_goes() {
    let fixture = Fixture::with_addresses();
    let backup = |next| RoutePath {
        preference: 9,
        ..recursive(next)
    };
    // B goes by pg1 and, if that fails, by C; C goes by A; A goes by B: a circle, seen by A as well
    fixture.route("1.0.0.2", &[neighbour("10.0.1.2", PG1), backup("1.0.0.3")]);
    fixture.route("1.0.0.3", &[recursive("1.0.0.1")]);
    fixture.route("1.0.0.1", &[recursive("1.0.0.2")]);
    fixture.route("1.0.0.3", &[neighbour("10.0.0.3", PG0)]);
    assert_eq!(fixture.only_end("1.0.0.1"), to("10.0.1.2", PG1));
    fixture.links.set_up(PG1, false);
    fixture.fib.interface_changed(PG1);
    assert_eq!(fixture.only_end("1.0.0.1"), to("10.0.0.3", PG0));
}

#[test]
fn a_usable_path_beside_a_circle_is_used() {
    let fixture = Fixture::with_addresses();
    fixture.route(
        "1.0.0.1",
        &[recursive("1.0.0.2"), neighbour("10.0.1.2", PG1)],
    );
    fixture.route(
        "1.0.0.2",
        &[recursive("1.0.0.1"), neighbour("10.0.1.3", PG1)],
    );
    assert_eq!(fixture.only_end("1.0.0.1"), to("10.0.1.2", PG1));
    assert_eq!(fixture.only_end("1.0.0.2"), to("10.0.1.3", PG1));
}

#[test]
fn a_chain_longer_than_the_limit_drops() {
    let fixture = Fixture::with_addresses();
    let name = |index: u8| format!("1.0.0.{index}");
    fixture.route(&name(0), &[neighbour("10.0.1.2", PG1)]);
    for index in 1..40 {
        fixture.route(&name(index), &[recursive(&name(index - 1))]);
    }
    let limit = MAX_RECURSION;
    assert_eq!(fixture.only_end(&name(limit)), to("10.0.1.2", PG1));
    assert_eq!(fixture.only_end(&name(limit + 1)), End::Drop);
    // a shortcut in the middle brings the rest within reach
    fixture.route(&name(limit), &[neighbour("10.0.1.3", PG1)]);
    assert_eq!(fixture.only_end(&name(2 * limit)), to("10.0.1.3", PG1));
    assert_eq!(fixture.only_end(&name(2 * limit + 1)), End::Drop);
    fixture.route(&name(0), &[special(RoutePath::DROP)]);
    assert_eq!(fixture.only_end(&name(limit - 1)), End::Drop);
}

#[test]
fn a_long_chain_is_built_and_torn_down_without_deep_recursion() {
    let fixture = Fixture::new();
    let name = |index: u32| format!("1.{}.{}.1", index >> 8, index & 0xff);
    for index in 1..1500 {
        fixture.route(&name(index), &[recursive(&name(index - 1))]);
    }
    fixture.fib.flush(FIB, Source::API).unwrap();
    assert_eq!(fixture.fib.len(), 5);
}

#[test]
fn targets_live_in_the_table_that_the_path_names() {
    let fixture = Fixture::with_addresses();
    let seven = fixture
        .fib
        .add_table(AddressFamily::Ip4, 7, "", Source::API)
        .unwrap();
    fixture
        .fib
        .add_address(seven, PG2, ip("10.0.1.1"), 24)
        .unwrap();
    fixture.route("23.0.0.0/8", &[recursive("10.0.1.9")]);
    fixture.route(
        "24.0.0.0/8",
        &[RoutePath {
            table_id: 7,
            ..recursive("10.0.1.9")
        }],
    );
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.9", PG1));
    assert_eq!(fixture.only_end("24.0.0.1"), to("10.0.1.9", PG2));
}

#[test]
fn a_circle_longer_than_recursion_reaches_drops_too() {
    let fixture = Fixture::with_addresses();
    let name = |index: u32| format!("1.0.0.{}", index % 60);
    fixture.route(&name(0), &[neighbour("10.0.1.2", PG1)]);
    for index in (1..60).rev() {
        fixture.route(&name(index), &[recursive(&name(index + 1))]);
    }
    assert_eq!(fixture.only_end(&name(50)), to("10.0.1.2", PG1));
    fixture.route(&name(0), &[recursive(&name(1))]);
    for index in 0..60 {
        assert_eq!(fixture.only_end(&name(index)), End::Drop);
    }
    fixture.route(
        &name(30),
        &[recursive(&name(31)), neighbour("10.0.1.3", PG1)],
    );
    assert_eq!(fixture.only_end(&name(20)), to("10.0.1.3", PG1));
    assert_eq!(fixture.only_end(&name(31)), End::Drop);
}
