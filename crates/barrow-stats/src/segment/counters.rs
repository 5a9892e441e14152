//! Counters as the main thread sees them: growth, clearing, sums.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::allocator::{Age, Allocator, Fill, Guard};
use super::core::{Core, Purpose, Vector};
use super::row::{CombinedRow, RowCell, SimpleRow};
use super::{EntryError, EntryKey};
use crate::layout::WORD;

/// The shape of a set of counters: how many rows, and how many columns each can ever have.
///
/// A plain number is that many rows with a limit of [`Shape::DEFAULT_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    rows: usize,
    limit: u32,
}

impl Shape {
    /// Columns by default, enough for interfaces, nodes and errors.
    pub const DEFAULT_LIMIT: u32 = 1 << 16;

    /// One row for each of `rows` threads, main first.
    #[must_use]
    pub const fn rows(rows: usize) -> Self {
        Self {
            rows,
            limit: Self::DEFAULT_LIMIT,
        }
    }

    /// Allows indices below `limit`. Address space for all of them is reserved at once, in every row; memory is used
    /// only for indices in use. For a table of routes 16 million (256 MiB a row) is a good number.
    #[must_use]
    pub const fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }
}

impl From<usize> for Shape {
    fn from(rows: usize) -> Self {
        Self::rows(rows)
    }
}

/// Packets and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// Number of packets.
    pub packets: u64,
    /// Number of bytes in them.
    pub bytes: u64,
}

impl std::ops::Add for Combined {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            packets: self.packets.wrapping_add(other.packets),
            bytes: self.bytes.wrapping_add(other.bytes),
        }
    }
}

impl std::iter::Sum for Combined {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |sum, one| sum + one)
    }
}

/// A vector of pointers to rows, and the rows.
pub(super) struct RowSet {
    pointer: u64,
    limit: u32,
    length: Cell<u32>,
    rows: Vec<Arc<RowCell>>,
    /// Gone once the entry is removed.
    vectors: RefCell<Option<Vectors>>,
}

struct Vectors {
    outer: Vector,
    rows: Vec<Vector>,
}

impl fmt::Debug for RowSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowSet")
            .field("rows", &self.rows.len())
            .field("length", &self.length.get())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl RowSet {
    /// Reserves rows of `width` words an element, of length 0. Nothing refers to them yet.
    pub(super) fn reserve(core: &Core, shape: Shape, width: usize) -> Result<Rc<Self>, EntryError> {
        if shape.rows == 0 || shape.limit == 0 {
            return Err(EntryError::Shape("counters need a row and a column"));
        }
        let row_bytes = u64::from(shape.limit) * width as u64 * WORD;
        let row_words = shape.limit as usize * width;
        let outer = core.vector(Purpose::Row, shape.rows as u64 * WORD, Fill::Whole)?;
        let mut vectors = Vectors {
            outer,
            rows: Vec::with_capacity(shape.rows),
        };
        for _ in 0..shape.rows {
            match core.vector(Purpose::Row, row_bytes, Fill::Grows) {
                Ok(row) => vectors.rows.push(row),
                Err(error) => {
                    vectors.retire(&[], |extent, guard| core.retire(extent, guard));
                    return Err(error);
                }
            }
        }
        for (index, row) in vectors.rows.iter().enumerate() {
            core.memory
                .store(vectors.outer.data + index as u64 * WORD, row.pointer());
        }
        let length = u32::try_from(shape.rows).expect("as many vectors were made");
        vectors.outer.set_length(&core.memory, length);
        let cell = |row| Arc::new(RowCell::new(core.span(row, row_words), width));
        Ok(Rc::new(Self {
            pointer: vectors.outer.pointer(),
            limit: shape.limit,
            length: Cell::new(0),
            rows: vectors.rows.iter().map(cell).collect(),
            vectors: RefCell::new(Some(vectors)),
        }))
    }

    pub(super) fn pointer(&self) -> u64 {
        self.pointer
    }

    pub(super) fn rows(&self) -> &[Arc<RowCell>] {
        &self.rows
    }

    /// Makes all rows long enough to have `index`.
    ///
    /// The epoch stays: lengths grow in place. The first row is last, so that a reader who takes the length from it
    /// finds the column in all others.
    pub(super) fn ensure(&self, core: &Core, index: u32) -> Result<(), EntryError> {
        if index < self.length.get() {
            return Ok(());
        }
        if index >= self.limit {
            return Err(EntryError::Limit {
                index,
                limit: self.limit,
            });
        }
        let mut vectors = self.vectors.borrow_mut();
        let vectors = vectors.as_mut().ok_or(EntryError::Removed)?;
        let length = index + 1;
        for (vector, row) in vectors.rows.iter_mut().zip(&self.rows) {
            let end = vector.data + row.offset_of(length);
            core.commit(&mut vector.extent, end)?;
        }
        for (vector, row) in vectors.rows.iter().zip(&self.rows).rev() {
            vector.set_length(&core.memory, length);
            row.grow(length);
        }
        self.length.set(length);
        Ok(())
    }

    /// Gives the vectors back; handles that still exist keep them from reuse.
    pub(super) fn retire(&self, allocator: &mut Allocator, age: Age) {
        if let Some(vectors) = self.vectors.take() {
            vectors.retire(&self.rows, |extent, guard| {
                allocator.retire(extent, guard, age)
            });
        }
    }

    pub(super) fn clear(&self, range: Range<u32>) {
        let range = range.start..range.end.min(self.length.get());
        if !range.is_empty() {
            for row in &self.rows {
                row.clear(range.clone());
            }
        }
    }

    pub(super) fn word(&self, thread: usize, index: u32, word: usize) -> u64 {
        if index >= self.length.get() {
            return 0;
        }
        let element = self.rows.get(thread).and_then(|row| row.element(index));
        element.map_or(0, |words| words[word].load(Ordering::Relaxed))
    }

    pub(super) fn set_word(&self, thread: usize, index: u32, word: usize, value: u64) {
        if index < self.length.get()
            && let Some(words) = self.rows.get(thread).and_then(|row| row.element(index))
        {
            words[word].store(value, Ordering::Relaxed);
        }
    }
}

