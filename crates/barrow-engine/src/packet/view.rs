//! The view through which nodes read and change one packet.

use super::{Buffer, PacketHeader, Segments};
use barrow_runtime::buf::{self, Link};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Bytes in front of a received packet's first byte, for headers that are pushed later.
pub const HEADROOM: usize = buf::HEADROOM;

/// Turns the right to a buffer into a view of it.
pub trait BufferExt {
    /// The packet that starts in this buffer.
    fn packet(&mut self) -> Packet<'_>;
    /// The bytes of this buffer only.
    fn bytes(&self) -> &[u8];
}

impl BufferExt for Buffer {
    #[inline]
    fn packet(&mut self) -> Packet<'_> {
        let (header, room, link) = self.parts_mut();
        Packet { header, room, link }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        let (header, room) = self.slot();
        window(header, room)
    }
}

/// The data of a buffer: total, because a window outside the room reads as empty.
#[inline]
pub(super) fn window<'a>(header: &PacketHeader, room: &'a [u8]) -> &'a [u8] {
    let start = start_of(header);
    room.get(start..start + header.len()).unwrap_or(&[])
}

#[inline]
pub(super) fn window_mut<'a>(header: &PacketHeader, room: &'a mut [u8]) -> &'a mut [u8] {
    let start = start_of(header);
    room.get_mut(start..start + header.len()).unwrap_or(&mut [])
}

/// Index into the room of the first byte of data. `current_data >= -HEADROOM` is kept by every method.
#[inline]
const fn start_of(header: &PacketHeader) -> usize {
    (HEADROOM as isize).wrapping_add(header.current_data as isize) as usize
}

/// One packet, seen through its first buffer.
///
/// Dereferences to its [`PacketHeader`]. Methods that speak of "data" mean the bytes of the *first*
/// buffer; those with `total` in their name, [`segments`](Self::segments) and those about chaining mean the chain.
///
/// Invariant: `-HEADROOM <= current_data` and `HEADROOM + current_data + current_length <= room`.
pub struct Packet<'a> {
    header: &'a mut PacketHeader,
    room: &'a mut [u8],
    pub(super) link: Link<'a, PacketHeader>,
}

impl Deref for Packet<'_> {
    type Target = PacketHeader;
    #[inline]
    fn deref(&self) -> &PacketHeader {
        self.header
    }
}

