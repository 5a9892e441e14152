//! Path lists: made, evaluated, ended.

use super::entry::EntryIndex;
use super::load_balance::{Block, Choice, MAX_RECURSION};
use super::path_list::{Forwarding, ListFlags, ListIndex, Path};
use super::state::{State, Work};
use super::weights::normalise;
use super::{
    AddressFamily, Dpo, DpoKind, EntryFlags, FibError, PathKind, PathSpec, Prefix, Source,
};
use crate::adj::AdjIndex;
use crate::interface::SwIfIndex;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

/// Paths of a list at most: as many as a load balance has buckets.
pub(super) const MAX_PATHS: usize = super::weights::MAX_BUCKETS;

/// A path that can be used now.
struct Usable {
    weight: u32,
    dpo: Dpo,
    depth: u8,
}

impl State {
    /// A list of these paths for routes of a family, with a lock for the caller.
    pub(super) fn hold_list(
        &mut self,
        family: AddressFamily,
        flags: ListFlags,
        specs: &[PathSpec],
    ) -> Result<ListIndex, FibError> {
        let mut sorted: SmallVec<[PathSpec; 4]> = SmallVec::from_slice(specs);
        if sorted.len() > MAX_PATHS {
            return Err(FibError::Limit("paths"));
        }
        sorted.sort_by_key(|spec| (spec.preference, spec.kind));
        let list = match flags
            .is_shared()
            .then(|| self.lists.find_shared(flags, &sorted))
            .flatten()
        {
            Some(list) => list,
            None => self.make_list(family, flags, &sorted)?,
        };
        self.lists.get_mut(list).locks += 1;
        Ok(list)
    }

    fn make_list(
        &mut self,
        family: AddressFamily,
        flags: ListFlags,
        specs: &[PathSpec],
    ) -> Result<ListIndex, FibError> {
        let mut paths = Vec::with_capacity(specs.len());
        for &spec in specs {
            match self.make_path(family, spec) {
                Ok(path) => paths.push(path),
                Err(error) => {
                    for path in paths {
                        self.end_path(&path);
                        self.lists.release_path_number(path.number);
                    }
                    return Err(error);
                }
            }
        }
        let list = self.lists.insert(flags, paths.into_boxed_slice());
        for spec in specs {
            if let Some(interface) = spec.kind.interface() {
                self.by_interface.entry(interface).or_default().insert(list);
            }
        }
        let vias: SmallVec<[EntryIndex; 4]> = self
            .lists
            .get(list)
            .paths
            .iter()
            .filter_map(|path| path.via)
            .collect();
        for via in vias {
            self.children.entry(via).or_default().insert(list);
            self.entries.get_mut(via).set_children(true);
        }
        self.evaluate(list);
        Ok(list)
    }

    /// A path with what it holds: an adjacency, a route to resolve through, a table.
    fn make_path(&mut self, family: AddressFamily, spec: PathSpec) -> Result<Path, FibError> {
        let peer = |interface| self.links.is_point_to_point(interface);
        let peer = spec.kind.interface().is_some_and(peer);
        let adjacency = match spec.kind.adjacency(family, peer) {
            Some(key) => Some(self.adjacencies.lock(key)?),
            None => None,
        };
        let via = match spec.kind {
            PathKind::Recursive { next_hop, fib, .. } => {
                Some(self.hold_target(fib, Prefix::host(next_hop))?)
            }
            PathKind::Lookup { fib } => {
                self.tables.get_mut(fib)?.lock(Source::RECURSIVE);
                None
            }
            _ => None,
        };
        let number = self.lists.path_number();
        let (resolved, looped, dead) = (false, false, false);
        Ok(Path {
            number,
            spec,
            adjacency,
            via,
            resolved,
            looped,
            dead,
        })
    }

    fn end_path(&mut self, path: &Path) {
        if let Some(adjacency) = path.adjacency {
            self.adjacencies.unlock(adjacency);
        }
        if let Some(via) = path.via {
            self.release_target(via);
        }
        if let PathKind::Lookup { fib } = path.spec.kind {
            self.unlock_table(fib, Source::RECURSIVE);
        }
    }

    /// Gives a lock back; a list without holders ends when the queue comes to it.
    pub(super) fn release_list(&mut self, list: ListIndex) {
        let it = self.lists.get_mut(list);
        it.locks -= 1;
        if it.locks == 0 {
            self.work.push_back(Work::Unheld(list));
        }
    }

    /// Ends a list, unless somebody holds it again.
    pub(super) fn end_list(&mut self, list: ListIndex) {
        if self.lists.find(list).is_none_or(|it| it.locks != 0) {
            return;
        }
        let Some(it) = self.lists.remove(list) else {
            return;
        };
        if let Forwarding::Spread(block) = it.forwarding {
            self.load_balances.release(block);
        }
        for path in &it.paths {
            if let Some(interface) = path.spec.kind.interface()
                && let Some(lists) = self.by_interface.get_mut(&interface)
            {
                lists.remove(&list);
                if lists.is_empty() {
                    self.by_interface.remove(&interface);
                }
            }
            if let Some(via) = path.via
                && let Some(lists) = self.children.get_mut(&via)
            {
                lists.remove(&list);
                if lists.is_empty() {
                    self.children.remove(&via);
                    self.entries.get_mut(via).set_children(false);
                }
            }
        }
        for path in &it.paths {
            self.end_path(path);
        }
    }

