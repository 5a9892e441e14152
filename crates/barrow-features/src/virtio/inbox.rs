//! Where a device puts a frame: buffers of the thread that serves it, filled in place.
//!
//! A frame is copied once, from the device into the buffers of its packet, also when it is a segmented
//! one of 64 KiB.

use barrow_engine::{Buffer, BufferExt, Packet, PacketCache};
use smallvec::SmallVec;
use std::io::{self, IoSliceMut};

/// The longest frame that the kernel hands over: a segmented packet with its link header.
pub(crate) const LONGEST: usize = 65_536 + 64;
/// Parts of a read that need no memory from the heap: those of the longest frame in usual buffers.
const PARTS: usize = 36;

/// What a node keeps for [`Inbox`]es from call to call.
#[derive(Debug)]
pub(crate) struct Room {
    /// Empty buffers, to be filled from the last one on.
    spare: Vec<Buffer>,
    /// Takes what no buffer was there for.
    overflow: Vec<u8>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            spare: Vec::new(),
            overflow: vec![0; LONGEST],
        }
    }

    /// Gives empty buffers back.
    pub(crate) fn clear(&mut self, cache: &mut PacketCache) {
        cache.free(&mut self.spare);
    }
}

/// Room for frames.
pub(crate) struct Inbox<'a> {
    pub(crate) room: &'a mut Room,
    pub(crate) cache: &'a mut PacketCache,
}

impl Inbox<'_> {
    /// A packet of `len` bytes, which `fill` writes piece by piece, each from its offset on; `None`
    /// without a buffer, or when `fill` gives none.
    pub(crate) fn fill(
        &mut self,
        len: usize,
        mut fill: impl FnMut(usize, &mut [u8]) -> Option<()>,
    ) -> Option<Buffer> {
        let size = self.cache.data_size();
        let mut rest = None;
        for part in (0..len.div_ceil(size).max(1)).rev() {
            let offset = part * size;
            let here = (len - offset).min(size);
            let filled = self.cache.alloc_one().and_then(|mut buffer| {
                let mut packet = buffer.packet();
                packet.restart(0);
                packet.set_len(here);
                match fill(offset, packet.data_mut()) {
                    Some(()) => Some(buffer),
                    None => {
                        self.cache.free_one(buffer);
                        None
                    }
                }
            });
            let Some(mut buffer) = filled else {
                rest.into_iter().for_each(|rest| self.cache.free_one(rest));
                return None;
            };
            if let Some(rest) = rest.take() {
                buffer.packet().chain(rest);
            }
            rest = Some(buffer);
        }
        rest
    }

    /// A packet of what one scattered read gives behind `header`. Up to `most` bytes go straight into
    /// buffers; `None` without a buffer.
    ///
    /// # Errors
    /// Those of `read`; `InvalidData` for fewer bytes than a header.
    pub(crate) fn read(
        &mut self,
        header: &mut [u8],
        most: usize,
        read: impl FnOnce(&mut [IoSliceMut<'_>]) -> io::Result<usize>,
    ) -> io::Result<Option<Buffer>> {
        let size = self.cache.data_size();
        let wanted = most.div_ceil(size);
        let Room { spare, overflow } = &mut *self.room;
        if let Some(missing) = wanted.checked_sub(spare.len()) {
            self.cache.alloc(missing, spare);
        }
        let header_len = header.len();
        let len = {
            let mut packets: SmallVec<[Packet<'_>; PARTS]> = SmallVec::new();
            packets.extend(spare.iter_mut().rev().take(wanted).map(|buffer| {
                let mut packet = buffer.packet();
                packet.restart(0);
                packet
            }));
            let mut parts: SmallVec<[IoSliceMut<'_>; PARTS]> = SmallVec::new();
            parts.push(IoSliceMut::new(header));
            for packet in &mut packets {
                let room = packet.room_mut();
                let room = room.get_mut(..size).unwrap_or_default();
                parts.push(IoSliceMut::new(room));
            }
            parts.push(IoSliceMut::new(overflow));
            read(&mut parts)?
        };
        let len = len.checked_sub(header_len);
        let len = len.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(self.take(len, wanted))
    }

    /// The packet of the first `len` bytes of the room.
    fn take(&mut self, len: usize, wanted: usize) -> Option<Buffer> {
        let size = self.cache.data_size();
        let there = self.room.spare.len();
        let used = len.div_ceil(size).max(1).min(wanted).min(there);
        let direct = len.min(used * size);
        let mut rest: Option<Buffer> = None;
        // The first part is in the last buffer.
        for (at, mut buffer) in self.room.spare.drain(there - used..).enumerate() {
            let part = used - 1 - at;
            let mut packet = buffer.packet();
            packet.set_len((direct - part * size).min(size));
            if let Some(rest) = rest.take() {
                packet.chain(rest);
            }
            rest = Some(buffer);
        }
        let mut first = rest?;
        let beyond = self.room.overflow.get(..len - direct).unwrap_or_default();
        if !beyond.is_empty() && !first.packet().extend(beyond, self.cache) {
            self.cache.free_one(first);
            return None;
        }
        Some(first)
    }
}
