//! Any sequence of changes leaves what working it out from nothing gives.
//!
//! The model keeps what was asked for and nothing else. Whenever it is asked where an address leads, it
//! works through sources, covering routes, recursion and loops anew; the tables got there by small steps.

use super::*;
use crate::fib::load_balance::MAX_RECURSION;
use proptest::prelude::*;

const HOSTS: [&str; 10] = [
    "10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.1.2", "10.0.1.9", "20.0.0.1", "20.0.0.2", "20.1.0.1",
    "30.0.0.1", "30.1.0.1",
];
const PREFIXES: [&str; 14] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.1.0/24",
    "10.0.1.2/32",
    "20.0.0.0/8",
    "20.0.0.0/16",
    "20.0.0.1/32",
    "20.0.0.2/32",
    "20.1.0.0/16",
    "30.0.0.0/8",
    "30.0.0.1/32",
    "30.1.0.1/32",
];
const ADDRESSES: [(SwIfIndex, &str, u8); 4] = [
    (PG0, "10.0.0.1", 24),
    (PG0, "10.0.0.9", 24),
    (PG1, "10.0.1.1", 24),
    (PG1, "10.0.1.2", 16),
];

/// One change.
#[derive(Clone, Debug)]
enum Op {
    Update {
        api: bool,
        to: usize,
        paths: Vec<usize>,
    },
    Add {
        api: bool,
        to: usize,
        path: usize,
    },
    Take {
        api: bool,
        to: usize,
        path: usize,
    },
    Delete {
        api: bool,
        to: usize,
    },
    Address {
        which: usize,
        on: bool,
    },
    Neighbour {
        interface: bool,
        host: usize,
        on: bool,
    },
    Link {
        interface: bool,
        up: bool,
    },
}

/// The paths that routes may have.
fn paths() -> Vec<RoutePath> {
    let mut paths = vec![special(RoutePath::DROP), special(RoutePath::ICMP_UNREACH)];
    paths.push(neighbour("10.0.0.2", PG0));
    paths.push(neighbour("10.0.1.2", PG1));
    paths.push(RoutePath {
        sw_if_index: PG1.0,
        ..RoutePath::default()
    });
    paths.extend(HOSTS.map(recursive));
    paths.push(RoutePath {
        preference: 1,
        ..recursive("20.0.0.2")
    });
    paths.push(RoutePath {
        preference: 1,
        ..neighbour("10.0.0.2", PG0)
    });
    paths.push(RoutePath {
        flags: RoutePath::VIA_HOST,
        ..recursive("20.0.0.1")
    });
    paths.push(RoutePath {
        flags: RoutePath::VIA_ATTACHED,
        ..recursive("10.0.1.9")
    });
    paths.push(RoutePath {
        weight: 3,
        ..recursive("30.0.0.1")
    });
    paths
}

fn op() -> impl Strategy<Value = Op> {
    let to = 0..PREFIXES.len();
    let path = 0..paths().len();
    prop_oneof![
        4 => (any::<bool>(), to.clone(), prop::collection::vec(path.clone(), 1..4))
            .prop_map(|(api, to, paths)| Op::Update { api, to, paths }),
        3 => (any::<bool>(), to.clone(), path.clone())
            .prop_map(|(api, to, path)| Op::Add { api, to, path }),
        1 => (any::<bool>(), to.clone(), path).prop_map(|(api, to, path)| Op::Take { api, to, path }),
        2 => (any::<bool>(), to).prop_map(|(api, to)| Op::Delete { api, to }),
        2 => (0..ADDRESSES.len(), any::<bool>()).prop_map(|(which, on)| Op::Address { which, on }),
        1 => (any::<bool>(), 0..HOSTS.len(), any::<bool>())
            .prop_map(|(interface, host, on)| Op::Neighbour { interface, host, on }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(interface, up)| Op::Link { interface, up }),
    ]
}

/// The list of a route: what makes two routes go the same way, and what a loop is judged by.
type List = Vec<PathSpec>;

/// What was asked for.
#[derive(Default)]
struct Model {
    /// Paths and flags by prefix and source.
    routes: BTreeMap<Prefix, BTreeMap<u8, (EntryFlags, List)>>,
    /// In the order in which they came.
    addresses: Vec<(SwIfIndex, IpAddr, u8)>,
    neighbours: BTreeSet<(IpAddr, SwIfIndex)>,
    down: BTreeSet<SwIfIndex>,
}

/// What a prefix forwards by, and its properties.
#[derive(Clone, PartialEq)]
struct Active {
    list: List,
    flags: EntryFlags,
    for_resolution: bool,
}

fn sorted(mut list: List) -> List {
    list.sort_by_key(|spec| (spec.preference, spec.kind));
    list
}

