//! Ring buffers: a stream of fixed-size records for each thread, the latest ones readable.
//!
//! One self-contained block:
//!
//! ```text
//! 0   entry_size, slots, threads, schema_size, schema_version, metadata_offset, data_offset   (u32 each)
//! 64  slots of thread 0, slots of thread 1, ...
//! ..  metadata, 64 bytes a thread: u32 head, u32 schema_version, u64 sequence, u32 schema_offset, u32 schema_size
//! ..  schema (opaque, for example CDDL)
//! ```
//!
//! Entry `k` of a thread, counted from 0, is in slot `k mod slots`; `sequence` is how many were ever written. Writing
//! does not touch the epoch. Unlike VPP, slots start at a word, and entries are whole words.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use super::allocator::{Age, Allocator, Extent, Fill, Guard};
use super::core::{Core, Purpose};
use super::memory::Span;
use super::{EntryError, EntryKey};
use crate::layout::{RING_METADATA_BYTES, WORD, pack};

/// Where the slots start.
const DATA_OFFSET: u64 = 64;

/// The shape of a ring buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingShape<'a> {
    /// Number of rings, one a thread, main first.
    pub rows: usize,
    /// Bytes of an entry, a multiple of 8.
    pub entry_size: u32,
    /// Entries a ring holds.
    pub slots: u32,
    /// What an entry looks like, for readers; may be empty.
    pub schema: &'a [u8],
    /// Version of `schema`.
    pub schema_version: u32,
}

/// Offsets of a block's parts.
#[derive(Clone, Copy, Debug)]
struct Parts {
    rows: u32,
    ring_bytes: u64,
    metadata: u64,
    schema: u64,
    end: u64,
}

impl RingShape<'_> {
    fn parts(&self) -> Result<Parts, EntryError> {
        if self.rows == 0 || self.slots == 0 || self.entry_size == 0 {
            return Err(EntryError::Shape(
                "a ring buffer needs a row, a slot and an entry size",
            ));
        }
        if !u64::from(self.entry_size).is_multiple_of(WORD) {
            return Err(EntryError::Shape(
                "ring buffer entries are multiples of 8 bytes",
            ));
        }
        let too_large = EntryError::Shape("a ring buffer is smaller than 4 GiB");
        let rows = u32::try_from(self.rows).map_err(|_| too_large.clone())?;
        let ring_bytes = u64::from(self.slots) * u64::from(self.entry_size);
        let end_of_data = ring_bytes
            .checked_mul(u64::from(rows))
            .and_then(|n| n.checked_add(128));
        // Offsets are 32-bit; with data below 2^32 nothing else overflows 64.
        let data = end_of_data
            .filter(|end| *end < 1 << 32)
            .ok_or(too_large.clone())?
            - 128;
        let metadata = (DATA_OFFSET + data).next_multiple_of(64);
        let schema = metadata + u64::from(rows) * RING_METADATA_BYTES;
        let end = schema + self.schema.len() as u64;
        match end < 1 << 32 {
            true => Ok(Parts {
                rows,
                ring_bytes,
                metadata,
                schema,
                end,
            }),
            false => Err(too_large),
        }
    }
}

/// The block of a ring buffer.
pub(super) struct RingBlock {
    pointer: u64,
    rings: Arc<Rings>,
    /// Gone once the entry is removed.
    extent: Cell<Option<Extent>>,
}

/// The rings of all threads; sized, so that it can be a [`Guard`].
#[derive(Debug)]
struct Rings(Box<[Ring]>);

/// One thread's part of the block.
#[derive(Debug)]
struct Ring {
    slots: Span,
    metadata: Span,
    entry_words: usize,
    schema_version: u32,
    /// A producer exists.
    taken: AtomicBool,
}

