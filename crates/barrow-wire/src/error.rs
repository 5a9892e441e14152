//! Why bytes could not be read, or a value not be written.

use std::fmt;

/// A value could not be decoded: what was wrong, at which byte, in which field.
///
/// Small (one pointer), so that the good path of decoding stays cheap; the details live on the heap.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    kind: DecodeErrorKind,
    offset: usize,
    /// Innermost name first.
    path: Vec<&'static str>,
}

/// What was wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends before the value does.
    #[error("input ends early: {needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the value needs from the offset on, as far as known there.
        needed: u64,
        /// Bytes that were left.
        left: usize,
    },
    /// The tag of a Rust enum with a closed set of variants is not one of them.
    #[error("no variant has the tag {value}")]
    UnknownTag {
        /// The tag read.
        value: u64,
    },
    /// A Rust `str` or `String` was asked for and the bytes are not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// A recursive type nests deeper than [`Reader::MAX_DEPTH`](crate::Reader::MAX_DEPTH).
    #[error("nested too deep")]
    TooDeep,
    /// A value that a hand-written [`Decode`](crate::Decode) refuses.
    #[error("{0}")]
    Invalid(&'static str),
}

impl DecodeError {
    /// An error at byte `offset` of the input.
    #[cold]
    pub fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self(Box::new(Details {
            kind,
            offset,
            path: Vec::new(),
        }))
    }

    /// The same error, seen from the field (or message) `name` that contains it.
    #[cold]
    #[must_use]
    pub fn within(mut self, name: &'static str) -> Self {
        self.0.path.push(name);
        self
    }

    /// What was wrong.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// Offset of the first byte that does not fit, counted from the start of the input.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The field, as a path from the outermost name, for example `ip_route_add_del.route.paths`. Empty when the
    /// value decoded has no name.
    pub fn field(&self) -> String {
        let names: Vec<_> = self.0.path.iter().rev().copied().collect();
        names.join(".")
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}", self.0.offset)?;
        if !self.0.path.is_empty() {
            write!(f, ", field {}", self.field())?;
        }
        write!(f, ": {}", self.0.kind)
    }
}

impl std::error::Error for DecodeError {}

/// A value has no wire form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// An array has more elements, or a string more bytes, than its count field can tell.
    #[error("{field}: {len} elements, at most {max} can be counted")]
    TooMany {
        /// The count field, or the array when the count has no name of its own.
        field: &'static str,
        /// Elements present.
        len: usize,
        /// The largest count.
        max: u64,
    },
    /// The message is longer than the frame header can tell.
    #[error("message of {len} bytes, a frame holds at most {max}")]
    TooLong {
        /// Bytes of the message.
        len: usize,
        /// The most a frame holds.
        max: u64,
    },
}
