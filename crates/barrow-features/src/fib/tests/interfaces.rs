//! Addresses, neighbours, and interfaces that come and go.

use super::*;

const FIB: FibIndex = FibIndex::DEFAULT;

#[test]
fn an_address_brings_its_routes_in_vpps_order() {
    let fixture = Fixture::with_addresses();
    let routes: Vec<String> = fixture
        .dump(Some(Source::INTERFACE))
        .iter()
        .map(|route| format!("{} {}", route.prefix, route.stats_index))
        .collect();
    // the order of the captures; there IPv6 has numbers 6 and 7
    let expected = [
        "10.0.0.1/32 6",
        "10.0.0.0/24 7",
        "10.0.0.0/32 8",
        "10.0.0.255/32 9",
        "10.0.1.1/32 10",
        "10.0.1.0/24 11",
        "10.0.1.0/32 12",
        "10.0.1.255/32 13",
    ];
    assert_eq!(routes, expected);
    assert_eq!(fixture.only_end("10.0.0.1"), End::Receive(PG0));
    assert_eq!(fixture.only_end("10.0.0.77"), glean(PG0, "10.0.0.1", 24));
    assert_eq!(fixture.only_end("10.0.0.0"), End::Drop);
    assert_eq!(fixture.only_end("10.0.0.255"), End::Drop);
}

#[test]
fn an_address_takes_its_routes_with_it() {
    let fixture = Fixture::with_addresses();
    fixture
        .fib
        .remove_address(FIB, PG0, ip("10.0.0.1"), 24)
        .unwrap();
    for address in ["10.0.0.1", "10.0.0.77", "10.0.0.255"] {
        assert_eq!(fixture.only_end(address), End::Drop);
    }
    assert_eq!(fixture.dump(Some(Source::INTERFACE)).len(), 4);
    let again = fixture.fib.remove_address(FIB, PG0, ip("10.0.0.1"), 24);
    assert_eq!(again, Err(FibError::NoSuchEntry));
}

#[test]
fn short_networks_have_no_special_addresses() {
    let fixture = Fixture::new();
    fixture
        .fib
        .add_address(FIB, PG0, ip("10.0.0.4"), 31)
        .unwrap();
    assert_eq!(fixture.only_end("10.0.0.4"), End::Receive(PG0));
    assert_eq!(fixture.only_end("10.0.0.5"), to("10.0.0.5", PG0));
    fixture
        .fib
        .add_address(FIB, PG1, ip("10.9.0.4"), 32)
        .unwrap();
    assert_eq!(fixture.only_end("10.9.0.4"), End::Receive(PG1));
    assert_eq!(fixture.dump(Some(Source::INTERFACE)).len(), 4);
}

#[test]
fn addresses_of_one_network_share_it() {
    let fixture = Fixture::new();
    let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.255", "10.0.0.0"];
    for address in addresses {
        fixture.fib.add_address(FIB, PG0, ip(address), 24).unwrap();
    }
    for address in addresses {
        assert_eq!(fixture.only_end(address), End::Receive(PG0));
    }
    assert_eq!(fixture.only_end("10.0.0.9"), glean(PG0, "10.0.0.1", 24));
    fixture
        .fib
        .remove_address(FIB, PG0, ip("10.0.0.1"), 24)
        .unwrap();
    assert_eq!(
        fixture.only_end("10.0.0.9"),
        glean(PG0, "10.0.0.2", 24),
        "asks from another"
    );
    fixture
        .fib
        .remove_address(FIB, PG0, ip("10.0.0.255"), 24)
        .unwrap();
    assert_eq!(
        fixture.only_end("10.0.0.255"),
        End::Drop,
        "is the broadcast address again"
    );
    fixture
        .fib
        .remove_address(FIB, PG0, ip("10.0.0.2"), 24)
        .unwrap();
    fixture
        .fib
        .remove_address(FIB, PG0, ip("10.0.0.0"), 24)
        .unwrap();
    assert_eq!(fixture.dump(Some(Source::INTERFACE)), []);
}

