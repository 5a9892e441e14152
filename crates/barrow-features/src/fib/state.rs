//! Everything the main thread knows of routes, and the queue of what has to be looked at again.
//!
//! A change may reach far: a route changes, so paths that resolve through it change, so lists change, so
//! routes that forward by them change, and so on. Nothing of this recurses on the stack: each step puts
//! what it affects into the queue, and [`State::settle`] works it off before the operation returns.
//!
//! It ends because a path is resolved only if its target does not lead back to it (a property of the
//! *structure*: which list contains which target, whatever is resolved at the moment), so what remains is
//! free of cycles.

use super::entry::{Entries, EntryIndex};
use super::interface::Addresses;
use super::load_balance::LoadBalanceTable;
use super::path_list::{ListIndex, PathLists};
use super::table::Tables;
use super::{
    AddressFamily, EntryFlags, Epochs, FibError, FibIndex, FibReader, ObjectCounters, PathKind,
    PathSpec, Prefix, Source,
};
use crate::adj::{AdjTable, Links};
use crate::interface::SwIfIndex;
use crate::ip4::mtrie::{Ip4Mtrie, Plies};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// What has to be looked at again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Work {
    /// What a list comes to may have changed.
    List(ListIndex),
    /// The covering route of a route that follows it may have changed.
    Cover(EntryIndex),
    /// A list may have lost its last holder.
    Unheld(ListIndex),
    /// A table may have lost its last lock.
    Unlocked(FibIndex),
}

pub(super) struct State {
    pub(super) adjacencies: AdjTable,
    pub(super) links: Rc<dyn Links>,
    pub(super) to_counters: Rc<dyn ObjectCounters>,
    pub(super) via_counters: Rc<dyn ObjectCounters>,
    pub(super) tables: Tables,
    pub(super) entries: Entries,
    pub(super) lists: PathLists,
    pub(super) load_balances: LoadBalanceTable,
    pub(super) plies: Plies,
    /// The lists with a path that resolves through a route.
    pub(super) children: FxHashMap<EntryIndex, BTreeSet<ListIndex>>,
    /// The routes inside a route that follow it.
    pub(super) covered: FxHashMap<EntryIndex, BTreeSet<EntryIndex>>,
    /// The lists with a path that needs an interface.
    pub(super) by_interface: FxHashMap<SwIfIndex, BTreeSet<ListIndex>>,
    /// The host routes of the neighbours on an interface.
    pub(super) neighbours: FxHashMap<SwIfIndex, BTreeSet<EntryIndex>>,
    pub(super) addresses: Addresses,
    pub(super) work: VecDeque<Work>,
    reader: FibReader,
}

/// The routes that each new IPv4 table starts with (`vpp:src/vnet/fib/ip4_fib.c`).
const IP4_SPECIALS: [(u32, u8, Source); 5] = [
    (0, 0, Source::DEFAULT_ROUTE),
    (0, 32, Source::DEFAULT_ROUTE),
    (0xf000_0000, 4, Source::SPECIAL),
    (0xe000_0000, 4, Source::SPECIAL),
    (0xffff_ffff, 32, Source::DEFAULT_ROUTE),
];

impl State {
    pub(super) fn new(
        adjacencies: AdjTable,
        counters: [Rc<dyn ObjectCounters>; 2],
        epochs: &Epochs,
    ) -> Self {
        let load_balances = LoadBalanceTable::new(epochs.clone());
        let reader = FibReader::new(load_balances.reader().clone(), adjacencies.reader());
        let [to_counters, via_counters] = counters;
        to_counters.start(0);
        via_counters.start(0);
        Self {
            links: Rc::clone(adjacencies.links()),
            adjacencies,
            to_counters,
            via_counters,
            tables: Tables::new(reader.clone()),
            entries: Entries::new(epochs.clone()),
            lists: PathLists::default(),
            load_balances,
            plies: Plies::new(epochs.clone()),
            children: FxHashMap::default(),
            covered: FxHashMap::default(),
            by_interface: FxHashMap::default(),
            neighbours: FxHashMap::default(),
            addresses: Addresses::default(),
            work: VecDeque::new(),
            reader,
        }
    }

    pub(super) const fn reader(&self) -> &FibReader {
        &self.reader
    }

    /// Works off everything that the changes so far affect.
    pub(super) fn settle(&mut self) {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::List(list) => {
                    // a list that ended meanwhile is gone or, under its number, a new one not queued
                    if self
                        .lists
                        .find_mut(list)
                        .is_some_and(|it| std::mem::take(&mut it.queued))
                    {
                        self.evaluate(list);
                    }
                }
                Work::Cover(entry) => {
                    if self.entries.is_used(entry) && self.entries.get(entry).has_book() {
                        self.select(entry);
                    }
                }
                Work::Unheld(list) => self.end_list(list),
                Work::Unlocked(fib) => self.end_table(fib),
            }
        }
    }

    /// Asks for a list to be evaluated.
    pub(super) fn queue_list(&mut self, list: ListIndex) {
        if let Some(it) = self.lists.find_mut(list)
            && !std::mem::replace(&mut it.queued, true)
        {
            self.work.push_back(Work::List(list));
        }
    }

    // --- tables ---

    /// The table of an id, made if need be, and locked for a source.
    pub(super) fn add_table(
        &mut self,
        family: AddressFamily,
        id: u32,
        name: &str,
        source: Source,
    ) -> Result<FibIndex, FibError> {
        if family != AddressFamily::Ip4 {
            return Err(FibError::AddressFamily);
        }
        let fib = match self.tables.find(family, id) {
            Some(fib) => fib,
            None => {
                let fib = self
                    .tables
                    .add(family, id, name, Ip4Mtrie::new(&self.plies))?;
                // ends again if it cannot be completed
                self.work.push_back(Work::Unlocked(fib));
                for (address, len, source) in IP4_SPECIALS {
                    let prefix = Prefix::from_ip4(address, len);
                    let drop = [PathSpec::new(PathKind::Drop)];
                    self.update(fib, prefix, source, EntryFlags::DROP, &drop)?;
                }
                fib
            }
        };
        self.tables.get_mut(fib)?.lock(source);
        Ok(fib)
    }

    /// Gives a table's lock back; the last one ends the table and all its routes.
    pub(super) fn unlock_table(&mut self, fib: FibIndex, source: Source) {
        if self
            .tables
            .get_mut(fib)
            .is_ok_and(|table| table.unlock(source))
        {
            self.work.push_back(Work::Unlocked(fib));
        }
    }

    fn end_table(&mut self, fib: FibIndex) {
        if self.tables.get(fib).map_or(true, |table| table.is_locked()) {
            return;
        }
        for entry in self.entries.of_table(fib) {
            self.end_entry(entry);
        }
        if let Some(table) = self.tables.remove(fib) {
            table.mtrie.clear(&mut self.plies);
        }
    }

    // --- memory ---

    /// Heap memory in use, in bytes; small maps are not counted.
    pub(super) fn bytes(&self) -> usize {
        self.tables.bytes()
            + self.entries.bytes()
            + self.lists.bytes()
            + self.load_balances.bytes()
            + self.plies.bytes()
            + self.adjacencies.bytes()
    }
}
