//! Who has which address on which link.
//!
//! Entries come from clients (static or not) and from ARP. A change goes to the adjacency first, which
//! makes packets flow, then to the forwarding table (a host route, so that the neighbour is found by its
//! own address), then to the packets that waited, then to those who asked to be told.

use crate::adj::{AdjIndex, AdjKey, AdjTable, Neighbours};
use crate::fib::{Fib, FibError, FibIndex};
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::api::ApiError;
use barrow_engine::{Instant, NodeClock};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::Bound;
use std::rc::Rc;
use std::time::Duration;

/// A neighbour by link and address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NeighborKey {
    /// The link.
    pub interface: SwIfIndex,
    /// The address.
    pub address: IpAddr,
}

/// Where an entry comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Heard from the neighbour; ages, and gives way to what is heard later.
    Dynamic,
    /// Set by a client for good.
    Static,
}

/// An entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Neighbor {
    /// The neighbour's address on the link.
    pub mac: MacAddress,
    /// Where the entry comes from.
    pub origin: Origin,
    /// It has no host route of its own.
    pub no_fib_entry: bool,
    /// When it was last heard of, or set.
    pub updated: Instant,
    adjacency: AdjIndex,
    /// The table that its host route is in.
    route: Option<FibIndex>,
    marked: bool,
}

/// What happened to an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NeighborEvent {
    /// It was added, or its address on the link changed.
    Added(NeighborKey, Neighbor),
    /// It is gone.
    Removed(NeighborKey, Neighbor),
}

/// Why an entry was not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NeighborError {
    /// No interface has this index.
    NoSuchInterface,
    /// There is no such entry.
    NoSuchEntry,
    /// The family has no neighbours here.
    AddressFamily,
    /// A static entry with another address on the link is in the way of a dynamic one.
    IsStatic,
    /// The table has as many dynamic entries as it may.
    TooMany,
    /// The forwarding tables refused.
    Fib(FibError),
}

impl NeighborError {
    /// VPP's error number (`vpp:src/vnet/error.h`).
    #[must_use]
    pub const fn retval(self) -> i32 {
        match self {
            // INVALID_SW_IF_INDEX; the same number in VPP for what it refuses to overwrite
            // (ip_neighbor_add in vpp:src/vnet/ip-neighbor/ip_neighbor.c)
            Self::NoSuchInterface | Self::IsStatic => -2,
            Self::NoSuchEntry => -6,    // NO_SUCH_ENTRY
            Self::AddressFamily => -97, // INVALID_ADDRESS_FAMILY
            Self::TooMany => -162,      // LIMIT_EXCEEDED
            Self::Fib(error) => error.retval(),
        }
    }
}

impl fmt::Display for NeighborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface => f.write_str("unknown interface"),
            Self::NoSuchEntry => f.write_str("no such neighbor"),
            Self::IsStatic => f.write_str("a static neighbor has another address on the link"),
            Self::AddressFamily => f.write_str("address family not supported"),
            Self::TooMany => f.write_str("too many neighbors"),
            Self::Fib(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NeighborError {}

impl From<NeighborError> for ApiError {
    fn from(error: NeighborError) -> Self {
        Self(error.retval())
    }
}

/// Limits of the table (`ip_neighbor_config`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NeighborConfig {
    /// Most dynamic entries.
    pub max_number: u32,
    /// A dynamic entry that was not heard of for so long is asked for, then removed; zero: never.
    pub max_age: Duration,
    /// A full table forgets its oldest dynamic entry for a new one.
    pub recycle: bool,
}

impl Default for NeighborConfig {
    /// VPP's: 50,000 entries that never age.
    fn default() -> Self {
        Self {
            max_number: 50_000,
            max_age: Duration::ZERO,
            recycle: false,
        }
    }
}

#[derive(Default)]
struct State {
    entries: BTreeMap<NeighborKey, Neighbor>,
    dynamic: u32,
    config: NeighborConfig,
}

type Watcher = Rc<dyn Fn(NeighborEvent)>;

/// The neighbours of a node; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Neighbors {
    state: Rc<RefCell<State>>,
    watchers: Rc<RefCell<Vec<Watcher>>>,
    interfaces: Interfaces,
    fib: Fib,
    adjacencies: AdjTable,
    clock: NodeClock,
}

impl fmt::Debug for Neighbors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Neighbors")
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

/// The table as adjacencies see it; weak on purpose: it holds the entries only.
struct Stations(Rc<RefCell<State>>);

impl Neighbours for Stations {
    fn station(&self, interface: SwIfIndex, address: IpAddr) -> Option<[u8; 6]> {
        let state = self.0.borrow();
        state
            .entries
            .get(&NeighborKey { interface, address })
            .map(|entry| entry.mac.0)
    }
}

