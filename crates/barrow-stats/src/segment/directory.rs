//! The directory: which entry stands at which index, under which name.
//!
//! Invariants at the end of each window:
//!
//! * every index below the published length has a name (some readers stop at the first without one);
//! * names are unique, printable ASCII, 1 to 127 bytes;
//! * no entry points to nothing, and no link to an entry that is gone.
//!
//! When an entry goes, the last one that may move takes its index. Scalars and gauges may not move, since handles on
//! other threads store straight into them; a gap below such entries is named `/sys/unused/INDEX` until the next entry
//! fills it, and one that a handle still points to stays unused until that handle is gone.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::EntryError;
use super::allocator::{Age, Allocator};
use super::core::{Core, Vector};
use super::counters::RowSet;
use super::memory::{Memory, Span};
use super::names::NameSlots;
use super::ring::RingBlock;
use crate::layout::{ENTRY_BYTES, EntryKind, NAME_BYTES, WORD, pack};

/// Names an entry for the writer, also after it has moved in the directory. Never used again for another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey(u64);

/// What an entry is and holds.
#[derive(Clone, Debug)]
pub(super) enum Payload {
    /// A number in the directory itself.
    Value(EntryKind),
    Rows(EntryKind, Rc<RowSet>),
    Names(Rc<NameSlots>),
    Ring(Rc<RingBlock>),
    Link {
        target: EntryKey,
        column: u32,
    },
}

impl Payload {
    pub(super) fn kind(&self) -> EntryKind {
        match self {
            Self::Value(kind) | Self::Rows(kind, _) => *kind,
            Self::Names(_) => EntryKind::Names,
            Self::Ring(_) => EntryKind::Ring,
            Self::Link { .. } => EntryKind::Symlink,
        }
    }

    /// Gives back what it holds in the file.
    pub(super) fn retire(&self, allocator: &mut Allocator, age: Age) {
        match self {
            Self::Value(_) | Self::Link { .. } => {}
            Self::Rows(_, rows) => rows.retire(allocator, age),
            Self::Names(names) => names.retire(allocator, age),
            Self::Ring(ring) => ring.retire(allocator, age),
        }
    }
}

/// One line of [`Segment::entries`](super::Segment::entries).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryInfo {
    /// Index in the directory.
    pub index: u32,
    /// The name.
    pub name: Box<str>,
    /// What it is.
    pub kind: EntryKind,
    /// The word as clients see it: a number, a pointer, or the halves of a link.
    pub value: u64,
}

#[derive(Debug)]
struct Record {
    index: u32,
    name: Name,
    payload: Payload,
    /// How many links lead here.
    links: u32,
    /// The value word, shared with handles, of a [`Payload::Value`].
    slot: Option<Arc<Span>>,
}

/// The directory vector and its book-keeping.
#[derive(Debug)]
pub(super) struct Directory {
    vector: Vector,
    limit: u32,
    /// Who has which index; `None` is a gap.
    indices: Vec<Option<EntryKey>>,
    /// Gaps, each with the value word that handles of the last entry may still write to.
    gaps: BTreeMap<u32, Option<Arc<Span>>>,
    records: HashMap<EntryKey, Record>,
    names: HashMap<Name, EntryKey>,
    next_key: u64,
}

/// A name as it stands in the directory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Name(Rc<str>);

