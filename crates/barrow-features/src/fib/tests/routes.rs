//! Routes as clients ask for them: results, errors, sources, dumps.

use super::*;

#[test]
fn a_new_table_has_vpps_five_routes() {
    let fixture = Fixture::new();
    let prefixes: Vec<String> = fixture
        .dump(None)
        .iter()
        .map(|route| route.prefix.to_string())
        .collect();
    let expected = [
        "0.0.0.0/0",
        "0.0.0.0/32",
        "240.0.0.0/4",
        "224.0.0.0/4",
        "255.255.255.255/32",
    ];
    assert_eq!(prefixes, expected);
    let indexes: Vec<u32> = fixture
        .dump(None)
        .iter()
        .map(|route| route.stats_index.0)
        .collect();
    assert_eq!(indexes, [1, 2, 3, 4, 5]);
    for address in ["1.2.3.4", "0.0.0.0", "224.0.0.1", "255.255.255.255"] {
        assert_eq!(fixture.only_end(address), End::Drop, "{address}");
    }
}

#[test]
fn an_added_route_forwards_and_names_its_counters() {
    let fixture = Fixture::with_addresses();
    let lb = fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(fixture.lb("20.1.2.3"), lb);
    assert_eq!(fixture.only_end("20.1.2.3"), to("10.0.1.2", PG1));
    assert_eq!(fixture.info("20.0.0.0/8").stats_index, lb);
    assert!(fixture.to.totals.borrow().contains_key(&lb.0));
    assert!(fixture.via.totals.borrow().contains_key(&lb.0));
    fixture.delete("20.0.0.0/8");
    assert_eq!(fixture.only_end("20.1.2.3"), End::Drop);
}

#[test]
fn a_route_keeps_its_counters_as_long_as_it_exists() {
    let fixture = Fixture::with_addresses();
    let lb = fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(
        fixture.route("20.0.0.0/8", &[neighbour("10.0.1.3", PG1)]),
        lb
    );
    assert_eq!(fixture.route("20.0.0.0/8", &[special(RoutePath::DROP)]), lb);
    let multipath = fixture.change(
        true,
        true,
        Source::API,
        "20.0.0.0/8",
        &[recursive("10.0.0.9")],
    );
    assert_eq!(multipath, Ok(Some(lb)));
}

#[test]
fn counters_of_a_new_route_start_at_zero() {
    let fixture = Fixture::new();
    let lb = fixture.route("20.0.0.0/8", &[special(RoutePath::DROP)]);
    fixture.to.totals.borrow_mut().insert(
        lb.0,
        Totals {
            packets: 7,
            bytes: 700,
        },
    );
    fixture.delete("20.0.0.0/8");
    assert_eq!(fixture.route("21.0.0.0/8", &[special(RoutePath::DROP)]), lb);
    assert_eq!(
        fixture.fib.totals(lb),
        (Totals::default(), Totals::default())
    );
}

