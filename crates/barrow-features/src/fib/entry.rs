//! The routes' records: 24 bytes each, a million of them in 24 MB.
//!
//! A route of one source needs nothing more: its source, flags and path list are in the record. A route
//! of several sources, or one that follows its covering route, has a *book* beside it.
//!
//! The index of a record and that of its load balance go together ([`EntryIndex::lb`]), so neither needs
//! to name the other.

use super::path_list::ListIndex;
use super::record::{Book, Record};
use super::{EntryFlags, Epochs, FibIndex, LbIndex, Prefix, Retired, Source};
use crate::ip4::mtrie::MAX_LOAD_BALANCES;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Index of a route's record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct EntryIndex(pub(super) u32);

impl EntryIndex {
    pub(super) const NONE: Self = Self(u32::MAX);

    /// Its load balance. 0 is the drop of empty tables, so routes start at 1.
    pub(super) const fn lb(self) -> LbIndex {
        LbIndex(self.0 + 1)
    }

    /// The route of a load balance; [`LbIndex::DROP`] has none.
    pub(super) const fn of(lb: LbIndex) -> Option<Self> {
        match lb.0.checked_sub(1) {
            Some(index) => Some(Self(index)),
            None => None,
        }
    }

    const fn slot(self) -> (usize, usize) {
        (self.0 as usize / CHUNK, self.0 as usize % CHUNK)
    }
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    address: u32,
    /// The list it forwards by now.
    pub(super) list: ListIndex,
    /// Neighbours in the list of routes that forward by the same list.
    pub(super) next: EntryIndex,
    pub(super) prev: EntryIndex,
    fib: u16,
    len: u8,
    /// The source it forwards by now.
    pub(super) source: Source,
    pub(super) flags: EntryFlags,
    state: u8,
}

const _: () = assert!(size_of::<Entry>() == 24);

impl Entry {
    const USED: u8 = 1;
    const INSTALLED: u8 = 2;
    const BOOK: u8 = 4;
    const CHILDREN: u8 = 8;
    const COVERED: u8 = 16;
    const STALE: u8 = 32;

    const EMPTY: Self = Self {
        address: 0,
        list: ListIndex::NONE,
        next: EntryIndex::NONE,
        prev: EntryIndex::NONE,
        fib: 0,
        len: 0,
        source: Source::DEFAULT_ROUTE,
        flags: EntryFlags::NONE,
        state: 0,
    };

    pub(super) const fn prefix(&self) -> Prefix {
        Prefix::from_ip4(self.address, self.len)
    }

    pub(super) const fn ip4(&self) -> (u32, u8) {
        (self.address, self.len)
    }

    pub(super) const fn fib(&self) -> FibIndex {
        FibIndex(self.fib as u32)
    }

    const fn has(&self, bit: u8) -> bool {
        self.state & bit != 0
    }

    const fn set(&mut self, bit: u8, on: bool) {
        if on {
            self.state |= bit;
        } else {
            self.state &= !bit;
        }
    }

    /// Whether lookups find it.
    pub(super) const fn is_installed(&self) -> bool {
        self.has(Self::INSTALLED)
    }

    pub(super) const fn set_installed(&mut self, on: bool) {
        self.set(Self::INSTALLED, on);
    }

    /// Whether paths resolve through it.
    pub(super) const fn has_children(&self) -> bool {
        self.has(Self::CHILDREN)
    }

    pub(super) const fn set_children(&mut self, on: bool) {
        self.set(Self::CHILDREN, on);
    }

    /// Whether routes inside it follow it.
    pub(super) const fn has_covered(&self) -> bool {
        self.has(Self::COVERED)
    }

    pub(super) const fn set_covered(&mut self, on: bool) {
        self.set(Self::COVERED, on);
    }

    /// Whether its sources are in a book.
    pub(super) const fn has_book(&self) -> bool {
        self.has(Self::BOOK)
    }
}

const CHUNK: usize = 4096;

/// All routes of a node.
#[derive(Debug)]
pub(super) struct Entries {
    chunks: Vec<Box<[Entry]>>,
    books: FxHashMap<EntryIndex, Box<Book>>,
    len: u32,
    used: u32,
    retired: Retired<EntryIndex>,
    free: Vec<EntryIndex>,
}

impl Entries {
    pub(super) fn new(epochs: Epochs) -> Self {
        Self {
            chunks: Vec::new(),
            books: FxHashMap::default(),
            len: 0,
            used: 0,
            retired: Retired::new(epochs),
            free: Vec::new(),
        }
    }

    /// How many routes there are.
    pub(super) const fn used(&self) -> u32 {
        self.used
    }

    pub(super) fn bytes(&self) -> usize {
        let book = size_of::<Book>() + size_of::<(EntryIndex, Box<Book>)>() + 1;
        self.chunks.len() * CHUNK * size_of::<Entry>()
            + self.books.capacity() * book
            + self.free.capacity() * size_of::<EntryIndex>()
            + self.retired.bytes()
    }

