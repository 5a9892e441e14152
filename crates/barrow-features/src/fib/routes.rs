//! Routes: which sources they have, which of them decides, and how readers find them.

use super::entry::{EntryIndex, Record};
use super::path_list::{ListFlags, ListIndex, PathList};
use super::source::Behaviour;
use super::state::{State, Work};
use super::{AddressFamily, EntryFlags, FibError, FibIndex, PathKind, PathSpec, Prefix, Source};
use smallvec::SmallVec;

/// What a route forwards by.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Active {
    list: ListIndex,
    source: Source,
    flags: EntryFlags,
}

impl State {
    /// The route of exactly this prefix.
    pub(super) fn find(
        &self,
        fib: FibIndex,
        prefix: Prefix,
    ) -> Result<Option<EntryIndex>, FibError> {
        let (address, len) = prefix.ip4()?;
        Ok(self
            .tables
            .get(fib)?
            .routes()
            .find(&self.entries, address, len))
    }

    /// The route of the longest prefix that covers this one, itself included.
    pub(super) fn longest(
        &self,
        fib: FibIndex,
        prefix: Prefix,
    ) -> Result<Option<EntryIndex>, FibError> {
        let (address, len) = prefix.ip4()?;
        self.tables.get(fib)?;
        Ok(self.shorter(fib, address, len + 1))
    }

    /// The route of the longest prefix of fewer than `below` bits that covers `address`.
    fn shorter(&self, fib: FibIndex, address: u32, below: u8) -> Option<EntryIndex> {
        let table = self.tables.get(fib).ok()?;
        match table.mtrie.longest_match(address) {
            // the longest is short enough: that is it
            Some((lb, len)) if len < below => EntryIndex::of(lb),
            // a longer one is in the way
            Some(_) => table.routes().shorter(&self.entries, address, below),
            None => None,
        }
    }

    /// The route that covers a route.
    pub(super) fn cover(&self, entry: EntryIndex) -> Option<EntryIndex> {
        let record = self.entries.get(entry);
        let (address, len) = record.ip4();
        self.shorter(record.fib(), address, len)
    }

    // --- what sources ask for ---

    /// Gives a source these paths for a prefix, in place of what it had.
    pub(super) fn update(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
        source: Source,
        flags: EntryFlags,
        specs: &[PathSpec],
    ) -> Result<EntryIndex, FibError> {
        self.tables.get(fib)?;
        let mut fitted: SmallVec<[PathSpec; 4]> = SmallVec::from_slice(specs);
        let flags = fit(prefix, source, flags, &mut fitted);
        let list = self.hold_list(prefix.family(), list_flags(source, flags), &fitted)?;
        let entry = match self.entry(fib, prefix) {
            Ok(entry) => entry,
            Err(error) => {
                self.release_list(list);
                return Err(error);
            }
        };
        self.set_record(entry, Record::new(source, flags, Some(list)));
        Ok(entry)
    }

    /// Adds paths to what a source has; those it has already stay as they are.
    pub(super) fn add_paths(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
        source: Source,
        flags: EntryFlags,
        specs: &[PathSpec],
    ) -> Result<EntryIndex, FibError> {
        let old = self
            .find(fib, prefix)?
            .and_then(|entry| self.entries.record(entry, source));
        let Some(list) = old.as_ref().and_then(|old| old.list) else {
            return self.update(fib, prefix, source, flags, specs);
        };
        let mut fitted: SmallVec<[PathSpec; 4]> = SmallVec::from_slice(specs);
        let flags = fit(prefix, source, flags, &mut fitted);
        let mut all: SmallVec<[PathSpec; 4]> = self.lists.get(list).specs().collect();
        for spec in fitted {
            if !all.iter().any(|have| have.same(&spec)) {
                all.push(spec);
            }
        }
        let flags = flags | old.map_or(EntryFlags::NONE, |old| old.flags);
        self.update(fib, prefix, source, flags, &all)
    }

