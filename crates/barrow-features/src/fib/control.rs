//! The handle through which features change the tables.

use super::entry::EntryIndex;
use super::state::State;
use super::{
    AddressFamily, EntryFlags, Epochs, FibError, FibIndex, FibReader, FlowHashConfig, LbIndex,
    ObjectCounters, PathSpec, Prefix, RoutePath, Source, Totals,
};
use crate::adj::AdjTable;
use smallvec::SmallVec;
use std::cell::{Ref, RefCell};
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

/// The forwarding tables of a node. A cheap handle; main thread only.
///
/// Every operation is complete when it returns: routes, recursion, load balances and what workers look up
/// are in agreement. [`Links`](crate::adj::Links) and [`ObjectCounters`] are asked meanwhile; they must
/// not call back into the handle.
#[derive(Clone)]
pub struct Fib(Rc<RefCell<State>>);

impl fmt::Debug for Fib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fib")
            .field("routes", &self.len())
            .finish_non_exhaustive()
    }
}

/// A route as clients see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteInfo {
    /// The table it is in.
    pub table_id: u32,
    /// Where it leads.
    pub prefix: Prefix,
    /// Index of its counters in `/net/route/to` and `/net/route/via`.
    pub stats_index: LbIndex,
    /// The best of its sources.
    pub source: Source,
    /// The paths that it forwards by now.
    pub paths: Vec<RoutePath>,
}

/// A table as clients see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableInfo {
    /// Its index.
    pub index: FibIndex,
    /// Its family.
    pub family: AddressFamily,
    /// Its id.
    pub id: u32,
    /// Its name: as given, or `ipv4-VRF:7`.
    pub name: String,
    /// The fields that choose among equal paths.
    pub flow_hash: FlowHashConfig,
    /// How many routes it has.
    pub routes: usize,
}

/// What `ip_route_add_del` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteChange<'a> {
    /// The table, by id.
    pub table_id: u32,
    /// Where the route leads; bits beyond the length are ignored.
    pub address: IpAddr,
    /// Length of the prefix.
    pub len: u8,
    /// Who asks.
    pub source: Source,
    /// Add or delete.
    pub is_add: bool,
    /// Add to the paths or take from them; else replace them all, or delete the route.
    pub is_multipath: bool,
    /// The paths.
    pub paths: &'a [RoutePath],
}

impl Fib {
    /// Tables with the default IPv4 table. `counters` are those of packets to a route and via a route.
    ///
    /// # Panics
    /// Never: an empty node has room for one table.
    #[must_use]
    pub fn new(
        adjacencies: AdjTable,
        counters: [Rc<dyn ObjectCounters>; 2],
        epochs: &Epochs,
    ) -> Self {
        let fib = Self(Rc::new(RefCell::new(State::new(
            adjacencies,
            counters,
            epochs,
        ))));
        fib.change(|state| state.add_table(AddressFamily::Ip4, 0, "", Source::DEFAULT_ROUTE))
            .expect("an empty node has room for one table");
        fib
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.borrow_mut();
        let result = change(&mut state);
        state.settle();
        result
    }

