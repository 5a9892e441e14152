//! Mapped memory as words: the only place with unsafe code.
//!
//! Memory shared with other processes is seen as a slice of [`AtomicU64`] and touched through atomic loads and stores
//! only, so that whatever the other side does can change values but never the soundness of a reference. Three types:
//!
//! * [`Memory`]: the writer's mapping, read and write;
//! * [`Span`]: some words of it, kept alive by a count, for handles that travel to other threads;
//! * [`View`]: a reader's mapping, or a copy in ordinary memory. It offers relaxed loads and nothing else, since those
//!   are the only atomic operations that Rust defines on read-only pages.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{self, Advice, MapFlags, ProtFlags};

use super::Pages;

/// A mapping of a whole file; unmapped when dropped.
struct Mapping {
    /// Invariant: start of `words` mapped words, page-aligned, mapped until drop, at least readable.
    base: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: the mapping is not tied to a thread, and `AtomicU64` behind it is `Send + Sync`.
unsafe impl Send for Mapping {}
// SAFETY: as above; a shared `Mapping` gives out `&[AtomicU64]` only.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes` of `file`, shared.
    fn new(file: BorrowedFd<'_>, bytes: u64, protection: ProtFlags) -> io::Result<Self> {
        let too_large = || io::Error::from(io::ErrorKind::InvalidInput);
        let length = usize::try_from(bytes).map_err(|_| too_large())?;
        if length == 0 || isize::try_from(length).is_err() {
            return Err(too_large());
        }
        // SAFETY: no address is asked for, so that no existing mapping is replaced.
        let start = unsafe {
            mm::mmap(
                ptr::null_mut(),
                length,
                protection,
                MapFlags::SHARED,
                file,
                0,
            )?
        };
        let base = NonNull::new(start.cast()).expect("the kernel maps nothing at address 0");
        Ok(Self {
            base,
            words: length / size_of::<AtomicU64>(),
        })
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: by the invariant `base` is aligned and the start of `words` mapped words that live as long as
        // `self`; any bit pattern is an `AtomicU64`, and its interior mutability allows for writers elsewhere.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), self.words) }
    }

    fn advise(&self, advice: Advice) {
        // SAFETY: the range is this mapping's own; the advices used here (dump, huge pages) change no content.
        // A kernel that does not know one refuses it, which costs nothing.
        let _ = unsafe { mm::madvise(self.base.as_ptr().cast(), self.words * 8, advice) };
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is this mapping's own, and every reference into it borrows from `self` or from a `Span`
        // that shares its ownership.
        let _ = unsafe { mm::munmap(self.base.as_ptr().cast(), self.words * 8) };
    }
}

/// The writer's memory.
pub(super) struct Memory(Mapping);

impl Memory {
    /// Maps `bytes` of `file` for reading and writing.
    pub(super) fn map(file: BorrowedFd<'_>, bytes: u64, pages: Pages) -> io::Result<Self> {
        let mapping = Mapping::new(file, bytes, ProtFlags::READ | ProtFlags::WRITE)?;
        // A core dump of a sparse mapping of gigabytes would write zeros for minutes.
        mapping.advise(Advice::LinuxDontDump);
        if pages == Pages::PreferHuge {
            mapping.advise(Advice::LinuxHugepage);
        }
        Ok(Self(mapping))
    }

    /// The word at byte `offset`, a multiple of 8.
    ///
    /// # Panics
    /// When it lies outside: offsets come from the segment's own allocator.
    pub(super) fn word(&self, offset: u64) -> &AtomicU64 {
        let index = usize::try_from(offset / 8).expect("offsets are below the mapped length");
        &self.0.words()[index]
    }

    /// Stores a word, relaxed.
    pub(super) fn store(&self, offset: u64, value: u64) {
        self.word(offset).store(value, Ordering::Relaxed);
    }