impl Vectors {
    fn retire(
        self,
        cells: &[Arc<RowCell>],
        mut retire: impl FnMut(super::allocator::Extent, Option<Guard>),
    ) {
        retire(self.outer.extent, None);
        for (index, row) in self.rows.into_iter().enumerate() {
            let guard = cells.get(index).map(|cell| Arc::clone(cell) as Guard);
            retire(row.extent, guard);
        }
    }
}

/// What simple and combined counters have in common, for one doc each.
macro_rules! main_side {
    ($name:ident, $row:ident, $value:ty) => {
        impl $name {
            /// The entry.
            #[must_use]
            pub fn key(&self) -> EntryKey {
                self.key
            }

            /// Number of rows.
            #[must_use]
            pub fn threads(&self) -> usize {
                self.set.rows.len()
            }

            /// Number of columns that readers see: one more than the greatest index ensured.
            #[must_use]
            pub fn len(&self) -> u32 {
                self.set.length.get()
            }

            /// Whether no index has been ensured yet.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Makes counter `index`, and all below, exist in every row; new ones are 0. Cheap when it exists.
            ///
            /// Whoever tells the workers of an index calls this first; what then makes the index known to them also
            /// makes the counter known.
            ///
            /// # Errors
            /// [`EntryError::Limit`], [`EntryError::Memory`], [`EntryError::Removed`]. The object then goes uncounted:
            /// additions to an index that was not ensured have no effect.
            pub fn ensure(&self, index: u32) -> Result<(), EntryError> {
                self.set.ensure(&self.core, index)
            }

            /// A handle to the row of `thread`, to be sent there; none when there is no such row.
            ///
            /// May be called again for another handle to the same row, for use on the same thread.
            #[must_use]
            pub fn row(&self, thread: usize) -> Option<$row> {
                self.set.rows.get(thread).map($row::new)
            }

            /// Zeroes counter `index` in all rows, also while workers count.
            ///
            /// Idle rows read 0 at once; a worker in the middle of an addition zeroes its row before the next one.
            pub fn clear(&self, index: u32) {
                self.set.clear(index..index.saturating_add(1));
            }

            /// Zeroes all counters, as [`clear`](Self::clear) does. Each worker spends one pass over its row on it.
            pub fn clear_all(&self) {
                self.set.clear(0..u32::MAX);
            }

            /// The sum of counter `index` over all rows; 0 when it does not exist.
            #[must_use]
            pub fn sum(&self, index: u32) -> $value {
                (0..self.threads())
                    .map(|thread| self.value(thread, index))
                    .sum()
            }

            /// Additions to indices that did not exist, over all rows.
            #[must_use]
            pub fn missed(&self) -> u64 {
                self.set.rows.iter().map(|row| row.missed()).sum()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("key", &self.key)
                    .field("set", &self.set)
                    .finish()
            }
        }
    };
}

/// Simple counters: a 64-bit number for each thread and index. A cheap handle; clones are the same counters.
#[derive(Clone)]
pub struct SimpleCounters {
    core: Rc<Core>,
    set: Rc<RowSet>,
    key: EntryKey,
}

main_side!(SimpleCounters, SimpleRow, u64);

impl SimpleCounters {
    pub(super) fn new(core: &Rc<Core>, set: Rc<RowSet>, key: EntryKey) -> Self {
        Self {
            core: Rc::clone(core),
            set,
            key,
        }
    }

    /// Counter `index` of `thread`; 0 when it does not exist.
    #[must_use]
    pub fn value(&self, thread: usize, index: u32) -> u64 {
        self.set.word(thread, index, 0)
    }

    /// Sets counter `index` of `thread`, for rows that the main thread alone writes (copies of what is kept
    /// elsewhere). Without effect when it does not exist.
    pub fn set(&self, thread: usize, index: u32, value: u64) {
        self.set.set_word(thread, index, 0, value);
    }
}

/// Combined counters: packets and bytes for each thread and index. A cheap handle; clones are the same counters.
#[derive(Clone)]
pub struct CombinedCounters {
    core: Rc<Core>,
    set: Rc<RowSet>,
    key: EntryKey,
}

main_side!(CombinedCounters, CombinedRow, Combined);

impl CombinedCounters {
    pub(super) fn new(core: &Rc<Core>, set: Rc<RowSet>, key: EntryKey) -> Self {
        Self {
            core: Rc::clone(core),
            set,
            key,
        }
    }

    /// Counter `index` of `thread`; zeros when it does not exist. Packets and bytes may be from different moments.
    #[must_use]
    pub fn value(&self, thread: usize, index: u32) -> Combined {
        Combined {
            packets: self.set.word(thread, index, 0),
            bytes: self.set.word(thread, index, 1),
        }
    }

    /// Sets counter `index` of `thread`, for rows that the main thread alone writes. Without effect when it does not
    /// exist.
    pub fn set(&self, thread: usize, index: u32, value: Combined) {
        self.set.set_word(thread, index, 0, value.packets);
        self.set.set_word(thread, index, 1, value.bytes);
    }
}