    pub(super) fn state(&self) -> Ref<'_, State> {
        self.0.borrow()
    }

    /// What workers read.
    #[must_use]
    pub fn reader(&self) -> FibReader {
        self.state().reader().clone()
    }

    /// The adjacencies.
    #[must_use]
    pub fn adjacencies(&self) -> AdjTable {
        self.state().adjacencies.clone()
    }

    // --- tables ---

    /// Adds a table, or locks one that exists: `source` needs it until
    /// [`unlock_table`](Self::unlock_table). API and CLI hold one lock each, however often they add it. A
    /// name counts when the table is new; empty stands for `ipv4-VRF:ID`.
    ///
    /// # Errors
    /// [`FibError::AddressFamily`], [`FibError::Limit`].
    pub fn add_table(
        &self,
        family: AddressFamily,
        id: u32,
        name: &str,
        source: Source,
    ) -> Result<FibIndex, FibError> {
        self.change(|state| state.add_table(family, id, name, source))
    }

    /// One more reason of `source` to keep a table, such as an interface bound to it.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`].
    pub fn lock_table(&self, fib: FibIndex, source: Source) -> Result<(), FibError> {
        self.change(|state| state.tables.get_mut(fib).map(|table| table.lock(source)))
    }

    /// One reason less; the last one ends the table with all its routes.
    pub fn unlock_table(&self, fib: FibIndex, source: Source) {
        self.change(|state| state.unlock_table(fib, source));
    }

    /// Gives a table another name, if there is one of this index.
    pub fn set_table_name(&self, fib: FibIndex, name: &str) {
        self.change(|state| {
            if let Ok(table) = state.tables.get_mut(fib) {
                name.clone_into(&mut table.name);
            }
        });
    }

    /// The table of an id.
    #[must_use]
    pub fn find_table(&self, family: AddressFamily, id: u32) -> Option<FibIndex> {
        self.state().tables.find(family, id)
    }

    /// The lowest id above 0 that no table has: `ip_table_allocate`.
    #[must_use]
    pub fn unused_table_id(&self, family: AddressFamily) -> Option<u32> {
        let state = self.state();
        (1..u32::MAX).find(|&id| state.tables.find(family, id).is_none())
    }

    /// All tables by index.
    #[must_use]
    pub fn tables(&self) -> Vec<TableInfo> {
        let state = self.state();
        state
            .tables
            .iter()
            .map(|(index, table)| Self::table_info(index, table))
            .collect()
    }

    /// One table.
    #[must_use]
    pub fn table(&self, index: FibIndex) -> Option<TableInfo> {
        let state = self.state();
        state
            .tables
            .get(index)
            .ok()
            .map(|table| Self::table_info(index, table))
    }

    fn table_info(index: FibIndex, table: &super::table::Table) -> TableInfo {
        TableInfo {
            index,
            family: table.family,
            id: table.id,
            name: table.name.clone(),
            flow_hash: table.flow_hash,
            routes: table.routes().len(),
        }
    }

    /// Chooses the fields that choose among equal paths, for the routes of a table.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`].
    pub fn set_flow_hash(&self, fib: FibIndex, config: FlowHashConfig) -> Result<(), FibError> {
        self.change(|state| {
            let table = state.tables.get_mut(fib)?;
            if std::mem::replace(&mut table.flow_hash, config) != config {
                for entry in state.entries.of_table(fib) {
                    state.write(entry);
                }
            }
            Ok(())
        })
    }

    /// Marks the routes of a source; those not added again until
    /// [`replace_end`](Self::replace_end) go then.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`].
    pub fn replace_begin(&self, fib: FibIndex, source: Source) -> Result<(), FibError> {
        self.change(|state| {
            let table = state.tables.get_mut(fib)?;
            table.epoch += 1;
            table.resync = true;
            for entry in state.entries.of_table(fib) {
                state.entries.set_stale(entry, source, true);
            }
            Ok(())
        })
    }

    /// Removes the routes that are still marked.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`].
    pub fn replace_end(&self, fib: FibIndex, source: Source) -> Result<(), FibError> {
        self.change(|state| {
            state.tables.get_mut(fib)?.resync = false;
            state.remove_where(fib, source, |state, entry| {
                state
                    .entries
                    .record(entry, source)
                    .is_some_and(|record| record.stale)
            });
            Ok(())
        })
    }

    /// Removes all routes of a source from a table.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`].
    pub fn flush(&self, fib: FibIndex, source: Source) -> Result<(), FibError> {
        self.change(|state| {
            state.tables.get(fib)?;
            state.remove_where(fib, source, |_, _| true);
            Ok(())
        })
    }

    // --- routes, as clients ask for them ---

    /// Adds, changes or deletes a route as `ip_route_add_del` does; gives the index of its counters
    /// after an addition. Deleting what is not there is no error.
    ///
    /// # Errors
    /// Those of [`FibError`]; nothing was changed then.
    pub fn route_add_del(&self, change: &RouteChange<'_>) -> Result<Option<LbIndex>, FibError> {
        let family = AddressFamily::of(change.address);
        self.change(|state| {
            if family != AddressFamily::Ip4 {
                return Err(FibError::AddressFamily);
            }
            let fib = state
                .tables
                .find(family, change.table_id)
                .ok_or(FibError::NoSuchTable)?;
            let mut flags = EntryFlags::NONE;
            let mut specs: SmallVec<[PathSpec; 4]> = SmallVec::new();
            for path in change.paths {
                let (spec, of_path) = state.decode(path)?;
                specs.push(spec);
                flags = flags | of_path;
            }
            let prefix = State::client_prefix(change.address, change.len)?;
            let source = change.source;
            let needs_paths = change.is_add || change.is_multipath;
            if needs_paths && specs.is_empty() {
                return Err(FibError::NoPaths);
            }
            match (change.is_add, change.is_multipath) {
                (true, true) => state
                    .add_paths(fib, prefix, source, flags, &specs)
                    .map(Some),
                (true, false) => state.update(fib, prefix, source, flags, &specs).map(Some),
                (false, true) => state
                    .remove_paths(fib, prefix, source, &specs)
                    .map(|()| None),
                (false, false) => state.remove(fib, prefix, source).map(|()| None),
            }
            .map(|entry| entry.map(EntryIndex::lb))
        })
    }

    /// The route of exactly a prefix, or the one that its packets take.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`], [`FibError::NoSuchEntry`], [`FibError::AddressFamily`].
    pub fn lookup(
        &self,
        fib: FibIndex,
        prefix: Prefix,
        exact: bool,
    ) -> Result<RouteInfo, FibError> {
        let state = self.state();
        let entry = if exact {
            state.find(fib, prefix)?
        } else {
            state.longest(fib, prefix)?
        };
        entry
            .map(|entry| state.info(entry))
            .ok_or(FibError::NoSuchEntry)
    }

    /// The next route of a table at or after a cursor (0 first) and the cursor after it; of one source
    /// only, if one is named. A route that exists throughout is given exactly once, whatever changes
    /// meanwhile.
    #[must_use]
    pub fn next_route(
        &self,
        fib: FibIndex,
        source: Option<Source>,
        cursor: u32,
    ) -> Option<(RouteInfo, u32)> {
        let state = self.state();
        let mut cursor = cursor;
        loop {
            let entry = state.entries.next(cursor)?;
            cursor = entry.0 + 1;
            let wanted = state.entries.get(entry).fib() == fib
                && source.is_none_or(|source| state.entries.record(entry, source).is_some());
            if wanted {
                return Some((state.info(entry), cursor));
            }
        }
    }

    /// The next route at or after a cursor (0 first) that a client asked for, as the best of the clients' sources asked
    /// for it, and the cursor after it.
    #[must_use]
    pub fn next_wanted(&self, mut cursor: u32) -> Option<(RouteInfo, u32)> {
        let state = self.state();
        loop {
            let entry = state.entries.next(cursor)?;
            cursor = entry.0 + 1;
            if let Some(route) = state.wanted(entry) {
                return Some((route, cursor));
            }
        }
    }

    /// How many routes there are in all tables.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().entries.used() as usize
    }

    /// Whether there is none; a new node has those every table starts with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Heap memory of all tables, in bytes; small maps are not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state().bytes()
    }

    /// What a route has counted: packets to it, and packets via it.
    #[must_use]
    pub fn totals(&self, lb: LbIndex) -> (Totals, Totals) {
        let state = self.state();
        (
            state.to_counters.totals(lb.0),
            state.via_counters.totals(lb.0),
        )
    }
}

impl State {
    pub(super) fn remove(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
        source: Source,
    ) -> Result<(), FibError> {
        if let Some(entry) = self.find(fib, prefix)? {
            self.remove_source(entry, source);
        }
        Ok(())
    }

    fn remove_where(
        &mut self,
        fib: FibIndex,
        source: Source,
        wanted: impl Fn(&Self, EntryIndex) -> bool,
    ) {
        for entry in self.entries.of_table(fib) {
            if wanted(self, entry) {
                self.remove_source(entry, source);
            }
        }
    }
}
