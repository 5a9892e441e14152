//! Names for nodes that fit a frame.

use barrow_graph::region::NodeIndex;
use std::fmt;

/// The index of a packet or process node: stable while the node exists, the same on every thread, and
/// what clients know as `node_index`.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u16);

impl NodeId {
    /// No node.
    pub const NONE: Self = Self(u16::MAX);
    /// `null-node`, where packets go that went wrong.
    pub const NULL: Self = Self(0);
    /// `error-drop`, where packets go to be dropped for a reason.
    pub const ERROR_DROP: Self = Self(1);
    /// `drop`, where they end.
    pub const DROP: Self = Self(2);
    /// `error-punt`, where packets go that are somebody else's, for a reason.
    pub const ERROR_PUNT: Self = Self(3);
    /// `punt`, where those end that nobody takes.
    pub const PUNT: Self = Self(4);
    /// `punt-dispatch`, which hands packets to those who registered for their reason.
    pub const PUNT_DISPATCH: Self = Self(5);
    /// Most nodes that can exist at a time.
    pub const MAX: usize = u16::MAX as usize;

    /// The node of an index as clients send it; `None` beyond what an index can be.
    #[must_use]
    pub fn from_index(index: u32) -> Option<Self> {
        u16::try_from(index)
            .ok()
            .map(Self)
            .filter(|id| *id != Self::NONE)
    }

    /// The index as clients see it.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 as u32
    }

    pub(crate) fn from_slot(slot: usize) -> Self {
        Self(u16::try_from(slot).expect("fewer than 65,535 nodes, which the table checks"))
    }

    #[inline]
    pub(crate) const fn slot(self) -> usize {
        self.0 as usize
    }

    /// The node in its thread's region.
    #[inline]
    pub(crate) const fn region(self) -> NodeIndex {
        NodeIndex::new(self.0 as u32)
    }

    #[inline]
    pub(crate) const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }

    #[inline]
    pub(crate) const fn raw(self) -> u16 {
        self.0
    }
}

impl Default for NodeId {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            f.write_str("NodeId(none)")
        } else {
            write!(f, "NodeId({})", self.0)
        }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
