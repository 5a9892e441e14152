//! Which source of a route decides, and what follows from it: lists, load balances, what readers find.

use super::entry::EntryIndex;
use super::path_list::{ListFlags, ListIndex, PathList};
use super::record::Record;
use super::source::Behaviour;
use super::state::{State, Work};
use super::{AddressFamily, EntryFlags, PathKind, PathSpec, Source};
use smallvec::SmallVec;

/// What a route forwards by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Active {
    pub(super) list: ListIndex,
    pub(super) source: Source,
    pub(super) flags: EntryFlags,
}

impl State {
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
    pub(super) fn activate(&mut self, entry: EntryIndex, active: Option<Active>) {
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
        for spec in records.iter().flat_map(|record| &record.paths) {
            self.forget_neighbour(entry, spec);
        }
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
