//! Tables (VRFs): their names, who keeps them alive, and which prefix is which route.

use super::entry::{Entries, EntryIndex};
use super::{AddressFamily, FibError, FibReader, FlowHashConfig, Source};
use crate::ip4::mtrie::Ip4Mtrie;
use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

/// Tables of a node at most: each costs 256 KiB.
pub const MAX_TABLES: u32 = 4096;

/// Index of a table: what interfaces and lookups name. Dense; 0 is the default table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FibIndex(pub u32);

impl FibIndex {
    /// The default table, table id 0.
    pub const DEFAULT: Self = Self(0);
}

impl fmt::Display for FibIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) family: AddressFamily,
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) flow_hash: FlowHashConfig,
    /// How often a replacement began.
    pub(super) epoch: u32,
    /// Whether a replacement is under way.
    pub(super) resync: bool,
    pub(super) mtrie: Arc<Ip4Mtrie>,
    locks: BTreeMap<Source, u32>,
    routes: Routes,
}

impl Table {
    pub(super) fn lock(&mut self, source: Source) {
        let locks = self.locks.entry(source).or_insert(0);
        // API and CLI hold one lock, however often a table is added (fib_table_lock in VPP)
        if source == Source::API || source == Source::CLI {
            *locks = 1;
        } else {
            *locks += 1;
        }
    }

    /// Gives a lock back; says whether nobody holds one any more.
    pub(super) fn unlock(&mut self, source: Source) -> bool {
        if let Some(locks) = self.locks.get_mut(&source) {
            *locks -= 1;
            if *locks == 0 {
                self.locks.remove(&source);
            }
        }
        self.locks.is_empty()
    }

    pub(super) fn is_locked(&self) -> bool {
        !self.locks.is_empty()
    }

    pub(super) const fn locks(&self) -> &BTreeMap<Source, u32> {
        &self.locks
    }

    pub(super) const fn routes(&self) -> &Routes {
        &self.routes
    }

    pub(super) const fn routes_mut(&mut self) -> &mut Routes {
        &mut self.routes
    }
}

/// Which prefix of a table is which route.
#[derive(Debug)]
pub(super) struct Routes {
    by_prefix: HashTable<EntryIndex>,
    /// How many routes there are of each length.
    counts: [u32; 33],
    /// The lengths that there are routes of, a bit each.
    lengths: u64,
}

fn hash(address: u32, len: u8) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(u64::from(address) << 8 | u64::from(len));
    hasher.finish()
}

impl Routes {
    const fn new() -> Self {
        Self {
            by_prefix: HashTable::new(),
            counts: [0; 33],
            lengths: 0,
        }
    }

    /// The route of exactly this prefix.
    pub(super) fn find(&self, entries: &Entries, address: u32, len: u8) -> Option<EntryIndex> {
        if self.lengths >> len & 1 == 0 {
            return None;
        }
        let same = |&index: &EntryIndex| entries.get(index).ip4() == (address, len);
        self.by_prefix.find(hash(address, len), same).copied()
    }

    pub(super) fn insert(&mut self, entries: &Entries, index: EntryIndex) {
        let (address, len) = entries.get(index).ip4();
        self.by_prefix
            .insert_unique(hash(address, len), index, |&index| {
                let (address, len) = entries.get(index).ip4();
                hash(address, len)
            });
        self.counts[usize::from(len)] += 1;
        self.lengths |= 1 << len;
    }

    pub(super) fn remove(&mut self, entries: &Entries, index: EntryIndex) {
        let (address, len) = entries.get(index).ip4();
        if let Ok(entry) = self
            .by_prefix
            .find_entry(hash(address, len), |&other| other == index)
        {
            entry.remove();
            let count = &mut self.counts[usize::from(len)];
            *count -= 1;
            if *count == 0 {
                self.lengths &= !(1 << len);
            }
        }
    }

