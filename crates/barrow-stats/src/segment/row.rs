//! Rows of counters: written by the thread that owns them, at the price of a load and a store.
//!
//! Who does what:
//!
//! 1. A row's counters are changed by *adding*, through handles, on one thread: its owner. An addition is a relaxed
//!    load and a relaxed store, without a lock prefix. Several handles to one row may exist on that thread (one a
//!    node). Used from two threads at once, a row loses counts; it does nothing worse.
//! 2. The main thread makes a row longer. It never moves: its whole maximum is reserved in the sparse file from the
//!    start. A handle remembers the length it knows and looks again only for an index beyond it.
//! 3. The main thread clears counters. It stores zeros itself, so that an idle row reads 0 at once. But an owner in
//!    the middle of an addition may store the old sum after that. So the main thread then also leaves the range as a
//!    *request*, and raises `attention`; the owner, before its next addition to the row, zeroes the range again. What
//!    the owner added in between goes too: the clear takes effect at that moment, and nothing later is lost.
//!
//! Rule 3 is exact but for one case: the racing addition was the owner's last to that row; its sum then stays
//! readable until the owner next adds to any index of the row. (The list of requests is bounded, and drops the oldest
//! for an owner that has been idle for that long: the same case.) Clearing costs the owner one pass over the range.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::memory::Span;
use crate::layout::WORD;

/// Requests to clear that an idle owner can have waiting; see the module docs.
const CLEARS_KEPT: usize = 256;

/// On a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Apart<T>(T);

/// What the handles of a row share with the main thread.
#[derive(Debug)]
pub(super) struct RowCell {
    /// All words that the row can ever have.
    data: Span,
    /// Words of one element: 1 or 2.
    width: usize,
    /// There are requests. Changes rarely, read at each addition.
    attention: AtomicBool,
    /// Elements in use. Changes as objects are made, hence apart.
    length: Apart<AtomicU32>,
    /// Additions beyond the length.
    missed: AtomicU64,
    clears: Mutex<VecDeque<Range<u32>>>,
}

impl RowCell {
    pub(super) fn new(data: Span, width: usize) -> Self {
        Self {
            data,
            width,
            attention: AtomicBool::new(false),
            length: Apart::default(),
            missed: AtomicU64::new(0),
            clears: Mutex::default(),
        }
    }

    /// Makes elements below `length` addable; they are zero.
    pub(super) fn grow(&self, length: u32) {
        self.length.0.store(length, Ordering::Release);
    }

    /// Bytes from the first element to element `index`.
    pub(super) fn offset_of(&self, index: u32) -> u64 {
        u64::from(index) * self.width as u64 * WORD
    }

    /// Words of element `index`.
    pub(super) fn element(&self, index: u32) -> Option<&[AtomicU64]> {
        let start = index as usize * self.width;
        self.data.words().get(start..start + self.width)
    }

    /// Zeroes elements, by rule 3.
    pub(super) fn clear(&self, range: Range<u32>) {
        self.zero(&range);
        let mut clears = self.clears.lock().unwrap_or_else(PoisonError::into_inner);
        match clears.back_mut() {
            Some(last) if last.start <= range.start && range.start <= last.end => {
                last.end = last.end.max(range.end);
            }
            _ => {
                if clears.len() == CLEARS_KEPT {
                    clears.pop_front();
                }
                clears.push_back(range);
            }
        }
        self.attention.store(true, Ordering::Release);
    }

    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    fn zero(&self, range: &Range<u32>) {
        let (start, end) = (
            range.start as usize * self.width,
            range.end as usize * self.width,
        );
        for word in self.data.words().get(start..end).into_iter().flatten() {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// The owner does what was requested.
    fn attend(&self) {
        let mut clears = self.clears.lock().unwrap_or_else(PoisonError::into_inner);
        for range in clears.drain(..) {
            self.zero(&range);
        }
        self.attention.store(false, Ordering::Relaxed);
    }
}

/// A handle of the owner to a row whose elements have `W` words.
struct Row<const W: usize> {
    data: Span,
    /// The length when it was last looked at.
    known: Cell<u32>,
    cell: Arc<RowCell>,
}

impl<const W: usize> Row<W> {
    fn new(cell: &Arc<RowCell>) -> Self {
        debug_assert_eq!(cell.width, W);
        Self {
            data: cell.data.share(),
            known: Cell::new(0),
            cell: Arc::clone(cell),
        }
    }

    /// The words of element `index`, to be added to at once; none when the row is not that long.
    #[inline]
    fn element(&self, index: u32) -> Option<&[AtomicU64; W]> {
        let attention = self.cell.attention.load(Ordering::Relaxed);
        if (attention || index >= self.known.get()) && !self.look_again(index) {
            return None;
        }
        self.data.words().as_chunks().0.get(index as usize)
    }

    #[cold]
    #[inline(never)]
    fn look_again(&self, index: u32) -> bool {
        if self.cell.attention.load(Ordering::Relaxed) {
            self.cell.attend();
        }
        self.known.set(self.cell.length.0.load(Ordering::Acquire));
        let exists = index < self.known.get();
        if !exists {
            add(&self.cell.missed, 1);
        }
        exists
    }

    #[inline]
    fn prefetch(&self, index: u32) {
        self.data.prefetch((index as usize).wrapping_mul(W));
    }
}

impl<const W: usize> fmt::Debug for Row<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("words", &W)
            .field("known", &self.known.get())
            .finish()
    }
}