impl DerefMut for Packet<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut PacketHeader {
        self.header
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("offset", &self.offset())
            .field("len", &self.len())
            .field("total_len", &self.total_len())
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

impl Packet<'_> {
    /// The same packet, borrowed for less long.
    #[inline]
    pub fn reborrow(&mut self) -> Packet<'_> {
        Packet {
            header: self.header,
            room: self.room,
            link: self.link.reborrow(),
        }
    }

    /// The data of the first buffer.
    #[inline]
    #[must_use]
    pub fn data(&self) -> &[u8] {
        window(self.header, self.room)
    }

    /// The data of the first buffer, to change.
    #[inline]
    pub fn data_mut(&mut self) -> &mut [u8] {
        window_mut(self.header, self.room)
    }

    /// The header and the data at once.
    #[inline]
    pub fn split_mut(&mut self) -> (&mut PacketHeader, &mut [u8]) {
        let start = start_of(self.header);
        let end = start + self.header.len();
        (
            self.header,
            self.room.get_mut(start..end).unwrap_or(&mut []),
        )
    }

    /// `len` bytes from `offset` on in the first buffer; `None` if they are not all there.
    #[inline]
    #[must_use]
    pub fn at(&self, offset: usize, len: usize) -> Option<&[u8]> {
        self.data().get(offset..)?.get(..len)
    }

    /// As [`at`](Self::at), to change.
    #[inline]
    pub fn at_mut(&mut self, offset: usize, len: usize) -> Option<&mut [u8]> {
        self.data_mut().get_mut(offset..)?.get_mut(..len)
    }

    /// `N` bytes from `offset` on, by value.
    #[inline]
    #[must_use]
    pub fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.data().get(offset..)?.first_chunk().copied()
    }

    /// `N` bytes from `offset` on, to change: the length is known to the compiler.
    #[inline]
    pub fn chunk_mut<const N: usize>(&mut self, offset: usize) -> Option<&mut [u8; N]> {
        self.data_mut().get_mut(offset..)?.first_chunk_mut()
    }

    /// The bytes from a header offset (`l2_header_offset` …) to the end of the first buffer, also when
    /// the data has been advanced past it.
    #[inline]
    #[must_use]
    pub fn from_offset(&self, offset: i16) -> Option<&[u8]> {
        let start = usize::try_from(HEADROOM as isize + isize::from(offset)).ok()?;
        self.room
            .get(start..start_of(self.header) + self.header.len())
    }

    /// As [`from_offset`](Self::from_offset), to change.
    #[inline]
    pub fn from_offset_mut(&mut self, offset: i16) -> Option<&mut [u8]> {
        let start = usize::try_from(HEADROOM as isize + isize::from(offset)).ok()?;
        self.room
            .get_mut(start..start_of(self.header) + self.header.len())
    }

    /// Bytes that can be pushed in front.
    #[inline]
    #[must_use]
    pub fn headroom(&self) -> usize {
        start_of(self.header)
    }

    /// Bytes that can be appended to the first buffer.
    #[inline]
    #[must_use]
    pub fn tailroom(&self) -> usize {
        self.room
            .len()
            .saturating_sub(start_of(self.header) + self.header.len())
    }

    /// Moves the start of the data: forward past `by` bytes, or back over `-by` bytes.
    ///
    /// Going past either end is a bug of the caller: debug builds stop, release builds go to the end.
    #[inline]
    pub fn advance(&mut self, by: i16) {
        let by = isize::from(by);
        let lowest = -(start_of(self.header) as isize);
        let highest = self.header.len() as isize;
        debug_assert!(by >= lowest && by <= highest, "advance({by}) of {self:?}");
        let by = by.clamp(lowest, highest);
        self.header.current_data += by as i16;
        self.header.current_length = (highest - by) as u16;
    }

    /// Grows the data by `n` bytes at the front and returns them; `None` if the headroom is too small.
    #[inline]
    #[must_use]
    pub fn push(&mut self, n: usize) -> Option<&mut [u8]> {
        if n > self.headroom() {
            return None;
        }
        self.header.current_data -= n as i16;
        self.header.current_length += n as u16;
        Some(&mut self.data_mut()[..n])
    }

    /// Pushes `bytes` in front; says whether there was room.
    #[inline]
    #[must_use]
    pub fn push_bytes(&mut self, bytes: &[u8]) -> bool {
        self.push(bytes.len())
            .map(|room| room.copy_from_slice(bytes))
            .is_some()
    }

    /// Grows the data by `n` bytes at the end of the first buffer and returns them; `None` if the room
    /// is too small or the packet goes on in another buffer.
    #[inline]
    #[must_use]
    pub fn append(&mut self, n: usize) -> Option<&mut [u8]> {
        if n > self.tailroom() || self.header.is_chained() {
            return None;
        }
        let old = self.header.len();
        self.header.current_length += n as u16;
        Some(&mut self.data_mut()[old..])
    }

    /// Appends `bytes`; says whether there was room in the first buffer.
    #[inline]
    #[must_use]
    pub fn append_bytes(&mut self, bytes: &[u8]) -> bool {
        self.append(bytes.len())
            .map(|room| room.copy_from_slice(bytes))
            .is_some()
    }

    /// Makes the data start `offset` bytes behind the headroom and be empty. For drivers and
    /// generators that fill a fresh buffer; a negative offset starts inside the headroom.
    ///
    /// An offset outside the room is taken as the nearest end.
    #[inline]
    pub fn restart(&mut self, offset: i16) {
        let highest = self.room.len() as isize - HEADROOM as isize;
        let offset = isize::from(offset).clamp(-(HEADROOM as isize), highest);
        self.header.current_data = offset as i16;
        self.header.current_length = 0;
    }

    /// All bytes from the start of the data to the end of the room, whatever the length is now: what a
    /// driver reads into before [`set_len`](Self::set_len).
    #[inline]
    pub fn room_mut(&mut self) -> &mut [u8] {
        let start = start_of(self.header);
        self.room.get_mut(start..).unwrap_or(&mut [])
    }

    /// Sets the length of the data in the first buffer; a length beyond the room is cut to it.
    #[inline]
    pub fn set_len(&mut self, len: usize) {
        let most = self.room.len().saturating_sub(start_of(self.header));
        debug_assert!(len <= most, "set_len({len}) of {self:?}");
        self.header.current_length = len.min(most) as u16;
    }

    /// The data of every buffer of the packet, in order.
    #[must_use]
    pub fn segments(&self) -> Segments<'_> {
        let next = if self.header.chained {
            self.link.next()
        } else {
            None
        };
        Segments::new(self.data(), next)
    }
}
