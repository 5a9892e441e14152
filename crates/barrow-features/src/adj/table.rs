//! The database of adjacencies: main thread only.

use super::record::MAX_ADJACENCIES;
use super::{
    AdjFlags, AdjIndex, AdjKind, Adjacencies, Adjacency, Links, Neighbours, NoNeighbours, Reach,
    Rewrite,
};
use crate::fib::{AddressFamily, Epochs, FibError, NoCounters, ObjectCounters, Prefix, Retired};
use crate::interface::SwIfIndex;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

/// What an adjacency leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AdjTarget {
    /// Any host of a link; with this node's address there, which questions are asked from.
    Glean(Option<IpAddr>, u8),
    /// One neighbour. The unspecified address stands for the peer of a point-to-point link.
    Neighbour(IpAddr),
    /// All hosts of a link.
    Broadcast,
}

/// An adjacency by what it is, not by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AdjKey {
    /// The interface that packets leave by.
    pub interface: SwIfIndex,
    /// The family of the packets.
    pub family: AddressFamily,
    /// Whom they reach.
    pub target: AdjTarget,
}

impl AdjKey {
    /// A neighbour on a link.
    #[must_use]
    pub const fn neighbour(interface: SwIfIndex, address: IpAddr) -> Self {
        let target = AdjTarget::Neighbour(address);
        Self {
            interface,
            family: AddressFamily::of(address),
            target,
        }
    }

    /// All hosts of a link, IPv4.
    #[must_use]
    pub const fn broadcast(interface: SwIfIndex) -> Self {
        Self {
            interface,
            family: AddressFamily::Ip4,
            target: AdjTarget::Broadcast,
        }
    }

    /// The hosts of a connected network, asked for from `source`; or of an attached link without address.
    #[must_use]
    pub const fn glean(
        interface: SwIfIndex,
        family: AddressFamily,
        connected: Option<(IpAddr, u8)>,
    ) -> Self {
        let target = match connected {
            Some((source, len)) => AdjTarget::Glean(Some(source), len),
            None => AdjTarget::Glean(None, 0),
        };
        Self {
            interface,
            family,
            target,
        }
    }

