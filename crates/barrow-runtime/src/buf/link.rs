//! The link of a slot, borrowed beside its header and room.

use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroU32;

use super::handle::Buf;
use super::slot::{self, Header};

/// The right to a slot's link: what [`Buf::set_next`] and its kin do, while header and room are
/// borrowed too.
///
/// It costs nothing until used: the address of the link is computed by each call.
pub struct Link<'a, H: Header> {
    index: NonZeroU32,
    _buf: PhantomData<&'a mut Buf<H>>,
}

impl<H: Header> Buf<H> {
    /// Header, room and link at once, to be changed.
    #[inline(always)]
    pub fn parts_mut(&mut self) -> (&mut H, &mut [u8], Link<'_, H>) {
        let link = Link {
            index: self.index(),
            _buf: PhantomData,
        };
        let (header, room) = self.slot_mut();
        (header, room, link)
    }
}

impl<H: Header> Link<'_, H> {
    /// The same right, borrowed for less long.
    pub fn reborrow(&mut self) -> Link<'_, H> {
        Link {
            index: self.index,
            _buf: PhantomData,
        }
    }

    /// As [`Buf::set_next`].
    #[must_use = "the former rest of the chain is a buffer that someone has to free"]
    pub fn set_next(&mut self, next: Option<Buf<H>>) -> Option<Buf<H>> {
        // SAFETY: the index is that of a slot whose handle is borrowed longer than the result.
        let trailer = unsafe { slot::trailer::<H>(self.index) };
        // SAFETY: the link belongs to the handle, which is borrowed exclusively for this right
        // alone: the header and the room beside it do not overlap the trailer.
        let link = unsafe { &mut *trailer.link.get() };
        core::mem::replace(link, next)
    }

    /// As [`Buf::next`].
    #[must_use]
    pub fn next(&self) -> Option<&Buf<H>> {
        // SAFETY: as in `set_next`.
        let trailer = unsafe { slot::trailer::<H>(self.index) };
        // SAFETY: as in `set_next`; `self` is borrowed for the result's lifetime.
        unsafe { (*trailer.link.get()).as_ref() }
    }

    /// As [`Buf::next_mut`].
    pub fn next_mut(&mut self) -> Option<&mut Buf<H>> {
        // SAFETY: as in `set_next`.
        let trailer = unsafe { slot::trailer::<H>(self.index) };
        // SAFETY: as in `set_next`; `self` is borrowed exclusively for the result's lifetime.
        unsafe { (*trailer.link.get()).as_mut() }
    }
}

impl<H: Header> fmt::Debug for Link<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({:#x})", self.index)
    }
}
