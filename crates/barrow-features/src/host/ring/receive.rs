//! Reading frames out of the ring.

use super::memory::{Mapping, Memory};
use super::socket::PacketSocket;
use crate::virtio::{FrameSource, Frames, HEADER_LEN, Inbox, LONGEST, VirtioNetHeader};
use barrow_engine::{Buffer, BufferExt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes in front of a frame's network header in a slot: what the kernel says of it, the virtio-net header
/// and the link header, with some to spare.
const BEFORE_PACKET: u32 = 192;
/// Bytes of all slots of a ring together, about.
const RING_SIZE: u32 = 8 << 20;
/// Slots of a ring, at least.
const FRAMES: u32 = 256;
/// The largest slot that a ring has unless it is asked for. Longer frames come by the socket.
const MOST_USUAL_FRAME_SIZE: u32 = 16_384;
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
/// The frame is longer than its slot, and waits as a whole in the socket's queue (`TP_STATUS_COPY`).
pub(super) const COPY: u32 = 1 << 1;
/// The kernel has dropped frames since it was asked for their number (`TP_STATUS_LOSING`).
pub(super) const LOSING: u32 = 1 << 2;
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

impl Geometry {
    /// What is usual for a link of this MTU: packets of its size fit in a slot. Segmented ones are longer,
    /// and cheaper to take from the socket one by one than to have room for in every slot.
    pub(in crate::host) fn usual(mtu: u32) -> Self {
        let frame_size = mtu
            .saturating_add(BEFORE_PACKET)
            .clamp(LEAST_FRAME_SIZE, MOST_USUAL_FRAME_SIZE)
            .next_multiple_of(LEAST_FRAME_SIZE);
        let frames_per_block = BLOCK_SIZE / frame_size;
        Self {
            frame_size,
            frames_per_block,
            block_size: BLOCK_SIZE,
            blocks: RING_SIZE / BLOCK_SIZE,
        }
    }

    /// Slots and slots a block as asked for, with 0 for what is usual for a link of this MTU; `None` when
    /// no ring can be like that.
    pub(in crate::host) fn new(mtu: u32, frame_size: u32, frames_per_block: u32) -> Option<Self> {
        let usual = Self::usual(mtu);
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

/// A frame that waits.
pub(super) struct Waiting<'a, M> {
    memory: &'a M,
    start: usize,
    /// What is in the slot.
    captured: usize,
    tag: Option<[u8; TAG_LEN]>,
    /// Not in the slot but in the socket's queue.
    pub(super) is_in_socket: bool,
    pub(super) offload: VirtioNetHeader,
}

impl<M: Memory> Waiting<'_, M> {
    /// Bytes of the frame in the slot, with the tag that the kernel took out.
    pub(super) fn len(&self) -> usize {
        self.captured + self.tag.map_or(0, |tag| tag.len())
    }

    /// The tag that the kernel took out, for a frame that is not in the slot.
    pub(super) fn tag(&self) -> Option<[u8; TAG_LEN]> {
        self.tag
    }

    /// Copies from an offset of the frame on; `None` for what is not inside.
    pub(super) fn copy(&self, offset: usize, room: &mut [u8]) -> Option<()> {
        let end = offset.checked_add(room.len())?;
        if end > self.len() {
            return None;
        }
        let Some(tag) = self.tag else {
            return self.memory.copy(self.start + offset, room);
        };
        // Addresses, tag, the rest: each as far as it is wanted.
        let tag_end = TAG_AT + TAG_LEN;
        let (addresses, room) = room.split_at_mut(TAG_AT.clamp(offset, end) - offset);
        self.memory.copy(self.start + offset, addresses)?;
        let (from, to) = (offset.clamp(TAG_AT, tag_end), end.clamp(TAG_AT, tag_end));
        let (within, room) = room.split_at_mut(to - from);
        within.copy_from_slice(tag.get(from - TAG_AT..to - TAG_AT)?);
        let rest = offset.max(tag_end) - TAG_LEN;
        self.memory.copy(self.start + rest, room)
    }
}

/// The slots, read in order.
#[derive(Debug)]
pub(super) struct Slots<M> {
    memory: M,
    geometry: Geometry,
    next: u32,
    /// A slot said that the kernel has dropped frames.
    pub(super) losing: bool,
}

impl<M: Memory> Slots<M> {
    pub(super) fn new(memory: M, geometry: Geometry) -> Self {
        Self {
            memory,
            geometry,
            next: 0,
            losing: false,
        }
    }

    /// The memory, for tests.
    #[cfg(test)]
    pub(super) fn memory(&self) -> &M {
        &self.memory
    }

    /// Shows the next frame and gives its slot back.
    ///
    /// # Errors
    /// `WouldBlock` when there is none, `Interrupted` for one that is not whole or makes no sense.
    pub(super) fn receive<R>(&mut self, take: impl FnOnce(Waiting<'_, M>) -> R) -> io::Result<R> {
        let slot = self.geometry.slot(self.next);
        let status = self.memory.acquire(slot).unwrap_or(KERNEL);
        if status & USER == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.losing |= status & LOSING != 0;
        let taken = self.look(slot).map(take);
        self.memory.release(slot, KERNEL);
        self.next = (self.next + 1) % self.geometry.frames();
        taken.ok_or_else(|| io::ErrorKind::Interrupted.into())
    }

    /// The frame of a slot; `None` for one that was cut and is nowhere else, or that makes no sense.
    fn look(&self, slot: usize) -> Option<Waiting<'_, M>> {
        let mut header = SlotHeader::default();
        self.memory.copy(slot, header.as_mut_bytes())?;
        let (start, captured) = (usize::from(header.mac), header.captured as usize);
        let before = start
            .checked_sub(HEADER_LEN)
            .filter(|at| *at >= SLOT_HEADER_LEN)?;
        let is_in_socket = header.status & COPY != 0;
        let is_whole = header.captured == header.len;
        let is_inside = start.checked_add(captured)? <= self.geometry.frame_size as usize;
        if !is_inside || !(is_whole || is_in_socket) {
            return None;
        }
        let mut offload = VirtioNetHeader::default();
        self.memory.copy(slot + before, offload.as_mut_bytes())?;
        let tag = (header.status & VLAN_VALID != 0).then(|| {
            let tpid = if header.status & VLAN_TPID_VALID == 0 {
                DOT1Q
            } else {
                header.vlan_tpid
            };
            let [a, b] = tpid.to_be_bytes();
            let [c, d] = header.vlan_tci.to_be_bytes();
            [a, b, c, d]
        });
        if tag.is_some() {
            if captured < TAG_AT {
                return None;
            }
            offload = offload.moved(TAG_LEN as u16);
        }
        Some(Waiting {
            memory: &self.memory,
            start: slot + start,
            captured,
            tag,
            is_in_socket,
            offload,
        })
    }
}

/// One receive queue of a link.
#[derive(Debug)]
pub(in crate::host) struct RxRing {
    // In front of the socket, so that the memory is unmapped first.
    slots: Slots<Mapping>,
    socket: PacketSocket,
    frames: Frames,
}

impl RxRing {
    /// Receives what comes in on a link, whatever the address.
    pub(in crate::host) fn open(link: u32, geometry: Geometry, frames: Frames) -> io::Result<Self> {
        let socket = PacketSocket::new()?;
        socket.make_ring(&geometry)?;
        let slots = Slots::new(Mapping::new(&socket, geometry.len())?, geometry);
        socket.bind_to_receive(link)?;
        socket.be_promiscuous(link)?;
        Ok(Self {
            slots,
            socket,
            frames,
        })
    }

    /// As many rings as asked for, which share the link's frames by flow.
    pub(in crate::host) fn open_all(
        link: u32,
        geometry: Geometry,
        frames: Frames,
        rings: u16,
    ) -> io::Result<Vec<Self>> {
        let mut opened = Vec::with_capacity(usize::from(rings));
        let mut group = None;
        for _ in 0..rings {
            let ring = Self::open(link, geometry, frames)?;
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

/// What a slot gave.
enum Taken {
    /// The frame, or that there was no buffer for it.
    Here(Option<Buffer>, VirtioNetHeader),
    /// The frame is in the socket's queue; this tag was taken out of it.
    InSocket(Option<[u8; TAG_LEN]>),
}

impl FrameSource for RxRing {
    fn receive(&mut self, inbox: &mut Inbox<'_>) -> io::Result<Option<(Buffer, VirtioNetHeader)>> {
        let taken = self.slots.receive(|frame| {
            if frame.is_in_socket {
                return Taken::InSocket(frame.tag());
            }
            let buffer = inbox.fill(frame.len(), |offset, room| frame.copy(offset, room));
            Taken::Here(buffer, frame.offload)
        })?;
        match taken {
            Taken::Here(buffer, offload) => Ok(buffer.map(|buffer| (buffer, offload))),
            Taken::InSocket(tag) => self.receive_long(tag, inbox),
        }
    }

    fn missed(&mut self) -> u64 {
        if !std::mem::take(&mut self.slots.losing) {
            return 0;
        }
        self.socket.dropped().unwrap_or(0)
    }

    fn frames(&self) -> Frames {
        self.frames
    }
}

impl RxRing {
    /// Takes a frame that is longer than a slot from the socket's queue.
    fn receive_long(
        &mut self,
        tag: Option<[u8; TAG_LEN]>,
        inbox: &mut Inbox<'_>,
    ) -> io::Result<Option<(Buffer, VirtioNetHeader)>> {
        let mut header = [0; HEADER_LEN];
        let socket = &self.socket;
        // What is not there counts as a frame in error, behind which there are others.
        let gone = |_| io::Error::from(io::ErrorKind::Interrupted);
        let read = inbox.read(&mut header, LONGEST, |parts| {
            // The first answer may be the news of a link that went down.
            rustix::io::readv(socket, parts).or_else(|_| Ok(rustix::io::readv(socket, parts)?))
        });
        let Some(mut buffer) = read.map_err(gone)? else {
            return Ok(None);
        };
        let mut offload = VirtioNetHeader::read_from_bytes(&header).unwrap_or_default();
        if let Some(tag) = tag {
            let mut packet = buffer.packet();
            let addresses: Option<[u8; TAG_AT]> = packet.read(0);
            let addresses = addresses.unwrap_or_default();
            // Every buffer has headroom for a tag.
            if packet.push(TAG_LEN).is_some() {
                let front = [&addresses[..], &tag].concat();
                packet.data_mut()[..front.len()].copy_from_slice(&front);
            }
            offload = offload.moved(TAG_LEN as u16);
        }
        Ok(Some((buffer, offload)))
    }
}
