//! Nothing is left over, and memory is what was promised.

use super::*;

/// Everything that can be held, counted.
fn inventory(fixture: &Fixture) -> (usize, usize, usize, usize, [usize; 4]) {
    let state = fixture.fib.state();
    assert!(state.work.is_empty());
    let maps = [
        state.children.len(),
        state.covered.len(),
        state.by_interface.len(),
        state.neighbours.len(),
    ];
    let routes = state.entries.used() as usize;
    (
        routes,
        state.lists.iter().count(),
        state.plies.len(),
        state.adjacencies.len(),
        maps,
    )
}

#[test]
fn what_comes_and_goes_leaves_nothing_behind() {
    let fixture = Fixture::new();
    let before = inventory(&fixture);
    let fib = FibIndex::DEFAULT;
    for round in 0..3 {
        fixture
            .fib
            .add_address(fib, PG0, ip("10.0.0.1"), 24)
            .unwrap();
        fixture
            .fib
            .add_address(fib, PG1, ip("10.0.1.1"), 24)
            .unwrap();
        fixture.fib.add_neighbour(fib, PG1, ip("10.0.1.2")).unwrap();
        fixture.route(
            "20.0.0.0/8",
            &[neighbour("10.0.1.2", PG1), neighbour("10.0.0.9", PG0)],
        );
        fixture.route(
            "21.0.0.0/8",
            &[recursive("20.0.0.1"), recursive("10.0.1.7")],
        );
        fixture.route(
            "22.0.0.0/8",
            &[recursive("22.0.0.1"), recursive("21.0.0.1")],
        );
        let seven = fixture
            .fib
            .add_table(AddressFamily::Ip4, 7, "", Source::API)
            .unwrap();
        fixture.route(
            "23.0.0.0/8",
            &[RoutePath {
                table_id: 7,
                ..recursive("1.1.1.1")
            }],
        );
        if round == 1 {
            fixture.fib.interface_deleted(PG1).unwrap();
        } else {
            fixture
                .fib
                .remove_address(fib, PG1, ip("10.0.1.1"), 24)
                .unwrap();
        }
        fixture.fib.flush(fib, Source::API).unwrap();
        fixture
            .fib
            .remove_neighbour(fib, PG1, ip("10.0.1.2"))
            .unwrap();
        fixture
            .fib
            .remove_address(fib, PG0, ip("10.0.0.1"), 24)
            .unwrap();
        fixture.fib.unlock_table(seven, Source::API);
        assert_eq!(inventory(&fixture), before);
    }
}

#[test]
fn a_refused_route_leaves_nothing_behind() {
    let fixture = Fixture::new();
    let before = inventory(&fixture);
    let paths = [recursive("1.1.1.1"), neighbour("10.0.1.2", PG1), special(8)];
    assert!(
        fixture
            .change(true, false, Source::API, "20.0.0.0/8", &paths)
            .is_err()
    );
    assert_eq!(inventory(&fixture), before);
}

#[test]
fn a_hundred_thousand_routes_cost_what_was_promised() {
    const ROUTES: u32 = 100_000;
    let fixture = Fixture::new();
    let empty = fixture.fib.bytes();
    let path = [neighbour("10.0.1.2", PG1)];
    for index in 0..ROUTES {
        let change = RouteChange {
            table_id: 0,
            address: std::net::Ipv4Addr::from_bits(0x1000_0000 + (index << 8)).into(),
            len: 24,
            source: Source::API,
            is_add: true,
            is_multipath: false,
            paths: &path,
        };
        fixture.fib.route_add_del(&change).unwrap();
    }
    let each = (fixture.fib.bytes() - empty) as f64 / f64::from(ROUTES);
    // entry 24, load balance 8, plies 4, hash 5 / fill; and what the last chunks have to spare
    assert!(each < 52.0, "{each} bytes a route");
    assert_eq!(fixture.fib.state().lists.iter().count(), 6);
    fixture.fib.flush(FibIndex::DEFAULT, Source::API).unwrap();
    assert_eq!(fixture.fib.len(), 5);
    assert!(fixture.fib.adjacencies().is_empty());
}
