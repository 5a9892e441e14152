//! Room for one vector of buffers.

use super::{FRAME_CAPACITY, VECTOR, Vector};
use crate::packet::Buffer;
use crate::worker::orphans;
use std::fmt;

/// Up to [`VECTOR`] owned buffers; its memory is allocated once and then swapped around.
///
/// Nodes that make packets (input nodes, generators, fragmenters) keep one, fill it with
/// [`alloc`](crate::DispatchContext::alloc) or [`push`](Self::push), and hand it on as
/// [`vector`](Self::vector).
pub struct Frame {
    pub(super) buffers: Vec<Buffer>,
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

impl Frame {
    /// An empty frame.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffers: Vec::with_capacity(FRAME_CAPACITY),
        }
    }

    /// Packets in it.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffers.len()
    }

    /// Whether it holds no packet.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffers.is_empty()
    }

    /// How many more packets it takes.
    #[inline]
    #[must_use]
    pub fn room(&self) -> usize {
        VECTOR - self.buffers.len()
    }

    /// Appends a packet.
    ///
    /// # Errors
    /// Gives it back when the frame is full.
    #[inline]
    pub fn push(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        if self.room() == 0 {
            return Err(buffer);
        }
        self.buffers.push(buffer);
        Ok(())
    }

    /// Takes the last packet off.
    #[inline]
    pub fn pop(&mut self) -> Option<Buffer> {
        self.buffers.pop()
    }

    /// Its packets, to look at and to hand on. Those that are not handed on stay in the frame.
    #[inline]
    pub fn vector(&mut self) -> Vector<'_> {
        Vector::new(&mut self.buffers)
    }

    /// The buffers themselves.
    #[inline]
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// The buffers themselves, to change.
    #[inline]
    pub fn buffers_mut(&mut self) -> &mut [Buffer] {
        &mut self.buffers
    }

    /// Takes all packets out, in order.
    #[inline]
    pub fn drain(&mut self) -> std::vec::Drain<'_, Buffer> {
        self.buffers.drain(..)
    }

    /// For allocation in bulk by this crate, which keeps the length within [`VECTOR`].
    #[inline]
    pub(crate) fn as_vec_mut(&mut self) -> &mut Vec<Buffer> {
        &mut self.buffers
    }
}

/// Packets in a frame that goes away with its node are freed by the thread.
impl Drop for Frame {
    fn drop(&mut self) {
        if !self.buffers.is_empty() {
            orphans::leave(&mut self.buffers);
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} packets)", self.len())
    }
}
