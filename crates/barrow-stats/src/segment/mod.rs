//! The writer.
//!
//! One thread (main) owns the structure: it makes, renames and removes entries and makes vectors longer. Any thread
//! writes values through the handles it was given. Readers in other processes take no part and cannot be waited for.
//!
//! How the file is used:
//!
//! * The file is sparse and large (64 GiB by default); its pages become memory as they are touched. So **every vector
//!   takes its whole maximum of address space at once and never moves**: rows, the directory, the list of names.
//!   Growing is storing a greater length. No handle ever has to be told of a new place.
//! * What may be touched is bounded by [`SegmentConfig::size`]. Beyond it, entries are refused and objects go
//!   uncounted, with an error for the caller; nothing aborts.
//! * What entries leave behind is reused by the rules in `allocator`.
//! * The descriptor for clients is opened for reading only, and the file is sealed: it changes its size for nobody,
//!   and nobody but this mapping writes to it.
//!
//! The changes that readers have to know of happen in a [`Window`]; see there for the protocol.

mod allocator;
mod core;
mod counters;
mod create;
mod directory;
mod error;
mod gauge;
mod heap;
mod histogram;
#[expect(
    unsafe_code,
    reason = "maps memory that other processes read, and prefetches"
)]
mod memory;
mod names;
mod ring;
mod row;
#[cfg(test)]
mod tests;
mod window;

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

pub use self::counters::{Combined, CombinedCounters, Shape, SimpleCounters};
pub use self::create::{Pages, SegmentConfig};
pub use self::directory::{EntryInfo, EntryKey};
pub use self::error::{CreateError, EntryError};
pub use self::gauge::Gauge;
pub use self::heap::{HeapCounters, HeapUse};
pub use self::histogram::{HistogramCounters, HistogramShape};
pub(crate) use self::memory::View;
pub use self::names::NameVector;
pub use self::ring::{PushError, RingBuffer, RingProducer, RingShape};
pub use self::row::{CombinedRow, HistogramRow, SimpleRow};
pub use self::window::Window;

use self::core::Core;
use self::counters::RowSet;
use self::directory::{Name, Payload};
use self::names::NameSlots;
use self::ring::RingBlock;
use crate::layout::EntryKind;

/// What stands for file offset 0 in pointers. Not the address of the mapping, which clients need not know. A zero
/// pointer must translate to a place outside the file, and a pointer to nothing that a garbage-collected client owns.
const BASE: u64 = 0x1000_0000_0000;

/// The statistics segment, as its one structural writer sees it. A cheap handle; clones are the same segment.
///
/// Handles stay valid for as long as they are kept, also when the `Segment` is gone.
#[derive(Clone)]
pub struct Segment {
    core: Rc<Core>,
    shared: Rc<Shared>,
}

/// What the whole segment has once.
struct Shared {
    threads: usize,
    heartbeat: Gauge,
    last_clear: Gauge,
    boot_time: Gauge,
    descriptor: OwnedFd,
}

