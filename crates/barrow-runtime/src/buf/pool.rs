//! Pools: slots of one size with headers of one type.

use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::cache::Cache;
use super::handle::Buf;
use super::memory::Pages;
use super::region::{self, Run, TakeHome};
use super::slot::{self, Header, LINE, Layout};
use super::stack::Stack;
use super::sync::NextWord;

/// What a pool is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Number of buffers.
    pub buffers: u32,
    /// Bytes of data in each, behind the headroom; 64 to 65,536.
    pub data_size: usize,
    /// Kind of pages asked for.
    pub pages: Pages,
    /// Touch all memory now rather than when buffers are first used.
    pub populate: bool,
}

impl Default for Config {
    /// VPP's defaults: 16,384 buffers of 2,048 bytes.
    fn default() -> Self {
        Self {
            buffers: 16_384,
            data_size: 2048,
            pages: Pages::default(),
            populate: false,
        }
    }
}

/// Why a pool could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// A pool has at least one buffer.
    #[error("a buffer pool of no buffers")]
    Empty,
    /// The data size is outside 64 to 65,536 bytes.
    #[error("buffer data size {0} is not within 64..=65536")]
    DataSize(usize),
    /// The system gave no memory.
    #[error("no memory for {bytes} bytes of buffers: {source}")]
    Memory {
        /// Bytes asked for.
        bytes: usize,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// Where the buffers of a pool are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Buffers in all.
    pub size: usize,
    /// Free, for any thread to take; includes those never used.
    pub free: usize,
    /// Never used so far: their memory is not touched yet.
    pub untouched: usize,
    /// Free in the caches, in the order in which those were made.
    pub cached: Vec<usize>,
    /// Held by someone: in handles, shared references, driver rings, or leaked.
    pub owned: usize,
}

/// What an audit of the free list found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The counts at that moment.
    pub stats: Stats,
    /// Indexes that were on the free list more than once.
    pub duplicates: usize,
    /// Entries of the free list that are no slot of this pool.
    pub foreign: usize,
}

/// A pool of buffers with headers `H`.
///
/// Cheap to clone: all clones are the same pool. Its memory is returned when the last clone and
/// cache are dropped and every buffer is home.
pub struct Pool<H: Header>(pub(super) Arc<Inner<H>>);

pub(super) struct Inner<H: Header> {
    run: Run,
    layout: Layout,
    size: u32,
    /// Slots below this number have been in use; those from it on are not initialised.
    touched: AtomicU32,
    /// Batches of free slots.
    stack: Stack,
    /// Slots in `stack`; momentarily off while a batch moves.
    stacked: AtomicUsize,
    /// Most indexes that a batch holds: they are written into its leader's room.
    batch: usize,
    levels: Mutex<Vec<Weak<AtomicUsize>>>,
    _header: PhantomData<fn() -> H>,
}

/// A batch is at most this long.
const BATCH: usize = 128;
/// Fresh slots are initialised in groups of this many.
const FRESH: u32 = 64;

impl<H: Header> Pool<H> {
    /// Makes a pool.
    ///
    /// # Errors
    /// For sizes out of range, and when the system gives no memory.
    pub fn new(config: Config) -> Result<Self, PoolError> {
        if config.buffers == 0 {
            return Err(PoolError::Empty);
        }
        if !(64..=65_536).contains(&config.data_size) {
            return Err(PoolError::DataSize(config.data_size));
        }
        let layout = Layout::new::<H>(config.data_size);
        let bytes = layout.stride * config.buffers as usize;
        let run =
            region::open(bytes, layout.room, config.pages).map_err(|source| PoolError::Memory {
                bytes,
                source: source.into(),
            })?;
        if config.populate {
            region::populate(run);
        }
        let pool = Arc::new(Inner {
            run,
            layout,
            size: config.buffers,
            touched: AtomicU32::new(0),
            stack: Stack::new(),
            stacked: AtomicUsize::new(0),
            batch: BATCH.min(layout.room / size_of::<u32>()),
            levels: Mutex::default(),
            _header: PhantomData,
        });
        region::settle(run, Arc::downgrade(&pool) as Weak<dyn TakeHome>);
        Ok(Self(pool))
    }

    /// A cache for one thread.
    pub fn cache(&self) -> Cache<H> {
        Cache::new(self.0.clone())
    }

