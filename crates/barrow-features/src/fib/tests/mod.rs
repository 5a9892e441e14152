//! What the tables promise, by value.

mod concurrency;
mod conservation;
mod forwarding;
mod interfaces;
mod model;
mod recursion;
mod routes;
mod show;

use super::*;
use crate::adj::test_links::TestLinks;
use crate::adj::{AdjKey, AdjTable, Links, Neighbours};
use crate::interface::SwIfIndex;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

const PG0: SwIfIndex = SwIfIndex(1);
const PG1: SwIfIndex = SwIfIndex(2);
const PG2: SwIfIndex = SwIfIndex(3);
const NO_INTERFACE: u32 = u32::MAX;

/// Counters that note which indexes were started.
#[derive(Default)]
struct TestCounters {
    totals: RefCell<BTreeMap<u32, Totals>>,
}

impl ObjectCounters for TestCounters {
    fn start(&self, index: u32) {
        self.totals.borrow_mut().insert(index, Totals::default());
    }

    fn totals(&self, index: u32) -> Totals {
        self.totals
            .borrow()
            .get(&index)
            .copied()
            .unwrap_or_default()
    }
}

/// Where a packet ends up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum End {
    Drop,
    Receive(SwIfIndex),
    Adjacency(AdjKey),
    Unreachable,
    Prohibited,
    Lookup(u32),
    InterfaceRx(u32),
}

struct Fixture {
    links: Rc<TestLinks>,
    fib: Fib,
    reader: FibReader,
    epochs: Epochs,
    to: Rc<TestCounters>,
    via: Rc<TestCounters>,
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `10.0.0.0/8`
fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap_or((text, "32"));
    Prefix::new(ip(address), len.parse().unwrap()).unwrap()
}