    /// Takes paths from what a source has; the last one takes the source. Paths and routes that are not
    /// there are no error.
    pub(super) fn remove_paths(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
        source: Source,
        specs: &[PathSpec],
    ) -> Result<(), FibError> {
        let Some(entry) = self.find(fib, prefix)? else {
            return Ok(());
        };
        let Some(old) = self.entries.record(entry, source) else {
            return Ok(());
        };
        let Some(list) = old.list else { return Ok(()) };
        let mut fitted: SmallVec<[PathSpec; 4]> = SmallVec::from_slice(specs);
        fit(prefix, source, old.flags, &mut fitted);
        let mut left: SmallVec<[PathSpec; 4]> = self.lists.get(list).specs().collect();
        for spec in fitted {
            if let Some(at) = left.iter().position(|have| have.same(&spec)) {
                left.remove(at);
            }
        }
        if left.is_empty() {
            self.remove_source(entry, source);
            Ok(())
        } else {
            self.update(fib, prefix, source, old.flags, &left).map(drop)
        }
    }

    /// Takes everything that a source said about a route; the last source takes the route.
    pub(super) fn remove_source(&mut self, entry: EntryIndex, source: Source) {
        let records = self.entries.records(entry);
        match &records[..] {
            [only] if only.source == source => self.end_entry(entry),
            [_, _, ..] => {
                let Some(record) = self.entries.take(entry, source) else {
                    return;
                };
                self.select(entry);
                if let Some(list) = record.list {
                    self.release_list(list);
                }
            }
            _ => {}
        }
    }

    /// The route that recursive paths to an address resolve through, held for one path more.
    pub(super) fn hold_target(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
    ) -> Result<EntryIndex, FibError> {
        let entry = self.entry(fib, prefix)?;
        self.tables.get_mut(fib)?.lock(Source::RECURSIVE);
        if let Some(book) = self.entries.book_mut(entry)
            && let Some(record) = book
                .records
                .iter_mut()
                .find(|record| record.source == Source::RECURSIVE)
        {
            record.refs += 1;
            return Ok(entry);
        }
        self.set_record(
            entry,
            Record::new(Source::RECURSIVE, EntryFlags::NONE, None),
        );
        Ok(entry)
    }

    /// Gives a target back that [`hold_target`](Self::hold_target) gave.
    pub(super) fn release_target(&mut self, entry: EntryIndex) {
        let fib = self.entries.get(entry).fib();
        let record = self.entries.book_mut(entry).and_then(|book| {
            book.records
                .iter_mut()
                .find(|record| record.source == Source::RECURSIVE)
        });
        if let Some(record) = record {
            record.refs -= 1;
            if record.refs == 0 {
                self.remove_source(entry, Source::RECURSIVE);
            }
        }
        self.unlock_table(fib, Source::RECURSIVE);
    }

    /// A neighbour is on a link: its host route follows the connected route that covers it.
    pub(super) fn add_neighbour(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
        spec: PathSpec,
    ) -> Result<EntryIndex, FibError> {
        self.tables.get(fib)?;
        let entry = self.entry(fib, prefix)?;
        let mut record = self
            .entries
            .record(entry, Source::ADJACENCY)
            .unwrap_or_else(|| Record::new(Source::ADJACENCY, EntryFlags::ATTACHED, None));
        if !record.paths.contains(&spec) {
            record.paths.push(spec);
            self.tables.get_mut(fib)?.lock(Source::ADJACENCY);
        }
        // the list is made anew from the paths, the old one is still held by the old record
        record.list = None;
        self.set_record(entry, record);
        Ok(entry)
    }

    /// A neighbour is gone from a link.
    pub(super) fn remove_neighbour(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
        spec: &PathSpec,
    ) -> Result<(), FibError> {
        let Some(entry) = self.find(fib, prefix)? else {
            return Ok(());
        };
        let Some(mut record) = self.entries.record(entry, Source::ADJACENCY) else {
            return Ok(());
        };
        let Some(at) = record.paths.iter().position(|have| have == spec) else {
            return Ok(());
        };
        record.paths.remove(at);
        if record.paths.is_empty() {
            self.remove_source(entry, Source::ADJACENCY);
        } else {
            record.list = None;
            self.set_record(entry, record);
        }
        self.unlock_table(fib, Source::ADJACENCY);
        Ok(())
    }

    // --- records ---