    /// Buffers in all.
    pub fn size(&self) -> usize {
        self.0.size as usize
    }

    /// Bytes of data behind the headroom.
    pub fn data_size(&self) -> usize {
        self.0.layout.room - slot::HEADROOM
    }

    /// Bytes from one slot to the next.
    pub fn stride(&self) -> usize {
        self.0.layout.stride
    }

    /// Whether a buffer is one of this pool.
    pub fn contains(&self, buf: &Buf<H>) -> bool {
        self.0.span().contains(buf.index().get())
    }

    /// Where the buffers are. Exact when no other thread moves any; else a moment's picture of each
    /// part.
    pub fn stats(&self) -> Stats {
        let inner = &*self.0;
        let size = inner.size as usize;
        let untouched = size - inner.touched.load(Ordering::Relaxed) as usize;
        let free = untouched + inner.stacked.load(Ordering::Relaxed);
        let cached: Vec<usize> = inner
            .levels()
            .iter()
            .map(|level| level.load(Ordering::Relaxed))
            .collect();
        let owned = size.saturating_sub(free + cached.iter().sum::<usize>());
        Stats {
            size,
            free,
            untouched,
            cached,
            owned,
        }
    }

    /// Takes the whole free list apart, checks that every entry is a slot of this pool and there
    /// once, and puts it back.
    ///
    /// For tests and debugging: meanwhile other threads find the list empty.
    pub fn audit(&self) -> Audit {
        let inner = &*self.0;
        let stats = self.stats();
        let mut seen = vec![false; inner.size as usize];
        let (mut duplicates, mut foreign) = (0, 0);
        let mut stock: Vec<Buf<H>> = Vec::new();
        while inner.pop_batch(&mut stock) {}
        for buf in &stock {
            match inner
                .number(buf.index().get())
                .map(|number| &mut seen[number])
            {
                Some(true) => duplicates += 1,
                Some(first) => *first = true,
                None => foreign += 1,
            }
        }
        inner.push(&mut stock);
        Audit {
            stats,
            duplicates,
            foreign,
        }
    }
}

impl<H: Header> Clone for Pool<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H: Header> fmt::Debug for Pool<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("stats", &self.stats())
            .field("layout", &self.0.layout)
            .finish()
    }
}

/// The indexes between the first slot of a pool and its end.
#[derive(Clone, Copy)]
pub(super) struct Span {
    first: u32,
    lines: u32,
}

impl Span {
    #[inline(always)]
    pub(super) fn contains(self, index: u32) -> bool {
        index.wrapping_sub(self.first) < self.lines
    }
}

impl<H: Header> Inner<H> {
    pub(super) fn size(&self) -> usize {
        self.size as usize
    }

    pub(super) fn span(&self) -> Span {
        Span {
            first: self.run.first_index().get(),
            lines: self.size * self.lines(),
        }
    }

    /// Lines a slot.
    fn lines(&self) -> u32 {
        (self.layout.stride / LINE) as u32
    }

    fn index(&self, number: u32) -> NonZeroU32 {
        self.run.first_index().saturating_add(number * self.lines())
    }

    /// Which slot an index is the start of.
    fn number(&self, index: u32) -> Option<usize> {
        let line = index.wrapping_sub(self.run.first_index().get());
        (self.span().contains(index) && line.is_multiple_of(self.lines()))
            .then(|| (line / self.lines()) as usize)
    }

    fn next_word(&self, index: NonZeroU32) -> &NextWord {
        // SAFETY: the stack holds slots of this pool only, which stay committed at least as long as
        // `self`.
        &unsafe { slot::trailer::<H>(index) }.next
    }

