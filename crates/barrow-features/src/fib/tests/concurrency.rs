//! Workers that look up while the main thread changes everything.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// A packet that has a route all the time is never lost, however its route changes.
#[test]
fn a_route_that_is_replaced_is_never_missing() {
    let fixture = Fixture::with_addresses();
    let choices: [&[RoutePath]; 4] = [
        &[neighbour("10.0.1.2", PG1)],
        &[neighbour("10.0.1.3", PG1), neighbour("10.0.0.4", PG0)],
        &[recursive("30.0.0.1")],
        &[
            neighbour("10.0.1.2", PG1),
            neighbour("10.0.1.3", PG1),
            neighbour("10.0.0.4", PG0),
        ],
    ];
    fixture.route("30.0.0.1/32", &[neighbour("10.0.0.9", PG0)]);
    fixture.route("20.0.0.0/8", choices[0]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 1..3_u32 {
            let (reader, stop) = (fixture.reader.clone(), &stop);
            let mut worker = fixture.epochs.worker().unwrap();
            scope.spawn(move || {
                let mut state = seed;
                while !stop.load(Ordering::Relaxed) {
                    worker.quiescent();
                    let table = reader.ip4_table(FibIndex::DEFAULT);
                    let table = table.as_ref().unwrap();
                    for _ in 0..64 {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let lb = table.lookup(0x1400_0000 | state >> 8);
                        let dpo = reader.load_balances().resolve(lb, |_| state >> 4, |_| ());
                        assert_eq!(dpo.kind(), DpoKind::Adjacency);
                        let record = reader.adjacencies().read(dpo.adjacency_index().unwrap());
                        assert!(record.interface == PG0 || record.interface == PG1);
                        assert_eq!(record.mtu, 9000);
                        assert_eq!(record.rewrite.len(), 14);
                    }
                }
                worker.offline();
            });
        }
        for round in 0..4000_usize {
            fixture.route("20.0.0.0/8", choices[round % 4]);
            // longer prefixes and other routes come and go around it
            let host = format!("20.{}.{}.0/24", round % 7, round % 3);
            fixture.route(&host, choices[(round + 1) % 4]);
            fixture.route("20.0.0.0/12", choices[(round + 2) % 4]);
            if round % 2 == 0 {
                fixture.delete(&host);
                fixture.delete("20.0.0.0/12");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn what_a_worker_holds_is_not_reused() {
    let fixture = Fixture::new();
    let mut worker = fixture.epochs.worker().unwrap();
    worker.quiescent();
    let held = fixture.route("20.0.0.0/8", &[neighbour("10.0.1.2", PG1)]);
    fixture.delete("20.0.0.0/8");
    let next = fixture.route("21.0.0.0/8", &[neighbour("10.0.0.2", PG0)]);
    assert_ne!(held, next);
    let dpo = fixture.reader.load_balances().resolve(held, |_| 0, |_| ());
    let record = fixture
        .reader
        .adjacencies()
        .read(dpo.adjacency_index().unwrap());
    assert_eq!(record.interface, PG1, "still where the packet was going");
    worker.quiescent();
    assert_eq!(
        fixture.route("22.0.0.0/8", &[neighbour("10.0.0.2", PG0)]),
        held
    );
}
