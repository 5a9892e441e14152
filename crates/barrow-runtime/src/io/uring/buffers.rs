//! A ring of buffers that the kernel takes from (`IORING_REGISTER_PBUF_RING`, Linux 5.19).
//!
//! The kernel owns a buffer from [`Group::provide`] until a completion names it. Layout:
//! `struct io_uring_buf` is address, length, number, and two bytes that in the first entry are the
//! tail.

use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::receive::LEAD;
use crate::buf::{Buf, HEADROOM};
use crate::io::packet::{Head, LARGE, Packet, Packets};

/// Buffers in the ring of small ones; a power of two.
const SMALL: u16 = 1024;
/// Buffers in the ring of large ones.
const LARGE_COUNT: u16 = 64;
/// Bytes of an entry.
const ENTRY: usize = 16;

/// A ring of buffers of one kind.
pub(super) struct Group {
    id: u16,
    memory: NonNull<u8>,
    entries: u16,
    tail: u16,
    /// What the kernel has, by number.
    buffers: Vec<Option<Buf<Head>>>,
    /// Numbers without a buffer.
    missing: Vec<u16>,
    packets: Packets,
    large: bool,
}

impl Group {
    /// Registers a ring and fills it, as far as the pool has buffers.
    pub(super) fn new(
        submitter: &Submitter<'_>,
        id: u16,
        large: bool,
        packets: &Packets,
    ) -> io::Result<Self> {
        // A quarter of the pool at most, so that machines have some.
        let [small, all_large] = packets.report().map(|report| report.size);
        let (pool, most) = if large {
            (all_large, LARGE_COUNT)
        } else {
            (small, SMALL)
        };
        let quarter = u16::try_from(pool / 4).unwrap_or(u16::MAX).clamp(1, most);
        let entries = 1 << quarter.ilog2();
        let len = usize::from(entries) * ENTRY;
        // SAFETY: no fixed address, so no existing mapping is touched.
        let memory = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        let memory = NonNull::new(memory.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut group = Self {
            id,
            memory,
            entries,
            tail: 0,
            buffers: (0..entries).map(|_| None).collect(),
            missing: (0..entries).rev().collect(),
            packets: packets.clone(),
            large,
        };
        // SAFETY: the memory is page-aligned, holds that many entries, and stays mapped until the
        // group is dropped, which happens after the ring has ended all requests; the kernel pins its
        // pages besides.
        unsafe { submitter.register_buf_ring_with_flags(memory.as_ptr() as u64, entries, id, 0) }?;
        group.refill();
        Ok(group)
    }

    pub(super) fn id(&self) -> u16 {
        self.id
    }

    /// Whether the kernel has any buffer.
    pub(super) fn is_empty(&self) -> bool {
        self.missing.len() == usize::from(self.entries)
    }

    /// Length of the packets that it holds, as [`Packets::alloc`] takes it.
    pub(super) fn packet_len(&self) -> usize {
        if self.large { LARGE } else { 1 }
    }

    /// Gives the kernel buffers for the numbers that have none.
    pub(super) fn refill(&mut self) {
        while let Some(&number) = self.missing.last() {
            let Ok(packet) = self.packets.alloc(self.packet_len()) else {
                return;
            };
            // A new packet is never shared.
            let Ok((buf, ..)) = packet.into_buf() else {
                return;
            };
            self.missing.pop();
            self.provide(number, buf);
        }
    }

    /// The buffer of a completion: the kernel has done with it. None for a number that it does not
    /// have.
    pub(super) fn take(&mut self, number: u16) -> Option<Packet> {
        let buf = self.buffers.get_mut(usize::from(number))?.take()?;
        self.missing.push(number);
        Some(Packet::from_buf(buf))
    }

    fn provide(&mut self, number: u16, mut buf: Buf<Head>) {
        let place = &mut buf.room_mut()[HEADROOM - LEAD..];
        let (address, len) = (place.as_mut_ptr() as u64, place.len() as u32);
        self.buffers[usize::from(number)] = Some(buf);
        let at = usize::from(self.tail & (self.entries - 1)) * ENTRY;
        // SAFETY: `at` is an entry within the mapping, and the kernel does not read entries at or
        // behind the tail. The tail itself, in the last two bytes of entry 0, is not written.
        unsafe {
            let entry = self.memory.as_ptr().add(at);
            entry.cast::<u64>().write(address);
            entry.add(8).cast::<u32>().write(len);
            entry.add(12).cast::<u16>().write(number);
        }
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the tail is an aligned `u16` within the mapping, which only atomics access.
        let tail = unsafe { AtomicU16::from_ptr(self.memory.as_ptr().add(14).cast()) };
        tail.store(self.tail, Ordering::Release);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The ring has ended all requests before, see `Ring`.
        for buf in self.buffers.drain(..).flatten() {
            drop(Packet::from_buf(buf));
        }
        let len = usize::from(self.entries) * ENTRY;
        // SAFETY: the mapping was made in `new` with this length; the kernel has pinned the pages
        // that it may still look at.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), len) };
    }
}
