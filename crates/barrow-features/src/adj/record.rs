//! The records that workers read.
//!
//! A record holds two copies; the main thread fills the one not in use and then names it by storing the
//! version. A reader copies seven words and looks at the version again: it retries only when the record
//! changed meanwhile, and never waits for a writer, not even one that was interrupted in the middle.
//!
//! ```text
//! line 0: version | copy 0: kind length mtu node flags | interface source | 40 bytes of rewrite
//! line 1:    -    | copy 1: ...
//! ```
//!
//! Order (a sequence lock without the wait): the writer stores version v (release), later fences
//! (release) and fills the other copy. A reader that saw any of those words and then fences (acquire)
//! cannot read a version older than v, so it notices.

use super::{AdjIndex, Rewrite};
use crate::fib::Chunked;
use crate::interface::SwIfIndex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

const WORDS: usize = 7;
const CHUNK: usize = 64;
/// Adjacencies of a node at most: 128 MiB of them.
pub(super) const MAX_ADJACENCIES: u32 = 1 << 20;

/// What a node does with a packet of an adjacency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum AdjKind {
    /// Drop: the interface is gone.
    #[default]
    Drop = 0,
    /// Ask for the neighbour; its link address is not known.
    Incomplete = 1,
    /// Put the rewrite in front and send.
    Rewrite = 2,
    /// Ask for the packet's destination: it is on this link.
    Glean = 3,
    /// Put the rewrite in front and send, to all stations of the link.
    Broadcast = 4,
}

impl AdjKind {
    /// How many kinds there are; the numbers are dense.
    pub const COUNT: usize = 5;

    const fn from_bits(bits: u8) -> Self {
        match bits {
            1 => Self::Incomplete,
            2 => Self::Rewrite,
            3 => Self::Glean,
            4 => Self::Broadcast,
            _ => Self::Drop,
        }
    }
}

/// Properties of an adjacency that nodes look at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AdjFlags(u8);

impl AdjFlags {
    /// The interface has output features.
    pub const FEATURES: Self = Self(1);

    /// Whether all of `other` is in.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A copy of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Adjacency {
    /// What to do.
    pub kind: AdjKind,
    /// Properties.
    pub flags: AdjFlags,
    /// The longest packet, in bytes, link header not counted.
    pub mtu: u16,
    /// Index of the node that packets go to after the rewrite.
    pub node: u16,
    /// The interface that packets leave by.
    pub interface: SwIfIndex,
    /// Glean of IPv4: this node's address on the link, 0 if it has none there. Incomplete of IPv4: the
    /// address to ask for.
    pub source: u32,
    /// The link header.
    pub rewrite: Rewrite,
}

impl Adjacency {
    /// The record of no adjacency: drop.
    pub const DROP: Self = Self {
        kind: AdjKind::Drop,
        flags: AdjFlags(0),
        mtu: 0,
        node: 0,
        interface: SwIfIndex::NONE,
        source: 0,
        rewrite: Rewrite::EMPTY,
    };

    fn to_words(self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        words[0] = u64::from(self.kind as u8)
            | (self.rewrite.len() as u64) << 8
            | u64::from(self.mtu) << 16
            | u64::from(self.node) << 32
            | u64::from(self.flags.0) << 48;
        words[1] = u64::from(self.interface.0) | u64::from(self.source) << 32;
        let (chunks, _) = self.rewrite.padded().as_chunks::<8>();
        for (word, &bytes) in words[2..].iter_mut().zip(chunks) {
            *word = u64::from_ne_bytes(bytes);
        }
        words
    }

    #[inline]
    fn from_words(words: [u64; WORDS]) -> Self {
        let mut bytes = [0; Rewrite::MAX];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, word) in chunks.iter_mut().zip(&words[2..]) {
            *chunk = word.to_ne_bytes();
        }
        Self {
            kind: AdjKind::from_bits(words[0] as u8),
            flags: AdjFlags((words[0] >> 48) as u8),
            mtu: (words[0] >> 16) as u16,
            node: (words[0] >> 32) as u16,
            interface: SwIfIndex(words[1] as u32),
            source: (words[1] >> 32) as u32,
            rewrite: Rewrite::from_parts((words[0] >> 8) as u8, bytes),
        }
    }
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Record {
    /// `words[0]` is the version; its lowest bit names the copy in use.
    words: [AtomicU64; 16],
}

impl Record {
    const fn copy(version: u64) -> usize {
        if version & 1 == 0 { 1 } else { 9 }
    }

