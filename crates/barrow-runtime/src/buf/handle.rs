//! The move-only handle of a buffer.

use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroU32;

use super::prefetch::prefetch;
use super::slot::{self, Header};

/// A buffer that is owned: header, room, and the rest of its chain.
///
/// A handle is a 32-bit index, unique in the process, so vectors of handles are small and their
/// moves are copies of memory. There is no destructor: give handles back to a
/// [`Cache`](super::Cache). A forgotten one leaks its slot, which
/// [`Pool::stats`](super::Pool::stats) shows.
#[must_use = "a forgotten buffer leaks its slot: give it back to a cache"]
#[repr(transparent)]
pub struct Buf<H: Header> {
    index: NonZeroU32,
    _header: PhantomData<H>,
}

impl<H: Header> Buf<H> {
    /// Makes the handle of an index.
    ///
    /// # Safety
    /// - The index comes from [`Buf::into_raw`] of a `Buf<H>` with the same `H`.
    /// - No other handle was made of it since, and none will be: the index is used up by this call.
    /// - That `into_raw` happened before this call (in this thread, or by synchronisation with the
    ///   other).
    #[inline(always)]
    pub unsafe fn from_raw(index: NonZeroU32) -> Self {
        Self {
            index,
            _header: PhantomData,
        }
    }

    /// Gives the handle up for its index, which then stands for the buffer: in a driver's ring, for
    /// example.
    ///
    /// Nothing frees the buffer until [`Buf::from_raw`] makes a handle of the index again.
    #[inline(always)]
    pub fn into_raw(self) -> NonZeroU32 {
        self.index
    }

    /// The index of this buffer: its identity in traces and logs, unique among all buffers in the
    /// process.
    #[inline(always)]
    pub fn index(&self) -> NonZeroU32 {
        self.index
    }

    /// Gives the buffer back to its pool without a cache, at the cost of a lock: for threads that
    /// have none. The rest of a chain has to be taken off before.
    pub fn go_home(self) {
        super::region::send_home(self.into_raw());
    }

    /// The header.
    #[inline(always)]
    pub fn header(&self) -> &H {
        // SAFETY: the index is that of a slot of a pool with headers `H`, which stays committed
        // while the handle exists and holds a valid `H`; only this handle reaches it, and it is
        // borrowed for the result's lifetime.
        unsafe { &*slot::header(self.index) }
    }

    /// The header, to be changed.
    #[inline(always)]
    pub fn header_mut(&mut self) -> &mut H {
        // SAFETY: as in `header`; the handle is borrowed exclusively.
        unsafe { &mut *slot::header(self.index) }
    }

    /// The whole room: [`HEADROOM`](super::HEADROOM) bytes, then the data.
    #[inline(always)]
    pub fn room(&self) -> &[u8] {
        // SAFETY: as in `header`; the room follows the header in the slot, and its bytes are
        // initialised because fresh memory is zero.
        unsafe { &*slot::room::<H>(self.index) }
    }

    /// The whole room, to be changed.
    #[inline(always)]
    pub fn room_mut(&mut self) -> &mut [u8] {
        self.slot_mut().1
    }

    /// Header and room at once.
    #[inline(always)]
    pub fn slot(&self) -> (&H, &[u8]) {
        (self.header(), self.room())
    }

    /// Header and room at once, to be changed.
    #[inline(always)]
    pub fn slot_mut(&mut self) -> (&mut H, &mut [u8]) {
        // SAFETY: as in `header_mut`.
        let header = unsafe { &mut *slot::header(self.index) };
        // SAFETY: as in `room`; the handle is borrowed exclusively, and the room does not overlap
        // the header.
        let room = unsafe { &mut *slot::room::<H>(self.index) };
        (header, room)
    }

    /// Makes `next` the rest of this buffer's chain, and returns what was there before.
    ///
    /// The link lies in the slot's last line: note in your header that there is one, so that
    /// unchained buffers never pay for the look.
    #[must_use = "the former rest of the chain is a buffer that someone has to free"]
    pub fn set_next(&mut self, next: Option<Self>) -> Option<Self> {
        // SAFETY: the index is that of a slot of such a pool, whose lifetime exceeds the borrow.
        let trailer = unsafe { slot::trailer::<H>(self.index) };
        // SAFETY: the link belongs to the handle, which is borrowed exclusively.
        let link = unsafe { &mut *trailer.link.get() };
        core::mem::replace(link, next)
    }

    /// Takes the rest of the chain off this buffer.
    pub fn take_next(&mut self) -> Option<Self> {
        self.set_next(None)
    }

    /// The next buffer of the chain.
    pub fn next(&self) -> Option<&Self> {
        // SAFETY: the index is that of a slot of such a pool, whose lifetime exceeds the borrow.
        let trailer = unsafe { slot::trailer::<H>(self.index) };
        // SAFETY: the link belongs to the handle, which is borrowed for the result's lifetime.
        unsafe { (*trailer.link.get()).as_ref() }
    }

    /// The next buffer of the chain, to be changed.
    pub fn next_mut(&mut self) -> Option<&mut Self> {
        // SAFETY: the index is that of a slot of such a pool, whose lifetime exceeds the borrow.
        let trailer = unsafe { slot::trailer::<H>(self.index) };
        // SAFETY: the link belongs to the handle, which is borrowed exclusively for the result's
        // lifetime.
        unsafe { (*trailer.link.get()).as_mut() }
    }

    /// Asks the processor for the header's first line.
    #[inline(always)]
    pub fn prefetch_header(&self) {
        // SAFETY: the index is that of a slot of such a pool.
        prefetch(unsafe { slot::header::<H>(self.index) }.cast::<u8>());
    }

    /// Asks the processor for the line with byte `offset` of the room; an offset outside is
    /// harmless.
    #[inline(always)]
    pub fn prefetch_room(&self, offset: usize) {
        // SAFETY: the index is that of a slot of such a pool.
        prefetch(
            unsafe { slot::room::<H>(self.index) }
                .cast::<u8>()
                .wrapping_add(offset),
        );
    }

    /// Asks the processor for the first line of the data, right after the headroom.
    #[inline(always)]
    pub fn prefetch_data(&self) {
        self.prefetch_room(super::HEADROOM);
    }
}

impl<H: Header> fmt::Debug for Buf<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buf({:#x})", self.index)
    }
}

/// Header and room of several buffers at once, for loops over pairs and quads.
///
/// Get the array from a slice by `first_chunk_mut`, `as_chunks_mut` or `get_disjoint_mut`.
#[inline(always)]
pub fn slots_mut<H: Header, const N: usize>(bufs: &mut [Buf<H>; N]) -> [(&mut H, &mut [u8]); N] {
    bufs.each_mut().map(Buf::slot_mut)
}
