//! The number an adjacency is known by.

use std::fmt;

/// Index of an adjacency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AdjIndex(pub u32);

impl AdjIndex {
    /// No adjacency (`~0`).
    pub const NONE: Self = Self(u32::MAX);
}

impl fmt::Display for AdjIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