#[test]
fn errors_are_vpps_numbers() {
    let fixture = Fixture::with_addresses();
    let retval = |change: RouteChange<'_>| fixture.fib.route_add_del(&change).unwrap_err().retval();
    let path = neighbour("10.0.1.2", PG1);
    let good = RouteChange {
        table_id: 0,
        address: ip("30.0.0.0"),
        len: 8,
        source: Source::API,
        is_add: true,
        is_multipath: false,
        paths: &[path],
    };
    // retvals.json: ip_route_add_del
    assert_eq!(
        retval(RouteChange {
            table_id: 4242,
            ..good
        }),
        -3
    );
    assert_eq!(retval(RouteChange { len: 33, ..good }), -171);
    assert_eq!(retval(RouteChange { paths: &[], ..good }), -52);
    let elsewhere = RoutePath {
        sw_if_index: 9999,
        ..path
    };
    assert_eq!(
        retval(RouteChange {
            paths: &[elsewhere],
            ..good
        }),
        -54
    );
    let no_table = RoutePath {
        sw_if_index: NO_INTERFACE,
        table_id: 4242,
        next_hop: [0; 16],
        ..path
    };
    assert_eq!(
        retval(RouteChange {
            paths: &[no_table],
            ..good
        }),
        -3
    );
    // an address family without tables
    assert_eq!(
        retval(RouteChange {
            address: ip("2001:db8::"),
            len: 32,
            ..good
        }),
        -97
    );
    let over_ip6 = RoutePath {
        proto: 1,
        next_hop: next_hop("2001:db8::1"),
        ..path
    };
    assert_eq!(
        retval(RouteChange {
            paths: &[over_ip6],
            ..good
        }),
        -97
    );
    // what the node has not
    for path_type in [3, 4, 7, 8, 10, 11, 99] {
        assert_eq!(
            retval(RouteChange {
                paths: &[special(path_type)],
                ..good
            }),
            -126
        );
    }
    for proto in [2, 3, 4] {
        assert_eq!(
            retval(RouteChange {
                paths: &[RoutePath { proto, ..path }],
                ..good
            }),
            -126
        );
    }
    assert_eq!(
        retval(RouteChange {
            paths: &[RoutePath { proto: 5, ..path }],
            ..good
        }),
        -1
    );
    assert_eq!(
        retval(RouteChange {
            paths: &[RoutePath {
                n_labels: 1,
                ..path
            }],
            ..good
        }),
        -126
    );
    assert_eq!(
        retval(RouteChange {
            paths: &[RoutePath { flags: 4, ..path }],
            ..good
        }),
        -126
    );
    assert_eq!(
        retval(RouteChange {
            paths: &[RoutePath { rpf_id: 3, ..path }],
            ..good
        }),
        -126
    );
    // nothing was changed
    assert_eq!(fixture.only_end("30.0.0.1"), End::Drop);
    assert_eq!(fixture.dump(Some(Source::API)), []);
}

#[test]
fn what_is_not_there_is_deleted_without_error() {
    let fixture = Fixture::new();
    let path = [neighbour("10.0.1.2", PG1)];
    assert_eq!(
        fixture.change(false, false, Source::API, "31.0.0.0/8", &[]),
        Ok(None)
    );
    assert_eq!(
        fixture.change(false, true, Source::API, "31.0.0.0/8", &path),
        Ok(None)
    );
    assert_eq!(
        fixture.change(false, true, Source::API, "31.0.0.0/8", &[]),
        Err(FibError::NoPaths)
    );
    fixture.route("31.0.0.0/8", &path);
    assert_eq!(
        fixture.change(false, false, Source::CLI, "31.0.0.0/8", &[]),
        Ok(None)
    );
    assert_eq!(fixture.only_end("31.0.0.1"), to("10.0.1.2", PG1));
}