    #[inline]
    pub(super) fn get(&self, index: EntryIndex) -> &Entry {
        let (chunk, slot) = index.slot();
        &self.chunks[chunk][slot]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: EntryIndex) -> &mut Entry {
        let (chunk, slot) = index.slot();
        &mut self.chunks[chunk][slot]
    }

    /// The route of a number that a client named.
    pub(super) fn checked(&self, index: u32) -> Option<EntryIndex> {
        (index < self.len && self.is_used(EntryIndex(index))).then_some(EntryIndex(index))
    }

    /// Whether there is such a route: its index may have waited in a queue.
    pub(super) fn is_used(&self, index: EntryIndex) -> bool {
        self.get(index).has(Entry::USED)
    }

    /// A record for a prefix, without a source yet. `None` when the node has as many as it can.
    pub(super) fn allocate(&mut self, fib: FibIndex, address: u32, len: u8) -> Option<EntryIndex> {
        let free = self.free.pop().or_else(|| self.retired.pop());
        let index = match free {
            Some(index) => index,
            None => {
                if self.len + 1 >= MAX_LOAD_BALANCES {
                    return None;
                }
                let index = EntryIndex(self.len);
                if index.slot().0 == self.chunks.len() {
                    self.chunks
                        .push(vec![Entry::EMPTY; CHUNK].into_boxed_slice());
                }
                self.len += 1;
                index
            }
        };
        self.used += 1;
        let fib = u16::try_from(fib.0).expect("tables are fewer than 2^16");
        *self.get_mut(index) = Entry {
            address,
            len,
            fib,
            state: Entry::USED,
            ..Entry::EMPTY
        };
        Some(index)
    }

    /// Ends a record that no reader finds any more; its number waits until no reader holds it.
    pub(super) fn release(&mut self, index: EntryIndex) {
        *self.get_mut(index) = Entry::EMPTY;
        self.books.remove(&index);
        self.used -= 1;
        self.retired.push(index);
    }

    /// Takes back a record that was never shown to a reader.
    pub(super) fn cancel(&mut self, index: EntryIndex) {
        *self.get_mut(index) = Entry::EMPTY;
        self.used -= 1;
        self.free.push(index);
    }

    /// The first route at or after `start`, by number.
    pub(super) fn next(&self, start: u32) -> Option<EntryIndex> {
        (start..self.len)
            .map(EntryIndex)
            .find(|&index| self.is_used(index))
    }

