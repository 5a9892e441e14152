//! The caches of this thread, and the count of what is out.
//!
//! Each thread keeps a cache of every pool that it takes from. What it takes and frees is counted
//! without atomic read-modify-writes, in a cell of its own; the sum over all threads is the number of
//! packets in somebody's hands, which [`Packets::report`](super::Packets::report) holds against what
//! the pool says.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use super::Head;
use crate::buf::{Buf, Cache, Pool};

/// A pool with its counters.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) pool: Pool<Head>,
    /// A cell for each thread that has a cache.
    counts: Mutex<Vec<Arc<AtomicIsize>>>,
    /// What threads without a cache did, and those that have ended.
    rest: AtomicIsize,
    /// Buffers that the kernel has.
    pub(super) kernel: AtomicIsize,
    /// Who waits for a buffer.
    waiting: Arc<Waiting>,
}

/// Who is woken when a buffer is freed.
#[derive(Debug, Default)]
struct Waiting {
    any: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Waiting {
    fn freed(&self) {
        if self.any.load(Ordering::Relaxed) && self.any.swap(false, Ordering::AcqRel) {
            let wakers = std::mem::take(&mut *self.lock());
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every store, so that a thread without a cache can count what it frees.
static STORES: Mutex<Vec<Weak<Store>>> = Mutex::new(Vec::new());

struct Entry {
    store: Weak<Store>,
    cache: Cache<Head>,
    count: Arc<AtomicIsize>,
    waiting: Arc<Waiting>,
}

thread_local! {
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

impl Store {
    pub(super) fn new(pool: Pool<Head>) -> Arc<Self> {
        let store = Arc::new(Self {
            pool,
            counts: Mutex::default(),
            rest: AtomicIsize::new(0),
            kernel: AtomicIsize::new(0),
            waiting: Arc::default(),
        });
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        stores.retain(|store| store.strong_count() > 0);
        stores.push(Arc::downgrade(&store));
        store
    }

    /// Packets in somebody's hands.
    pub(super) fn live(&self) -> isize {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let cells: isize = counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum();
        cells + self.rest.load(Ordering::Relaxed)
    }

    /// Wakes `waker` once when a buffer is freed after this call.
    pub(super) fn wait(&self, waker: &Waker) {
        let mut wakers = self.waiting.lock();
        if !wakers.iter().any(|other| other.will_wake(waker)) {
            wakers.push(waker.clone());
        }
        self.waiting.any.store(true, Ordering::Release);
    }

    /// A buffer from this thread's cache.
    pub(super) fn alloc(self: &Arc<Self>) -> Option<Buf<Head>> {
        ENTRIES
            .try_with(|entries| {
                let mut entries = entries.borrow_mut();
                let at = entries
                    .iter()
                    .position(|entry| std::ptr::eq(entry.store.as_ptr(), &raw const **self));
                let at = at.unwrap_or_else(|| {
                    // Pools that ended leave their entries behind until another begins.
                    entries.retain(|entry| entry.store.strong_count() > 0);
                    entries.push(Entry::new(self));
                    entries.len() - 1
                });
                let entry = &mut entries[at];
                let buf = entry.cache.alloc_one()?;
                entry.add(1);
                Some(buf)
            })
            .ok()?
    }
}

impl Entry {
    fn new(store: &Arc<Store>) -> Self {
        let count = Arc::default();
        let mut counts = store.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.push(Arc::clone(&count));
        Self {
            store: Arc::downgrade(store),
            cache: store.pool.cache(),
            count,
            waiting: Arc::clone(&store.waiting),
        }
    }

    fn add(&self, n: isize) {
        // Only this thread writes it.
        self.count
            .store(self.count.load(Ordering::Relaxed) + n, Ordering::Relaxed);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(store) = self.store.upgrade() {
            let mut counts = store.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.retain(|count| !Arc::ptr_eq(count, &self.count));
            let n = self.count.load(Ordering::Relaxed);
            store.rest.fetch_add(n, Ordering::Relaxed);
        }
    }
}

/// Frees a buffer to this thread's cache, or sends it home.
pub(super) fn free(buf: Buf<Head>) {
    let (mut buf, mut freed) = (Some(buf), None);
    let _ = ENTRIES.try_with(|entries| {
        // Taken only while a packet is dropped inside `alloc`, which does not happen.
        if let Ok(mut entries) = entries.try_borrow_mut()
            && let Some(entry) = find(&mut entries, buf.as_ref())
            && let Some(buf) = buf.take()
        {
            entry.cache.free_one(buf);
            entry.add(-1);
            freed = entry
                .waiting
                .any
                .load(Ordering::Relaxed)
                .then(|| Arc::clone(&entry.waiting));
        }
    });
    // No borrow is held while somebody is woken.
    if let Some(waiting) = freed {
        waiting.freed();
    }
    if let Some(buf) = buf {
        let store = store_of(&buf);
        buf.go_home();
        if let Some(store) = store {
            store.rest.fetch_sub(1, Ordering::Relaxed);
            store.waiting.freed();
        }
    }
}

fn find<'a>(entries: &'a mut [Entry], buf: Option<&Buf<Head>>) -> Option<&'a mut Entry> {
    let buf = buf?;
    entries.iter_mut().find(|entry| entry.cache.contains(buf))
}

/// The buffer goes to the kernel.
pub(super) fn give_up(buf: &Buf<Head>) {
    count(buf, -1);
}

/// The buffer comes from the kernel.
pub(super) fn take_over(buf: &Buf<Head>) {
    count(buf, 1);
}

fn count(buf: &Buf<Head>, n: isize) {
    let ours = ENTRIES.try_with(|entries| {
        let mut entries = entries.borrow_mut();
        let entry = find(&mut entries, Some(buf))?;
        entry.add(n);
        let store = entry.store.upgrade()?;
        store.kernel.fetch_sub(n, Ordering::Relaxed);
        Some(())
    });
    if !matches!(ours, Ok(Some(())))
        && let Some(store) = store_of(buf)
    {
        store.rest.fetch_add(n, Ordering::Relaxed);
        store.kernel.fetch_sub(n, Ordering::Relaxed);
    }
}

#[cold]
fn store_of(buf: &Buf<Head>) -> Option<Arc<Store>> {
    let stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    stores
        .iter()
        .filter_map(Weak::upgrade)
        .find(|store| store.pool.contains(buf))
}