    /// The route of a prefix, made without a source if need be.
    fn entry(&mut self, fib: FibIndex, prefix: Prefix) -> Result<EntryIndex, FibError> {
        if let Some(entry) = self.find(fib, prefix)? {
            return Ok(entry);
        }
        let (address, len) = prefix.ip4()?;
        // what installing it may need: from here on nothing fails
        self.plies
            .reserve(2)
            .map_err(|_| FibError::Limit("plies"))?;
        let entry = self
            .entries
            .allocate(fib, address, len)
            .ok_or(FibError::Limit("routes"))?;
        if !self.load_balances.ensure(entry.lb()) {
            self.entries.cancel(entry);
            return Err(FibError::Limit("routes"));
        }
        self.to_counters.start(entry.lb().0);
        self.via_counters.start(entry.lb().0);
        if !prefix.is_host() {
            self.queue_covered_by_new(fib, prefix, address, len);
        }
        self.tables
            .of_mut(fib)
            .routes_mut()
            .insert(&self.entries, entry);
        Ok(entry)
    }

    /// A new prefix comes between routes and the one that covers them.
    fn queue_covered_by_new(&mut self, fib: FibIndex, prefix: Prefix, address: u32, len: u8) {
        let Some(cover) = self.shorter(fib, address, len) else {
            return;
        };
        if self.entries.get(cover).has_covered()
            && let Some(covered) = self.covered.get(&cover)
        {
            let inside = |entry: &&EntryIndex| prefix.covers(self.entries.get(**entry).prefix());
            self.work.extend(
                covered
                    .iter()
                    .filter(inside)
                    .map(|&entry| Work::Cover(entry)),
            );
        }
    }

    /// Writes down what a source says about a route, and lets the best source decide.
    fn set_record(&mut self, entry: EntryIndex, record: Record) {
        if self.entries.is_plain_for(entry, &record) {
            let old = self.entries.get(entry).list;
            self.entries.set_stale(entry, record.source, false);
            if let Some(list) = record.list {
                self.activate(
                    entry,
                    Some(Active {
                        list,
                        source: record.source,
                        flags: record.flags,
                    }),
                );
            }
            if !old.is_none() {
                self.release_list(old);
            }
            return;
        }
        let old = self.entries.put(entry, record);
        self.select(entry);
        if let Some(list) = old.and_then(|old| old.list) {
            self.release_list(list);
        }
    }

    /// Lets the best source of a route with a book decide.
    pub(super) fn select(&mut self, entry: EntryIndex) {
        let follows = self
            .entries
            .book(entry)
            .is_some_and(|book| book.records.iter().any(Record::follows_cover));
        let cover = if follows { self.cover(entry) } else { None };
        self.follow(entry, cover);

        let mut active = None;
        let mut dropped: SmallVec<[ListIndex; 2]> = SmallVec::new();
        for position in 0.. {
            let Some(record) = self
                .entries
                .book(entry)
                .and_then(|book| book.records.get(position))
                .cloned()
            else {
                break;
            };
            let mut flags = record.flags;
            // what decides below nobody asks for
            let list = match record.source.behaviour() {
                Behaviour::Recursive | Behaviour::Adjacency if active.is_some() => None,
                Behaviour::Recursive => {
                    let (list, inherited) = self.list_of_target(entry, cover, record.list);
                    flags = inherited;
                    list
                }
                Behaviour::Adjacency => self.list_of_neighbour(entry, cover, &record),
                _ => record.list,
            };
            if list != record.list {
                dropped.extend(record.list);
            }
            if let Some(book) = self.entries.book_mut(entry)
                && let Some(record) = book.records.get_mut(position)
            {
                (record.list, record.flags) = (list, flags);
            }
            if let Some(list) = list
                && active.is_none()
            {
                active = Some(Active {
                    list,
                    source: record.source,
                    flags,
                });
            }
        }
        self.activate(entry, active);
        self.entries.simplify(entry);
        for list in dropped {
            self.release_list(list);
        }
    }

    /// What a target of recursion forwards by, held: the neighbour that it is, on an attached network; else
    /// whatever covers it.
    fn list_of_target(
        &mut self,
        entry: EntryIndex,
        cover: Option<EntryIndex>,
        now: Option<ListIndex>,
    ) -> (Option<ListIndex>, EntryFlags) {
        let prefix = self.entries.get(entry).prefix();
        let Some(cover) = cover else {
            return (None, EntryFlags::NONE);
        };
        let cover = *self.entries.get(cover);
        let inherited = cover.flags & (EntryFlags::CONNECTED | EntryFlags::ATTACHED);
        if inherited.contains(EntryFlags::ATTACHED)
            && let Some(interface) = self.resolving_interface(cover.list)
        {
            let next_hop = prefix.address();
            let spec = PathSpec::new(PathKind::AttachedNextHop {
                next_hop,
                interface,
            });
            if let Some(list) = self.own_list(prefix.family(), now, &[spec]) {
                return (Some(list), inherited);
            }
        }
        if now != Some(cover.list)
            && let Some(list) = self.lists.find_mut(cover.list)
        {
            list.locks += 1;
        }
        (
            Some(cover.list).filter(|list| !list.is_none()),
            EntryFlags::NONE,
        )
    }