/// Adds as the only writer: not atomic as a whole, so that it costs what an ordinary addition costs.
#[inline]
fn add(word: &AtomicU64, n: u64) {
    word.store(
        word.load(Ordering::Relaxed).wrapping_add(n),
        Ordering::Relaxed,
    );
}

/// One thread's row of simple counters. Sent to that thread once and used there.
///
/// Additions never panic and never block; an index that was not made with `ensure` is counted as missed. They wrap
/// at 2^64. The row outlives its entry: after a removal additions go nowhere.
#[derive(Debug)]
pub struct SimpleRow(Row<1>);

impl SimpleRow {
    pub(super) fn new(cell: &Arc<RowCell>) -> Self {
        Self(Row::new(cell))
    }

    /// Adds `n` to counter `index`.
    #[inline]
    pub fn add(&self, index: u32, n: u64) {
        if let Some([word]) = self.0.element(index) {
            add(word, n);
        }
    }

    /// Adds 1 to counter `index`.
    #[inline]
    pub fn increment(&self, index: u32) {
        self.add(index, 1);
    }

    /// Asks for the cache line of counter `index`, some packets ahead of its [`add`](Self::add).
    #[inline]
    pub fn prefetch(&self, index: u32) {
        self.0.prefetch(index);
    }
}

/// One thread's row of combined counters. Sent to that thread once and used there; see [`SimpleRow`].
#[derive(Debug)]
pub struct CombinedRow(Row<2>);

impl CombinedRow {
    pub(super) fn new(cell: &Arc<RowCell>) -> Self {
        Self(Row::new(cell))
    }

    /// Adds `packets` and `bytes` to counter `index`. A run of packets for one index is best added at once.
    #[inline]
    pub fn add2(&self, index: u32, packets: u64, bytes: u64) {
        if let Some([packet_word, byte_word]) = self.0.element(index) {
            add(packet_word, packets);
            add(byte_word, bytes);
        }
    }

    /// Asks for the cache line of counter `index`, some packets ahead of its [`add2`](Self::add2).
    #[inline]
    pub fn prefetch(&self, index: u32) {
        self.0.prefetch(index);
    }
}

/// One thread's row of a histogram. Sent to that thread once and used there; see [`SimpleRow`].
#[derive(Debug)]
pub struct HistogramRow {
    row: Row<1>,
    min_exp: u32,
    bins: u32,
}

impl HistogramRow {
    pub(super) fn new(cell: &Arc<RowCell>, min_exp: u32, bins: u32) -> Self {
        Self {
            row: Row::new(cell),
            min_exp,
            bins,
        }
    }

    /// Counts `value` in the first bin whose bound 2^(lowest exponent + bin) it does not exceed, else in the last.
    #[inline]
    pub fn record(&self, value: u64) {
        let exponent = value
            .saturating_sub(1)
            .checked_ilog2()
            .map_or(0, |floor| floor + 1);
        let bin = exponent.saturating_sub(self.min_exp).min(self.bins - 1);
        // Element 0 holds the lowest exponent.
        if let Some([word]) = self.row.element(bin + 1) {
            add(word, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send>() {}

    #[test]
    fn rows_can_be_sent_to_their_owner() {
        is_send::<SimpleRow>();
        is_send::<CombinedRow>();
        is_send::<HistogramRow>();
    }
}
