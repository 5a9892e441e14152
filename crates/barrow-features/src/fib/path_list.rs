//! Lists of paths, shared by the routes that go the same way.
//!
//! A list is made of paths in order of preference, and knows what they come to now: one destination, or a
//! block of buckets. The routes that forward by it are strung together through their records, so a change
//! of the list reaches each of them.

use super::entry::EntryIndex;
use super::load_balance::Block;
use super::{Dpo, PathSpec};
use crate::adj::AdjIndex;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Index of a path list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct ListIndex(pub(super) u32);

impl ListIndex {
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

/// Properties of a list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct ListFlags(u8);

impl ListFlags {
    pub(super) const NONE: Self = Self(0);
    /// Found again by its paths.
    pub(super) const SHARED: Self = Self(1);
    /// Of a special route that drops.
    pub(super) const DROP: Self = Self(2);
    /// Of an address of this node.
    pub(super) const LOCAL: Self = Self(4);

    const NAMES: [&'static str; 3] = ["shared", "drop", "local"];

    pub(super) const fn is_shared(self) -> bool {
        self.0 & Self::SHARED.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for ListFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, name) in Self::NAMES.iter().enumerate() {
            if self.0 >> bit & 1 != 0 {
                write!(f, "{name},")?;
            }
        }
        Ok(())
    }
}

/// A path of a list.
#[derive(Debug)]
pub(super) struct Path {
    /// Its number in `show fib paths`.
    pub(super) number: u32,
    pub(super) spec: PathSpec,
    /// The adjacency it goes through; locked.
    pub(super) adjacency: Option<AdjIndex>,
    /// The route that a recursive path resolves through; it has a source on the path's behalf.
    pub(super) via: Option<EntryIndex>,
    /// Whether packets can go this way now.
    pub(super) resolved: bool,
    /// Whether it leads back to a list that it is in.
    pub(super) looped: bool,
    /// Its interface was deleted: it stays unresolved even if another takes the number.
    pub(super) dead: bool,
}

/// What a list comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Forwarding {
    Single(Dpo),
    Spread(Block),
}

impl Forwarding {
    pub(super) const DROP: Self = Self::Single(Dpo::DROP);
}

/// A list.
#[derive(Debug)]
pub(super) struct PathList {
    /// Best preference first.
    pub(super) paths: Box<[Path]>,
    pub(super) flags: ListFlags,
    /// How many sources of routes hold it.
    pub(super) locks: u32,
    /// The first route that forwards by it, and how many do.
    pub(super) head: EntryIndex,
    pub(super) users: u32,
    pub(super) forwarding: Forwarding,
    /// How many load balances a packet passes behind this list.
    pub(super) depth: u8,
    /// Waits to be evaluated.
    pub(super) queued: bool,
    interned: bool,
}

impl PathList {
    fn has(&self, flags: ListFlags, specs: &[PathSpec]) -> bool {
        self.flags == flags && self.paths.iter().map(|path| &path.spec).eq(specs)
    }

    /// Whether a path of it resolves through a route.
    pub(super) fn recurses(&self) -> bool {
        self.paths.iter().any(|path| path.via.is_some())
    }

    /// Its paths as they were given.
    pub(super) fn specs(&self) -> impl Iterator<Item = PathSpec> + '_ {
        self.paths.iter().map(|path| path.spec)
    }
}

fn hash(flags: ListFlags, specs: impl Iterator<Item = PathSpec>) -> u64 {
    let mut hasher = FxHasher::default();
    flags.hash(&mut hasher);
    specs.for_each(|spec| spec.hash(&mut hasher));
    hasher.finish()
}

/// All lists of a node.
#[derive(Debug, Default)]
pub(super) struct PathLists {
    slots: Vec<Option<PathList>>,
    free: Vec<ListIndex>,
    interned: HashTable<ListIndex>,
    path_numbers: u32,
    free_path_numbers: Vec<u32>,
}

impl PathLists {
    pub(super) fn get(&self, index: ListIndex) -> &PathList {
        self.find(index)
            .expect("a path list lives as long as it is held")
    }

    pub(super) fn get_mut(&mut self, index: ListIndex) -> &mut PathList {
        self.find_mut(index)
            .expect("a path list lives as long as it is held")
    }

    /// A list whose index may have waited in a queue.
    pub(super) fn find(&self, index: ListIndex) -> Option<&PathList> {
        self.slots.get(index.0 as usize)?.as_ref()
    }

    pub(super) fn find_mut(&mut self, index: ListIndex) -> Option<&mut PathList> {
        self.slots.get_mut(index.0 as usize)?.as_mut()
    }

    /// The shared list of these paths, sorted.
    pub(super) fn find_shared(&self, flags: ListFlags, specs: &[PathSpec]) -> Option<ListIndex> {
        let hash = hash(flags, specs.iter().copied());
        self.interned
            .find(hash, |&index| self.get(index).has(flags, specs))
            .copied()
    }

    /// Adds a list without locks or routes.
    pub(super) fn insert(&mut self, flags: ListFlags, paths: Box<[Path]>) -> ListIndex {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            ListIndex(self.slots.len() as u32 - 1)
        });
        let list = PathList {
            paths,
            flags,
            locks: 0,
            head: EntryIndex::NONE,
            users: 0,
            forwarding: Forwarding::DROP,
            depth: 0,
            queued: false,
            interned: flags.is_shared(),
        };
        let key = hash(flags, list.specs());
        self.slots[index.0 as usize] = Some(list);
        if flags.is_shared() {
            let slots = &self.slots;
            self.interned.insert_unique(key, index, |&index| {
                let list = slots[index.0 as usize]
                    .as_ref()
                    .expect("an interned list exists");
                hash(list.flags, list.specs())
            });
        }
        index
    }

    /// Makes a list stay apart from now on: a new route with these paths gets a new one.
    pub(super) fn forget(&mut self, index: ListIndex) {
        let list = self.get_mut(index);
        if std::mem::take(&mut list.interned) {
            let key = hash(list.flags, list.specs());
            if let Ok(entry) = self.interned.find_entry(key, |&other| other == index) {
                entry.remove();
            }
        }
    }

    /// Takes a list out.
    pub(super) fn remove(&mut self, index: ListIndex) -> Option<PathList> {
        self.find(index)?;
        self.forget(index);
        let list = self.slots[index.0 as usize].take()?;
        self.free_path_numbers
            .extend(list.paths.iter().map(|path| path.number));
        self.free.push(index);
        Some(list)
    }

    /// A number for a new path.
    pub(super) fn path_number(&mut self) -> u32 {
        self.free_path_numbers.pop().unwrap_or_else(|| {
            self.path_numbers += 1;
            self.path_numbers - 1
        })
    }

    /// Gives back the number of a path that did not come to be.
    pub(super) fn release_path_number(&mut self, number: u32) {
        self.free_path_numbers.push(number);
    }

    /// All lists by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ListIndex, &PathList)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(index, list)| Some((ListIndex(index as u32), list.as_ref()?)))
    }

    pub(super) fn bytes(&self) -> usize {
        let paths: usize = self.iter().map(|(_, list)| size_of_val(&*list.paths)).sum();
        self.slots.capacity() * size_of::<Option<PathList>>()
            + paths
            + self.interned.capacity() * (size_of::<ListIndex>() + 1)
            + (self.free.capacity() + self.free_path_numbers.capacity()) * size_of::<u32>()
    }
}
