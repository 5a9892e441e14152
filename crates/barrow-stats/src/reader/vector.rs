//! Pointers and vectors, checked against the file.

use super::ReadError;
use crate::layout::{WORD, header, unpack};
use crate::segment::View;

/// The memory with what is needed to follow pointers in it, for the time of one attempt.
#[derive(Clone, Copy)]
pub(super) struct Space<'a> {
    pub(super) view: &'a View,
    base: u64,
}

/// A vector whose elements are inside the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vector {
    /// Offset of element 0.
    pub(super) data: u64,
    /// Number of elements.
    pub(super) length: u32,
}

impl<'a> Space<'a> {
    pub(super) fn new(view: &'a View) -> Self {
        Self {
            view,
            base: view.load(header::BASE * WORD).unwrap_or(0),
        }
    }

    /// The word at file offset `offset`.
    pub(super) fn word(&self, offset: u64) -> Result<u64, ReadError> {
        self.view
            .load(offset)
            .ok_or(ReadError::Corrupt("an offset outside the file"))
    }

    /// The file offset that `pointer` stands for: aligned to words, and not in the header.
    pub(super) fn offset(&self, pointer: u64) -> Result<u64, ReadError> {
        let offset = pointer.wrapping_sub(self.base);
        let inside = offset >= WORD && offset < self.view.bytes() && offset.is_multiple_of(WORD);
        inside
            .then_some(offset)
            .ok_or(ReadError::Corrupt("a pointer outside the file"))
    }

    /// The vector of elements of `size` bytes that `pointer` points to.
    pub(super) fn vector(&self, pointer: u64, size: u64) -> Result<Vector, ReadError> {
        let data = self.offset(pointer)?;
        let (length, _) = unpack(self.word(data - WORD)?);
        match u64::from(length) * size < self.view.bytes() - data {
            true => Ok(Vector { data, length }),
            false => Err(ReadError::Corrupt("a vector that leaves the file")),
        }
    }

    /// `count` words from `offset`.
    pub(super) fn words(
        &self,
        offset: u64,
        count: u64,
    ) -> Result<impl ExactSizeIterator<Item = u64> + use<'a>, ReadError> {
        let count = usize::try_from(count).ok();
        let words = count.and_then(|count| self.view.load_words(offset, count));
        words.ok_or(ReadError::Corrupt("a vector that leaves the file"))
    }

    /// `count` bytes from `offset`, which need not be aligned.
    pub(super) fn bytes(&self, offset: u64, count: u64) -> Result<Vec<u8>, ReadError> {
        let corrupt = ReadError::Corrupt("bytes outside the file");
        let end = offset
            .checked_add(count)
            .filter(|end| *end <= self.view.bytes());
        let end = end.ok_or(corrupt)?;
        let first = offset - offset % WORD;
        let words = self.words(
            first,
            end.next_multiple_of(WORD).saturating_sub(first) / WORD,
        )?;
        let mut bytes: Vec<u8> = words.flat_map(u64::to_ne_bytes).collect();
        let skip = usize::try_from(offset - first).unwrap_or_default();
        bytes.drain(..skip.min(bytes.len()));
        bytes.truncate(usize::try_from(count).unwrap_or_default());
        Ok(bytes)
    }
}