    /// Finds out what a list comes to, and tells its routes if that changed.
    pub(super) fn evaluate(&mut self, list: ListIndex) {
        let (usable, depth) = self.usable(list);
        let it = self.lists.get(list);
        let (before, before_depth) = (it.forwarding, it.depth);
        let (after, superseded) = self.forwarding(before, usable);
        let it = self.lists.get_mut(list);
        (it.forwarding, it.depth) = (after, depth);
        if after != before || depth != before_depth {
            let mut entry = it.head;
            while entry != EntryIndex::NONE {
                self.write(entry);
                self.queue_children(entry);
                entry = self.entries.get(entry).next;
            }
        }
        if let Some(block) = superseded {
            self.load_balances.release(block);
        }
    }

    /// The paths of the best preference that can be used, by weight; and the depth of the deepest.
    fn usable(&mut self, list: ListIndex) -> (SmallVec<[Usable; 4]>, u8) {
        let mut usable: SmallVec<[Usable; 4]> = SmallVec::new();
        let mut preference = None;
        for position in 0..self.lists.get(list).paths.len() {
            let path = &self.lists.get(list).paths[position];
            let looped = path.via.is_some_and(|via| self.leads_back(via, list));
            let found = if looped || path.dead {
                None
            } else {
                self.resolve(path)
            };
            let path = &mut self.lists.get_mut(list).paths[position];
            (path.resolved, path.looped) = (found.is_some(), looped);
            if let Some((dpo, depth)) = found
                && *preference.get_or_insert(path.spec.preference) == path.spec.preference
            {
                usable.push(Usable {
                    weight: path.spec.weight.into(),
                    dpo,
                    depth,
                });
            }
        }
        usable.sort_by_key(|path| path.weight);
        let depth = usable.iter().map(|path| path.depth).max().unwrap_or(0);
        (usable, depth)
    }

    /// What usable paths come to; reuses the block of buckets of before if the number is the same. The
    /// second is the block that is not needed any more.
    fn forwarding(
        &mut self,
        before: Forwarding,
        usable: SmallVec<[Usable; 4]>,
    ) -> (Forwarding, Option<Block>) {
        let old = match before {
            Forwarding::Spread(block) => Some(block),
            Forwarding::Single(_) => None,
        };
        let first = usable.first().map_or(Dpo::DROP, |path| path.dpo);
        if usable.len() < 2 {
            return (Forwarding::Single(first), old);
        }
        let weights: SmallVec<[u32; 8]> = usable.iter().map(|path| path.weight).collect();
        let dpos: SmallVec<[Dpo; 8]> = usable.iter().map(|path| path.dpo).collect();
        let shares = normalise(&weights);
        if let Some(block) = old
            && block.len() == shares.iter().sum::<u32>()
        {
            self.load_balances.fill(block, &dpos, &shares);
            return (before, None);
        }
        match self.load_balances.allocate(&dpos, &shares) {
            Some(block) => (Forwarding::Spread(block), old),
            // the pool of buckets is used up: forward, but by one path
            None => (Forwarding::Single(first), old),
        }
    }

    /// Where a path leads now, and how deep; `None` if nowhere.
    fn resolve(&self, path: &Path) -> Option<(Dpo, u8)> {
        let up = |interface| self.links.exists(interface) && self.links.is_up(interface);
        let dpo = match path.spec.kind {
            PathKind::Drop => return None,
            PathKind::AttachedNextHop { interface, .. } | PathKind::Attached { interface, .. } => {
                Dpo::adjacency(path.adjacency.filter(|_| up(interface))?)
            }
            PathKind::Unreachable => Dpo::new(DpoKind::Unreachable, 0),
            PathKind::Prohibited => Dpo::new(DpoKind::Prohibited, 0),
            PathKind::Lookup { fib } => Dpo::new(DpoKind::Lookup, fib.0),
            PathKind::InterfaceRx { interface } => Dpo::new(DpoKind::InterfaceRx, interface.0),
            PathKind::Receive { interface, .. } => Dpo::receive(interface),
            PathKind::Recursive {
                via_host,
                via_attached,
                ..
            } => {
                return self.resolve_recursive(path.via?, via_host, via_attached);
            }
        };
        Some((dpo, 0))
    }

    fn resolve_recursive(
        &self,
        via: EntryIndex,
        via_host: bool,
        via_attached: bool,
    ) -> Option<(Dpo, u8)> {
        let entry = self.entries.get(via);
        let made_for_resolution = entry.source.priority() >= Source::RECURSIVE.priority();
        if !entry.is_installed()
            || (via_host && made_for_resolution)
            || (via_attached && !entry.flags.contains(EntryFlags::ATTACHED))
        {
            return None;
        }
        let target = self.lists.get(entry.list);
        let depth = target.depth + 1;
        if target.forwarding == Forwarding::DROP || depth > MAX_RECURSION {
            return None;
        }
        Some((Dpo::new(DpoKind::LoadBalance, via.lb().0), depth))
    }

