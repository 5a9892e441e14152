//! Packets that are longer than a buffer: the head owns the rest.
//!
//! Nodes that only look at headers need none of this: [`Packet::pull_up`] makes the first bytes
//! contiguous, and the rest travels along. Every buffer of a chain knows how many bytes follow it, so
//! that any of them can become a head.

use super::{Buffer, BufferExt, Packet, PacketCache};

/// The data of every buffer of a packet.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    data: Option<&'a [u8]>,
    next: Option<&'a Buffer>,
}

impl<'a> Segments<'a> {
    pub(super) const fn new(data: &'a [u8], next: Option<&'a Buffer>) -> Self {
        Self {
            data: Some(data),
            next,
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let data = self.data.take()?;
        if let Some(buffer) = self.next.take() {
            self.data = Some(buffer.bytes());
            self.next = if buffer.header().chained {
                buffer.next()
            } else {
                None
            };
        }
        Some(data)
    }
}

impl Packet<'_> {
    /// Calls `f` with the data of every buffer of the packet, in order, to change.
    pub fn for_each_segment_mut(&mut self, mut f: impl FnMut(&mut [u8])) {
        f(self.data_mut());
        let mut next = if self.is_chained() {
            self.link.next_mut()
        } else {
            None
        };
        while let Some(buffer) = next {
            let mut packet = buffer.packet();
            f(packet.data_mut());
            next = if packet.is_chained() {
                buffer.next_mut()
            } else {
                None
            };
        }
    }

    /// Makes at least the first `n` bytes contiguous in the first buffer, by moving bytes out of the
    /// following ones, which are freed as they run empty.
    ///
    /// # Errors
    /// When the packet is shorter, or one buffer is too small; the packet is then unchanged.
    pub fn pull_up(&mut self, n: usize, cache: &mut PacketCache) -> Result<(), PullUpError> {
        let mut missing = n.saturating_sub(self.len());
        if missing == 0 {
            return Ok(());
        }
        if self.total_len() < n || self.tailroom() < missing {
            let room = self.len() + self.tailroom();
            return Err(PullUpError {
                wanted: n,
                room,
                total: self.total_len(),
            });
        }
        while missing > 0 {
            let Some(mut second) = self.take_rest() else {
                break;
            };
            let mut from = second.packet();
            let moved = from.len().min(missing);
            let old = self.len();
            self.set_len(old + moved);
            self.data_mut()[old..].copy_from_slice(&from.data()[..moved]);
            from.advance(moved as i16);
            missing -= moved;
            if from.is_empty() {
                if let Some(third) = from.take_rest() {
                    self.chain(third);
                }
                cache.free_one(second);
            } else {
                self.chain(second);
            }
        }
        Ok(())
    }

    /// Makes the whole packet contiguous.
    ///
    /// # Errors
    /// When one buffer is too small; the packet is then unchanged.
    pub fn linearize(&mut self, cache: &mut PacketCache) -> Result<(), PullUpError> {
        self.pull_up(self.total_len(), cache)
    }

    /// Chains `rest` behind the last buffer.
    pub fn chain(&mut self, rest: Buffer) {
        let added = rest.header().total_len() as u32;
        self.rest_length += added;
        if !self.chained {
            self.chained = true;
            let former = self.link.set_next(Some(rest));
            debug_assert!(former.is_none(), "an unchained buffer has no rest");
            return;
        }
        let mut next = self.link.next_mut();
        while let Some(buffer) = next {
            let header = buffer.header_mut();
            header.rest_length += added;
            if !header.chained {
                header.chained = true;
                let former = buffer.set_next(Some(rest));
                debug_assert!(former.is_none(), "an unchained buffer has no rest");
                return;
            }
            next = buffer.next_mut();
        }
    }

    /// Takes off everything behind the first buffer.
    pub fn take_rest(&mut self) -> Option<Buffer> {
        if !self.chained {
            return None;
        }
        self.chained = false;
        self.rest_length = 0;
        self.link.set_next(None)
    }

    /// Cuts the packet to `len` bytes; what is behind is freed. A longer `len` changes nothing.
    pub fn truncate(&mut self, len: usize, cache: &mut PacketCache) {
        if len >= self.total_len() {
            return;
        }
        let here = self.len().min(len);
        self.set_len(here);
        if here == len {
            if let Some(rest) = self.take_rest() {
                cache.free_one(rest);
            }
            return;
        }
        self.rest_length = (len - here) as u32;
        if let Some(next) = self.link.next_mut() {
            next.packet().truncate(len - here, cache);
        }
    }

    /// Appends `bytes` at the end of the packet, in further buffers where the last one is full; says
    /// whether all of them found room (if not, the packet is unchanged).
    #[must_use]
    pub fn extend(&mut self, bytes: &[u8], cache: &mut PacketCache) -> bool {
        let old = self.total_len();
        let mut left = bytes;
        if !self.is_chained() {
            left = self.fill(left);
        }
        // From the last buffer on, so that each is chained once and nothing is walked over.
        let mut rest: Option<Buffer> = None;
        for part in left.chunks(cache.data_size()).rev() {
            let Some(mut more) = cache.alloc_one() else {
                rest.into_iter().for_each(|rest| cache.free_one(rest));
                self.truncate(old, cache);
                return false;
            };
            let mut packet = more.packet();
            packet.restart(0);
            packet.fill(part);
            if let Some(rest) = rest.take() {
                packet.chain(rest);
            }
            rest = Some(more);
        }
        if let Some(rest) = rest {
            self.chain(rest);
        }
        true
    }

    /// Appends what fits into the first buffer; returns what did not.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let old = self.len();
        let (now, later) = bytes.split_at(bytes.len().min(self.tailroom()));
        self.set_len(old + now.len());
        self.data_mut()[old..].copy_from_slice(now);
        later
    }

    /// Copies the packet's bytes from `offset` on into `out`; returns how many there were.
    pub fn copy_to(&self, offset: usize, out: &mut [u8]) -> usize {
        let (mut skip, mut done) = (offset, 0);
        for segment in self.segments() {
            let Some(bytes) = segment.get(skip..) else {
                skip -= segment.len();
                continue;
            };
            skip = 0;
            let n = bytes.len().min(out.len() - done);
            out[done..done + n].copy_from_slice(&bytes[..n]);
            done += n;
            if done == out.len() {
                break;
            }
        }
        done
    }

    /// All bytes of the packet, in a vector of their own. Not for the hot path.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.segments().flatten().copied().collect()
    }

    /// A new packet with the same bytes, offset and metadata; `None` when the pool is exhausted.
    #[must_use]
    pub fn duplicate(&self, cache: &mut PacketCache) -> Option<Buffer> {
        let mut copy = cache.alloc_one()?;
        let mut packet = copy.packet();
        packet.copy_metadata_from(self);
        packet.restart(self.offset());
        for segment in self.segments() {
            if !packet.extend(segment, cache) {
                cache.free_one(copy);
                return None;
            }
        }
        Some(copy)
    }
}

/// Why the bytes of a packet could not be brought together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{wanted} contiguous bytes of a packet of {total} do not fit into a room of {room}")]
pub struct PullUpError {
    /// Bytes asked for.
    pub wanted: usize,
    /// Bytes the first buffer can hold from where its data starts.
    pub room: usize,
    /// Bytes of the packet.
    pub total: usize,
}