    /// Zeroes `bytes` (rounded down to words) from `offset`.
    pub(super) fn zero(&self, offset: u64, bytes: u64) {
        let start = usize::try_from(offset / 8).expect("offsets are below the mapped length");
        let count = usize::try_from(bytes / 8).expect("offsets are below the mapped length");
        for word in &self.0.words()[start..start + count] {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// Writes `bytes` as words from `offset`, the last one filled up with zeros.
    pub(super) fn store_bytes(&self, offset: u64, bytes: &[u8]) {
        let mut at = offset;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.store(at, u64::from_ne_bytes(word));
            at += 8;
        }
    }

    /// `words` words from byte `offset`, for a handle of its own.
    ///
    /// # Panics
    /// When they lie outside, as for [`word`](Self::word).
    pub(super) fn span(self: &Arc<Self>, offset: u64, words: usize) -> Span {
        let start = usize::try_from(offset / 8).expect("offsets are below the mapped length");
        let slice = &self.0.words()[start..start + words];
        Span {
            words: NonNull::from(slice),
            _memory: Arc::clone(self),
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("words", &self.0.words)
            .finish()
    }
}

/// Some words of the writer's memory, usable on any thread, valid however long it is kept.
pub(super) struct Span {
    /// Invariant: a part of `_memory`'s words.
    words: NonNull<[AtomicU64]>,
    _memory: Arc<Memory>,
}

// SAFETY: a span gives out `&[AtomicU64]` only, and shares the ownership of a mapping that is `Send + Sync`.
unsafe impl Send for Span {}
// SAFETY: as above.
unsafe impl Sync for Span {}

impl Span {
    /// The words.
    #[inline]
    pub(super) fn words(&self) -> &[AtomicU64] {
        // SAFETY: by the invariant the pointer came from a slice of `_memory`'s words, and that mapping stays until
        // the last owner, of which `self` is one, is gone.
        unsafe { self.words.as_ref() }
    }

    /// Another handle to the same words.
    pub(super) fn share(&self) -> Self {
        Self {
            words: self.words,
            _memory: Arc::clone(&self._memory),
        }
    }

    /// Asks the processor to fetch the cache line of word `index`; outside the span nothing happens.
    #[inline]
    pub(super) fn prefetch(&self, index: usize) {
        if let Some(word) = self.words().get(index) {
            prefetch(word);
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("words", &self.words.len())
            .finish()
    }
}

#[inline]
fn prefetch(word: &AtomicU64) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of the x86-64 baseline, and a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ptr::from_ref(word).cast()) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    {
        // SAFETY: a prefetch hint reads no register but the address, changes nothing, and never faults.
        unsafe {
            std::arch::asm!(
                "prfm pstl1keep, [{0}]",
                in(reg) ptr::from_ref(word),
                options(nostack, preserves_flags, readonly)
            );
        }
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = word;
}

/// A reader's memory: relaxed loads with a bounds check, nothing else.
#[derive(Debug)]
pub(crate) struct View(Source);

enum Source {
    Mapped(Mapping),
    Copied(Box<[AtomicU64]>),
}

impl View {
    /// Maps the first `bytes` of `file` for reading.
    ///
    /// The caller has made sure that the file cannot shrink below that (a seal), or an access would raise SIGBUS.
    pub(crate) fn map(file: impl AsFd, bytes: u64) -> io::Result<Self> {
        Mapping::new(file.as_fd(), bytes, ProtFlags::READ).map(|m| Self(Source::Mapped(m)))
    }

    /// Takes over a copy of a segment; bytes after the last whole word are left out.
    pub(crate) fn copied(bytes: &[u8]) -> Self {
        let words = bytes.chunks_exact(8).map(|chunk| {
            AtomicU64::new(u64::from_ne_bytes(
                chunk.try_into().expect("chunks are 8 bytes"),
            ))
        });
        Self(Source::Copied(words.collect()))
    }

    /// Length in bytes, a multiple of 8.
    pub(crate) fn bytes(&self) -> u64 {
        self.words().len() as u64 * 8
    }

    /// The word at byte `offset`; none when it is not aligned or outside.
    #[inline]
    pub(crate) fn load(&self, offset: u64) -> Option<u64> {
        if !offset.is_multiple_of(8) {
            return None;
        }
        let index = usize::try_from(offset / 8).ok()?;
        self.words()
            .get(index)
            .map(|word| word.load(Ordering::Relaxed))
    }

    /// The words from byte `offset`, as they are one by one; none when any is not aligned or outside.
    pub(crate) fn load_words(
        &self,
        offset: u64,
        count: usize,
    ) -> Option<impl ExactSizeIterator<Item = u64>> {
        if !offset.is_multiple_of(8) {
            return None;
        }
        let start = usize::try_from(offset / 8).ok()?;
        let words = self.words().get(start..start.checked_add(count)?)?;
        Some(words.iter().map(|word| word.load(Ordering::Relaxed)))
    }

    fn words(&self) -> &[AtomicU64] {
        match &self.0 {
            Source::Mapped(mapping) => mapping.words(),
            Source::Copied(words) => words,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mapped(m) => f.debug_struct("Mapped").field("words", &m.words).finish(),
            Self::Copied(w) => f.debug_struct("Copied").field("words", &w.len()).finish(),
        }
    }
}