impl Model {
    /// What clients and interfaces said about a prefix; neighbours and targets of recursion follow others.
    fn own(&self, prefix: Prefix) -> Option<Active> {
        let active = |list: List, flags| Active {
            list,
            flags,
            for_resolution: false,
        };
        if matches!(prefix.to_string().as_str(), "224.0.0.0/4" | "240.0.0.0/4") {
            return Some(active(
                vec![PathSpec::new(PathKind::Drop)],
                EntryFlags::DROP,
            ));
        }
        if let Some((kind, flags)) = self.connected(prefix) {
            return Some(active(vec![PathSpec::new(kind)], flags));
        }
        let (flags, list) = self.routes.get(&prefix)?.values().next()?;
        Some(active(list.clone(), *flags))
    }

    fn connected(&self, prefix: Prefix) -> Option<(PathKind, EntryFlags)> {
        let on = |&(interface, address, len): &(SwIfIndex, IpAddr, u8)| {
            (interface, address, len, Prefix::new(address, len).unwrap())
        };
        let mut addresses = self.addresses.iter().map(on);
        let local = addresses.find(|&(_, address, ..)| Prefix::host(address) == prefix);
        if let Some((interface, address, ..)) = local {
            let flags = EntryFlags::CONNECTED | EntryFlags::LOCAL;
            return Some((PathKind::Receive { interface, address }, flags));
        }
        let mut addresses = self.addresses.iter().map(on);
        if let Some((interface, address, len, _)) = addresses.find(|(.., net)| *net == prefix) {
            let connected = Some((address, len));
            let flags = EntryFlags::CONNECTED | EntryFlags::ATTACHED;
            return Some((
                PathKind::Attached {
                    interface,
                    connected,
                },
                flags,
            ));
        }
        let edge = self.addresses.iter().map(on).any(|(.., net)| {
            let IpAddr::V4(base) = net.address() else {
                unreachable!()
            };
            let last = base.to_bits() | !mask4(net.len());
            [base.to_bits(), last]
                .map(|bits| Prefix::from_ip4(bits, 32))
                .contains(&prefix)
        });
        edge.then_some((PathKind::Drop, EntryFlags::DROP))
    }

    /// The targets of all recursive paths that anybody holds.
    fn targets(&self) -> BTreeSet<IpAddr> {
        let lists = self.routes.values().flat_map(|sources| sources.values());
        let kinds = lists.flat_map(|(_, list)| list.iter().map(|spec| spec.kind));
        kinds
            .filter_map(|kind| match kind {
                PathKind::Recursive { next_hop, .. } => Some(next_hop),
                _ => None,
            })
            .collect()
    }

    /// What a prefix forwards by, if it is a route that forwards.
    fn active(&self, prefix: Prefix) -> Option<Active> {
        if let Some(own) = self.own(prefix) {
            return Some(own);
        }
        let default_route = || Active {
            list: vec![PathSpec::new(PathKind::Drop)],
            flags: EntryFlags::DROP,
            for_resolution: true,
        };
        if !prefix.is_host() {
            return (prefix.len() == 0).then(default_route);
        }
        let next_hop = prefix.address();
        let spec = |interface| {
            PathSpec::new(PathKind::AttachedNextHop {
                next_hop,
                interface,
            })
        };
        let cover = self.cover(prefix);
        let link = cover
            .as_ref()
            .filter(|cover| cover.flags.contains(EntryFlags::ATTACHED))
            .and_then(|cover| self.interface(&cover.list, 0));
        if let Some(link) = link
            && self.neighbours.contains(&(next_hop, link))
        {
            let (list, flags) = (vec![spec(link)], EntryFlags::ATTACHED);
            return Some(Active {
                list,
                flags,
                for_resolution: false,
            });
        }
        if self.targets().contains(&next_hop) {
            let cover = cover.expect("there is a default route");
            return Some(match link {
                Some(link) => Active {
                    list: vec![spec(link)],
                    flags: EntryFlags::ATTACHED,
                    for_resolution: true,
                },
                None => Active {
                    flags: EntryFlags::NONE,
                    for_resolution: true,
                    ..cover
                },
            });
        }
        ["0.0.0.0", "255.255.255.255"]
            .map(ip)
            .contains(&next_hop)
            .then(default_route)
    }

    fn cover(&self, prefix: Prefix) -> Option<Active> {
        (0..prefix.len())
            .rev()
            .find_map(|len| self.active(Prefix::new(prefix.address(), len).unwrap()))
    }

    fn interface(&self, list: &List, depth: u8) -> Option<SwIfIndex> {
        let kind = list.first()?.kind;
        match kind {
            PathKind::Recursive { next_hop, .. } if depth <= MAX_RECURSION => {
                let target = self.active(Prefix::host(next_hop))?;
                self.interface(&target.list, depth + 1)
            }
            kind => kind.interface(),
        }
    }