    /// Adds a cache to the statistics.
    pub(super) fn add_level(&self, level: &Arc<AtomicUsize>) {
        self.levels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(level));
    }

    fn levels(&self) -> Vec<Arc<AtomicUsize>> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        levels.retain(|level| level.strong_count() > 0);
        levels.iter().filter_map(Weak::upgrade).collect()
    }

    /// Adds a batch of free buffers to `stock`: used ones first, they are warmer. False when there
    /// are none.
    pub(super) fn pop(&self, stock: &mut Vec<Buf<H>>) -> bool {
        self.pop_batch(stock) || self.pop_fresh(stock)
    }

    fn pop_batch(&self, stock: &mut Vec<Buf<H>>) -> bool {
        let Some(leader) = self.stack.pop(|index| self.next_word(index)) else {
            return false;
        };
        // SAFETY: the stack holds slots of this pool only.
        let trailer = unsafe { slot::trailer::<H>(leader) };
        // SAFETY: popping made us the owner of the leader, and with it of its batch length.
        let len = unsafe { *trailer.batch.get() } as usize;
        // SAFETY: `push_batch` wrote `len` indexes to the start of the leader's room, each of a
        // buffer that was given up there; popping made us their only owner, and `u32` of a handle
        // is the handle.
        let batch = unsafe {
            core::slice::from_raw_parts(slot::room::<H>(leader).cast::<NonZeroU32>(), len)
        };
        // SAFETY: see above; each index was made from a `Buf<H>` by `into_raw` and is used once.
        stock.extend(batch.iter().map(|&index| unsafe { Buf::from_raw(index) }));
        self.stacked.fetch_sub(len, Ordering::Relaxed);
        true
    }

    /// Initialises slots that were never used.
    fn pop_fresh(&self, stock: &mut Vec<Buf<H>>) -> bool {
        let header = H::default();
        let claim = |touched: u32| (touched < self.size).then(|| (touched + FRESH).min(self.size));
        let Ok(start) = self
            .touched
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, claim)
        else {
            return false;
        };
        let end = (start + FRESH).min(self.size);
        // Backwards, so that the last in, which is the first out, is the lowest.
        stock.extend((start..end).rev().map(|number| {
            let index = self.index(number);
            // SAFETY: the slot is one of this pool, and claiming its number made us its only owner.
            unsafe { slot::header::<H>(index).write(header) };
            // SAFETY: the index is that of a slot of a pool with headers `H`, holds a valid one
            // now, and had no handle.
            unsafe { Buf::from_raw(index) }
        }));
        true
    }

    /// Takes all buffers out of `stock` onto the shared list. They are of this pool.
    pub(super) fn push(&self, stock: &mut Vec<Buf<H>>) {
        self.push_batches(stock.drain(..));
    }

    /// As [`Inner::push`], for the first `n` of them.
    pub(super) fn push_first(&self, stock: &mut Vec<Buf<H>>, n: usize) {
        self.push_batches(stock.drain(..n));
    }

    fn push_batches(&self, mut bufs: std::vec::Drain<'_, Buf<H>>) {
        while bufs.len() > 0 {
            self.push_batch(bufs.by_ref().take(self.batch));
        }
    }

    /// Puts at most `self.batch` buffers onto the shared list as one batch.
    fn push_batch(&self, mut bufs: impl Iterator<Item = Buf<H>>) {
        let Some(leader) = bufs.next().map(Buf::into_raw) else {
            return;
        };
        // SAFETY: the index came from a handle that is now used up, so the room is ours until the
        // push below.
        let room = unsafe { slot::room::<H>(leader) }.cast::<NonZeroU32>();
        // SAFETY: the room starts at a line and holds at least one index.
        unsafe { room.write(leader) };
        let mut len = 1;
        for buf in bufs.take(self.batch - 1) {
            // SAFETY: fewer than `self.batch` were written, which is what fits the room.
            unsafe { room.add(len).write(buf.into_raw()) };
            len += 1;
        }
        // SAFETY: the index is that of a slot of this pool.
        let trailer = unsafe { slot::trailer::<H>(leader) };
        // SAFETY: the batch length belongs to the owner of the index, which we are until the push.
        unsafe { *trailer.batch.get() = len as u32 };
        self.stacked.fetch_add(len, Ordering::Relaxed);
        self.stack.push(leader, &trailer.next);
    }
}

impl<H: Header> TakeHome for Inner<H> {
    fn take_home(&self, index: NonZeroU32) {
        // SAFETY: `region::send_home` got the index from the handle of a buffer of this pool, which
        // is used up.
        self.push_batch(core::iter::once(unsafe { Buf::from_raw(index) }));
    }
}

impl<H: Header> Drop for Inner<H> {
    fn drop(&mut self) {
        let home = *self.stacked.get_mut() + self.size() - *self.touched.get_mut() as usize;
        region::close(self.run, self.size() - home);
    }
}
