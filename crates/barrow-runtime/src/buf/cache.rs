//! A thread's own stock of free buffers.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::fmt;
use std::sync::Arc;

use super::handle::Buf;
use super::pool::{Inner, Pool, Span};
use super::region;
use super::shared::Shared;
use super::slot::Header;

/// Allocates and frees buffers of one pool, for one thread, in bulk and without atomics.
///
/// It keeps up to [`Cache::CAPACITY`] free buffers, last in first out; more go to the list that the
/// pool's threads share, and come from there when it runs dry. A small pool's caches keep fewer, so
/// that no thread starves the others. Dropping the cache gives its stock back.
pub struct Cache<H: Header> {
    stock: Vec<Buf<H>>,
    capacity: usize,
    span: Span,
    pool: Arc<Inner<H>>,
    /// Size of the stock, for the pool's statistics.
    level: Arc<AtomicUsize>,
}

impl<H: Header> Cache<H> {
    /// Most buffers that a cache keeps.
    pub const CAPACITY: usize = 512;

    pub(super) fn new(pool: Arc<Inner<H>>) -> Self {
        let level = Arc::default();
        pool.add_level(&level);
        let capacity = (pool.size() / 16).clamp(16, Self::CAPACITY);
        Self {
            stock: Vec::with_capacity(2 * capacity),
            capacity,
            span: pool.span(),
            pool,
            level,
        }
    }

    /// The pool this belongs to.
    pub fn pool(&self) -> Pool<H> {
        Pool(self.pool.clone())
    }

    /// Whether a buffer is one of the pool.
    #[inline]
    pub fn contains(&self, buf: &Buf<H>) -> bool {
        self.span.contains(buf.index().get())
    }

    /// Adds up to `n` buffers to `out` and returns how many: fewer only when the pool has no more.
    ///
    /// Headers and data are as the last owner left them; headers of buffers never used before are
    /// default ones.
    #[inline]
    pub fn alloc(&mut self, n: usize, out: &mut impl Extend<Buf<H>>) -> usize {
        if self.stock.len() < n {
            self.refill(n);
        }
        let rest = self.stock.len().saturating_sub(n);
        let n = self.stock.len() - rest;
        out.extend(self.stock.drain(rest..));
        self.publish();
        n
    }

    /// One buffer, when the pool has any.
    #[inline]
    pub fn alloc_one(&mut self) -> Option<Buf<H>> {
        if self.stock.is_empty() {
            self.refill(1);
        }
        let buf = self.stock.pop();
        self.publish();
        buf
    }

    /// Frees buffers, without the rest of their chains: take that off first, or use
    /// [`Cache::free_chain`].
    ///
    /// Buffers of other pools are accepted and find their way home, at the cost of a lock each.
    #[inline]
    pub fn free(&mut self, bufs: impl IntoIterator<Item = Buf<H>>) {
        let start = self.stock.len();
        self.stock.extend(bufs);
        let freed = &self.stock[start..];
        debug_assert!(
            freed.iter().all(|buf| buf.next().is_none()),
            "freed without the rest of its chain"
        );
        // All are looked at, so that the loop has no branch and becomes vector instructions.
        let ours = freed.iter().fold(true, |ours, buf| {
            ours & self.span.contains(buf.index().get())
        });
        if !ours {
            self.expel(start);
        }
        if self.stock.len() > self.capacity {
            self.spill();
        }
        self.publish();
    }

    /// Frees one buffer, without the rest of its chain.
    #[inline]
    pub fn free_one(&mut self, buf: Buf<H>) {
        self.free([buf]);
    }

    /// Frees a buffer and the rest of its chain; returns how many that were.
    pub fn free_chain(&mut self, buf: Buf<H>) -> usize {
        let (mut next, mut n) = (Some(buf), 0);
        while let Some(mut buf) = next {
            next = buf.take_next();
            self.free_one(buf);
            n += 1;
        }
        n
    }

    /// Gives up a reference to a shared buffer; the last one frees it, with the rest of its chain.
    pub fn release(&mut self, shared: Shared<H>) {
        if let Some(buf) = shared.leave() {
            self.free_chain(buf);
        }
    }

    /// Free buffers kept here.
    pub fn len(&self) -> usize {
        self.stock.len()
    }

    /// Whether none is kept here; the pool may still have some.
    pub fn is_empty(&self) -> bool {
        self.stock.is_empty()
    }

    /// Gives the whole stock to the other threads.
    pub fn flush(&mut self) {
        self.pool.push(&mut self.stock);
        self.publish();
    }

    #[cold]
    fn refill(&mut self, n: usize) {
        while self.stock.len() < n && self.pool.pop(&mut self.stock) {}
    }

    /// Keeps the half that was freed last: it is the warmer one.
    #[cold]
    fn spill(&mut self) {
        let surplus = self.stock.len() - self.capacity / 2;
        self.pool.push_first(&mut self.stock, surplus);
    }

    /// Sends buffers of other pools home, from this place of the stock on.
    #[cold]
    fn expel(&mut self, start: usize) {
        let span = self.span;
        for buf in self
            .stock
            .extract_if(start.., |buf| !span.contains(buf.index().get()))
        {
            region::send_home(buf.into_raw());
        }
    }

    #[inline(always)]
    fn publish(&self) {
        self.level.store(self.stock.len(), Ordering::Relaxed);
    }
}

impl<H: Header> Drop for Cache<H> {
    fn drop(&mut self) {
        self.flush();
    }
}

impl<H: Header> fmt::Debug for Cache<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("stock", &self.stock.len())
            .field("capacity", &self.capacity)
            .finish()
    }
}
