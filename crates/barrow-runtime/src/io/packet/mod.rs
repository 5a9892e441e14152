//! Buffers of messages: owned handles that find their way home by themselves.
//!
//! A [`Packet`] is a view into a buffer of [`crate::buf`], and it has a destructor, unlike the bare
//! [`Buf`] of the packet engine: a machine that drops one leaks nothing. It is
//! `Send`; a buffer that is dropped on another thread goes to that thread's cache, or home.
//!
//! ```text
//!  room   +--------- headroom ---------+======= bytes =======+---- tailroom ----+
//!         0                            start             start + len        room
//! ```
//!
//! [`Packet::share`] makes one payload many references, for fan-out: then it can be read only, until
//! one is left. Each reference has its own view.
//!
//! [`Packets`] is where they come from: small buffers, and large ones for batches that the kernel
//! cuts or joins (64 KiB). The pools are bounded; an exhausted pool is an answer, not a panic.

mod local;
mod pools;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;

pub(crate) use pools::LARGE;
pub use pools::{Config, NoBuffer, Packets, Report};

use crate::buf::{Buf, HEADROOM, Header, Shared};

/// What the slots of these pools begin with: nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head;

impl Header for Head {}

/// Bytes in a buffer, owned. See the [module](self).
pub struct Packet {
    /// `None` only while it is dropped or taken apart.
    handle: Option<Handle>,
    start: u32,
    len: u32,
}

enum Handle {
    Unique(Buf<Head>),
    Shared(Shared<Head>),
}

/// More bytes than the buffer has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} bytes do not fit: there is room for {room}")]
pub struct TooLong {
    /// Bytes that were to be added.
    pub wanted: usize,
    /// Room there was.
    pub room: usize,
}

impl Packet {
    /// An empty one in this buffer, behind the headroom.
    pub(crate) fn new(buf: Buf<Head>) -> Self {
        Self {
            handle: Some(Handle::Unique(buf)),
            start: HEADROOM as u32,
            len: 0,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.room()[self.start as usize..][..self.len as usize]
    }

    /// The bytes, to be changed; `None` while the buffer is shared.
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        let (start, len) = (self.start as usize, self.len as usize);
        Some(&mut self.room_mut()?[start..][..len])
    }

    /// Bytes that can be put in front.
    #[must_use]
    pub fn headroom(&self) -> usize {
        self.start as usize
    }

    /// Bytes that can be added at the end.
    #[must_use]
    pub fn tailroom(&self) -> usize {
        self.room().len() - (self.start + self.len) as usize
    }

    /// Grows at the front; the new bytes are for the caller to fill, what they are before is not
    /// told. `None` when there is too little headroom or the buffer is shared.
    pub fn push_front(&mut self, n: usize) -> Option<&mut [u8]> {
        let start = (self.start as usize).checked_sub(n)?;
        self.room_mut()?;
        (self.start, self.len) = (start as u32, self.len + n as u32);
        self.room_mut().map(|room| &mut room[start..][..n])
    }

    /// Grows at the end, as [`Packet::push_front`] at the front.
    pub fn push_back(&mut self, n: usize) -> Option<&mut [u8]> {
        if n > self.tailroom() {
            return None;
        }
        let end = (self.start + self.len) as usize;
        self.room_mut()?;
        self.len += n as u32;
        self.room_mut().map(|room| &mut room[end..][..n])
    }

    /// Copies bytes to the end.
    ///
    /// # Errors
    /// When they do not fit, or the buffer is shared, which leaves no room; then nothing is copied.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let room = if self.is_shared() { 0 } else { self.tailroom() };
        let wanted = bytes.len();
        match self.push_back(wanted) {
            Some(place) => place.copy_from_slice(bytes),
            None => return Err(TooLong { wanted, room }),
        }
        Ok(())
    }

    /// Takes bytes off the front: at most all.
    pub fn advance(&mut self, n: usize) {
        let n = n.min(self.len as usize) as u32;
        self.start += n;
        self.len -= n;
    }

    /// Keeps the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len.min(u32::MAX as usize) as u32);
    }

    /// One more reference to the same bytes, which can then only be read.
    ///
    /// # Panics
    /// At two thousand million references, which only a leak in a loop can reach.
    #[must_use]
    pub fn share(&mut self) -> Self {
        let shared = match self.handle.take() {
            Some(Handle::Unique(buf)) => Shared::new(buf),
            Some(Handle::Shared(shared)) => shared,
            None => unreachable!("a packet has a buffer until it is dropped"),
        };
        let other = shared.clone();
        self.handle = Some(Handle::Shared(shared));
        Self {
            handle: Some(Handle::Shared(other)),
            start: self.start,
            len: self.len,
        }
    }

    /// Whether there are other references.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(&self.handle, Some(Handle::Shared(shared)) if shared.references() > 1)
    }

    /// The whole buffer, headroom included.
    pub(crate) fn room(&self) -> &[u8] {
        match &self.handle {
            Some(Handle::Unique(buf)) => buf.room(),
            Some(Handle::Shared(shared)) => shared.room(),
            None => &[],
        }
    }

    /// The whole buffer; `None` while it is shared.
    pub(crate) fn room_mut(&mut self) -> Option<&mut [u8]> {
        if let Some(Handle::Shared(_)) = &self.handle {
            self.make_unique();
        }
        match &mut self.handle {
            Some(Handle::Unique(buf)) => Some(buf.room_mut()),
            _ => None,
        }
    }

    /// Says where in the room the bytes are. Cut to the room.
    pub(crate) fn set_view(&mut self, start: usize, len: usize) {
        let room = self.room().len();
        let start = start.min(room);
        (self.start, self.len) = (start as u32, len.min(room - start) as u32);
    }

    /// The bare handle, for the kernel's rings; shared buffers have none. Its owner brings it back
    /// by [`Packet::new`].
    pub(crate) fn into_buf(mut self) -> Result<(Buf<Head>, usize, usize), Self> {
        self.make_unique();
        match self.handle.take() {
            Some(Handle::Unique(buf)) => {
                local::give_up(&buf);
                Ok((buf, self.start as usize, self.len as usize))
            }
            other => {
                self.handle = other;
                Err(self)
            }
        }
    }

    /// Back from [`Packet::into_buf`].
    pub(crate) fn from_buf(buf: Buf<Head>) -> Self {
        local::take_over(&buf);
        Self::new(buf)
    }

    /// Makes the last reference a unique handle.
    fn make_unique(&mut self) {
        self.handle = match self.handle.take() {
            Some(Handle::Shared(shared)) => Some(match shared.try_into_unique() {
                Ok(buf) => Handle::Unique(buf),
                Err(shared) => Handle::Shared(shared),
            }),
            other => other,
        };
    }
}

impl Deref for Packet {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl AsRef<[u8]> for Packet {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl PartialEq for Packet {
    /// Compares bytes.
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Packet {}

impl Drop for Packet {
    fn drop(&mut self) {
        let buf = match self.handle.take() {
            Some(Handle::Unique(buf)) => Some(buf),
            Some(Handle::Shared(shared)) => shared.leave(),
            None => None,
        };
        if let Some(buf) = buf {
            local::free(buf);
        }
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("len", &self.len)
            .field("headroom", &self.start)
            .field("shared", &self.is_shared())
            .finish()
    }
}
