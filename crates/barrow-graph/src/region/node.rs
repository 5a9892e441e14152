//! What a region runs.

use std::any::Any;

use super::Ready;

/// Names a node of one region: small, stable for the node's life, then free for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeIndex(pub(super) u32);

impl NodeIndex {
    /// The index of the `number`-th place, for tables kept beside the region.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// As a table index.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// One node. `X` is what all nodes of the region share while they run: frames and buffers in a
/// packet graph, `()` in a plain dataflow.
pub trait RegionNode<X: ?Sized>: Any {
    /// Handles at most `quantum` items (at least one) and marks the nodes it gave work to.
    fn run(&mut self, x: &mut X, ready: &mut Ready, quantum: u32) -> Ran;
}

/// What one run of a node did.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Items handled.
    pub items: u32,
    /// Whether input is left: the node runs again in the next pass.
    pub left: bool,
}

impl Ran {
    /// All of its input: `items`.
    pub const fn all(items: u32) -> Self {
        Self { items, left: false }
    }
}

/// Counters of one node since it was added or cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeStats {
    /// Runs.
    pub calls: u64,
    /// Items handled.
    pub items: u64,
    /// Clocks spent, in the unit of the host's clock.
    pub clocks: u64,
    /// Clocks of the longest run.
    pub max_clocks: u64,
    /// Items of the longest run (VPP shows clocks a packet of that run).
    pub max_clocks_items: u32,
    /// The most items of a run.
    pub max_items: u32,
}
