//! What a slot looks like in memory, and how an index becomes an address.

use core::cell::UnsafeCell;
use core::num::NonZeroU32;
use core::sync::atomic::AtomicU32;

use super::handle::Buf;
use super::region;
use super::sync::NextWord;

/// Bytes in a cache line: the unit of buffer indexes.
pub const LINE: usize = 64;

/// Bytes in front of the data where headers can be prepended without a copy.
pub const HEADROOM: usize = 128;

/// The metadata at the start of every slot of a pool.
///
/// A header is plain data: [`Copy`] keeps destructors and cells out of it. Its alignment may be up
/// to [`LINE`]. It is [`Default`] before a slot's first use; afterwards the next owner of the slot
/// finds what the last one left there, so that allocation touches no packet memory.
pub trait Header: Copy + Default + Send + 'static {}

/// The last line of a slot. Zero bytes are a valid trailer, so fresh memory needs no preparation.
#[repr(C, align(64))]
pub(super) struct Trailer<H: Header> {
    /// Next batch on the pool's free stack. Others may read it at any time: never accessed but
    /// atomically.
    pub(super) next: NextWord,
    /// References while the slot is [`Shared`](super::Shared); of no meaning otherwise.
    pub(super) references: AtomicU32,
    /// Indexes in the batch that this slot leads; owned by whoever owns the index.
    pub(super) batch: UnsafeCell<u32>,
    /// Rest of the chain; owned by whoever owns the handle.
    pub(super) link: UnsafeCell<Option<Buf<H>>>,
}

/// Sizes of a pool's slots, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Headroom and data.
    pub(super) room: usize,
    /// From one slot to the next: an odd number of lines.
    pub(super) stride: usize,
}

impl Layout {
    pub(super) const fn new<H: Header>(data_size: usize) -> Self {
        const {
            assert!(
                align_of::<H>() <= LINE,
                "a header is aligned to at most a cache line"
            );
            assert!(size_of::<H>() <= 4096, "a header is at most a page");
        }
        let room = HEADROOM + data_size;
        let lines = (trailer_offset::<H>(room) + LINE) / LINE;
        Self {
            room,
            stride: (lines | 1) * LINE,
        }
    }
}

/// Where the room starts in a slot.
const fn room_offset<H>() -> usize {
    size_of::<H>().next_multiple_of(LINE)
}

const fn trailer_offset<H>(room: usize) -> usize {
    room_offset::<H>() + room.next_multiple_of(LINE)
}

/// Address of a slot's header.
///
/// # Safety
/// `index` is the first line of a slot in a committed pool.
#[inline(always)]
pub(super) unsafe fn header<H>(index: NonZeroU32) -> *mut H {
    // SAFETY: the contract is the same.
    unsafe { region::address(index) }.cast()
}

/// Address and length of a slot's room.
///
/// # Safety
/// As [`header`], of a pool with headers `H`.
#[inline(always)]
pub(super) unsafe fn room<H>(index: NonZeroU32) -> *mut [u8] {
    // SAFETY: the contract is the same; the offset stays within the slot.
    let start = unsafe { region::address(index).add(room_offset::<H>()) };
    core::ptr::slice_from_raw_parts_mut(start, region::room(index))
}

/// A slot's trailer; the reference lives as long as the pool, which `'a` must not exceed.
///
/// # Safety
/// As [`room`].
#[inline(always)]
pub(super) unsafe fn trailer<'a, H: Header>(index: NonZeroU32) -> &'a Trailer<H> {
    // SAFETY: the contract is the same; the offset stays within the slot, is a multiple of the
    // alignment, and the bytes there are a valid trailer since they were zero and are only written
    // through this type.
    unsafe {
        &*region::address(index)
            .add(trailer_offset::<H>(region::room(index)))
            .cast()
    }
}

#[cfg(test)]
#[cfg(not(barrow_loom))]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Default)]
    #[repr(C, align(64))]
    struct TwoLines([u64; 16]);
    impl Header for TwoLines {}

    #[test]
    fn default_packet_slot_takes_37_lines() {
        assert_eq!(
            Layout::new::<TwoLines>(2048),
            Layout {
                room: 2176,
                stride: 37 * LINE
            }
        );
    }

    #[test]
    fn stride_is_an_odd_number_of_lines_for_every_size() {
        for size in 64..5000 {
            let layout = Layout::new::<TwoLines>(size);
            assert_eq!(layout.stride % (2 * LINE), LINE, "data size {size}");
            assert!(trailer_offset::<TwoLines>(layout.room) + LINE <= layout.stride);
        }
    }

    #[test]
    fn option_of_a_handle_is_one_word_and_none_is_zero() {
        assert_eq!(size_of::<Option<Buf<TwoLines>>>(), 4);
        assert_eq!(size_of::<Trailer<TwoLines>>(), LINE);
    }
}
