//! What a node gets to work on.

use crate::packet::{Buffer, BufferExt, Packet};
use std::fmt;

/// Up to 256 packets that a node owns while it is dispatched.
///
/// Give it back whole: [`enqueue`](crate::PacketContext::enqueue) with one next node a packet,
/// [`enqueue_all`](crate::PacketContext::enqueue_all) with one for all, [`free`](crate::DispatchContext::free),
/// or take the buffers out one by one with [`drain`](Self::drain). Packets that are still in it when
/// the dispatch ends are freed and counted as a bug of the node.
///
/// Packets are reached through `&mut self`, so no two views of one packet exist; several different ones
/// at once come as an array from [`packets_at`](Self::packets_at).
pub struct Vector<'a> {
    buffers: &'a mut Vec<Buffer>,
}

impl<'a> Vector<'a> {
    #[inline]
    pub(crate) fn new(buffers: &'a mut Vec<Buffer>) -> Self {
        Self { buffers }
    }

    /// Packets in it.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffers.len()
    }

    /// Whether none is left.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffers.is_empty()
    }

    /// A view of packet `i`.
    ///
    /// # Panics
    /// If there is no such packet.
    #[inline]
    pub fn packet(&mut self, i: usize) -> Packet<'_> {
        self.buffers[i].packet()
    }

    /// Views of all packets, in order.
    #[inline]
    pub fn packets(&mut self) -> impl DoubleEndedIterator<Item = Packet<'_>> + ExactSizeIterator {
        self.buffers.iter_mut().map(BufferExt::packet)
    }

    /// Views of packets `i` to `i + N` at once, for loops over pairs and quads.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline]
    pub fn packets_at<const N: usize>(&mut self, i: usize) -> [Packet<'_>; N] {
        let buffers: &mut [Buffer; N] = self.buffers[i..]
            .first_chunk_mut()
            .expect("the caller looked at the length");
        buffers.each_mut().map(BufferExt::packet)
    }

    /// Asks for the header of packet `i`, if there is one, to be brought close.
    #[inline]
    pub fn prefetch_header(&self, i: usize) {
        if let Some(buffer) = self.buffers.get(i) {
            buffer.prefetch_header();
        }
    }

    /// Asks for the first line of data of packet `i`, if there is one, to be brought close. Reads no
    /// header: it takes the line right behind the headroom, where received packets start.
    #[inline]
    pub fn prefetch_data(&self, i: usize) {
        if let Some(buffer) = self.buffers.get(i) {
            buffer.prefetch_data();
        }
    }

    /// Both prefetches.
    #[inline]
    pub fn prefetch(&self, i: usize) {
        if let Some(buffer) = self.buffers.get(i) {
            buffer.prefetch_header();
            buffer.prefetch_data();
        }
    }

    /// The buffers themselves.
    #[inline]
    pub fn buffers(&self) -> &[Buffer] {
        self.buffers
    }

    /// The buffers themselves, to change.
    #[inline]
    pub fn buffers_mut(&mut self) -> &mut [Buffer] {
        self.buffers
    }

    /// Takes all packets out, in order.
    #[inline]
    pub fn drain(self) -> std::vec::Drain<'a, Buffer> {
        self.buffers.drain(..)
    }

    /// Takes the first `n` packets out, in order.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline]
    pub fn drain_first(&mut self, n: usize) -> std::vec::Drain<'_, Buffer> {
        self.buffers.drain(..n)
    }

    #[inline]
    pub(crate) fn into_inner(self) -> &'a mut Vec<Buffer> {
        self.buffers
    }
}

impl fmt::Debug for Vector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vector({} packets)", self.len())
    }
}
