//! What can go wrong when entries are made or grow.

use std::io;

/// Why a segment could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The configuration makes no sense.
    #[error("statistics segment: {0}")]
    Config(&'static str),
    /// The system refused.
    #[error("statistics segment: cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

/// Why an entry was not created, changed or grown. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Another entry has this name.
    #[error("statistics entry `{name}` exists")]
    Exists {
        /// The name, as it would stand in the directory.
        name: Box<str>,
    },
    /// The name is empty.
    #[error("a statistics entry needs a name")]
    NoName,
    /// The entry was removed.
    #[error("the statistics entry was removed")]
    Removed,
    /// One of the entries that every segment has was to be renamed or removed.
    #[error("the statistics entry is part of every segment")]
    Fixed,
    /// A symbolic link was to lead to an entry that has no columns.
    #[error("statistics entry `{name}` has no columns to link to")]
    NoColumns {
        /// Name of the target.
        name: Box<str>,
    },
    /// The index is at or beyond the entry's limit.
    #[error("index {index} is beyond the limit of {limit}")]
    Limit {
        /// The index asked for.
        index: u32,
        /// Indices are below this number.
        limit: u32,
    },
    /// The shape of a new entry makes no sense.
    #[error("statistics entry: {0}")]
    Shape(&'static str),
    /// The memory budget is used up; `statseg { size }` sets it.
    #[error("statistics memory is used up: {needed} bytes needed, {free} free")]
    Memory {
        /// Bytes asked for.
        needed: u64,
        /// Bytes left.
        free: u64,
    },
    /// The file's address space is used up.
    #[error("statistics address space is used up: {needed} bytes needed")]
    AddressSpace {
        /// Bytes asked for.
        needed: u64,
    },
}