impl Neighbors {
    pub(super) fn new(
        interfaces: Interfaces,
        fib: Fib,
        adjacencies: AdjTable,
        clock: NodeClock,
    ) -> Self {
        let state = Rc::<RefCell<State>>::default();
        adjacencies.set_neighbours(Rc::new(Stations(Rc::clone(&state))));
        Self {
            state,
            watchers: Rc::default(),
            interfaces,
            fib,
            adjacencies,
            clock,
        }
    }

    /// Calls `watcher` on the main thread after each change of an entry.
    pub fn watch(&self, watcher: impl Fn(NeighborEvent) + 'static) {
        self.watchers.borrow_mut().push(Rc::new(watcher));
    }

    /// Sets an entry and gives its adjacency, whose index is that of its counters.
    ///
    /// # Errors
    /// [`NoSuchInterface`](NeighborError::NoSuchInterface), [`TooMany`](NeighborError::TooMany) for a dynamic
    /// entry, or what the forwarding tables gave.
    pub fn add(
        &self,
        key: NeighborKey,
        mac: MacAddress,
        origin: Origin,
        no_fib_entry: bool,
    ) -> Result<AdjIndex, NeighborError> {
        let table = self.table_of(key.interface)?;
        if !matches!(key.address, IpAddr::V4(_)) {
            return Err(NeighborError::AddressFamily);
        }
        let former = self.state.borrow().entries.get(&key).copied();
        if former.is_none() && origin == Origin::Dynamic {
            self.make_room()?;
        }
        let kept = former.filter(|former| former.origin == Origin::Static);
        let origin = match kept {
            Some(kept) if origin == Origin::Dynamic && kept.mac != mac => {
                return Err(NeighborError::IsStatic);
            }
            // A client's word outlives what is heard, until a client takes it back.
            Some(_) => Origin::Static,
            None => origin,
        };
        let adjacency = match former {
            Some(former) => former.adjacency,
            None => self
                .adjacencies
                .lock(AdjKey::neighbour(key.interface, key.address))
                .map_err(NeighborError::Fib)?,
        };
        let mut entry = Neighbor {
            mac,
            origin,
            no_fib_entry,
            updated: self.clock.now(),
            adjacency,
            route: former.and_then(|former| former.route),
            marked: false,
        };
        self.put(key, entry);
        self.adjacencies
            .neighbour_changed(key.interface, key.address);
        entry.route = self
            .route(key, entry.route, (!no_fib_entry).then_some(table))
            .map_err(NeighborError::Fib)?;
        self.put(key, entry);
        self.tell(NeighborEvent::Added(key, entry));
        Ok(adjacency)
    }

    /// Moves the host route of a neighbour from one table to another; gives the table it is in then.
    fn route(
        &self,
        key: NeighborKey,
        from: Option<FibIndex>,
        to: Option<FibIndex>,
    ) -> Result<Option<FibIndex>, FibError> {
        if from == to {
            return Ok(to);
        }
        if let Some(from) = from {
            self.fib
                .remove_neighbour(from, key.interface, key.address)?;
        }
        if let Some(to) = to {
            self.fib.add_neighbour(to, key.interface, key.address)?;
        }
        Ok(to)
    }

    /// An interface is in another table now: its neighbours' routes follow.
    ///
    /// # Errors
    /// What the forwarding tables gave.
    pub fn table_changed(&self, interface: SwIfIndex) -> Result<(), NeighborError> {
        let table = self.table_of(interface)?;
        let own: Vec<_> = {
            let state = self.state.borrow();
            let entries = state.entries.iter();
            entries
                .filter(|(key, entry)| key.interface == interface && entry.route.is_some())
                .map(|(key, entry)| (*key, *entry))
                .collect()
        };
        for (key, mut entry) in own {
            entry.route = self
                .route(key, entry.route, Some(table))
                .map_err(NeighborError::Fib)?;
            self.put(key, entry);
        }
        Ok(())
    }