    /// The network of a glean adjacency.
    pub(super) fn glean_prefix(&self) -> Option<Prefix> {
        match self.target {
            AdjTarget::Glean(source, len) => {
                let any = match self.family {
                    AddressFamily::Ip4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                    AddressFamily::Ip6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
                };
                Prefix::new(source.unwrap_or(any), len).ok()
            }
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
struct Slot {
    key: AdjKey,
    locks: u32,
}

struct State {
    slots: Vec<Option<Slot>>,
    by_key: BTreeMap<AdjKey, AdjIndex>,
    free: Vec<AdjIndex>,
    retired: Retired<AdjIndex>,
    neighbours: Rc<dyn Neighbours>,
    counters: Rc<dyn ObjectCounters>,
}

/// The adjacencies of a node. A cheap handle; main thread only.
#[derive(Clone)]
pub struct AdjTable {
    state: Rc<RefCell<State>>,
    links: Rc<dyn Links>,
    records: Adjacencies,
}

impl fmt::Debug for AdjTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdjTable")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl AdjTable {
    /// No adjacency yet, no neighbour known, nothing counted.
    #[must_use]
    pub fn new(links: Rc<dyn Links>, epochs: Epochs) -> Self {
        let state = State {
            slots: Vec::new(),
            by_key: BTreeMap::new(),
            free: Vec::new(),
            retired: Retired::new(epochs),
            neighbours: Rc::new(NoNeighbours),
            counters: Rc::new(NoCounters),
        };
        Self {
            state: Rc::new(RefCell::new(state)),
            links,
            records: Adjacencies::new(),
        }
    }

    /// Whom to ask for link addresses from now on.
    pub fn set_neighbours(&self, neighbours: Rc<dyn Neighbours>) {
        self.state.borrow_mut().neighbours = neighbours;
        self.refresh_all();
    }

    /// Where packets of adjacencies are counted (`/net/adjacency`): set before the first one is made.
    pub fn set_counters(&self, counters: Rc<dyn ObjectCounters>) {
        self.state.borrow_mut().counters = counters;
    }

    /// The records, for workers.
    #[must_use]
    pub fn reader(&self) -> Adjacencies {
        self.records.clone()
    }

    /// The interfaces.
    #[must_use]
    pub fn links(&self) -> &Rc<dyn Links> {
        &self.links
    }

    /// The adjacency of a key, made if need be; to be given back by [`unlock`](Self::unlock).
    ///
    /// # Errors
    /// [`FibError::Limit`] when the node has as many as it can.
    pub fn lock(&self, key: AdjKey) -> Result<AdjIndex, FibError> {
        let mut state = self.state.borrow_mut();
        if let Some(&index) = state.by_key.get(&key) {
            if let Some(slot) = state.slot_mut(index) {
                slot.locks += 1;
            }
            return Ok(index);
        }
        let index = state.allocate(&self.records)?;
        state.slots[index.0 as usize] = Some(Slot { key, locks: 1 });
        state.by_key.insert(key, index);
        let counters = Rc::clone(&state.counters);
        drop(state);
        counters.start(index.0);
        self.refresh(index, &key);
        Ok(index)
    }

    /// Gives a lock back; the last one ends the adjacency. Packets on their way still see its record.
    pub fn unlock(&self, index: AdjIndex) {
        let mut state = self.state.borrow_mut();
        let Some(slot) = state.slot_mut(index) else {
            return;
        };
        slot.locks -= 1;
        if slot.locks == 0 {
            let key = slot.key;
            state.slots[index.0 as usize] = None;
            state.by_key.remove(&key);
            state.retired.push(index);
        }
    }

    /// The adjacency of a key, if there is one.
    #[must_use]
    pub fn find(&self, key: &AdjKey) -> Option<AdjIndex> {
        self.state.borrow().by_key.get(key).copied()
    }

    /// What an adjacency is.
    #[must_use]
    pub fn key(&self, index: AdjIndex) -> Option<AdjKey> {
        self.state.borrow().slot(index).map(|slot| slot.key)
    }

    /// How many hold it.
    #[must_use]
    pub fn locks(&self, index: AdjIndex) -> u32 {
        self.state.borrow().slot(index).map_or(0, |slot| slot.locks)
    }

    /// All adjacencies in the order of their numbers, or those of one interface.
    #[must_use]
    pub fn indexes(&self, interface: Option<SwIfIndex>) -> Vec<AdjIndex> {
        let state = self.state.borrow();
        let slots = state.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| {
                slot.is_some_and(|slot| interface.is_none_or(|wanted| wanted == slot.key.interface))
            })
            .map(|(index, _)| AdjIndex(index as u32))
            .collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.borrow().by_key.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Heap memory in use, in bytes, without the keys' tree.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let state = self.state.borrow();
        self.records.bytes()
            + state.slots.capacity() * size_of::<Option<Slot>>()
            + state.free.capacity() * size_of::<AdjIndex>()
            + state.retired.bytes()
    }

    /// A neighbour was resolved, lost or changed. Its record follows in one step; no route is touched.
    pub fn neighbour_changed(&self, interface: SwIfIndex, address: IpAddr) {
        let key = AdjKey::neighbour(interface, address);
        if let Some(index) = self.find(&key) {
            self.refresh(index, &key);
        }
    }

    /// The address, MTU, output node or existence of an interface changed; its adjacencies follow.
    pub fn interface_changed(&self, interface: SwIfIndex) {
        for (key, index) in self.of_interface(interface) {
            self.refresh(index, &key);
        }
    }

    fn of_interface(&self, interface: SwIfIndex) -> Vec<(AdjKey, AdjIndex)> {
        let first = AdjKey::glean(interface, AddressFamily::Ip4, None);
        let state = self.state.borrow();
        let keys = state
            .by_key
            .range(first..)
            .take_while(|(key, _)| key.interface == interface);
        keys.map(|(&key, &index)| (key, index)).collect()
    }

    fn refresh_all(&self) {
        let all: Vec<_> = self
            .state
            .borrow()
            .by_key
            .iter()
            .map(|(&key, &index)| (key, index))
            .collect();
        for (key, index) in all {
            self.refresh(index, &key);
        }
    }

    /// Writes the record anew, if it differs. Asks without holding the state, so that the answers may
    /// come from features that use this table.
    fn refresh(&self, index: AdjIndex, key: &AdjKey) {
        let neighbours = Rc::clone(&self.state.borrow().neighbours);
        let new = record(key, &*self.links, &*neighbours);
        if self.records.read(index) != new {
            self.records.write(index, new);
        }
    }

    /// Whether packets are counted by adjacency.
    #[must_use]
    pub fn is_counting(&self) -> bool {
        self.reader().counting()
    }

    /// Switches counting by adjacency (`adjacency counters enable|disable`).
    pub fn set_counting(&self, on: bool) {
        self.records.set_counting(on);
    }

    /// What an adjacency has counted.
    #[must_use]
    pub fn totals(&self, index: AdjIndex) -> crate::fib::Totals {
        let counters = Rc::clone(&self.state.borrow().counters);
        counters.totals(index.0)
    }
}

/// What the record of an adjacency says now.
fn record(key: &AdjKey, links: &dyn Links, neighbours: &dyn Neighbours) -> Adjacency {
    let AdjKey {
        interface,
        family,
        target,
    } = *key;
    if !links.exists(interface) {
        return Adjacency {
            interface,
            ..Adjacency::DROP
        };
    }
    let output = links.output(interface, family);
    let rewrite = |to| links.rewrite(interface, family, to);
    let or_drop = |kind, rewrite: Option<Rewrite>| match rewrite {
        Some(rewrite) => (kind, rewrite),
        None => (AdjKind::Drop, Rewrite::EMPTY),
    };
    let mut source = 0;
    let (kind, rewrite) = match target {
        AdjTarget::Glean(address, _) => {
            if let Some(IpAddr::V4(address)) = address {
                source = address.to_bits();
            }
            or_drop(AdjKind::Glean, rewrite(Reach::Question))
        }
        AdjTarget::Broadcast => or_drop(AdjKind::Broadcast, rewrite(Reach::Broadcast)),
        AdjTarget::Neighbour(address) if address.is_unspecified() => {
            or_drop(AdjKind::Rewrite, rewrite(Reach::Peer))
        }
        AdjTarget::Neighbour(address) => match neighbours.station(interface, address) {
            Some(station) => or_drop(AdjKind::Rewrite, rewrite(Reach::Station(station))),
            // the question goes out in front of the same interface
            None => {
                if let IpAddr::V4(address) = address {
                    source = address.to_bits();
                }
                or_drop(AdjKind::Incomplete, rewrite(Reach::Question))
            }
        },
    };
    Adjacency {
        kind,
        flags: AdjFlags::features(output.features),
        mtu: output.mtu,
        node: output.node,
        interface,
        source,
        rewrite,
    }
}

impl State {
    fn slot(&self, index: AdjIndex) -> Option<&Slot> {
        self.slots.get(index.0 as usize)?.as_ref()
    }