#[test]
fn directed_broadcast_is_sent_where_it_may_be() {
    let fixture = Fixture::with_addresses();
    fixture.fib.set_directed_broadcast(PG0, true).unwrap();
    let all = End::Adjacency(AdjKey::broadcast(PG0));
    assert_eq!(fixture.only_end("10.0.0.255"), all);
    assert_eq!(fixture.only_end("10.0.1.255"), End::Drop);
    fixture
        .fib
        .add_address(FIB, PG0, ip("10.3.0.1"), 16)
        .unwrap();
    assert_eq!(fixture.only_end("10.3.255.255"), all);
    fixture.fib.set_directed_broadcast(PG0, false).unwrap();
    assert_eq!(fixture.only_end("10.0.0.255"), End::Drop);
    assert_eq!(fixture.only_end("10.3.255.255"), End::Drop);
}

#[test]
fn a_neighbour_has_a_route_inside_its_links_network_only() {
    let fixture = Fixture::with_addresses();
    let lb = fixture.fib.add_neighbour(FIB, PG1, ip("10.0.1.2")).unwrap();
    assert_eq!(fixture.lb("10.0.1.2"), lb);
    assert_eq!(fixture.only_end("10.0.1.2"), to("10.0.1.2", PG1));
    // a gratuitous ARP for somebody else's address attracts nothing
    fixture.fib.add_neighbour(FIB, PG1, ip("10.0.0.2")).unwrap();
    assert_eq!(fixture.only_end("10.0.0.2"), glean(PG0, "10.0.0.1", 24));
    fixture.fib.add_neighbour(FIB, PG1, ip("8.8.8.8")).unwrap();
    assert_eq!(fixture.only_end("8.8.8.8"), End::Drop);
    // the true owner shows up
    fixture.fib.add_neighbour(FIB, PG0, ip("10.0.0.2")).unwrap();
    assert_eq!(fixture.only_end("10.0.0.2"), to("10.0.0.2", PG0));
    fixture
        .fib
        .remove_neighbour(FIB, PG0, ip("10.0.0.2"))
        .unwrap();
    assert_eq!(fixture.only_end("10.0.0.2"), glean(PG0, "10.0.0.1", 24));
    fixture
        .fib
        .remove_neighbour(FIB, PG1, ip("10.0.0.2"))
        .unwrap();
    fixture
        .fib
        .remove_neighbour(FIB, PG1, ip("10.0.1.2"))
        .unwrap();
    assert_eq!(fixture.only_end("10.0.1.2"), glean(PG1, "10.0.1.1", 24));
    assert!(fixture.fib.lookup(FIB, prefix("10.0.1.2"), true).is_err());
}

#[test]
fn a_neighbours_route_comes_and_goes_with_the_network() {
    let fixture = Fixture::new();
    fixture.fib.add_neighbour(FIB, PG1, ip("10.0.1.2")).unwrap();
    assert_eq!(fixture.only_end("10.0.1.2"), End::Drop);
    assert!(
        fixture.fib.lookup(FIB, prefix("10.0.1.2"), true).is_ok(),
        "known all the same"
    );
    fixture
        .fib
        .add_address(FIB, PG1, ip("10.0.1.1"), 24)
        .unwrap();
    assert_eq!(fixture.only_end("10.0.1.2"), to("10.0.1.2", PG1));
    fixture
        .fib
        .remove_address(FIB, PG1, ip("10.0.1.1"), 24)
        .unwrap();
    assert_eq!(fixture.only_end("10.0.1.2"), End::Drop);
    // an attached route of a client does as well
    fixture.route(
        "10.0.0.0/16",
        &[RoutePath {
            sw_if_index: PG1.0,
            ..RoutePath::default()
        }],
    );
    assert_eq!(fixture.only_end("10.0.1.2"), to("10.0.1.2", PG1));
    // a more specific network on another link takes it over
    fixture
        .fib
        .add_address(FIB, PG0, ip("10.0.1.1"), 24)
        .unwrap();
    assert_eq!(fixture.only_end("10.0.1.2"), glean(PG0, "10.0.1.1", 24));
}

