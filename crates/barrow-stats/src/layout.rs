//! The layout, version 2 as of VPP 26.06: what writer and reader agree on.
//!
//! ```text
//! byte 0     header: version, base, epoch, in_progress, directory       (40 bytes, rest of the page zero)
//! byte 4096  heap: vectors. A pointer is `base + file offset`; a vector's length stands 8 bytes before its data.
//! ```
//!
//! Everything is a 64-bit word in host byte order; smaller fields are halves or bytes of a word. Source of the facts:
//! `src/vlib/stats/shared.h` and `src/vppinfra/vec_bootstrap.h` of FD.io VPP.

/// The layout version this crate writes (header word 0).
pub const VERSION: u64 = 2;

/// Bytes in a word, the unit of every access.
pub const WORD: u64 = 8;

/// Bytes kept for the header; the heap starts here.
pub const HEADER_BYTES: u64 = 4096;

/// Words of the shared header, by index.
pub mod header {
    /// Layout version.
    pub const VERSION: u64 = 0;
    /// Address that stands for file offset 0 in every pointer.
    pub const BASE: u64 = 1;
    /// Starts at 1, one more after each change of structure.
    pub const EPOCH: u64 = 2;
    /// 1 while the structure changes.
    pub const IN_PROGRESS: u64 = 3;
    /// Pointer to the directory vector.
    pub const DIRECTORY: u64 = 4;
    /// Pointer to the error vector in the layouts of 20.09 to 22.02; zero since. Not zero means their numbering.
    pub const EARLY_ERROR_VECTOR: u64 = 5;
}

/// Bytes of a directory entry: type, value, name.
pub const ENTRY_BYTES: u64 = 144;

/// Bytes of an entry's name field; the name itself is at most one byte shorter.
pub const NAME_BYTES: usize = 128;

/// Bytes of a ring buffer's header; its slots start at or after.
pub const RING_HEADER_BYTES: u64 = 28;

/// Bytes of a ring buffer's metadata for one thread.
pub const RING_METADATA_BYTES: u64 = 64;

/// What a directory entry is (numbering of 22.06, extended in 26.02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum EntryKind {
    /// An unsigned number: the time stamps below `/sys`.
    Scalar = 1,
    /// Rows of 64-bit counters, one row a thread.
    Simple = 2,
    /// Rows of packet and byte counters, one row a thread.
    Combined = 3,
    /// Strings by index.
    Names = 4,
    /// A free place in the directory.
    Empty = 5,
    /// One column of another entry.
    Symlink = 6,
    /// Rows of a lowest exponent followed by bins, one row a thread.
    Histogram = 7,
    /// Rings of fixed-size records, one ring a thread.
    Ring = 8,
    /// An unsigned number: a level.
    Gauge = 9,
}

impl EntryKind {
    /// The kind with this number; none for 0 and for numbers of the future.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Scalar,
            2 => Self::Simple,
            3 => Self::Combined,
            4 => Self::Names,
            5 => Self::Empty,
            6 => Self::Symlink,
            7 => Self::Histogram,
            8 => Self::Ring,
            9 => Self::Gauge,
            _ => return None,
        })
    }

    /// The number that stands in the directory.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// A word made of two halves: `low` at the lower address.
#[must_use]
pub const fn pack(low: u32, high: u32) -> u64 {
    let (l, h) = (low.to_ne_bytes(), high.to_ne_bytes());
    u64::from_ne_bytes([l[0], l[1], l[2], l[3], h[0], h[1], h[2], h[3]])
}

/// The halves of a word: the one at the lower address first.
#[must_use]
pub const fn unpack(word: u64) -> (u32, u32) {
    let b = word.to_ne_bytes();
    (
        u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
        u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_a_word_stand_in_address_order() {
        let word = pack(0x0102_0304, 0xa0b0_c0d0);
        assert_eq!(word.to_ne_bytes()[..4], 0x0102_0304_u32.to_ne_bytes());
        assert_eq!(unpack(word), (0x0102_0304, 0xa0b0_c0d0));
    }

    #[test]
    fn kinds_keep_their_numbers() {
        for number in 1..=9 {
            let kind = EntryKind::from_number(number).unwrap();
            assert_eq!(kind.number(), number);
        }
        assert_eq!(EntryKind::from_number(0), None);
        assert_eq!(EntryKind::from_number(10), None);
    }
}