    fn slot_mut(&mut self, index: AdjIndex) -> Option<&mut Slot> {
        self.slots.get_mut(index.0 as usize)?.as_mut()
    }

    fn allocate(&mut self, records: &Adjacencies) -> Result<AdjIndex, FibError> {
        while let Some(index) = self.retired.pop() {
            records.write(index, Adjacency::DROP);
            self.free.push(index);
        }
        if let Some(index) = self.free.pop() {
            return Ok(index);
        }
        let index = AdjIndex(self.slots.len() as u32);
        if index.0 >= MAX_ADJACENCIES || !records.ensure(index) {
            return Err(FibError::Limit("adjacencies"));
        }
        self.slots.push(None);
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adj::test_links::TestLinks;

    const PG0: SwIfIndex = SwIfIndex(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn fixture() -> (Rc<TestLinks>, AdjTable) {
        let links = Rc::new(TestLinks::new(3));
        let table = AdjTable::new(Rc::clone(&links) as Rc<dyn Links>, Epochs::default());
        table.set_neighbours(Rc::clone(&links) as Rc<dyn Neighbours>);
        (links, table)
    }

    #[test]
    fn one_adjacency_serves_all_who_need_it() {
        let (_, table) = fixture();
        let key = AdjKey::neighbour(PG0, address("10.0.0.2"));
        let index = table.lock(key).unwrap();
        assert_eq!(table.lock(key), Ok(index));
        assert_eq!((table.len(), table.locks(index)), (1, 2));
        table.unlock(index);
        assert_eq!(table.find(&key), Some(index));
        table.unlock(index);
        assert_eq!(table.find(&key), None);
        assert!(table.is_empty());
    }

    #[test]
    fn an_unknown_neighbour_is_incomplete_until_it_is_known() {
        let (links, table) = fixture();
        let neighbour = address("10.0.0.2");
        let index = table.lock(AdjKey::neighbour(PG0, neighbour)).unwrap();
        let reader = table.reader();
        assert_eq!(reader.kind(index), AdjKind::Incomplete);
        links.learn(PG0, neighbour, [2, 0, 0, 0, 0, 9]);
        table.neighbour_changed(PG0, neighbour);
        let record = reader.read(index);
        assert_eq!(record.kind, AdjKind::Rewrite);
        assert_eq!(record.rewrite.as_bytes()[..6], [2, 0, 0, 0, 0, 9]);
        assert_eq!((record.mtu, record.interface), (9000, PG0));
        links.forget(PG0, neighbour);
        table.neighbour_changed(PG0, neighbour);
        assert_eq!(reader.kind(index), AdjKind::Incomplete);
    }

    #[test]
    fn a_neighbour_known_before_is_complete_at_once() {
        let (links, table) = fixture();
        links.learn(PG0, address("10.0.0.2"), [2, 0, 0, 0, 0, 9]);
        let index = table
            .lock(AdjKey::neighbour(PG0, address("10.0.0.2")))
            .unwrap();
        assert_eq!(table.reader().kind(index), AdjKind::Rewrite);
    }

    #[test]
    fn a_glean_asks_from_the_connected_address() {
        let (_, table) = fixture();
        let connected = Some((address("10.0.0.1"), 24));
        let key = AdjKey::glean(PG0, AddressFamily::Ip4, connected);
        let index = table.lock(key).unwrap();
        let record = table.reader().read(index);
        assert_eq!((record.kind, record.source), (AdjKind::Glean, 0x0a00_0001));
        assert_eq!(record.rewrite.as_bytes()[..6], [0xff; 6]);
        assert_eq!(key.glean_prefix().unwrap().to_string(), "10.0.0.0/24");
    }

    #[test]
    fn adjacencies_follow_their_interface() {
        let (links, table) = fixture();
        let index = table.lock(AdjKey::broadcast(PG0)).unwrap();
        let other = table.lock(AdjKey::broadcast(SwIfIndex(2))).unwrap();
        links.set_mtu(PG0, 1300);
        table.interface_changed(PG0);
        assert_eq!(table.reader().read(index).mtu, 1300);
        assert_eq!(table.reader().read(other).mtu, 9000);
        links.delete(PG0);
        table.interface_changed(PG0);
        assert_eq!(table.reader().kind(index), AdjKind::Drop);
        assert_eq!(table.indexes(Some(PG0)), [index]);
    }

    #[test]
    fn a_record_is_kept_for_readers_until_they_are_past_it() {
        let links = Rc::new(TestLinks::new(3));
        let epochs = Epochs::default();
        let mut worker = epochs.worker().unwrap();
        worker.quiescent();
        let table = AdjTable::new(links, epochs);
        let index = table.lock(AdjKey::broadcast(PG0)).unwrap();
        table.unlock(index);
        let next = table.lock(AdjKey::broadcast(SwIfIndex(2))).unwrap();
        assert_ne!(index, next);
        assert_eq!(table.reader().read(index).interface, PG0);
        worker.quiescent();
        assert_eq!(table.lock(AdjKey::broadcast(PG0)), Ok(index));
    }
}
