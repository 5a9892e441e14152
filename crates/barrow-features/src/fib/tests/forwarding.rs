//! What routes come to: kinds of paths, weights, preferences, flow hash.

use super::*;

#[test]
fn every_kind_of_path_has_its_end() {
    let fixture = Fixture::with_addresses();
    let seven = fixture
        .fib
        .add_table(AddressFamily::Ip4, 7, "", Source::API)
        .unwrap();
    let end = |path| {
        fixture.route("40.0.0.0/8", &[path]);
        fixture.only_end("40.0.0.1")
    };
    assert_eq!(end(special(RoutePath::DROP)), End::Drop);
    assert_eq!(end(special(RoutePath::ICMP_UNREACH)), End::Unreachable);
    assert_eq!(end(special(RoutePath::ICMP_PROHIBIT)), End::Prohibited);
    assert_eq!(
        end(special(RoutePath::LOCAL)),
        End::Receive(SwIfIndex::NONE)
    );
    let lookup = RoutePath {
        table_id: 7,
        ..RoutePath::default()
    };
    assert_eq!(end(lookup), End::Lookup(seven.0));
    let rx = RoutePath {
        sw_if_index: PG2.0,
        ..special(RoutePath::INTERFACE_RX)
    };
    assert_eq!(end(rx), End::InterfaceRx(PG2.0));
    let attached = RoutePath {
        sw_if_index: PG2.0,
        ..RoutePath::default()
    };
    let expected = End::Adjacency(AdjKey::glean(PG2, AddressFamily::Ip4, None));
    assert_eq!(end(attached), expected);
    assert_eq!(end(neighbour("10.0.1.2", PG1)), to("10.0.1.2", PG1));
}

#[test]
fn a_host_attached_to_a_link_is_a_neighbour() {
    let fixture = Fixture::new();
    fixture.route(
        "9.9.9.9/32",
        &[RoutePath {
            sw_if_index: PG2.0,
            ..RoutePath::default()
        }],
    );
    assert_eq!(fixture.only_end("9.9.9.9"), to("9.9.9.9", PG2));
}

#[test]
fn a_point_to_point_link_has_one_neighbour() {
    let fixture = Fixture::new();
    fixture.links.set_point_to_point(PG2);
    let peer = to("0.0.0.0", PG2);
    fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG2)]);
    assert_eq!(fixture.only_end("20.0.0.1"), peer);
    fixture.route(
        "21.0.0.0/8",
        &[RoutePath {
            sw_if_index: PG2.0,
            ..RoutePath::default()
        }],
    );
    assert_eq!(fixture.only_end("21.0.0.1"), peer);
}

#[test]
fn equal_paths_share_the_buckets() {
    let fixture = Fixture::new();
    let paths = [neighbour("10.0.1.2", PG1), neighbour("10.0.1.3", PG1)];
    fixture.route("21.0.0.0/8", &paths);
    let [a, b] = ["10.0.1.2", "10.0.1.3"].map(|next| to(next, PG1));
    assert_eq!(
        fixture.ends_by_hash("21.0.0.1", 4),
        [a.clone(), b.clone(), a, b]
    );
}

#[test]
fn weights_set_the_shares() {
    let fixture = Fixture::new();
    let heavy = RoutePath {
        weight: 3,
        ..neighbour("10.0.1.2", PG1)
    };
    fixture.route("21.0.0.0/8", &[heavy, neighbour("10.0.1.3", PG1)]);
    let ends = fixture.ends_by_hash("21.0.0.1", 400);
    let heavy = ends
        .iter()
        .filter(|&end| *end == to("10.0.1.2", PG1))
        .count();
    assert_eq!(heavy, 300);
}

#[test]
fn only_the_best_preference_is_used() {
    let fixture = Fixture::new();
    let backup = RoutePath {
        preference: 5,
        ..neighbour("10.0.2.2", PG2)
    };
    let main = neighbour("10.0.1.2", PG1);
    fixture.route("21.0.0.0/8", &[backup, main]);
    assert_eq!(fixture.only_end("21.0.0.1"), to("10.0.1.2", PG1));
    fixture.links.set_up(PG1, false);
    fixture.fib.interface_changed(PG1);
    assert_eq!(fixture.only_end("21.0.0.1"), to("10.0.2.2", PG2));
    fixture.links.set_up(PG1, true);
    fixture.fib.interface_changed(PG1);
    assert_eq!(fixture.only_end("21.0.0.1"), to("10.0.1.2", PG1));
}

#[test]
fn routes_of_the_same_paths_share_their_buckets() {
    let fixture = Fixture::new();
    let paths = [neighbour("10.0.1.2", PG1), neighbour("10.0.1.3", PG1)];
    fixture.route("21.0.0.0/8", &paths);
    fixture.route("22.0.0.0/8", &[paths[1], paths[0]]);
    let load = |address| fixture.reader.load_balances().load(fixture.lb(address));
    assert_eq!(load("21.0.0.1"), load("22.0.0.1"));
    assert_eq!(fixture.fib.adjacencies().len(), 2);
}

#[test]
fn the_flow_hash_is_the_tables() {
    let fixture = Fixture::new();
    let paths = [neighbour("10.0.1.2", PG1), neighbour("10.0.1.3", PG1)];
    let config = |address| {
        fixture
            .reader
            .load_balances()
            .load(fixture.lb(address))
            .flow_hash_config()
    };
    fixture.route("21.0.0.0/8", &paths);
    assert_eq!(config("21.0.0.1"), FlowHashConfig::DEFAULT);
    let symmetric = FlowHashConfig::SRC | FlowHashConfig::DST | FlowHashConfig::SYMMETRIC;
    fixture
        .fib
        .set_flow_hash(FibIndex::DEFAULT, symmetric)
        .unwrap();
    fixture.route("22.0.0.0/8", &paths);
    assert_eq!(
        (config("21.0.0.1"), config("22.0.0.1")),
        (symmetric, symmetric)
    );
    assert_eq!(
        fixture.fib.table(FibIndex::DEFAULT).unwrap().flow_hash,
        symmetric
    );
    let nowhere = fixture.fib.set_flow_hash(FibIndex(9), symmetric);
    assert_eq!(nowhere.unwrap_err().retval(), -3);
}

#[test]
fn dropping_paths_take_no_share() {
    let fixture = Fixture::new();
    fixture.route(
        "21.0.0.0/8",
        &[special(RoutePath::DROP), neighbour("10.0.1.2", PG1)],
    );
    assert_eq!(fixture.only_end("21.0.0.1"), to("10.0.1.2", PG1));
}

#[test]
fn many_paths_all_get_packets() {
    let fixture = Fixture::new();
    let paths: Vec<RoutePath> = (0..200)
        .map(|host| neighbour(&format!("10.0.1.{host}"), PG1))
        .collect();
    fixture.route("21.0.0.0/8", &paths);
    assert_eq!(fixture.ends("21.0.0.1").len(), 200);
    fixture.route("21.0.0.0/8", &paths[..1]);
    assert_eq!(fixture.only_end("21.0.0.1"), to("10.0.1.0", PG1));
}
