//! Routes: what sources ask for, and the records of it.

use super::entry::EntryIndex;
use super::path_list::ListFlags;
use super::record::Record;
use super::select::Active;
use super::source::Behaviour;
use super::state::{State, Work};
use super::{EntryFlags, FibError, FibIndex, PathKind, PathSpec, Prefix, Source};
use smallvec::SmallVec;

impl State {
    /// The route of exactly this prefix.
    pub(super) fn find(
        &self,
        fib: FibIndex,
        prefix: Prefix,
    ) -> Result<Option<EntryIndex>, FibError> {
        let (address, len) = prefix.ip4()?;
        let table = self.tables.get(fib)?;
        match table.mtrie.longest_match(address) {
            // mostly the lookup structure tells, and it is needed next anyway
            Some((lb, found)) if found == len => Ok(EntryIndex::of(lb)),
            Some((_, found)) if found < len && !prefix.is_host() => Ok(None),
            // a longer prefix is in the way, or a host's route may exist without forwarding
            _ => Ok(table.routes().find(&self.entries, address, len)),
        }
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
    pub(super) fn shorter(&self, fib: FibIndex, address: u32, below: u8) -> Option<EntryIndex> {
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
            if let Some(interface) = spec.kind.interface() {
                self.neighbours.entry(interface).or_default().insert(entry);
            }
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
        self.forget_neighbour(entry, spec);
        if record.paths.is_empty() {
            self.remove_source(entry, Source::ADJACENCY);
        } else {
            record.list = None;
            self.set_record(entry, record);
        }
        self.unlock_table(fib, Source::ADJACENCY);
        Ok(())
    }

    /// A host route has no neighbour on a link any more.
    pub(super) fn forget_neighbour(&mut self, entry: EntryIndex, spec: &PathSpec) {
        if let Some(interface) = spec.kind.interface()
            && let Some(entries) = self.neighbours.get_mut(&interface)
        {
            entries.remove(&entry);
            if entries.is_empty() {
                self.neighbours.remove(&interface);
            }
        }
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
