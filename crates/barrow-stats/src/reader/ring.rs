//! Ring buffers, read while they are written.

use std::sync::atomic::{Ordering, fence};

use super::vector::Space;
use super::{Limits, ReadError};
use crate::layout::{RING_HEADER_BYTES, RING_METADATA_BYTES, WORD, unpack};

/// What a ring buffer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// Bytes of an entry.
    pub entry_size: u32,
    /// Entries a ring can hold.
    pub slots: u32,
    /// Version of the schema.
    pub schema_version: u32,
    /// What an entry looks like; empty when not told.
    pub schema: Vec<u8>,
    /// Rings by thread.
    pub threads: Vec<RingThread>,
}

/// One thread's ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RingThread {
    /// Entries ever written: the number of the next one, counted from 0.
    pub sequence: u64,
    /// The latest entries, oldest first, one after the other; the last one has number `sequence - 1`. One slot of a
    /// full ring is left out, since its producer may be writing there.
    pub bytes: Vec<u8>,
}

impl Ring {
    /// The latest entries of `thread`, oldest first.
    pub fn entries(&self, thread: usize) -> impl Iterator<Item = &[u8]> {
        let bytes = self.threads.get(thread).map_or(&[][..], |ring| &ring.bytes);
        bytes.chunks_exact((self.entry_size as usize).max(1))
    }

    pub(super) fn read(space: Space<'_>, pointer: u64, limits: &Limits) -> Result<Self, ReadError> {
        let start = space.offset(pointer)?;
        let word = |index: u64| space.word(start + index * WORD).map(unpack);
        let (entry_size, slots) = word(0)?;
        let (threads, schema_size) = word(1)?;
        let (schema_version, metadata_offset) = word(2)?;
        let (data_offset, _) = word(3)?;

        if threads > limits.rows {
            return Err(ReadError::TooMuch("rows in one entry"));
        }
        let ring_bytes = u64::from(entry_size) * u64::from(slots);
        let all = ring_bytes.checked_mul(u64::from(threads));
        if all.is_none_or(|all| all + u64::from(schema_size) > limits.value_bytes) {
            return Err(ReadError::TooMuch("bytes in one entry"));
        }
        if u64::from(data_offset) < RING_HEADER_BYTES || entry_size == 0 || slots == 0 {
            return Err(ReadError::Corrupt("a ring buffer without a shape"));
        }
        let mut ring = Self {
            entry_size,
            slots,
            schema_version,
            ..Self::default()
        };
        for thread in 0..u64::from(threads) {
            let metadata = start + u64::from(metadata_offset) + thread * RING_METADATA_BYTES;
            if thread == 0 {
                let (offset, size) = unpack(space.word(metadata + 2 * WORD)?);
                if offset != 0 && u64::from(size) <= limits.value_bytes {
                    ring.schema = space.bytes(start + u64::from(offset), u64::from(size))?;
                }
            }
            let data = start + u64::from(data_offset) + thread * ring_bytes;
            ring.threads.push(ring.thread(space, metadata, data)?);
        }
        Ok(ring)
    }

    fn thread(&self, space: Space<'_>, metadata: u64, data: u64) -> Result<RingThread, ReadError> {
        let sequence = space.word(metadata + WORD)?;
        fence(Ordering::Acquire);
        let entry_size = u64::from(self.entry_size);
        let slots = u64::from(self.slots);
        let bytes = space.bytes(data, slots * entry_size)?;
        fence(Ordering::Acquire);
        let later = space.word(metadata + WORD)?;
        // Entry k shares its slot with entry k + slots, which is written as the sequence is k + slots.
        let safe = later.saturating_add(1).saturating_sub(slots);
        let first = safe.max(sequence.saturating_sub(slots));
        let mut kept = Vec::new();
        for number in first..sequence {
            let at = usize::try_from(number % slots * entry_size).unwrap_or(usize::MAX);
            let entry = bytes.get(at..at.saturating_add(self.entry_size as usize));
            kept.extend_from_slice(entry.ok_or(ReadError::Corrupt("a ring outside its block"))?);
        }
        Ok(RingThread {
            sequence,
            bytes: kept,
        })
    }
}