    /// The route of the longest prefix of fewer than `below` bits that covers `address`, by trying each
    /// length there is.
    pub(super) fn shorter(&self, entries: &Entries, address: u32, below: u8) -> Option<EntryIndex> {
        let mut lengths = self.lengths & ((1 << below) - 1);
        while lengths != 0 {
            let len = lengths.ilog2() as u8;
            lengths &= !(1 << len);
            if let Some(index) = self.find(entries, address & super::mask4(len), len) {
                return Some(index);
            }
        }
        None
    }

    pub(super) const fn counts(&self) -> &[u32; 33] {
        &self.counts
    }

    pub(super) fn len(&self) -> usize {
        self.by_prefix.len()
    }

    pub(super) fn bytes(&self) -> usize {
        // a power of two of slots, at most 7/8 full; an index and a control byte each
        let slots = (self.by_prefix.capacity() * 8 / 7).next_power_of_two();
        slots * (size_of::<EntryIndex>() + 1)
    }
}

/// All tables of a node.
#[derive(Debug)]
pub(super) struct Tables {
    slots: Vec<Option<Table>>,
    by_id: FxHashMap<(AddressFamily, u32), FibIndex>,
    readers: FibReader,
}

impl Tables {
    pub(super) fn new(readers: FibReader) -> Self {
        Self {
            slots: Vec::new(),
            by_id: FxHashMap::default(),
            readers,
        }
    }

    pub(super) fn find(&self, family: AddressFamily, id: u32) -> Option<FibIndex> {
        self.by_id.get(&(family, id)).copied()
    }

    pub(super) fn get(&self, fib: FibIndex) -> Result<&Table, FibError> {
        self.slots
            .get(fib.0 as usize)
            .and_then(Option::as_ref)
            .ok_or(FibError::NoSuchTable)
    }

    pub(super) fn get_mut(&mut self, fib: FibIndex) -> Result<&mut Table, FibError> {
        self.slots
            .get_mut(fib.0 as usize)
            .and_then(Option::as_mut)
            .ok_or(FibError::NoSuchTable)
    }

    /// The table of a route: routes end before their table.
    pub(super) fn of(&self, fib: FibIndex) -> &Table {
        self.get(fib).expect("a route's table exists")
    }

    pub(super) fn of_mut(&mut self, fib: FibIndex) -> &mut Table {
        self.get_mut(fib).expect("a route's table exists")
    }

    /// Makes a table; the lowest free index is used. It has no lock and no route yet.
    pub(super) fn add(
        &mut self,
        family: AddressFamily,
        id: u32,
        name: &str,
        mtrie: Ip4Mtrie,
    ) -> Result<FibIndex, FibError> {
        let free = self
            .slots
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.slots.len());
        let fib = FibIndex(free as u32);
        if fib.0 >= MAX_TABLES {
            return Err(FibError::Limit("tables"));
        }
        let name = match name {
            "" => format!("{family}-VRF:{id}"),
            name => name.to_owned(),
        };
        let mtrie = Arc::new(mtrie);
        self.readers.publish(fib, Some(Arc::clone(&mtrie)));
        let table = Table {
            family,
            id,
            name,
            flow_hash: FlowHashConfig::DEFAULT,
            epoch: 0,
            resync: false,
            mtrie,
            locks: BTreeMap::new(),
            routes: Routes::new(),
        };
        if free == self.slots.len() {
            self.slots.push(Some(table));
        } else {
            self.slots[free] = Some(table);
        }
        self.by_id.insert((family, id), fib);
        Ok(fib)
    }

    /// Takes a table out; readers find none at its index.
    pub(super) fn remove(&mut self, fib: FibIndex) -> Option<Table> {
        let table = self.slots.get_mut(fib.0 as usize)?.take()?;
        self.by_id.remove(&(table.family, table.id));
        self.readers.publish(fib, None);
        Some(table)
    }

    /// All tables by index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (FibIndex, &Table)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(index, table)| Some((FibIndex(index as u32), table.as_ref()?)))
    }

    pub(super) fn bytes(&self) -> usize {
        let tables = self
            .iter()
            .map(|(_, table)| table.routes.bytes() + Ip4Mtrie::ROOT_BYTES);
        tables.sum::<usize>() + self.slots.capacity() * size_of::<Option<Table>>()
    }
}
