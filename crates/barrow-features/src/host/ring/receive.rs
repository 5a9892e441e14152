//! Reading frames out of the ring.

use super::memory::{Mapping, Memory};
use super::socket::PacketSocket;
use crate::virtio::{FrameSource, HEADER_LEN, VirtioNetHeader};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a slot for the longest segmented frame and all that is in front of it.
const FRAME_SIZE: u32 = 69_632;
/// Slots of a ring, at least.
const FRAMES: u32 = 256;
/// The blocks that the kernel gets memory in, for slots of the usual size.
const BLOCK_SIZE: u32 = 1 << 20;
/// The smallest slot that a frame of 1500 bytes fits in.
const LEAST_FRAME_SIZE: u32 = 2048;
/// The largest slot that can be asked for.
const MOST_FRAME_SIZE: u32 = 1 << 20;
/// The largest block that can be asked for: what the kernel allocates in one piece.
const MOST_BLOCK_SIZE: u32 = 4 << 20;
/// Slots start at multiples of this (`TPACKET_ALIGNMENT`).
const SLOT_ALIGNMENT: u32 = 16;
/// Blocks are whole pages.
const PAGE: u32 = 4096;

/// It is the kernel's turn.
pub(super) const KERNEL: u32 = 0;
/// It is our turn (`TP_STATUS_USER`).
pub(super) const USER: u32 = 1;
/// The kernel took a VLAN tag out of the frame (`TP_STATUS_VLAN_VALID`) …
pub(super) const VLAN_VALID: u32 = 1 << 4;
/// … and says of which kind it was (`TP_STATUS_VLAN_TPID_VALID`).
pub(super) const VLAN_TPID_VALID: u32 = 1 << 6;

/// The kind of a tag of which the kernel does not say it (IEEE 802.1Q).
const DOT1Q: u16 = 0x8100;
/// Where a tag goes: behind both addresses.
const TAG_AT: usize = 12;
const TAG_LEN: usize = 4;

/// How a ring is cut into blocks, and these into slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::host) struct Geometry {
    frame_size: u32,
    frames_per_block: u32,
    block_size: u32,
    blocks: u32,
}

impl Default for Geometry {
    fn default() -> Self {
        let frames_per_block = BLOCK_SIZE / FRAME_SIZE;
        Self {
            frame_size: FRAME_SIZE,
            frames_per_block,
            block_size: BLOCK_SIZE,
            blocks: FRAMES.div_ceil(frames_per_block),
        }
    }
}

impl Geometry {
    /// Slots and slots a block as asked for, with 0 for what is usual; `None` when no ring can be like that.
    pub(in crate::host) fn new(frame_size: u32, frames_per_block: u32) -> Option<Self> {
        let usual = Self::default();
        if frame_size == 0 && frames_per_block == 0 {
            return Some(usual);
        }
        let frame_size = if frame_size == 0 {
            usual.frame_size
        } else {
            frame_size
        };
        let size_is_fine = (LEAST_FRAME_SIZE..=MOST_FRAME_SIZE).contains(&frame_size)
            && frame_size.is_multiple_of(SLOT_ALIGNMENT);
        if !size_is_fine {
            return None;
        }
        let wanted = if frames_per_block == 0 {
            BLOCK_SIZE / frame_size
        } else {
            frames_per_block
        };
        let block_size = frame_size
            .checked_mul(wanted)?
            .checked_next_multiple_of(PAGE)?;
        if block_size > MOST_BLOCK_SIZE {
            return None;
        }
        // The kernel counts the slots that fit into a block, be it more than were asked for.
        let frames_per_block = block_size / frame_size;
        let blocks = FRAMES.div_ceil(frames_per_block);
        Some(Self {
            frame_size,
            frames_per_block,
            block_size,
            blocks,
        })
    }

    pub(super) const fn frame_size(&self) -> u32 {
        self.frame_size
    }

    pub(super) const fn block_size(&self) -> u32 {
        self.block_size
    }

    pub(super) const fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Slots of the whole ring.
    pub(in crate::host) const fn frames(&self) -> u32 {
        self.blocks * self.frames_per_block
    }

    /// Bytes of the whole ring.
    pub(super) const fn len(&self) -> usize {
        self.blocks as usize * self.block_size as usize
    }

    /// Where a slot starts.
    pub(super) const fn slot(&self, frame: u32) -> usize {
        let (block, within) = (frame / self.frames_per_block, frame % self.frames_per_block);
        block as usize * self.block_size as usize + within as usize * self.frame_size as usize
    }
}

