//! Buffers with several owners, which then may only be read.

use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::sync::atomic::{Ordering, fence};
use std::sync::Arc;

use super::handle::Buf;
use super::slot::{self, Header};

/// A buffer that several hold: readable by all, writable again when one is left.
///
/// Like [`Buf`] it has no destructor: each reference goes back by
/// [`Cache::release`](super::Cache::release), or becomes unique again by
/// [`Shared::try_into_unique`].
#[must_use = "a forgotten reference leaks its buffer: release it to a cache"]
pub struct Shared<H: Header> {
    index: NonZeroU32,
    /// Several threads may read the header at once, hence `Send` and `Sync` follow `Arc`'s rules.
    _header: PhantomData<Arc<H>>,
}

/// References above this are a leak in a loop; there is room above it for as many threads as can
/// race here.
const MOST: u32 = u32::MAX / 2;

impl<H: Header> Shared<H> {
    /// Makes a buffer shareable; the result is its only reference.
    pub fn new(buf: Buf<H>) -> Self {
        let index = buf.into_raw();
        // SAFETY: the index came from a handle, so it is that of a slot of a pool with headers `H`.
        unsafe { slot::trailer::<H>(index) }
            .references
            .store(1, Ordering::Relaxed);
        Self {
            index,
            _header: PhantomData,
        }
    }

    /// The index of the buffer.
    pub fn index(&self) -> NonZeroU32 {
        self.index
    }

    /// The header.
    pub fn header(&self) -> &H {
        // SAFETY: the slot belongs to a pool with headers `H` that stays committed while a
        // reference exists; while the buffer is shared nobody can write to it.
        unsafe { &*slot::header(self.index) }
    }

    /// The whole room.
    pub fn room(&self) -> &[u8] {
        // SAFETY: as in `header`.
        unsafe { &*slot::room::<H>(self.index) }
    }

    /// How many references there are; by the time it is read it may have changed.
    pub fn references(&self) -> u32 {
        self.count().load(Ordering::Relaxed)
    }

    /// The buffer itself, if this is the only reference; else the reference again.
    ///
    /// # Errors
    /// The reference itself, when there are others.
    pub fn try_into_unique(self) -> Result<Buf<H>, Self> {
        // Acquire: what other owners read happened before they released.
        if self.count().load(Ordering::Acquire) != 1 {
            return Err(self);
        }
        // SAFETY: this was the only reference and it is used up; nobody else can make one.
        Ok(unsafe { Buf::from_raw(self.index) })
    }

    /// Gives this reference up; the last one yields the buffer, for its owner to free.
    #[must_use = "the last reference is the buffer: free it"]
    pub fn leave(self) -> Option<Buf<H>> {
        if self.count().fetch_sub(1, Ordering::Release) != 1 {
            return None;
        }
        fence(Ordering::Acquire);
        // SAFETY: the count went to zero, so this was the last reference, and it is used up.
        Some(unsafe { Buf::from_raw(self.index) })
    }

    fn count(&self) -> &core::sync::atomic::AtomicU32 {
        // SAFETY: the slot belongs to a pool with headers `H` that stays committed while a
        // reference exists.
        &unsafe { slot::trailer::<H>(self.index) }.references
    }
}

impl<H: Header> Clone for Shared<H> {
    /// One more reference.
    ///
    /// # Panics
    /// At two thousand million references, which only a leak in a loop can reach.
    fn clone(&self) -> Self {
        if self.count().fetch_add(1, Ordering::Relaxed) > MOST {
            self.count().fetch_sub(1, Ordering::Relaxed);
            panic!("buffer {} has too many references", self.index);
        }
        Self {
            index: self.index,
            _header: PhantomData,
        }
    }
}

impl<H: Header> fmt::Debug for Shared<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Shared({:#x}, {} references)",
            self.index,
            self.references()
        )
    }
}
