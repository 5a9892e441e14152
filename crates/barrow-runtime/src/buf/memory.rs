//! The mappings behind the pools: one reservation, parts of it made usable and given back.

use core::ffi::c_void;
use core::ptr;

use rustix::io;
use rustix::mm::{
    Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap_anonymous, mprotect, munmap,
};

/// Which pages a pool asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// Reserved huge pages of 2 MiB when the system has enough, else [`Pages::Normal`].
    #[default]
    HugeIfAvailable,
    /// Normal pages, which the kernel may merge to transparent huge ones.
    Normal,
}

/// How asking for huge pages ended.
pub(super) enum Huge {
    /// The range is usable and lies in huge pages.
    Mapped,
    /// There are none; the range is as it was.
    Unavailable,
    /// The kernel refused half way: the range may no longer be ours and must never be used again.
    Lost,
}

/// Reserves `len` bytes of address space that can neither be read nor written.
pub(super) fn reserve(len: usize) -> io::Result<*mut u8> {
    // SAFETY: no fixed address, so no existing mapping is touched.
    let start = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            len,
            ProtFlags::empty(),
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    }?;
    Ok(start.cast())
}

/// Makes `[start, start + len)` readable and writable in normal pages, zero filled.
///
/// # Safety
/// The range is a page-aligned part of the reservation and in nobody's use.
pub(super) unsafe fn commit_normal(start: *mut u8, len: usize) -> io::Result<()> {
    let start = start.cast::<c_void>();
    // SAFETY: by contract the range is ours and unused; it was inaccessible, so nothing refers to
    // its bytes.
    unsafe { mprotect(start, len, MprotectFlags::READ | MprotectFlags::WRITE) }?;
    // Advice only: a kernel without transparent huge pages answers EINVAL, and nothing is lost.
    // SAFETY: the advice changes no content.
    let _ = unsafe { madvise(start, len, Advice::LinuxHugepage) };
    Ok(())
}

/// Tries to put huge pages under `[start, start + len)`.
///
/// # Safety
/// As [`commit_normal`]; start and length are multiples of 2 MiB.
pub(super) unsafe fn commit_huge(start: *mut u8, len: usize) -> Huge {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    let flags = MapFlags::PRIVATE | MapFlags::HUGETLB;
    // A failed MAP_FIXED may already have removed what was there, so ask at a free place first.
    // SAFETY: no fixed address, so no existing mapping is touched.
    let Ok(probe) = (unsafe { mmap_anonymous(ptr::null_mut(), len, protection, flags) }) else {
        return Huge::Unavailable;
    };
    // SAFETY: the mapping was made above and nobody else knows it.
    if unsafe { munmap(probe, len) }.is_err() {
        return Huge::Unavailable;
    }
    // SAFETY: by contract the range is ours and unused, so replacing its mapping affects nobody.
    match unsafe { mmap_anonymous(start.cast(), len, protection, flags | MapFlags::FIXED) } {
        Ok(_) => Huge::Mapped,
        Err(_) => Huge::Lost,
    }
}

/// Touches every page of the range, so that no page fault happens later. Advice: errors are of no
/// consequence.
///
/// # Safety
/// The range is committed.
pub(super) unsafe fn populate(start: *mut u8, len: usize) {
    // SAFETY: the advice prefaults pages and keeps their content.
    let _ = unsafe { madvise(start.cast(), len, Advice::LinuxPopulateWrite) };
}

/// Gives the memory of a committed range back and leaves the addresses reserved.
///
/// # Safety
/// Nothing refers to the range any more.
pub(super) unsafe fn decommit(start: *mut u8, len: usize) -> io::Result<()> {
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
    // SAFETY: by contract the range is ours and unused; the new mapping replaces the old one in one
    // step.
    unsafe { mmap_anonymous(start.cast(), len, ProtFlags::empty(), flags) }?;
    Ok(())
}