    /// What a neighbour's route forwards by, held: its paths on the link that the covering route is
    /// attached to. None elsewhere, so that nobody attracts traffic by announcing foreign addresses.
    fn list_of_neighbour(
        &mut self,
        entry: EntryIndex,
        cover: Option<EntryIndex>,
        record: &Record,
    ) -> Option<ListIndex> {
        let cover = *self.entries.get(cover?);
        if !cover.flags.contains(EntryFlags::ATTACHED) {
            return None;
        }
        let link = self.resolving_interface(cover.list)?;
        let allowed = |spec: &&PathSpec| {
            spec.kind.interface().is_some_and(|interface| {
                interface == link || self.links.unnumbered_to(interface) == Some(link)
            })
        };
        let specs: SmallVec<[PathSpec; 1]> = record.paths.iter().filter(allowed).copied().collect();
        if specs.is_empty() {
            return None;
        }
        self.own_list(
            self.entries.get(entry).prefix().family(),
            record.list,
            &specs,
        )
    }

    /// A list of these paths for this route alone, held: the one it has if that will do.
    fn own_list(
        &mut self,
        family: AddressFamily,
        now: Option<ListIndex>,
        specs: &[PathSpec],
    ) -> Option<ListIndex> {
        if let Some(now) = now
            && let Some(list) = self.lists.find(now)
            && list.flags.is_empty()
            && list.locks == 1
            && list.specs().eq(specs.iter().copied())
            && list.paths.iter().all(|path| !path.dead)
        {
            return Some(now);
        }
        self.hold_list(family, ListFlags::NONE, specs).ok()
    }

    /// Writes down which route a route follows.
    fn follow(&mut self, entry: EntryIndex, cover: Option<EntryIndex>) {
        let Some(book) = self.entries.book_mut(entry) else {
            return;
        };
        let before = std::mem::replace(&mut book.cover, cover);
        if before == cover {
            return;
        }
        if let Some(before) = before
            && let Some(covered) = self.covered.get_mut(&before)
        {
            covered.remove(&entry);
            if covered.is_empty() {
                self.covered.remove(&before);
                self.entries.get_mut(before).set_covered(false);
            }
        }
        if let Some(cover) = cover {
            self.covered.entry(cover).or_default().insert(entry);
            self.entries.get_mut(cover).set_covered(true);
        }
    }

    /// Makes a route forward by a list, or not at all, and tells who depends on it.
    fn activate(&mut self, entry: EntryIndex, active: Option<Active>) {
        let record = self.entries.get(entry);
        let before = Active {
            list: record.list,
            source: record.source,
            flags: record.flags,
        };
        let installed = record.is_installed();
        let after = active.unwrap_or(Active {
            list: ListIndex::NONE,
            source: before.source,
            flags: EntryFlags::NONE,
        });
        if before.list != after.list {
            self.unlink(entry);
            self.link(entry, after.list);
        }
        let record = self.entries.get_mut(entry);
        (record.source, record.flags) = (after.source, after.flags);
        if before.list != after.list {
            self.write(entry);
        }
        match active {
            Some(_) if !installed => self.install(entry),
            None if installed => self.uninstall(entry),
            _ => {}
        }
        if before != after || installed != self.entries.get(entry).is_installed() {
            let recurses = |list| self.lists.find(list).is_some_and(PathList::recurses);
            if self.entries.get(entry).has_children()
                && (recurses(before.list) || recurses(after.list))
            {
                self.queue_ancestors(entry);
            } else {
                self.queue_children(entry);
            }
            self.queue_covered(entry);
        }
    }

    fn queue_covered(&mut self, entry: EntryIndex) {
        if self.entries.get(entry).has_covered()
            && let Some(covered) = self.covered.get(&entry)
        {
            self.work
                .extend(covered.iter().map(|&entry| Work::Cover(entry)));
        }
    }