#[test]
fn host_bits_of_a_prefix_are_ignored() {
    let fixture = Fixture::new();
    let lb = fixture.route("32.1.2.3/8", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(fixture.lb("32.9.9.9"), lb);
    assert_eq!(fixture.info("32.0.0.0/8").prefix, prefix("32.0.0.0/8"));
}

#[test]
fn a_lookup_is_exact_or_longest() {
    let fixture = Fixture::new();
    fixture.route("20.0.0.0/8", &[special(RoutePath::DROP)]);
    fixture.route("20.1.0.0/16", &[special(RoutePath::DROP)]);
    let lookup = |text, exact| {
        fixture
            .fib
            .lookup(FibIndex::DEFAULT, prefix(text), exact)
            .map(|route| route.prefix)
    };
    assert_eq!(lookup("20.0.0.0/8", true), Ok(prefix("20.0.0.0/8")));
    assert_eq!(lookup("20.1.0.0/12", false), Ok(prefix("20.0.0.0/8")));
    assert_eq!(lookup("20.1.2.3/32", false), Ok(prefix("20.1.0.0/16")));
    assert_eq!(lookup("199.1.2.0/24", false), Ok(prefix("0.0.0.0/0")));
    assert_eq!(lookup("199.1.2.0/24", true).unwrap_err().retval(), -6);
    let nowhere = fixture.fib.lookup(FibIndex(9), prefix("1.1.1.1"), false);
    assert_eq!(nowhere.unwrap_err().retval(), -3);
}

#[test]
fn paths_come_back_as_they_were_given() {
    let fixture = Fixture::with_addresses();
    fixture
        .fib
        .add_table(AddressFamily::Ip4, 7, "", Source::API)
        .unwrap();
    let weighted = RoutePath {
        weight: 3,
        preference: 1,
        ..neighbour("10.0.1.2", PG1)
    };
    let conditional = RoutePath {
        flags: RoutePath::VIA_HOST | RoutePath::VIA_ATTACHED,
        table_id: 7,
        ..recursive("10.0.1.9")
    };
    let attached = RoutePath {
        sw_if_index: PG2.0,
        ..RoutePath::default()
    };
    let lookup = RoutePath {
        table_id: 7,
        ..RoutePath::default()
    };
    let receive = RoutePath {
        path_type: RoutePath::LOCAL,
        sw_if_index: PG0.0,
        next_hop: next_hop("10.0.0.1"),
        ..RoutePath::default()
    };
    let rx = RoutePath {
        sw_if_index: PG2.0,
        ..special(RoutePath::INTERFACE_RX)
    };
    for path in [
        weighted,
        conditional,
        attached,
        lookup,
        receive,
        rx,
        special(RoutePath::DROP),
        special(RoutePath::ICMP_UNREACH),
        special(RoutePath::ICMP_PROHIBIT),
    ] {
        fixture.route("40.0.0.0/8", &[path]);
        assert_eq!(fixture.info("40.0.0.0/8").paths, [path]);
    }
    fixture.route(
        "40.0.0.0/8",
        &[RoutePath {
            weight: 0,
            ..neighbour("10.0.1.2", PG1)
        }],
    );
    assert_eq!(fixture.info("40.0.0.0/8").paths[0].weight, 1);
}

#[test]
fn multipath_adds_to_and_takes_from_the_paths() {
    let fixture = Fixture::with_addresses();
    let [a, b, c] = ["10.0.1.2", "10.0.1.3", "10.0.1.4"].map(|next| neighbour(next, PG1));
    let change = |is_add, paths: &[RoutePath]| {
        fixture
            .change(is_add, true, Source::API, "21.0.0.0/8", paths)
            .unwrap();
    };
    let paths = || fixture.info("21.0.0.0/8").paths;
    change(true, &[b]);
    change(true, &[a]);
    assert_eq!(paths(), [a, b]);
    change(true, &[RoutePath { weight: 9, ..a }]);
    assert_eq!(paths(), [a, b], "a path that is there stays as it is");
    change(true, &[c, a]);
    assert_eq!(paths(), [a, b, c]);
    change(
        false,
        &[RoutePath { weight: 5, ..b }, neighbour("10.0.1.99", PG1)],
    );
    assert_eq!(paths(), [a, c]);
    fixture.route("21.0.0.0/8", &[b]);
    assert_eq!(paths(), [b]);
    change(false, &[b]);
    assert!(
        fixture
            .fib
            .lookup(FibIndex::DEFAULT, prefix("21.0.0.0/8"), true)
            .is_err()
    );
}

#[test]
fn the_best_source_decides_and_the_others_are_remembered() {
    let fixture = Fixture::with_addresses();
    let add = |source, next| {
        let path = [neighbour(next, PG1)];
        fixture
            .change(true, false, source, "20.0.0.0/8", &path)
            .unwrap()
            .unwrap()
    };
    let lb = add(Source::CLI, "10.0.1.3");
    assert_eq!(add(Source::API, "10.0.1.2"), lb);
    assert_eq!(add(Source::DHCP, "10.0.1.4"), lb);
    assert_eq!(fixture.only_end("20.0.0.1"), to("10.0.1.2", PG1));
    assert_eq!(fixture.info("20.0.0.0/8").source, Source::API);
    fixture.delete("20.0.0.0/8");
    assert_eq!(fixture.only_end("20.0.0.1"), to("10.0.1.3", PG1));
    fixture
        .change(false, false, Source::CLI, "20.0.0.0/8", &[])
        .unwrap();
    assert_eq!(fixture.only_end("20.0.0.1"), to("10.0.1.4", PG1));
    assert_eq!(fixture.lb("20.0.0.1"), lb);
    fixture
        .change(false, false, Source::DHCP, "20.0.0.0/8", &[])
        .unwrap();
    assert_eq!(fixture.only_end("20.0.0.1"), End::Drop);
}

#[test]
fn a_route_may_override_the_default_route_but_not_a_special_one() {
    let fixture = Fixture::with_addresses();
    fixture.route("0.0.0.0/0", &[neighbour("10.0.1.2", PG1)]);
    fixture.route("224.0.0.0/4", &[neighbour("10.0.1.2", PG1)]);
    assert_eq!(fixture.only_end("8.8.8.8"), to("10.0.1.2", PG1));
    assert_eq!(
        fixture.lb("8.8.8.8"),
        LbIndex(1),
        "the load balance of the default route"
    );
    assert_eq!(fixture.only_end("224.0.0.5"), End::Drop);
    fixture.delete("0.0.0.0/0");
    assert_eq!(fixture.only_end("8.8.8.8"), End::Drop);
    assert_eq!(fixture.lb("8.8.8.8"), LbIndex(1));
}

#[test]
fn a_replacement_removes_what_was_not_added_again() {
    let fixture = Fixture::with_addresses();
    let path = [neighbour("10.0.1.2", PG1)];
    for route in ["20.0.0.0/8", "21.0.0.0/8", "22.0.0.0/8"] {
        fixture.route(route, &path);
    }
    fixture
        .change(true, false, Source::CLI, "22.0.0.0/8", &path)
        .unwrap();
    fixture
        .change(true, false, Source::CLI, "23.0.0.0/8", &path)
        .unwrap();
    let lb = fixture.lb("20.0.0.1");
    fixture
        .fib
        .replace_begin(FibIndex::DEFAULT, Source::API)
        .unwrap();
    assert_eq!(
        fixture.only_end("21.0.0.1"),
        to("10.0.1.2", PG1),
        "until the end"
    );
    fixture.route("20.0.0.0/8", &path);
    fixture
        .fib
        .replace_end(FibIndex::DEFAULT, Source::API)
        .unwrap();
    assert_eq!(fixture.lb("20.0.0.1"), lb);
    assert_eq!(fixture.only_end("21.0.0.1"), End::Drop);
    assert_eq!(fixture.info("22.0.0.0/8").source, Source::CLI);
    assert_eq!(fixture.only_end("23.0.0.1"), to("10.0.1.2", PG1));
    fixture
        .fib
        .replace_begin(FibIndex::DEFAULT, Source::API)
        .unwrap();
    fixture
        .change(true, true, Source::API, "20.0.0.0/8", &path)
        .unwrap();
    fixture
        .fib
        .replace_end(FibIndex::DEFAULT, Source::API)
        .unwrap();
    assert_eq!(
        fixture.only_end("20.0.0.1"),
        to("10.0.1.2", PG1),
        "multipath refreshes too"
    );
}

#[test]
fn a_flush_removes_one_sources_routes() {
    let fixture = Fixture::with_addresses();
    let path = [neighbour("10.0.1.2", PG1)];
    fixture.route("20.0.0.0/8", &path);
    fixture
        .change(true, false, Source::CLI, "21.0.0.0/8", &path)
        .unwrap();
    fixture.fib.flush(FibIndex::DEFAULT, Source::API).unwrap();
    assert_eq!(fixture.only_end("20.0.0.1"), End::Drop);
    assert_eq!(fixture.only_end("21.0.0.1"), to("10.0.1.2", PG1));
    assert_eq!(fixture.only_end("10.0.0.1"), End::Receive(PG0));
    assert_eq!(
        fixture.fib.flush(FibIndex(42), Source::API),
        Err(FibError::NoSuchTable)
    );
}

#[test]
fn a_dump_gives_what_exists_throughout_exactly_once() {
    let fixture = Fixture::new();
    let drop = [special(RoutePath::DROP)];
    for third in 0..50 {
        fixture.route(&format!("30.0.{third}.0/24"), &drop);
    }
    let mut seen = Vec::new();
    let mut cursor = 0;
    while let Some((route, next)) =
        fixture
            .fib
            .next_route(FibIndex::DEFAULT, Some(Source::API), cursor)
    {
        seen.push(route.prefix);
        cursor = next;
        // meanwhile some go and others come, under the numbers of those
        let third = seen.len();
        if third % 2 == 1 && third < 50 {
            fixture.delete(&format!("30.0.{third}.0/24"));
            fixture.route(&format!("31.0.{third}.0/24"), &drop);
        }
    }
    for third in (0..50).step_by(2) {
        let route = prefix(&format!("30.0.{third}.0/24"));
        assert_eq!(
            seen.iter().filter(|&&have| have == route).count(),
            1,
            "{route}"
        );
    }
    seen.sort_unstable();
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_dump_can_be_limited_to_a_source() {
    let fixture = Fixture::with_addresses();
    fixture.route("20.0.0.0/8", &[recursive("10.0.1.2")]);
    let of = |source| {
        let routes = fixture.dump(Some(source));
        routes
            .iter()
            .map(|route| route.prefix.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(Source::API), ["20.0.0.0/8"]);
    assert_eq!(of(Source::RECURSIVE), ["10.0.1.2/32"]);
    assert_eq!(of(Source::INTERFACE).len(), 8);
}

#[test]
fn tables_are_kept_by_locks() {
    let fixture = Fixture::new();
    let fib = &fixture.fib;
    let add = |source| fib.add_table(AddressFamily::Ip4, 7, "", source);
    let index = add(Source::API).unwrap();
    assert_eq!(index, FibIndex(1));
    assert_eq!((add(Source::API), add(Source::CLI)), (Ok(index), Ok(index)));
    assert_eq!(fib.table(index).unwrap().name, "ipv4-VRF:7");
    assert_eq!(fib.table(index).unwrap().routes, 5);
    fib.lock_table(index, Source::INTERFACE).unwrap();
    fib.unlock_table(index, Source::API);
    fib.unlock_table(index, Source::CLI);
    assert_eq!(fib.find_table(AddressFamily::Ip4, 7), Some(index));
    assert!(fixture.reader.ip4_table(index).is_some());
    fib.unlock_table(index, Source::INTERFACE);
    assert_eq!(fib.find_table(AddressFamily::Ip4, 7), None);
    assert!(fixture.reader.ip4_table(index).is_none());
    assert_eq!(fib.len(), 5);
    let named = fib
        .add_table(AddressFamily::Ip4, 9, "blue", Source::API)
        .unwrap();
    assert_eq!(
        (named, fib.table(named).unwrap().name),
        (index, "blue".into())
    );
    assert_eq!(fib.unused_table_id(AddressFamily::Ip4), Some(1));
    let ip6 = fib.add_table(AddressFamily::Ip6, 9, "", Source::API);
    assert_eq!(ip6.unwrap_err().retval(), -97);
}

#[test]
fn a_table_goes_with_all_its_routes() {
    let fixture = Fixture::with_addresses();
    let fib = fixture
        .fib
        .add_table(AddressFamily::Ip4, 7, "", Source::API)
        .unwrap();
    let change = RouteChange {
        table_id: 7,
        address: ip("20.0.0.0"),
        len: 8,
        source: Source::API,
        is_add: true,
        is_multipath: false,
        paths: &[recursive("10.0.1.2"), neighbour("10.0.0.7", PG0)],
    };
    fixture.fib.route_add_del(&change).unwrap();
    let before = fixture.fib.len();
    fixture.fib.unlock_table(fib, Source::API);
    // five specials, the route, and the target that nobody resolves through any more
    assert_eq!(fixture.fib.len(), before - 7);
    assert_eq!(fixture.only_end("10.0.1.2"), glean(PG1, "10.0.1.1", 24));
}

#[test]
fn a_table_that_paths_resolve_in_stays() {
    let fixture = Fixture::new();
    let fib = fixture
        .fib
        .add_table(AddressFamily::Ip4, 7, "", Source::API)
        .unwrap();
    let inside = [RoutePath {
        table_id: 7,
        ..recursive("1.1.1.1")
    }];
    let lookup = [RoutePath {
        table_id: 7,
        ..RoutePath::default()
    }];
    fixture.route("20.0.0.0/8", &inside);
    fixture.route("21.0.0.0/8", &lookup);
    fixture.fib.unlock_table(fib, Source::API);
    assert_eq!(fixture.only_end("21.0.0.1"), End::Lookup(fib.0));
    fixture.delete("20.0.0.0/8");
    assert_eq!(fixture.fib.find_table(AddressFamily::Ip4, 7), Some(fib));
    fixture.delete("21.0.0.0/8");
    assert_eq!(fixture.fib.find_table(AddressFamily::Ip4, 7), None);
}