    /// The ends that a list comes to, and how deep it recurses; empty for a drop.
    fn forward(&self, list: &List) -> (BTreeSet<End>, u8) {
        let mut best = None;
        let mut ends = BTreeSet::new();
        let mut deepest = 0;
        for spec in list {
            let found = self.follow(list, spec);
            if let Some((path_ends, depth)) = found
                && *best.get_or_insert(spec.preference) == spec.preference
            {
                ends.extend(path_ends);
                deepest = deepest.max(depth);
            }
        }
        (ends, deepest)
    }

    fn follow(&self, list: &List, spec: &PathSpec) -> Option<(BTreeSet<End>, u8)> {
        let up = |interface| !self.down.contains(&interface);
        let end = match spec.kind {
            PathKind::Drop => return None,
            PathKind::Unreachable => End::Unreachable,
            PathKind::Receive { interface, .. } => End::Receive(interface),
            PathKind::AttachedNextHop { interface, .. } | PathKind::Attached { interface, .. } => {
                let key = spec.kind.adjacency(AddressFamily::Ip4, false);
                End::Adjacency(key.filter(|_| up(interface))?)
            }
            PathKind::Recursive {
                next_hop,
                via_host,
                via_attached,
                ..
            } => {
                let target = self.active(Prefix::host(next_hop))?;
                if self.leads_to(&target.list, list)
                    || (via_host && target.for_resolution)
                    || (via_attached && !target.flags.contains(EntryFlags::ATTACHED))
                {
                    return None;
                }
                let (ends, depth) = self.forward(&target.list);
                let usable = !ends.is_empty() && depth < MAX_RECURSION;
                return usable.then_some((ends, depth + 1));
            }
            _ => unreachable!("the model has no such paths"),
        };
        Some((BTreeSet::from([end]), 0))
    }

    fn leads_to(&self, from: &List, list: &List) -> bool {
        let mut seen: Vec<List> = Vec::new();
        let mut todo = vec![from.clone()];
        while let Some(next) = todo.pop() {
            if next == *list {
                return true;
            }
            if seen.contains(&next) {
                continue;
            }
            for spec in &next {
                if let PathKind::Recursive { next_hop, .. } = spec.kind
                    && let Some(target) = self.active(Prefix::host(next_hop))
                {
                    todo.push(target.list);
                }
            }
            seen.push(next);
        }
        false
    }

    fn ends(&self, address: IpAddr) -> BTreeSet<End> {
        let host = Prefix::host(address);
        let active = self.active(host).or_else(|| self.cover(host));
        let (ends, _) = self.forward(&active.expect("there is a default route").list);
        if ends.is_empty() {
            BTreeSet::from([End::Drop])
        } else {
            ends
        }
    }

    /// Writes down what a client asked for, as the client's part of the tables understands it.
    fn route(&mut self, source: Source, to: Prefix, given: &[PathSpec], merge: bool) {
        let mut list: List = given.to_vec();
        let mut attached = list
            .iter_mut()
            .map(|spec| spec.fit(to, EntryFlags::NONE))
            .fold(false, |any, one| any | one);
        let sources = self.routes.entry(to).or_default();
        if let Some((flags, old)) = sources.get(&source.priority()).filter(|_| merge) {
            let new: List = list
                .into_iter()
                .filter(|spec| !old.iter().any(|have| have.same(spec)))
                .collect();
            attached = old.iter().chain(&new).any(|spec| {
                matches!(spec.kind, PathKind::Attached { .. })
                    || matches!(spec.kind, PathKind::AttachedNextHop { next_hop, .. }
                        if to.is_host() && next_hop == to.address())
            });
            let _ = flags;
            list = old.iter().copied().chain(new).collect();
        }
        let flags = EntryFlags::NONE.with(EntryFlags::ATTACHED, attached);
        sources.insert(source.priority(), (flags, sorted(list)));
    }
}

/// The tables and the model of them.
struct Pair {
    fixture: Fixture,
    model: Model,
    paths: Vec<RoutePath>,
}

impl Pair {
    fn new() -> Self {
        Self {
            fixture: Fixture::new(),
            model: Model::default(),
            paths: paths(),
        }
    }

    fn specs(&self, paths: &[RoutePath]) -> List {
        let state = self.fixture.fib.state();
        paths
            .iter()
            .map(|path| state.decode(path).unwrap().0)
            .collect()
    }