    /// All routes by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = EntryIndex> {
        (0..self.len)
            .map(EntryIndex)
            .filter(|&index| self.is_used(index))
    }

    /// The routes of a table by number.
    pub(super) fn of_table(&self, fib: FibIndex) -> Vec<EntryIndex> {
        self.iter()
            .filter(|&index| self.get(index).fib() == fib)
            .collect()
    }

    // --- sources ---

    pub(super) fn book(&self, index: EntryIndex) -> Option<&Book> {
        self.get(index)
            .has_book()
            .then(|| self.books.get(&index))
            .flatten()
            .map(|book| &**book)
    }

    pub(super) fn book_mut(&mut self, index: EntryIndex) -> Option<&mut Book> {
        self.get(index)
            .has_book()
            .then(|| self.books.get_mut(&index))
            .flatten()
            .map(|book| &mut **book)
    }

    /// The sources of a route, the best first.
    pub(super) fn records(&self, index: EntryIndex) -> SmallVec<[Record; 2]> {
        match self.book(index) {
            Some(book) => book.records.clone(),
            None => self.plain(index).into_iter().collect(),
        }
    }

    /// The only source of a route without a book.
    fn plain(&self, index: EntryIndex) -> Option<Record> {
        let entry = self.get(index);
        (!entry.list.is_none()).then(|| Record {
            stale: entry.has(Entry::STALE),
            ..Record::new(entry.source, entry.flags, Some(entry.list))
        })
    }

    /// One source of a route.
    pub(super) fn record(&self, index: EntryIndex, source: Source) -> Option<Record> {
        match self.book(index) {
            Some(book) => book
                .records
                .iter()
                .find(|record| record.source == source)
                .cloned(),
            None => self.plain(index).filter(|record| record.source == source),
        }
    }

    /// Whether the route has a source of its own besides `source`, or none at all.
    pub(super) fn is_plain_for(&self, index: EntryIndex, record: &Record) -> bool {
        let entry = self.get(index);
        record.is_plain()
            && !entry.has_book()
            && (entry.list.is_none() || entry.source == record.source)
    }

    /// Puts a source into the route's book, in place of what the source said before; that is returned.
    pub(super) fn put(&mut self, index: EntryIndex, record: Record) -> Option<Record> {
        let plain = if self.get(index).has_book() {
            None
        } else {
            self.plain(index)
        };
        self.get_mut(index).set(Entry::BOOK, true);
        let records = &mut self.books.entry(index).or_default().records;
        records.extend(plain);
        let old = records.iter().position(|old| old.source == record.source);
        let old = old.map(|at| records.remove(at));
        let at =
            records.partition_point(|other| other.source.priority() <= record.source.priority());
        records.insert(at, record);
        old
    }

    /// Takes a source out of the route's book.
    pub(super) fn take(&mut self, index: EntryIndex, source: Source) -> Option<Record> {
        let records = &mut self.book_mut(index)?.records;
        let at = records.iter().position(|record| record.source == source)?;
        Some(records.remove(at))
    }

    /// Closes the book if one plain source is left, by which the route forwards already.
    pub(super) fn simplify(&mut self, index: EntryIndex) {
        let entry = *self.get(index);
        let Some(book) = self.book(index) else { return };
        if let [record] = &book.records[..]
            && record.is_plain()
            && record.list == Some(entry.list)
            && book.cover.is_none()
        {
            let stale = record.stale;
            self.books.remove(&index);
            let entry = self.get_mut(index);
            entry.set(Entry::BOOK, false);
            entry.set(Entry::STALE, stale);
        }
    }

    /// Marks a source of the route as stale or fresh.
    pub(super) fn set_stale(&mut self, index: EntryIndex, source: Source, stale: bool) {
        match self.book_mut(index) {
            Some(book) => {
                if let Some(record) = book
                    .records
                    .iter_mut()
                    .find(|record| record.source == source)
                {
                    record.stale = stale;
                }
            }
            None => {
                let entry = self.get_mut(index);
                if entry.source == source {
                    entry.set(Entry::STALE, stale);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> (Entries, EntryIndex) {
        let mut entries = Entries::new(Epochs::default());
        let index = entries.allocate(FibIndex(3), 0x0a00_0000, 8).unwrap();
        (entries, index)
    }

    fn api(list: u32) -> Record {
        Record::new(Source::API, EntryFlags::NONE, Some(ListIndex(list)))
    }

    #[test]
    fn a_record_knows_its_prefix_and_load_balance() {
        let (entries, index) = entries();
        assert_eq!(entries.get(index).prefix().to_string(), "10.0.0.0/8");
        assert_eq!(entries.get(index).fib(), FibIndex(3));
        assert_eq!(index.lb(), LbIndex(1));
        assert_eq!(EntryIndex::of(index.lb()), Some(index));
        assert_eq!(EntryIndex::of(LbIndex::DROP), None);
    }

    #[test]
    fn sources_are_kept_by_priority() {
        let (mut entries, index) = entries();
        for (source, list) in [(Source::CLI, 1), (Source::INTERFACE, 2), (Source::API, 3)] {
            entries.put(
                index,
                Record::new(source, EntryFlags::NONE, Some(ListIndex(list))),
            );
        }
        let sources: Vec<Source> = entries
            .records(index)
            .iter()
            .map(|record| record.source)
            .collect();
        assert_eq!(sources, [Source::INTERFACE, Source::API, Source::CLI]);
        assert_eq!(entries.put(index, api(9)).unwrap().list, Some(ListIndex(3)));
        assert_eq!(
            entries.take(index, Source::API).unwrap().list,
            Some(ListIndex(9))
        );
        assert!(entries.take(index, Source::API).is_none());
    }

    #[test]
    fn a_second_source_opens_the_book_and_the_last_but_one_closes_it() {
        let (mut entries, index) = entries();
        let entry = entries.get_mut(index);
        (entry.list, entry.source) = (ListIndex(7), Source::API);
        assert!(entries.book(index).is_none());
        assert_eq!(
            entries.record(index, Source::API).unwrap().list,
            Some(ListIndex(7))
        );
        entries.set_stale(index, Source::API, true);
        entries.put(
            index,
            Record::new(Source::CLI, EntryFlags::NONE, Some(ListIndex(8))),
        );
        assert_eq!(entries.records(index).len(), 2);
        assert!(entries.record(index, Source::API).unwrap().stale);
        entries.take(index, Source::CLI);
        entries.simplify(index);
        assert!(entries.book(index).is_none());
        assert!(entries.record(index, Source::API).unwrap().stale);
    }

    #[test]
    fn numbers_are_reused_and_iteration_skips_the_free_ones() {
        let (mut entries, first) = entries();
        let second = entries.allocate(FibIndex(0), 1, 32).unwrap();
        entries.release(first);
        assert_eq!(entries.iter().collect::<Vec<_>>(), [second]);
        assert_eq!(entries.next(0), Some(second));
        assert_eq!(entries.checked(0), None);
        assert_eq!(entries.allocate(FibIndex(0), 2, 32), Some(first));
        assert_eq!(entries.used(), 2);
    }
}