    /// Whether what a target forwards by contains, at any depth, the list itself. Depths that recursion
    /// does not reach need no look: paths that deep are unresolved.
    fn leads_back(&self, via: EntryIndex, list: ListIndex) -> bool {
        let mut seen = FxHashSet::default();
        let mut level: SmallVec<[EntryIndex; 8]> = SmallVec::from_slice(&[via]);
        for _ in 0..=MAX_RECURSION {
            let mut deeper: SmallVec<[EntryIndex; 8]> = SmallVec::new();
            for via in level {
                let next = self.entries.get(via).list;
                if next == list {
                    return true;
                }
                let paths = self.lists.find(next).map_or(&[][..], |it| &it.paths);
                let mut vias = paths.iter().filter_map(|path| path.via).peekable();
                if vias.peek().is_some() && seen.insert(next) {
                    deeper.extend(vias);
                }
            }
            level = deeper;
        }
        false
    }

    /// The interface that a list's packets leave by, as far as it has one: that of its first path.
    pub(super) fn resolving_interface(&self, list: ListIndex) -> Option<SwIfIndex> {
        let mut list = list;
        for _ in 0..=MAX_RECURSION {
            let path = self.lists.find(list)?.paths.first()?;
            match (path.spec.kind.interface(), path.via) {
                (Some(interface), _) => return Some(interface),
                (None, Some(via)) => list = self.entries.get(via).list,
                (None, None) => return None,
            }
        }
        None
    }

    /// Stores what a route's list comes to in the route's load balance.
    pub(super) fn write(&self, entry: EntryIndex) {
        let record = self.entries.get(entry);
        let choice = match self.lists.find(record.list).map(|list| list.forwarding) {
            Some(Forwarding::Single(dpo)) => Choice::single(dpo),
            Some(Forwarding::Spread(block)) => {
                Choice::spread(block, self.tables.of(record.fib()).flow_hash)
            }
            None => Choice::DROP,
        };
        self.load_balances.set(entry.lb(), choice);
    }

    /// Asks for the lists that resolve through a route to be evaluated.
    pub(super) fn queue_children(&mut self, entry: EntryIndex) {
        if self.entries.get(entry).has_children() {
            let lists: Vec<ListIndex> = self
                .children
                .get(&entry)
                .into_iter()
                .flatten()
                .copied()
                .collect();
            for list in lists {
                self.queue_list(list);
            }
        }
    }

    /// Asks for every list that leads to a route, at any depth that recursion reaches, to be evaluated:
    /// what the route leads to changed, so a circle may have closed or opened anywhere above it.
    pub(super) fn queue_ancestors(&mut self, entry: EntryIndex) {
        let mut seen = FxHashSet::default();
        let mut level = vec![entry];
        for _ in 0..=MAX_RECURSION {
            let children = level
                .iter()
                .filter_map(|entry| self.children.get(entry))
                .flatten();
            let lists: Vec<ListIndex> = children
                .copied()
                .filter(|&list| seen.insert(list))
                .collect();
            level.clear();
            for list in lists {
                self.queue_list(list);
                let mut user = self.lists.get(list).head;
                while user != EntryIndex::NONE {
                    let record = self.entries.get(user);
                    if record.has_children() {
                        level.push(user);
                    }
                    user = record.next;
                }
            }
        }
    }

    // --- interfaces ---

    /// The state of an interface changed, or whose address it borrows: paths through it and neighbours on
    /// it are looked at again.
    pub(super) fn interface_changed(&mut self, interface: SwIfIndex) {
        if let Some(neighbours) = self.neighbours.get(&interface) {
            self.work
                .extend(neighbours.iter().map(|&entry| Work::Cover(entry)));
        }
        for list in self.lists_of(interface) {
            self.queue_list(list);
        }
    }

    /// An interface is gone: paths through it stay unusable, even if another takes its number.
    pub(super) fn interface_deleted(&mut self, interface: SwIfIndex) {
        for list in self.lists_of(interface) {
            self.lists.forget(list);
            for path in &mut self.lists.get_mut(list).paths {
                if path.spec.kind.interface() == Some(interface) {
                    path.dead = true;
                }
            }
            self.queue_list(list);
        }
    }

    fn lists_of(&self, interface: SwIfIndex) -> Vec<ListIndex> {
        self.by_interface
            .get(&interface)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// The numbers of the paths that go through an adjacency.
    pub(super) fn paths_of(&self, adjacency: AdjIndex) -> Vec<u32> {
        let paths = self.lists.iter().flat_map(|(_, list)| &list.paths);
        let mut numbers: Vec<u32> = paths
            .filter(|path| path.adjacency == Some(adjacency))
            .map(|path| path.number)
            .collect();
        numbers.sort_unstable();
        numbers
    }
}