    #[inline]
    fn read(&self) -> Adjacency {
        loop {
            let version = self.words[0].load(Ordering::Acquire);
            let copy = Self::copy(version);
            let words = std::array::from_fn(|i| self.words[copy + i].load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            if self.words[0].load(Ordering::Relaxed) == version {
                return Adjacency::from_words(words);
            }
        }
    }

    fn write(&self, adjacency: Adjacency) {
        let version = self.words[0].load(Ordering::Relaxed) + 1;
        let copy = Self::copy(version);
        fence(Ordering::Release);
        for (slot, word) in self.words[copy..].iter().zip(adjacency.to_words()) {
            slot.store(word, Ordering::Relaxed);
        }
        self.words[0].store(version, Ordering::Release);
    }
}

#[derive(Debug)]
struct Shared {
    records: Chunked<Record, CHUNK>,
    counting: AtomicBool,
}

/// The adjacencies of a node, as workers read them. Cheap to clone; `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Adjacencies(Arc<Shared>);

impl Adjacencies {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            records: Chunked::new(MAX_ADJACENCIES),
            counting: AtomicBool::new(false),
        }))
    }

    /// A consistent copy of a record. Take one for each run of packets of the same adjacency. An index
    /// that never existed gives [`Adjacency::DROP`].
    #[inline]
    #[must_use]
    pub fn read(&self, index: AdjIndex) -> Adjacency {
        self.0
            .records
            .get(index.0)
            .map_or(Adjacency::DROP, Record::read)
    }

    /// What to do with packets of an adjacency: enough to choose the next node.
    #[inline]
    #[must_use]
    pub fn kind(&self, index: AdjIndex) -> AdjKind {
        self.0.records.get(index.0).map_or(AdjKind::Drop, |record| {
            let copy = Record::copy(record.words[0].load(Ordering::Acquire));
            AdjKind::from_bits(record.words[copy].load(Ordering::Relaxed) as u8)
        })
    }

    /// Whether packets are counted by adjacency (`adjacency counters enable`).
    #[inline]
    #[must_use]
    pub fn counting(&self) -> bool {
        self.0.counting.load(Ordering::Relaxed)
    }

    pub(super) fn set_counting(&self, on: bool) {
        self.0.counting.store(on, Ordering::Relaxed);
    }

    pub(super) fn ensure(&self, index: AdjIndex) -> bool {
        self.0.records.ensure(index.0)
    }

    pub(super) fn write(&self, index: AdjIndex, adjacency: Adjacency) {
        if let Some(record) = self.0.records.get(index.0) {
            record.write(adjacency);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.records.bytes()
    }
}

impl AdjFlags {
    pub(super) const fn features(on: bool) -> Self {
        Self(on as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adjacency(fill: u8) -> Adjacency {
        Adjacency {
            kind: AdjKind::from_bits(1 + fill % 4),
            flags: AdjFlags::features(fill.is_multiple_of(2)),
            mtu: u16::from(fill) << 3,
            node: u16::from(fill) << 5 | 1,
            interface: SwIfIndex(u32::from(fill) << 9 | 3),
            source: u32::from(fill) << 20,
            rewrite: Rewrite::new(&vec![fill; usize::from(fill) % 41]).unwrap(),
        }
    }

    #[test]
    fn a_record_is_two_lines_and_a_copy_fits_in_one() {
        assert_eq!(size_of::<Record>(), 128);
        assert_eq!(align_of::<Record>(), 64);
    }

    #[test]
    fn what_is_written_is_read() {
        let adjacencies = Adjacencies::new();
        let index = AdjIndex(70);
        assert_eq!(adjacencies.read(index), Adjacency::DROP);
        assert!(adjacencies.ensure(index));
        assert_eq!(adjacencies.kind(index), AdjKind::Drop);
        for fill in 0..=255 {
            adjacencies.write(index, adjacency(fill));
            assert_eq!(adjacencies.read(index), adjacency(fill));
            assert_eq!(adjacencies.kind(index), adjacency(fill).kind);
        }
        assert_eq!(adjacencies.read(AdjIndex::NONE), Adjacency::DROP);
    }

    #[test]
    fn readers_never_see_a_mixture() {
        let adjacencies = Adjacencies::new();
        let index = AdjIndex(0);
        assert!(adjacencies.ensure(index));
        adjacencies.write(index, adjacency(0));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let seen = adjacencies.read(index);
                        let fill = (seen.mtu >> 3) as u8;
                        assert_eq!(seen, adjacency(fill));
                    }
                });
            }
            for round in 0..100_000_u32 {
                adjacencies.write(index, adjacency((round % 251) as u8));
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}