impl Name {
    /// Cuts to 127 bytes, as VPP does, and replaces what is not printable ASCII by `?`.
    pub(super) fn new(name: &str) -> Result<Self, EntryError> {
        if name.is_empty() {
            return Err(EntryError::NoName);
        }
        Ok(Self(printable(name, NAME_BYTES - 1).into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// At most `limit` characters of `text`, with `?` for what is not printable ASCII.
pub(super) fn printable(text: &str, limit: usize) -> String {
    let ascii = |c: char| {
        if c == ' ' || c.is_ascii_graphic() {
            c
        } else {
            '?'
        }
    };
    text.chars().take(limit).map(ascii).collect()
}

impl Directory {
    pub(super) fn new(vector: Vector, limit: u32) -> Self {
        Self {
            vector,
            limit,
            indices: Vec::new(),
            gaps: BTreeMap::new(),
            records: HashMap::new(),
            names: HashMap::new(),
            next_key: 0,
        }
    }

    pub(super) fn pointer(&self) -> u64 {
        self.vector.pointer()
    }

    pub(super) fn find(&self, name: &Name) -> Option<EntryKey> {
        self.names.get(name).copied()
    }

    pub(super) fn payload(&self, key: EntryKey) -> Option<&Payload> {
        self.records.get(&key).map(|record| &record.payload)
    }

    pub(super) fn name(&self, key: EntryKey) -> Option<&Name> {
        self.records.get(&key).map(|record| &record.name)
    }

    /// The value word of a scalar or gauge.
    pub(super) fn slot(&self, key: EntryKey) -> Option<&Arc<Span>> {
        self.records.get(&key)?.slot.as_ref()
    }

    pub(super) fn entries(&self, memory: &Memory) -> Vec<EntryInfo> {
        let keys = self.indices.iter().flatten();
        keys.map(|key| {
            let record = &self.records[key];
            EntryInfo {
                index: record.index,
                name: record.name.as_str().into(),
                kind: record.payload.kind(),
                value: self.value(memory, record),
            }
        })
        .collect()
    }

    /// Refuses a name that is taken.
    pub(super) fn vacant(&self, name: &Name) -> Result<(), EntryError> {
        match self.names.contains_key(name) {
            true => Err(EntryError::Exists {
                name: name.as_str().into(),
            }),
            false => Ok(()),
        }
    }

    fn offset(&self, index: u32) -> u64 {
        self.vector.data + u64::from(index) * ENTRY_BYTES
    }

    fn length(&self) -> u32 {
        u32::try_from(self.indices.len()).expect("the directory is shorter than its limit")
    }

    /// The index for a new entry: the lowest gap that is free, or one more.
    fn vacancy(&mut self, allocator: &mut Allocator, now: Age) -> Result<u32, EntryError> {
        if let Some(index) = self.free_gap() {
            self.gaps.remove(&index);
            return Ok(index);
        }
        let index = self.length();
        if index >= self.limit {
            return Err(EntryError::Limit {
                index,
                limit: self.limit,
            });
        }
        let end = self.offset(index + 1) - self.vector.extent.start();
        allocator.commit(&mut self.vector.extent, end, now)?;
        self.indices.push(None);
        Ok(index)
    }

    /// The lowest gap that no handle writes to any more.
    fn free_gap(&mut self) -> Option<u32> {
        let mut gaps = self.gaps.iter_mut();
        gaps.find_map(|(index, slot)| is_free(slot).then_some(*index))
    }

    fn value(&self, memory: &Memory, record: &Record) -> u64 {
        match &record.payload {
            Payload::Value(_) => {
                let word = memory.word(self.offset(record.index) + WORD);
                word.load(std::sync::atomic::Ordering::Relaxed)
            }
            Payload::Rows(_, rows) => rows.pointer(),
            Payload::Names(names) => names.pointer(),
            Payload::Ring(ring) => ring.pointer(),
            Payload::Link { target, column } => pack(self.records[target].index, *column),
        }
    }

    /// Writes the entry of `record` at its index.
    fn publish(&self, memory: &Memory, record: &Record) {
        if record.slot.is_none() {
            memory.store(self.offset(record.index) + WORD, self.value(memory, record));
        }
        self.label(
            memory,
            record.index,
            record.payload.kind(),
            record.name.as_str(),
        );
    }

    /// Fills in an index that an entry has left.
    fn publish_gap(&self, memory: &Memory, index: u32) {
        self.label(
            memory,
            index,
            EntryKind::Empty,
            &format!("/sys/unused/{index}"),
        );
    }

    /// Writes kind and name. The value word stays as it is, since a handle may be writing to it.
    fn label(&self, memory: &Memory, index: u32, kind: EntryKind, name: &str) {
        let offset = self.offset(index);
        memory.store(offset, pack(kind.number(), 0));
        let mut bytes = [0; NAME_BYTES];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        memory.store_bytes(offset + 2 * WORD, &bytes);
    }
}

fn is_free(slot: &mut Option<Arc<Span>>) -> bool {
    slot.as_mut()
        .is_none_or(|slot| Arc::get_mut(slot).is_some())
}

/// Changes, each inside a [`Window`](super::Window) that the caller opened.
impl Core {
    /// Adds an entry under a name that the caller has found vacant.
    pub(super) fn insert(&self, name: Name, payload: Payload) -> Result<EntryKey, EntryError> {
        let now = self.age();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let directory = &mut state.directory;
        directory.vacant(&name)?;
        let index = directory.vacancy(&mut state.allocator, now)?;
        self.epoch.change(&self.memory);
        let key = EntryKey(directory.next_key);
        directory.next_key += 1;
        let slot = matches!(payload, Payload::Value(_)).then(|| {
            let offset = directory.offset(index) + WORD;
            self.memory.store(offset, 0);
            Arc::new(self.memory.span(offset, 1))
        });
        if let Payload::Link { target, .. } = &payload
            && let Some(target) = directory.records.get_mut(target)
        {
            target.links += 1;
        }
        let record = Record {
            index,
            name: name.clone(),
            payload,
            links: 0,
            slot,
        };
        directory.publish(&self.memory, &record);
        directory.indices[index as usize] = Some(key);
        directory.names.insert(name, key);
        directory.records.insert(key, record);
        directory
            .vector
            .set_length(&self.memory, directory.length());
        Ok(key)
    }

    /// Gives an entry another name.
    pub(super) fn rename(&self, key: EntryKey, name: Name) -> Result<(), EntryError> {
        let mut state = self.state.borrow_mut();
        let directory = &mut state.directory;
        let record = directory.records.get(&key).ok_or(EntryError::Removed)?;
        if record.name == name {
            return Ok(());
        }
        directory.vacant(&name)?;
        self.epoch.change(&self.memory);
        let record = directory.records.get_mut(&key).expect("found above");
        let old = std::mem::replace(&mut record.name, name.clone());
        directory.names.remove(&old);
        directory.names.insert(name, key);
        let record = &directory.records[&key];
        directory.publish(&self.memory, record);
        Ok(())
    }

    /// Removes an entry and the links that lead to it.
    pub(super) fn remove(&self, key: EntryKey) -> Result<(), EntryError> {
        let now = self.age();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let directory = &mut state.directory;
        let record = directory.records.get(&key).ok_or(EntryError::Removed)?;
        self.epoch.change(&self.memory);
        if record.links > 0 {
            let leads_here = |record: &Record| match record.payload {
                Payload::Link { target, .. } => target == key,
                _ => false,
            };
            let links = directory
                .records
                .iter()
                .filter(|(_, record)| leads_here(record));
            for link in links.map(|(link, _)| *link).collect::<Vec<_>>() {
                directory.take(&self.memory, link);
            }
        }
        let record = directory.take(&self.memory, key);
        record.payload.retire(&mut state.allocator, now);
        Ok(())
    }

    /// Restores "every index has an entry" as far as entries may move. Called at the end of a window.
    pub(super) fn close_holes(&self) {
        // A panic may have come from below a borrow; gaps are well-formed, and the next window closes them.
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return;
        };
        let directory = &mut state.directory;
        if !directory.gaps.is_empty() {
            directory.close_holes(&self.memory);
        }
    }
}

impl Directory {
    /// Takes an entry out, leaving a gap.
    fn take(&mut self, memory: &Memory, key: EntryKey) -> Record {
        let mut record = self
            .records
            .remove(&key)
            .expect("the caller has seen the record");
        self.names.remove(&record.name);
        if let Payload::Link { target, .. } = &record.payload
            && let Some(target) = self.records.get_mut(target)
        {
            target.links -= 1;
        }
        self.indices[record.index as usize] = None;
        self.gaps.insert(record.index, record.slot.take());
        self.publish_gap(memory, record.index);
        record
    }

    fn close_holes(&mut self, memory: &Memory) {
        loop {
            self.drop_last_gaps(memory);
            let Some(gap) = self.free_gap() else { return };
            let Some(key) = self.last_movable_above(gap) else {
                return;
            };
            self.gaps.remove(&gap);
            self.relocate(memory, key, gap);
        }
    }

    /// Shortens the directory by the gaps at its end.
    fn drop_last_gaps(&mut self, memory: &Memory) {
        let before = self.length();
        while let Some(mut last) = self.gaps.last_entry() {
            if *last.key() as usize + 1 != self.indices.len() || !is_free(last.get_mut()) {
                break;
            }
            last.remove();
            self.indices.pop();
        }
        if self.length() != before {
            self.vector.set_length(memory, self.length());
        }
    }

    fn last_movable_above(&self, gap: u32) -> Option<EntryKey> {
        let above = &self.indices[gap as usize + 1..];
        let movable = |key: &&EntryKey| self.records[key].slot.is_none();
        above.iter().rev().flatten().find(movable).copied()
    }

    fn relocate(&mut self, memory: &Memory, key: EntryKey, to: u32) {
        let record = self
            .records
            .get_mut(&key)
            .expect("keys in `indices` have records");
        let from = std::mem::replace(&mut record.index, to);
        let links = record.links;
        self.indices[to as usize] = Some(key);
        self.indices[from as usize] = None;
        self.gaps.insert(from, None);
        self.publish_gap(memory, from);
        self.publish(memory, &self.records[&key]);
        if links > 0 {
            let leads_here = |record: &&Record| match record.payload {
                Payload::Link { target, .. } => target == key,
                _ => false,
            };
            for link in self.records.values().filter(leads_here) {
                self.publish(memory, link);
            }
        }
    }

    /// Checks the invariants of this module against the memory.
    #[cfg(test)]
    pub(super) fn check(&self, memory: &Memory) {
        use std::sync::atomic::Ordering::Relaxed;

        use crate::layout::unpack;

        assert_eq!(self.indices.len(), self.records.len() + self.gaps.len());
        assert_eq!(self.names.len(), self.records.len());
        for (index, key) in self.indices.iter().enumerate() {
            let index = u32::try_from(index).unwrap();
            let kind = unpack(memory.word(self.offset(index)).load(Relaxed)).0;
            let name = memory.word(self.offset(index) + 2 * WORD).load(Relaxed);
            assert_ne!(name.to_ne_bytes()[0], 0, "index {index} has a name");
            match key {
                Some(key) => {
                    let record = &self.records[key];
                    assert_eq!(record.index, index);
                    assert_eq!(record.payload.kind().number(), kind);
                    let value = memory.word(self.offset(index) + WORD).load(Relaxed);
                    assert_eq!(value, self.value(memory, record));
                }
                None => assert!(self.gaps.contains_key(&index)),
            }
        }
    }
}
