//! Histograms with a bin for each power of two.

use std::fmt;
use std::rc::Rc;

use super::counters::RowSet;
use super::row::HistogramRow;
use super::{EntryError, EntryKey};

/// The shape of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistogramShape {
    /// Number of rows, one a thread, main first.
    pub rows: usize,
    /// The first bin counts values up to 2 to the power of this.
    pub min_exp: u32,
    /// Number of bins, each with twice the bound of the one before. The last one also takes all that is greater.
    pub bins: u32,
}

impl HistogramShape {
    pub(super) fn check(self) -> Result<Self, EntryError> {
        match self {
            Self { rows: 0, .. } | Self { bins: 0, .. } => {
                Err(EntryError::Shape("a histogram needs a row and a bin"))
            }
            Self { min_exp: 64.., .. } | Self { bins: 66.., .. } => Err(EntryError::Shape(
                "a histogram has exponents of 64-bit numbers",
            )),
            _ => Ok(self),
        }
    }
}

/// A histogram, one row a thread. A cheap handle; clones are the same histogram.
#[derive(Clone)]
pub struct HistogramCounters {
    set: Rc<RowSet>,
    shape: HistogramShape,
    key: EntryKey,
}

impl HistogramCounters {
    pub(super) fn new(set: Rc<RowSet>, shape: HistogramShape, key: EntryKey) -> Self {
        Self { set, shape, key }
    }

    /// The entry.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        self.key
    }

    /// A handle to the row of `thread`, to be sent there; none when there is no such row.
    #[must_use]
    pub fn row(&self, thread: usize) -> Option<HistogramRow> {
        let cell = self.set.rows().get(thread)?;
        Some(HistogramRow::new(cell, self.shape.min_exp, self.shape.bins))
    }

    /// How many values bin `bin` (from 0) has counted, over all rows.
    #[must_use]
    pub fn sum(&self, bin: u32) -> u64 {
        match bin < self.shape.bins {
            true => (0..self.shape.rows)
                .map(|row| self.set.word(row, bin + 1, 0))
                .sum(),
            false => 0,
        }
    }

    /// Zeroes all bins, as [`SimpleCounters::clear`](super::SimpleCounters::clear) does.
    pub fn clear(&self) {
        self.set.clear(1..self.shape.bins + 1);
    }
}

impl fmt::Debug for HistogramCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistogramCounters")
            .field("key", &self.key)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}