impl RingBlock {
    pub(super) fn reserve(core: &Core, shape: &RingShape<'_>) -> Result<Rc<Self>, EntryError> {
        let parts = shape.parts()?;
        let vector = core.vector(Purpose::Row, parts.end, Fill::Whole)?;
        let (memory, start) = (&core.memory, vector.data);
        let narrow = |n: u64| u32::try_from(n).expect("parts are below 4 GiB");
        let schema_size = narrow(shape.schema.len() as u64);
        let header = [
            pack(shape.entry_size, shape.slots),
            pack(parts.rows, schema_size),
            pack(shape.schema_version, narrow(parts.metadata)),
            pack(narrow(DATA_OFFSET), 0),
        ];
        for (offset, word) in (start..).step_by(8).zip(header) {
            memory.store(offset, word);
        }
        memory.store_bytes(start + parts.schema, shape.schema);
        let schema_offset = if shape.schema.is_empty() {
            0
        } else {
            narrow(parts.schema)
        };
        let ring_words = usize::try_from(parts.ring_bytes / WORD).expect("a ring is below 4 GiB");
        let ring = |row: u32| {
            let metadata = start + parts.metadata + u64::from(row) * RING_METADATA_BYTES;
            memory.store(metadata, pack(0, shape.schema_version));
            memory.store(metadata + 2 * WORD, pack(schema_offset, schema_size));
            let slots = start + DATA_OFFSET + u64::from(row) * parts.ring_bytes;
            Ring {
                slots: memory.span(slots, ring_words),
                metadata: memory.span(metadata, 2),
                entry_words: shape.entry_size as usize / 8,
                schema_version: shape.schema_version,
                taken: AtomicBool::new(false),
            }
        };
        Ok(Rc::new(Self {
            pointer: vector.pointer(),
            rings: Arc::new(Rings((0..parts.rows).map(ring).collect())),
            extent: Cell::new(Some(vector.extent)),
        }))
    }

    pub(super) fn pointer(&self) -> u64 {
        self.pointer
    }

    /// Gives the block back; producers that still exist keep it from reuse.
    pub(super) fn retire(&self, allocator: &mut Allocator, age: Age) {
        if let Some(extent) = self.extent.take() {
            let guard: Guard = self.rings.clone();
            allocator.retire(extent, Some(guard), age);
        }
    }
}

impl fmt::Debug for RingBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingBlock")
            .field("rings", &self.rings.0.len())
            .finish_non_exhaustive()
    }
}

/// A ring buffer as the main thread sees it. A cheap handle; clones are the same ring buffer.
#[derive(Clone)]
pub struct RingBuffer {
    block: Rc<RingBlock>,
    key: EntryKey,
}

impl RingBuffer {
    pub(super) fn new(block: Rc<RingBlock>, key: EntryKey) -> Self {
        Self { block, key }
    }

    /// The entry.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        self.key
    }

    /// The writing end of `thread`'s ring, to be sent there. None when there is no such ring, or somebody has its
    /// writing end.
    #[must_use]
    pub fn producer(&self, thread: usize) -> Option<RingProducer> {
        let ring = self.block.rings.0.get(thread)?;
        if ring.taken.swap(true, Ordering::Acquire) {
            return None;
        }
        let sequence = ring.metadata.words()[1].load(Ordering::Relaxed);
        Some(RingProducer {
            rings: Arc::clone(&self.block.rings),
            thread,
            sequence,
        })
    }
}

impl fmt::Debug for RingBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingBuffer")
            .field("key", &self.key)
            .field("block", &self.block)
            .finish()
    }
}

/// An entry of the wrong size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ring buffer entry of {got} bytes where entries have {expected}")]
pub struct PushError {
    /// Size of this ring's entries.
    pub expected: usize,
    /// Size of the one given.
    pub got: usize,
}

/// The writing end of one thread's ring.
#[derive(Debug)]
pub struct RingProducer {
    rings: Arc<Rings>,
    thread: usize,
    sequence: u64,
}

impl RingProducer {
    /// Appends an entry, in place of the oldest when the ring is full.
    ///
    /// # Errors
    /// When `entry` does not have the ring's entry size.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), PushError> {
        let ring = &self.rings.0[self.thread];
        let (words, rest) = entry.as_chunks::<8>();
        if !rest.is_empty() || words.len() != ring.entry_words {
            return Err(PushError {
                expected: ring.entry_words * 8,
                got: entry.len(),
            });
        }
        let slots = (ring.slots.words().len() / ring.entry_words) as u64;
        let slot = |sequence: u64| {
            usize::try_from(sequence % slots).expect("the remainder of a number of slots")
        };
        // The sequence as it is now becomes visible before the slot of the oldest entry changes: a reader who sees
        // a new word there also sees that this entry is about to go.
        fence(Ordering::Release);
        let target = &ring.slots.words()[slot(self.sequence) * ring.entry_words..];
        for (to, word) in target.iter().zip(words) {
            to.store(u64::from_ne_bytes(*word), Ordering::Relaxed);
        }
        self.sequence = self.sequence.wrapping_add(1);
        let head = u32::try_from(slot(self.sequence)).expect("the number of slots is a u32");
        let [head_word, sequence_word] = ring.metadata.words() else {
            return Ok(());
        };
        head_word.store(pack(head, ring.schema_version), Ordering::Relaxed);
        sequence_word.store(self.sequence, Ordering::Release);
        Ok(())
    }
}

impl Drop for RingProducer {
    fn drop(&mut self) {
        self.rings.0[self.thread]
            .taken
            .store(false, Ordering::Release);
    }
}
