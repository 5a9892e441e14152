//! Memory that the kernel writes to while we read it.
#![expect(unsafe_code, reason = "maps memory that is shared with the kernel")]

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::io;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a ring is read from: words that say whose turn it is, and bytes that are ours when it is our turn.
///
/// Each method refuses what is out of bounds.
pub(super) trait Memory: Send + 'static {
    /// The word at an offset, after which everything written before it is seen; the offset is a multiple
    /// of 4.
    fn acquire(&self, at: usize) -> Option<u32>;
    /// Writes a word, after everything that was read before; the offset is a multiple of 4.
    fn release(&self, at: usize, word: u32) -> Option<()>;
    /// Copies the bytes from an offset on.
    fn copy(&self, at: usize, into: &mut [u8]) -> Option<()>;
}

/// A shared mapping of a packet socket's ring.
#[derive(Debug)]
pub(in crate::host) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to its owner alone within this process, and is reached through no
// thread-bound state; only the kernel writes to it otherwise, from whatever processor.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of what `socket` shares.
    pub(super) fn new(socket: impl AsFd, len: usize) -> io::Result<Self> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: a new mapping at a place of the kernel's choice: no memory of ours is replaced.
        let start = unsafe { mmap(std::ptr::null_mut(), len, access, flags, socket, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }

    /// Where `len` bytes start, if they are all inside.
    fn place(&self, at: usize, len: usize) -> Option<NonNull<u8>> {
        let end = at.checked_add(len)?;
        // SAFETY: `at <= end <= self.len`, so the place is inside of the mapping or at its end.
        (end <= self.len).then(|| unsafe { self.start.add(at) })
    }

    fn word(&self, at: usize) -> Option<&AtomicU32> {
        let place = self.place(at, 4)?.cast::<AtomicU32>();
        // SAFETY: four bytes of a live mapping, aligned as checked here, reached as an atomic by both
        // sides; the reference lives no longer than the mapping.
        place.is_aligned().then_some(unsafe { place.as_ref() })
    }
}

impl Memory for Mapping {
    #[inline]
    fn acquire(&self, at: usize) -> Option<u32> {
        Some(self.word(at)?.load(Ordering::Acquire))
    }

    #[inline]
    fn release(&self, at: usize, word: u32) -> Option<()> {
        self.word(at)?.store(word, Ordering::Release);
        Some(())
    }

    #[inline]
    fn copy(&self, at: usize, into: &mut [u8]) -> Option<()> {
        let from = self.place(at, into.len())?;
        // SAFETY: the bytes are inside of the mapping, and `into` is memory of its own. The kernel leaves
        // them alone while the word of their slot says that it is our turn, which callers have looked at;
        // were it to write all the same, bytes of no meaning would be copied as bytes, and checked as such.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), into.as_mut_ptr(), into.len()) };
        Some(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `new` made; no reference into it outlives `self`.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast::<c_void>(), self.len) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own can be ended");
    }
}