impl Segment {
    /// Number of threads that rows are made for by default.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.threads
    }

    /// The descriptor to pass to clients: opened for reading only, at least in what it allows.
    ///
    /// VPP's clients connect to a `SOCK_SEQPACKET` Unix socket, send nothing, and get one datagram with this
    /// descriptor (`SCM_RIGHTS`); then the server closes. [`send_descriptor`](crate::socket::send_descriptor) does it.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.shared.descriptor.as_fd()
    }

    /// The epoch: at least 1, one more after each window that changed something.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.core.epoch.now()
    }

    /// Opens a window: until it is dropped, changes are one change for readers.
    pub fn window(&self) -> Window {
        Window::open(&self.core)
    }

    /// Makes a level: a number that goes up and down.
    ///
    /// # Errors
    /// [`EntryError::Exists`], [`EntryError::NoName`], [`EntryError::Memory`], [`EntryError::Limit`] (of the
    /// directory).
    pub fn gauge(&self, name: &str) -> Result<Gauge, EntryError> {
        self.number(name, EntryKind::Gauge)
    }

    /// Makes a time stamp, or another number of the kind that stands below `/sys`.
    ///
    /// # Errors
    /// As [`gauge`](Self::gauge).
    pub fn scalar(&self, name: &str) -> Result<Gauge, EntryError> {
        self.number(name, EntryKind::Scalar)
    }

    /// Makes simple counters without columns yet. `shape` is a number of rows, or a [`Shape`].
    ///
    /// # Errors
    /// As [`gauge`](Self::gauge), and [`EntryError::AddressSpace`], [`EntryError::Shape`].
    pub fn simple(
        &self,
        name: &str,
        shape: impl Into<Shape>,
    ) -> Result<SimpleCounters, EntryError> {
        let (set, key) = self.rows(name, EntryKind::Simple, shape.into(), 1)?;
        Ok(SimpleCounters::new(&self.core, set, key))
    }

    /// Makes combined counters without columns yet. `shape` is a number of rows, or a [`Shape`].
    ///
    /// # Errors
    /// As [`simple`](Self::simple).
    pub fn combined(
        &self,
        name: &str,
        shape: impl Into<Shape>,
    ) -> Result<CombinedCounters, EntryError> {
        let (set, key) = self.rows(name, EntryKind::Combined, shape.into(), 2)?;
        Ok(CombinedCounters::new(&self.core, set, key))
    }

    /// Makes a histogram, all bins 0.
    ///
    /// # Errors
    /// As [`simple`](Self::simple).
    pub fn histogram(
        &self,
        name: &str,
        shape: HistogramShape,
    ) -> Result<HistogramCounters, EntryError> {
        let shape = shape.check()?;
        let length = shape.bins + 1;
        let name = self.vacant(name)?;
        let set = RowSet::reserve(&self.core, Shape::rows(shape.rows).limit(length), 1)?;
        let key = self.insert_or_retire(
            name,
            Payload::Rows(EntryKind::Histogram, Rc::clone(&set)),
            || {
                set.ensure(&self.core, shape.bins)?;
                for row in 0..shape.rows {
                    set.set_word(row, 0, 0, u64::from(shape.min_exp));
                }
                Ok(())
            },
        )?;
        Ok(HistogramCounters::new(set, shape, key))
    }

    /// Makes an empty name vector for up to `limit` indices.
    ///
    /// # Errors
    /// As [`simple`](Self::simple).
    pub fn names_with_limit(&self, name: &str, limit: u32) -> Result<NameVector, EntryError> {
        let name = self.vacant(name)?;
        let slots = NameSlots::reserve(&self.core, limit)?;
        let key = self.insert_or_retire(name, Payload::Names(Rc::clone(&slots)), || Ok(()))?;
        Ok(NameVector::new(&self.core, slots, key))
    }

    /// Makes an empty name vector.
    ///
    /// # Errors
    /// As [`simple`](Self::simple).
    pub fn names(&self, name: &str) -> Result<NameVector, EntryError> {
        self.names_with_limit(name, NameVector::DEFAULT_LIMIT)
    }

    /// Makes an empty ring buffer.
    ///
    /// # Errors
    /// As [`simple`](Self::simple).
    pub fn ring(&self, name: &str, shape: &RingShape<'_>) -> Result<RingBuffer, EntryError> {
        let name = self.vacant(name)?;
        let block = RingBlock::reserve(&self.core, shape)?;
        let key = self.insert_or_retire(name, Payload::Ring(Rc::clone(&block)), || Ok(()))?;
        Ok(RingBuffer::new(block, key))
    }

    /// Makes a link: column `column` of the counters `target`, in all rows, under a name of its own. The column is
    /// made to exist. The link goes when its target goes.
    ///
    /// # Errors
    /// As [`gauge`](Self::gauge), and [`EntryError::Removed`], [`EntryError::NoColumns`] for the target.
    pub fn symlink(
        &self,
        name: &str,
        target: EntryKey,
        column: u32,
    ) -> Result<EntryKey, EntryError> {
        let name = self.vacant(name)?;
        let columns = {
            let state = self.core.state.borrow();
            let payload = state.directory.payload(target).ok_or(EntryError::Removed)?;
            match payload {
                Payload::Rows(EntryKind::Simple | EntryKind::Combined, rows) => Rc::clone(rows),
                _ => {
                    let name = state.directory.name(target).map_or("", Name::as_str).into();
                    return Err(EntryError::NoColumns { name });
                }
            }
        };
        columns.ensure(&self.core, column)?;
        self.insert_or_retire(name, Payload::Link { target, column }, || Ok(()))
    }

    /// Gives an entry another name.
    ///
    /// # Errors
    /// [`EntryError::Exists`], [`EntryError::NoName`], [`EntryError::Removed`], [`EntryError::Fixed`].
    pub fn rename(&self, key: EntryKey, name: &str) -> Result<(), EntryError> {
        self.not_fixed(key)?;
        let name = Name::new(name)?;
        let _window = self.window();
        self.core.rename(key, name)
    }

    /// Removes an entry, and the links that lead to it. Handles to it have no effect from then on.
    ///
    /// # Errors
    /// [`EntryError::Removed`], [`EntryError::Fixed`].
    pub fn remove(&self, key: EntryKey) -> Result<(), EntryError> {
        self.not_fixed(key)?;
        let _window = self.window();
        self.core.remove(key)
    }

    /// The entry of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<EntryKey> {
        let name = Name::new(name).ok()?;
        self.core.state.borrow().directory.find(&name)
    }

    /// All entries in the order of the directory.
    #[must_use]
    pub fn entries(&self) -> Vec<EntryInfo> {
        self.core
            .state
            .borrow()
            .directory
            .entries(&self.core.memory)
    }

    /// Advances `/sys/heartbeat`; to be called once an update interval, the first time right after start. Clients
    /// take a heart that stands still for a dead node. Also makes room of removed entries free for reuse.
    pub fn beat(&self) {
        self.shared.heartbeat.add(1);
        self.core.beat.set(self.core.beat.get() + 1);
        let age = self.core.age();
        self.core.state.borrow_mut().allocator.reclaim(age);
    }

    /// Sets `/sys/last_stats_clear`: seconds from the start of the node to the last time statistics were cleared.
    pub fn set_last_clear(&self, seconds: f64) {
        self.shared.last_clear.set(seconds);
    }

    /// Sets `/sys/boottime`: Unix time of the node's start, in seconds.
    pub fn set_boot_time(&self, seconds: u64) {
        self.shared.boot_time.set_integer(seconds);
    }

    fn number(&self, name: &str, kind: EntryKind) -> Result<Gauge, EntryError> {
        let name = self.vacant(name)?;
        let key = self.insert_or_retire(name, Payload::Value(kind), || Ok(()))?;
        let state = self.core.state.borrow();
        let slot = state
            .directory
            .slot(key)
            .expect("numbers have a value word");
        Ok(Gauge::new(key, Arc::clone(slot)))
    }

    fn rows(
        &self,
        name: &str,
        kind: EntryKind,
        shape: Shape,
        width: usize,
    ) -> Result<(Rc<RowSet>, EntryKey), EntryError> {
        let name = self.vacant(name)?;
        let set = RowSet::reserve(&self.core, shape, width)?;
        let key = self.insert_or_retire(name, Payload::Rows(kind, Rc::clone(&set)), || Ok(()))?;
        Ok((set, key))
    }

    fn vacant(&self, name: &str) -> Result<Name, EntryError> {
        let name = Name::new(name)?;
        self.core.state.borrow().directory.vacant(&name)?;
        Ok(name)
    }

    /// Completes `payload`, then publishes it; what fails gives its space back.
    fn insert_or_retire(
        &self,
        name: Name,
        payload: Payload,
        complete: impl FnOnce() -> Result<(), EntryError>,
    ) -> Result<EntryKey, EntryError> {
        let _window = self.window();
        complete()
            .and_then(|()| self.core.insert(name, payload.clone()))
            .inspect_err(|_| {
                let age = self.core.age();
                payload.retire(&mut self.core.state.borrow_mut().allocator, age);
            })
    }

    fn not_fixed(&self, key: EntryKey) -> Result<(), EntryError> {
        let Shared {
            heartbeat,
            last_clear,
            boot_time,
            ..
        } = &*self.shared;
        match [heartbeat, last_clear, boot_time]
            .iter()
            .any(|fixed| fixed.key() == key)
        {
            true => Err(EntryError::Fixed),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("epoch", &self.epoch())
            .field("memory", &self.memory())
            .finish_non_exhaustive()
    }
}