/// What the kernel says of a frame, at the start of its slot (`struct tpacket2_hdr`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub(super) struct SlotHeader {
    pub(super) status: u32,
    /// Length of the frame.
    pub(super) len: u32,
    /// How much of it is here.
    pub(super) captured: u32,
    /// Where it starts in the slot; the virtio-net header is in front.
    pub(super) mac: u16,
    pub(super) net: u16,
    pub(super) seconds: u32,
    pub(super) nanoseconds: u32,
    /// The tag that was taken out, and its kind.
    pub(super) vlan_tci: u16,
    pub(super) vlan_tpid: u16,
    pub(super) padding: [u8; 4],
}

/// Bytes of it.
pub(super) const SLOT_HEADER_LEN: usize = size_of::<SlotHeader>();

const _: () = assert!(SLOT_HEADER_LEN == size_of::<libc::tpacket2_hdr>());

/// The slots, read in order.
#[derive(Debug)]
pub(super) struct Slots<M> {
    memory: M,
    geometry: Geometry,
    next: u32,
}

impl<M: Memory> Slots<M> {
    pub(super) fn new(memory: M, geometry: Geometry) -> Self {
        Self {
            memory,
            geometry,
            next: 0,
        }
    }

    /// The memory, for tests.
    #[cfg(test)]
    pub(super) fn memory(&self) -> &M {
        &self.memory
    }

    /// Copies the next frame out and gives its slot back; as [`FrameSource::receive`].
    pub(super) fn receive(&mut self, room: &mut [u8]) -> io::Result<(usize, VirtioNetHeader)> {
        let slot = self.geometry.slot(self.next);
        let status = self.memory.acquire(slot).unwrap_or(KERNEL);
        if status & USER == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let frame = self.read(slot, room);
        self.memory.release(slot, KERNEL);
        self.next = (self.next + 1) % self.geometry.frames();
        frame.ok_or_else(|| io::ErrorKind::Interrupted.into())
    }

    /// The frame of a slot; `None` for one that the slot was too small for, or that makes no sense.
    fn read(&self, slot: usize, room: &mut [u8]) -> Option<(usize, VirtioNetHeader)> {
        let mut header = SlotHeader::default();
        self.memory.copy(slot, header.as_mut_bytes())?;
        let (start, len) = (usize::from(header.mac), header.captured as usize);
        let before = start
            .checked_sub(HEADER_LEN)
            .filter(|at| *at >= SLOT_HEADER_LEN)?;
        let is_whole = header.captured == header.len;
        let is_inside = start.checked_add(len)? <= self.geometry.frame_size as usize;
        if !is_whole || !is_inside {
            return None;
        }
        let mut offload = VirtioNetHeader::default();
        self.memory.copy(slot + before, offload.as_mut_bytes())?;
        let start = slot + start;
        if header.status & VLAN_VALID == 0 {
            self.memory.copy(start, room.get_mut(..len)?)?;
            return Some((len, offload));
        }
        let tpid = if header.status & VLAN_TPID_VALID == 0 {
            DOT1Q
        } else {
            header.vlan_tpid
        };
        let rest = len.checked_sub(TAG_AT)?;
        let (addresses, room) = room.split_at_mut_checked(TAG_AT)?;
        let (tag, room) = room.split_at_mut_checked(TAG_LEN)?;
        self.memory.copy(start, addresses)?;
        tag[..2].copy_from_slice(&tpid.to_be_bytes());
        tag[2..].copy_from_slice(&header.vlan_tci.to_be_bytes());
        self.memory.copy(start + TAG_AT, room.get_mut(..rest)?)?;
        Some((len + TAG_LEN, offload.moved(TAG_LEN as u16)))
    }
}

/// One receive queue of a link.
#[derive(Debug)]
pub(in crate::host) struct RxRing {
    // In front of the socket, so that the memory is unmapped first.
    slots: Slots<Mapping>,
    socket: PacketSocket,
}

impl RxRing {
    /// Receives what comes in on a link, whatever the address.
    pub(in crate::host) fn open(link: u32, geometry: Geometry) -> io::Result<Self> {
        let socket = PacketSocket::new()?;
        socket.make_ring(&geometry)?;
        let slots = Slots::new(Mapping::new(&socket, geometry.len())?, geometry);
        socket.bind_to_receive(link)?;
        socket.be_promiscuous(link)?;
        Ok(Self { slots, socket })
    }

    /// As many rings as asked for, which share the link's frames by flow.
    pub(in crate::host) fn open_all(
        link: u32,
        geometry: Geometry,
        rings: u16,
    ) -> io::Result<Vec<Self>> {
        let mut opened = Vec::with_capacity(usize::from(rings));
        let mut group = None;
        for _ in 0..rings {
            let ring = Self::open(link, geometry)?;
            if rings > 1 {
                group = Some(ring.socket.share(group)?);
            }
            opened.push(ring);
        }
        Ok(opened)
    }
}

impl AsFd for RxRing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl FrameSource for RxRing {
    fn receive(&mut self, room: &mut [u8]) -> io::Result<(usize, VirtioNetHeader)> {
        self.slots.receive(room)
    }
}
