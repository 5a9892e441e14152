//! What the parts of a segment share: memory, allocator, directory, epoch.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::allocator::{Age, Allocator, Extent, Fill, Guard, PAGE};
use super::directory::Directory;
use super::memory::{Memory, Span};
use super::window::Epoch;
use super::{BASE, EntryError};
use crate::layout::{WORD, pack};

/// Shared by the [`Segment`](super::Segment) and the handles of its thread.
///
/// Rule for `state`: borrowed inside one method, never while user code runs.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) memory: Arc<Memory>,
    pub(super) epoch: Epoch,
    pub(super) beat: Cell<u64>,
    pub(super) state: RefCell<State>,
}

/// What changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) allocator: Allocator,
    pub(super) directory: Directory,
    /// Rotates the place of rows in the cache.
    pub(super) color: u64,
}

/// A vector in the file: `data` is the offset of element 0, its length stands in the word before.
#[derive(Debug)]
pub(super) struct Vector {
    pub(super) extent: Extent,
    pub(super) data: u64,
    /// Second half of the word before the data: bytes of header in front, alignment.
    tag: u32,
}

/// What a vector is for, which decides where its data start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Bytes of a string: a short header.
    String,
    /// Words that are shared by nobody's cache lines.
    Row,
}

impl Vector {
    /// The value of a pointer to it.
    pub(super) fn pointer(&self) -> u64 {
        BASE + self.data
    }

    /// The word that holds the length.
    fn length_offset(&self) -> u64 {
        self.data - WORD
    }

    /// The word to store there for `length` elements.
    fn length_word(&self, length: u32) -> u64 {
        pack(length, self.tag)
    }

    /// Publishes `length`, after whatever was stored before.
    pub(super) fn set_length(&self, memory: &Memory, length: u32) {
        memory
            .word(self.length_offset())
            .store(self.length_word(length), Ordering::Release);
    }
}

impl Core {
    /// The present, for the allocator.
    pub(super) fn age(&self) -> Age {
        Age {
            epoch: self.epoch.now(),
            beat: self.beat.get(),
        }
    }

    /// Makes a vector of length 0 with room for `bytes` of data, all zero.
    pub(super) fn vector(
        &self,
        purpose: Purpose,
        bytes: u64,
        fill: Fill,
    ) -> Result<Vector, EntryError> {
        let mut state = self.state.borrow_mut();
        state.vector(&self.memory, purpose, bytes, fill, self.age())
    }

    /// Makes `extent` count its first bytes, up to file offset `end`, as used.
    pub(super) fn commit(&self, extent: &mut Extent, end: u64) -> Result<(), EntryError> {
        let bytes = end - extent.start();
        self.state
            .borrow_mut()
            .allocator
            .commit(extent, bytes, self.age())
    }

    /// Gives an extent back.
    pub(super) fn retire(&self, extent: Extent, guard: Option<Guard>) {
        self.state
            .borrow_mut()
            .allocator
            .retire(extent, guard, self.age());
    }

    /// Words of a vector as a handle of their own.
    pub(super) fn span(&self, vector: &Vector, words: usize) -> Span {
        self.memory.span(vector.data, words)
    }
}

impl State {
    fn vector(
        &mut self,
        memory: &Memory,
        purpose: Purpose,
        bytes: u64,
        fill: Fill,
        now: Age,
    ) -> Result<Vector, EntryError> {
        self.color = (self.color + 1) % 31;
        vector(
            &mut self.allocator,
            memory,
            purpose,
            bytes,
            fill,
            self.color,
            now,
        )
    }
}

/// Makes a vector of length 0; `color` moves the start of a long one by cache lines.
pub(super) fn vector(
    allocator: &mut Allocator,
    memory: &Memory,
    purpose: Purpose,
    bytes: u64,
    fill: Fill,
    color: u64,
    now: Age,
) -> Result<Vector, EntryError> {
    let header = match purpose {
        Purpose::String => 16,
        // Long rows would all start at the same place of a page, and index 1 of each compete for one cache set.
        Purpose::Row if bytes >= PAGE => 64 + 64 * color,
        Purpose::Row => 64,
    };
    let whole = bytes
        .checked_add(header)
        .ok_or(EntryError::AddressSpace { needed: bytes })?;
    let mut fresh = allocator.allocate(whole, fill, now)?;
    if let Err(error) = allocator.commit(&mut fresh.extent, header, now) {
        allocator.retire(fresh.extent, None, now);
        return Err(error);
    }
    memory.zero(fresh.extent.start(), fresh.dirty);
    let header_words = u8::try_from(header / WORD).expect("headers are below 2048 bytes");
    let log2_align = if purpose == Purpose::Row { 6 } else { 3 };
    let vector = Vector {
        data: fresh.extent.start() + header,
        extent: fresh.extent,
        tag: u32::from_ne_bytes([header_words, log2_align, 0, 0]),
    };
    vector.set_length(memory, 0);
    Ok(vector)
}