fn next_hop(address: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    match ip(address) {
        IpAddr::V4(v4) => bytes[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => bytes = v6.octets(),
    }
    bytes
}

/// A path to a neighbour on a link.
fn neighbour(address: &str, interface: SwIfIndex) -> RoutePath {
    RoutePath {
        sw_if_index: interface.0,
        next_hop: next_hop(address),
        ..RoutePath::default()
    }
}

/// A path through whatever route the address has.
fn recursive(address: &str) -> RoutePath {
    RoutePath {
        next_hop: next_hop(address),
        ..RoutePath::default()
    }
}

fn special(path_type: u32) -> RoutePath {
    RoutePath {
        path_type,
        ..RoutePath::default()
    }
}

fn to(address: &str, interface: SwIfIndex) -> End {
    End::Adjacency(AdjKey::neighbour(interface, ip(address)))
}

fn glean(interface: SwIfIndex, address: &str, len: u8) -> End {
    End::Adjacency(AdjKey::glean(
        interface,
        AddressFamily::Ip4,
        Some((ip(address), len)),
    ))
}

impl Fixture {
    /// Three interfaces without addresses.
    fn new() -> Self {
        let links = Rc::new(TestLinks::new(3));
        let epochs = Epochs::default();
        let adjacencies = AdjTable::new(Rc::clone(&links) as Rc<dyn Links>, epochs.clone());
        adjacencies.set_neighbours(Rc::clone(&links) as Rc<dyn Neighbours>);
        let (to, via) = (
            Rc::new(TestCounters::default()),
            Rc::new(TestCounters::default()),
        );
        let counters: [Rc<dyn ObjectCounters>; 2] = [Rc::clone(&to) as _, Rc::clone(&via) as _];
        let fib = Fib::new(adjacencies, counters, &epochs);
        Self {
            links,
            reader: fib.reader(),
            fib,
            epochs,
            to,
            via,
        }
    }

    /// 10.0.0.1/24 on pg0, 10.0.1.1/24 on pg1.
    fn with_addresses() -> Self {
        let fixture = Self::new();
        fixture
            .fib
            .add_address(FibIndex::DEFAULT, PG0, ip("10.0.0.1"), 24)
            .unwrap();
        fixture
            .fib
            .add_address(FibIndex::DEFAULT, PG1, ip("10.0.1.1"), 24)
            .unwrap();
        fixture
    }

    fn change(
        &self,
        is_add: bool,
        is_multipath: bool,
        source: Source,
        to: &str,
        paths: &[RoutePath],
    ) -> Result<Option<LbIndex>, FibError> {
        let (address, len) = to.split_once('/').unwrap_or((to, "32"));
        let (address, len) = (ip(address), len.parse().unwrap());
        self.fib.route_add_del(&RouteChange {
            table_id: 0,
            address,
            len,
            source,
            is_add,
            is_multipath,
            paths,
        })
    }

    /// Replaces a route of the API.
    fn route(&self, to: &str, paths: &[RoutePath]) -> LbIndex {
        self.change(true, false, Source::API, to, paths)
            .unwrap()
            .unwrap()
    }

    fn delete(&self, to: &str) {
        assert_eq!(self.change(false, false, Source::API, to, &[]), Ok(None));
    }

    fn lb(&self, address: &str) -> LbIndex {
        let IpAddr::V4(v4) = ip(address) else {
            unreachable!()
        };
        let table = self.reader.ip4_table(FibIndex::DEFAULT);
        table.as_ref().unwrap().lookup(v4.to_bits())
    }

    /// Where packets to an address end up, in the order of the hashes.
    fn ends_by_hash(&self, address: &str, hashes: u32) -> Vec<End> {
        let lb = self.lb(address);
        (0..hashes)
            .map(|hash| self.end(self.reader.load_balances().resolve(lb, |_| hash, |_| ())))
            .collect()
    }

    fn end(&self, dpo: Dpo) -> End {
        match dpo.kind() {
            DpoKind::Drop | DpoKind::Punt => End::Drop,
            DpoKind::Receive => End::Receive(SwIfIndex(dpo.index())),
            DpoKind::Adjacency => {
                let index = dpo.adjacency_index().unwrap();
                End::Adjacency(self.fib.adjacencies().key(index).expect("a live adjacency"))
            }
            DpoKind::Unreachable => End::Unreachable,
            DpoKind::Prohibited => End::Prohibited,
            DpoKind::Lookup => End::Lookup(dpo.index()),
            DpoKind::InterfaceRx => End::InterfaceRx(dpo.index()),
            DpoKind::LoadBalance => unreachable!("resolve goes to the end"),
        }
    }

    /// All the places that packets to an address may end up.
    fn ends(&self, address: &str) -> BTreeSet<End> {
        let mut ends = BTreeSet::new();
        self.collect(self.lb(address), &mut ends);
        ends
    }

    fn collect(&self, lb: LbIndex, ends: &mut BTreeSet<End>) {
        let load_balances = self.reader.load_balances();
        let choice = load_balances.load(lb);
        for hash in 0..load_balances.buckets(choice) {
            let dpo = load_balances.pick(choice, hash);
            if dpo.kind() == DpoKind::LoadBalance {
                self.collect(LbIndex(dpo.index()), ends);
            } else {
                ends.insert(self.end(dpo));
            }
        }
    }

    /// The only place that packets to an address may end up.
    fn only_end(&self, address: &str) -> End {
        let ends = self.ends(address);
        assert_eq!(ends.len(), 1, "{ends:?}");
        ends.into_iter().next().unwrap()
    }

    fn info(&self, to: &str) -> RouteInfo {
        self.fib
            .lookup(FibIndex::DEFAULT, prefix(to), true)
            .unwrap()
    }

    /// All routes of the default table.
    fn dump(&self, source: Option<Source>) -> Vec<RouteInfo> {
        let mut cursor = 0;
        std::iter::from_fn(|| {
            let (route, next) = self.fib.next_route(FibIndex::DEFAULT, source, cursor)?;
            cursor = next;
            Some(route)
        })
        .collect()
    }
}