    /// Notes what a neighbour said of itself. A static entry stays as it is; with `only_known`, a
    /// neighbour without entry gets none.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn learn(
        &self,
        key: NeighborKey,
        mac: MacAddress,
        only_known: bool,
    ) -> Result<(), NeighborError> {
        let known = self.state.borrow().entries.get(&key).copied();
        match known {
            Some(entry) if entry.origin == Origin::Static => Ok(()),
            Some(entry) if entry.mac == mac => {
                self.put(
                    key,
                    Neighbor {
                        updated: self.clock.now(),
                        ..entry
                    },
                );
                Ok(())
            }
            None if only_known => Ok(()),
            _ => self.add(key, mac, Origin::Dynamic, false).map(drop),
        }
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// [`NoSuchEntry`](NeighborError::NoSuchEntry), [`NoSuchInterface`](NeighborError::NoSuchInterface).
    pub fn remove(&self, key: NeighborKey) -> Result<(), NeighborError> {
        self.table_of(key.interface)?;
        let entry = {
            let mut state = self.state.borrow_mut();
            let entry = state
                .entries
                .remove(&key)
                .ok_or(NeighborError::NoSuchEntry)?;
            state.dynamic -= u32::from(entry.origin == Origin::Dynamic);
            entry
        };
        self.route(key, entry.route, None)
            .map_err(NeighborError::Fib)?;
        self.adjacencies
            .neighbour_changed(key.interface, key.address);
        self.adjacencies.unlock(entry.adjacency);
        self.tell(NeighborEvent::Removed(key, entry));
        Ok(())
    }

    /// Removes entries: of one interface, or all; static ones too if `and_static`.
    ///
    /// # Errors
    /// What removing one gives.
    pub fn flush(
        &self,
        interface: Option<SwIfIndex>,
        and_static: bool,
    ) -> Result<(), NeighborError> {
        let goes = |key: &NeighborKey, entry: &Neighbor| {
            interface.is_none_or(|interface| interface == key.interface)
                && (and_static || entry.origin == Origin::Dynamic)
        };
        self.remove_where(goes)
    }

    /// Marks all entries; those not set again until [`replace_end`](Self::replace_end) go then.
    pub fn replace_begin(&self) {
        let mut state = self.state.borrow_mut();
        state
            .entries
            .values_mut()
            .for_each(|entry| entry.marked = true);
    }

    /// Removes the entries that are still marked.
    ///
    /// # Errors
    /// What removing one gives.
    pub fn replace_end(&self) -> Result<(), NeighborError> {
        self.remove_where(|_, entry| entry.marked)
    }

    /// An entry.
    #[must_use]
    pub fn get(&self, key: NeighborKey) -> Option<Neighbor> {
        self.state.borrow().entries.get(&key).copied()
    }

    /// The entry behind `last` in the order of keys; the first for `None`: the cursor of dumps.
    #[must_use]
    pub fn next(&self, last: Option<NeighborKey>) -> Option<(NeighborKey, Neighbor)> {
        let state = self.state.borrow();
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        let entry = state.entries.range((from, Bound::Unbounded)).next();
        entry.map(|(key, entry)| (*key, *entry))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.borrow().entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The limits.
    #[must_use]
    pub fn config(&self) -> NeighborConfig {
        self.state.borrow().config
    }

    /// Changes the limits; entries beyond a lower number stay until they age.
    pub fn configure(&self, config: NeighborConfig) {
        self.state.borrow_mut().config = config;
    }

    /// Dynamic entries that were not heard of for `age`.
    #[must_use]
    pub fn older_than(&self, age: Duration) -> Vec<NeighborKey> {
        let now = self.clock.now();
        let state = self.state.borrow();
        let old = state.entries.iter().filter(|(_, entry)| {
            entry.origin == Origin::Dynamic && now.saturating_since(entry.updated) >= age
        });
        old.map(|(key, _)| *key).collect()
    }

    fn remove_where(
        &self,
        goes: impl Fn(&NeighborKey, &Neighbor) -> bool,
    ) -> Result<(), NeighborError> {
        let keys: Vec<NeighborKey> = {
            let state = self.state.borrow();
            state
                .entries
                .iter()
                .filter(|(key, entry)| goes(key, entry))
                .map(|(key, _)| *key)
                .collect()
        };
        keys.into_iter().try_for_each(|key| self.remove(key))
    }

    fn make_room(&self) -> Result<(), NeighborError> {
        let oldest = {
            let state = self.state.borrow();
            if state.dynamic < state.config.max_number {
                return Ok(());
            }
            if !state.config.recycle {
                return Err(NeighborError::TooMany);
            }
            let dynamic = state
                .entries
                .iter()
                .filter(|(_, e)| e.origin == Origin::Dynamic);
            dynamic
                .min_by_key(|(_, entry)| entry.updated)
                .map(|(key, _)| *key)
        };
        match oldest {
            Some(oldest) => self.remove(oldest),
            None => Err(NeighborError::TooMany),
        }
    }

    fn put(&self, key: NeighborKey, entry: Neighbor) {
        let mut state = self.state.borrow_mut();
        let former = state.entries.insert(key, entry);
        let was_dynamic = former.is_some_and(|former| former.origin == Origin::Dynamic);
        state.dynamic += u32::from(entry.origin == Origin::Dynamic);
        state.dynamic -= u32::from(was_dynamic);
    }

    fn table_of(&self, interface: SwIfIndex) -> Result<FibIndex, NeighborError> {
        let sw = self
            .interfaces
            .sw(interface)
            .ok_or(NeighborError::NoSuchInterface)?;
        Ok(FibIndex(sw.ip4_fib_index))
    }

    fn tell(&self, event: NeighborEvent) {
        let watchers = self.watchers.borrow().clone();
        watchers.iter().for_each(|watcher| watcher(event));
    }
}