    fn link(&mut self, entry: EntryIndex, list: ListIndex) {
        let Some(it) = self.lists.find_mut(list) else {
            return;
        };
        let next = std::mem::replace(&mut it.head, entry);
        it.users += 1;
        let record = self.entries.get_mut(entry);
        (record.list, record.next, record.prev) = (list, next, EntryIndex::NONE);
        if next != EntryIndex::NONE {
            self.entries.get_mut(next).prev = entry;
        }
    }

    fn unlink(&mut self, entry: EntryIndex) {
        let record = self.entries.get_mut(entry);
        let (next, prev) = (record.next, record.prev);
        let list = std::mem::replace(&mut record.list, ListIndex::NONE);
        (record.next, record.prev) = (EntryIndex::NONE, EntryIndex::NONE);
        let Some(it) = self.lists.find_mut(list) else {
            return;
        };
        it.users -= 1;
        if prev == EntryIndex::NONE {
            it.head = next;
        } else {
            self.entries.get_mut(prev).next = next;
        }
        if next != EntryIndex::NONE {
            self.entries.get_mut(next).prev = prev;
        }
    }

    /// Lets readers find a route.
    fn install(&mut self, entry: EntryIndex) {
        let record = self.entries.get(entry);
        let (address, len) = record.ip4();
        let table = self.tables.of(record.fib());
        // plies were reserved when the entry was made; a neighbour's route that comes back later may
        // find none, and stays out
        let installed = table
            .mtrie
            .insert(&mut self.plies, address, len, entry.lb())
            .is_ok();
        self.entries.get_mut(entry).set_installed(installed);
    }

    /// Lets readers find the covering route instead.
    fn uninstall(&mut self, entry: EntryIndex) {
        let record = self.entries.get(entry);
        let (address, len) = record.ip4();
        let table = self.tables.of(record.fib());
        let cover = table.routes().shorter(&self.entries, address, len);
        let cover = cover.map(|cover| (cover.lb(), self.entries.get(cover).ip4().1));
        table.mtrie.remove(&mut self.plies, address, len, cover);
        self.entries.get_mut(entry).set_installed(false);
    }

    /// Ends a route with all its sources.
    pub(super) fn end_entry(&mut self, entry: EntryIndex) {
        let records = self.entries.records(entry);
        if self.entries.get(entry).is_installed() {
            self.uninstall(entry);
        }
        self.unlink(entry);
        self.follow(entry, None);
        for covered in self.covered.remove(&entry).into_iter().flatten() {
            // its number may be another route's before they look again
            if let Some(book) = self.entries.book_mut(covered) {
                book.cover = None;
            }
            self.work.push_back(Work::Cover(covered));
        }
        self.queue_children(entry);
        let fib = self.entries.get(entry).fib();
        self.tables
            .of_mut(fib)
            .routes_mut()
            .remove(&self.entries, entry);
        self.entries.release(entry);
        for list in records.into_iter().filter_map(|record| record.list) {
            self.release_list(list);
        }
    }
}

/// Adapts paths to their prefix, and the flags to the paths.
fn fit(prefix: Prefix, source: Source, flags: EntryFlags, specs: &mut [PathSpec]) -> EntryFlags {
    let mut attached = false;
    let mut lookup = false;
    let mut local = false;
    for spec in specs.iter_mut() {
        attached |= spec.fit(prefix, flags);
        lookup |= matches!(spec.kind, PathKind::Lookup { .. });
        local |= matches!(spec.kind, PathKind::Receive { .. });
    }
    let mut flags = flags;
    if source == Source::API || source == Source::CLI {
        flags = flags.with(EntryFlags::ATTACHED, attached);
        flags = flags.with(EntryFlags::URPF_EXEMPT, lookup);
    }
    if local {
        flags = flags | EntryFlags::LOCAL;
        if specs.iter().any(
            |spec| matches!(spec.kind, PathKind::Receive { interface, .. } if !interface.is_none()),
        ) {
            flags = flags | EntryFlags::CONNECTED;
        }
    }
    flags
}

/// Properties of the list of a route.
fn list_flags(source: Source, flags: EntryFlags) -> ListFlags {
    match source.behaviour() {
        Behaviour::Api => ListFlags::SHARED,
        _ if flags.contains(EntryFlags::DROP) => ListFlags::DROP,
        _ if flags.contains(EntryFlags::LOCAL) => ListFlags::LOCAL,
        _ => ListFlags::NONE,
    }
}