    fn apply(&mut self, op: &Op) {
        let source = |api| if api { Source::API } else { Source::CLI };
        let fib = FibIndex::DEFAULT;
        let interface = |second| if second { PG1 } else { PG0 };
        match *op {
            Op::Update { api, to, ref paths } => {
                let paths: Vec<RoutePath> = paths.iter().map(|&path| self.paths[path]).collect();
                self.fixture
                    .change(true, false, source(api), PREFIXES[to], &paths)
                    .unwrap();
                let specs = self.specs(&paths);
                self.model
                    .route(source(api), prefix(PREFIXES[to]), &specs, false);
            }
            Op::Add { api, to, path } => {
                let path = [self.paths[path]];
                self.fixture
                    .change(true, true, source(api), PREFIXES[to], &path)
                    .unwrap();
                let specs = self.specs(&path);
                self.model
                    .route(source(api), prefix(PREFIXES[to]), &specs, true);
            }
            Op::Take { api, to, path } => {
                let path = [self.paths[path]];
                self.fixture
                    .change(false, true, source(api), PREFIXES[to], &path)
                    .unwrap();
                let specs = self.specs(&path);
                self.take(source(api), prefix(PREFIXES[to]), specs[0]);
            }
            Op::Delete { api, to } => {
                self.fixture
                    .change(false, false, source(api), PREFIXES[to], &[])
                    .unwrap();
                let sources = self.model.routes.entry(prefix(PREFIXES[to])).or_default();
                sources.remove(&source(api).priority());
            }
            Op::Address { which, on } => {
                let (interface, address, len) = ADDRESSES[which];
                let address = (interface, ip(address), len);
                let at = self
                    .model
                    .addresses
                    .iter()
                    .position(|have| *have == address);
                match (on, at) {
                    (true, None) => {
                        self.fixture
                            .fib
                            .add_address(fib, interface, address.1, len)
                            .unwrap();
                        self.model.addresses.push(address);
                    }
                    (false, Some(at)) => {
                        self.fixture
                            .fib
                            .remove_address(fib, interface, address.1, len)
                            .unwrap();
                        self.model.addresses.remove(at);
                    }
                    _ => {}
                }
            }
            Op::Neighbour {
                interface: second,
                host,
                on,
            } => {
                let (interface, host) = (interface(second), ip(HOSTS[host]));
                if on {
                    self.fixture
                        .fib
                        .add_neighbour(fib, interface, host)
                        .unwrap();
                    self.model.neighbours.insert((host, interface));
                } else {
                    self.fixture
                        .fib
                        .remove_neighbour(fib, interface, host)
                        .unwrap();
                    self.model.neighbours.remove(&(host, interface));
                }
            }
            Op::Link {
                interface: second,
                up,
            } => {
                let interface = interface(second);
                self.fixture.links.set_up(interface, up);
                self.fixture.fib.interface_changed(interface);
                if up {
                    self.model.down.remove(&interface);
                } else {
                    self.model.down.insert(interface);
                }
            }
        }
    }

    fn take(&mut self, source: Source, to: Prefix, mut spec: PathSpec) {
        spec.fit(to, EntryFlags::NONE);
        let Some(sources) = self.model.routes.get_mut(&to) else {
            return;
        };
        let Some((_, list)) = sources.get_mut(&source.priority()) else {
            return;
        };
        if let Some(at) = list.iter().position(|have| have.same(&spec)) {
            list.remove(at);
        }
        let left = list.clone();
        if left.is_empty() {
            sources.remove(&source.priority());
        } else {
            self.model.route(source, to, &left, false);
        }
    }

    fn check(&self, after: &Op) {
        let edges = [
            "10.0.0.0",
            "10.0.0.255",
            "10.0.1.77",
            "10.9.9.9",
            "8.8.8.8",
            "20.0.9.9",
        ];
        for host in HOSTS.iter().chain(&edges) {
            let expected = self.model.ends(ip(host));
            assert_eq!(self.fixture.ends(host), expected, "{host} after {after:?}");
        }
    }

    /// Takes everything back.
    fn clear(&self) {
        let fib = &self.fixture.fib;
        for source in [Source::API, Source::CLI] {
            fib.flush(FibIndex::DEFAULT, source).unwrap();
        }
        for &(host, interface) in &self.model.neighbours {
            fib.remove_neighbour(FibIndex::DEFAULT, interface, host)
                .unwrap();
        }
        for &(interface, address, len) in &self.model.addresses {
            fib.remove_address(FibIndex::DEFAULT, interface, address, len)
                .unwrap();
        }
        assert_eq!((fib.len(), fib.adjacencies().len()), (5, 0));
        let state = fib.state();
        assert_eq!(state.lists.iter().count(), 5);
        assert!(state.children.is_empty() && state.covered.is_empty());
        assert!(state.by_interface.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_sequence_of_changes_leads_where_working_it_out_anew_does(
        ops in prop::collection::vec(op(), 1..60)
    ) {
        let mut pair = Pair::new();
        for op in &ops {
            pair.apply(op);
            pair.check(op);
        }
        pair.clear();
    }
}