#[test]
fn a_neighbour_on_an_unnumbered_link_belongs_to_the_lender() {
    let fixture = Fixture::with_addresses();
    fixture.links.set_unnumbered(PG2, Some(PG0));
    fixture.fib.add_neighbour(FIB, PG2, ip("10.0.0.9")).unwrap();
    assert_eq!(fixture.only_end("10.0.0.9"), to("10.0.0.9", PG2));
    fixture.links.set_unnumbered(PG2, None);
    fixture.fib.interface_changed(PG2);
    assert_eq!(fixture.only_end("10.0.0.9"), glean(PG0, "10.0.0.1", 24));
    fixture.links.set_unnumbered(PG2, Some(PG0));
    fixture.fib.interface_changed(PG2);
    assert_eq!(fixture.only_end("10.0.0.9"), to("10.0.0.9", PG2));
}

#[test]
fn a_clients_route_beats_a_neighbour() {
    let fixture = Fixture::with_addresses();
    fixture.fib.add_neighbour(FIB, PG1, ip("10.0.1.2")).unwrap();
    fixture.route("10.0.1.2/32", &[neighbour("10.0.0.7", PG0)]);
    assert_eq!(fixture.only_end("10.0.1.2"), to("10.0.0.7", PG0));
    fixture.delete("10.0.1.2/32");
    assert_eq!(fixture.only_end("10.0.1.2"), to("10.0.1.2", PG1));
}

#[test]
fn paths_through_an_interface_that_is_down_are_not_used() {
    let fixture = Fixture::with_addresses();
    let paths = [neighbour("10.0.1.2", PG1), neighbour("10.0.2.2", PG2)];
    fixture.route("21.0.0.0/8", &paths);
    fixture.links.set_up(PG1, false);
    fixture.fib.interface_changed(PG1);
    assert_eq!(fixture.only_end("21.0.0.1"), to("10.0.2.2", PG2));
    assert_eq!(fixture.only_end("10.0.1.77"), End::Drop);
    fixture.links.set_up(PG2, false);
    fixture.fib.interface_changed(PG2);
    assert_eq!(fixture.only_end("21.0.0.1"), End::Drop);
    for interface in [PG1, PG2] {
        fixture.links.set_up(interface, true);
        fixture.fib.interface_changed(interface);
    }
    assert_eq!(fixture.ends("21.0.0.1").len(), 2);
}

#[test]
fn paths_through_a_deleted_interface_never_come_back() {
    let fixture = Fixture::with_addresses();
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    fixture.links.delete(PG1);
    fixture.fib.interface_deleted(PG1).unwrap();
    assert_eq!(fixture.only_end("20.0.0.1"), End::Drop);
    assert_eq!(fixture.only_end("10.0.1.1"), End::Drop);
    let refused = fixture.change(
        true,
        false,
        Source::API,
        "22.0.0.0/8",
        &[neighbour("10.0.1.2", PG1)],
    );
    assert_eq!(refused, Err(FibError::NoSuchInterface));
}

#[test]
fn another_interface_of_the_number_does_not_inherit_routes() {
    let fixture = Fixture::new();
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    fixture.fib.interface_deleted(PG1).unwrap();
    // the links still know pg1: as if it had been made again
    fixture.fib.interface_changed(PG1);
    assert_eq!(fixture.only_end("20.0.0.1"), End::Drop);
    fixture.route("22.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(
        fixture.only_end("22.0.0.1"),
        to("10.0.1.2", PG1),
        "a new route does"
    );
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(
        fixture.only_end("20.0.0.1"),
        to("10.0.1.2", PG1),
        "and so does a renewed one"
    );
}
