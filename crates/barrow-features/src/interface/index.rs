//! The two numbers an interface is known by.

use barrow_messages::interface_types::InterfaceIndex;
use std::fmt;

/// Index of a software interface: what routes, addresses, features and clients refer to.
///
/// `local0` is 0. Indexes are reused, lowest first, after deletion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwIfIndex(pub u32);

impl SwIfIndex {
    /// No interface (`~0` on the wire).
    pub const NONE: Self = Self(u32::MAX);
    /// The interface that exists from the start and never carries a packet.
    pub const LOCAL0: Self = Self(0);

    /// The index as a position in a table.
    #[must_use]
    pub const fn slot(self) -> usize {
        self.0 as usize
    }

    /// Whether this is [`NONE`](Self::NONE).
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

impl From<InterfaceIndex> for SwIfIndex {
    fn from(index: InterfaceIndex) -> Self {
        Self(index.0)
    }
}

impl From<SwIfIndex> for InterfaceIndex {
    fn from(index: SwIfIndex) -> Self {
        Self(index.0)
    }
}

impl fmt::Debug for SwIfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sw_if_index {}", self.0)
    }
}

impl fmt::Display for SwIfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Index of a hardware interface: a device with its queues.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HwIfIndex(pub u32);

impl fmt::Display for HwIfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
