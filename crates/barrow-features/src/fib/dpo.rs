//! Where a packet goes after a lookup: kind and index in one word (VPP: data-path object, `dpo_id_t`).

use crate::adj::AdjIndex;
use crate::interface::SwIfIndex;
use std::fmt;

/// Index of a load balance: what a lookup gives, and the index of the route's counters.
///
/// Every route has its own; it stays the same as long as the route exists. 0 is the drop that a table
/// without any route gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LbIndex(pub u32);

impl LbIndex {
    /// The load balance that drops.
    pub const DROP: Self = Self(0);
}

impl fmt::Display for LbIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What happens to a packet next. The numbers are dense, so that a node keeps an array of next nodes by
/// kind: `next[dpo.kind() as usize]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum DpoKind {
    /// Drop.
    Drop = 0,
    /// Hand to whoever registered for punted packets.
    Punt = 1,
    /// For this node itself; the index is the interface that owns the address, or `~0`.
    Receive = 2,
    /// Send through an adjacency; its record says whether by rewrite, by resolving the neighbour first,
    /// or by gleaning on a connected link.
    Adjacency = 3,
    /// Answer ICMP destination unreachable.
    Unreachable = 4,
    /// Answer ICMP communication prohibited.
    Prohibited = 5,
    /// Look the destination up again in another table; the index is a FIB index. The lookup node limits
    /// how often a packet may do so.
    Lookup = 6,
    /// Receive again as if from the interface that the index names.
    InterfaceRx = 7,
    /// Recurse: the index is the load balance of the route that the next hop resolves through.
    LoadBalance = 8,
}

impl DpoKind {
    /// How many kinds there are.
    pub const COUNT: usize = 9;

    const ALL: [Self; Self::COUNT] = [
        Self::Drop,
        Self::Punt,
        Self::Receive,
        Self::Adjacency,
        Self::Unreachable,
        Self::Prohibited,
        Self::Lookup,
        Self::InterfaceRx,
        Self::LoadBalance,
    ];
}

/// A kind and an index: `index | kind << 32`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dpo(u64);

impl Dpo {
    /// Drop.
    pub const DROP: Self = Self::new(DpoKind::Drop, 0);

    /// A destination of `kind`; what the index means depends on it.
    #[must_use]
    pub const fn new(kind: DpoKind, index: u32) -> Self {
        Self((kind as u64) << 32 | index as u64)
    }

    /// Through an adjacency.
    #[must_use]
    pub const fn adjacency(adjacency: AdjIndex) -> Self {
        Self::new(DpoKind::Adjacency, adjacency.0)
    }

    /// To this node, at an address of `interface` ([`SwIfIndex::NONE`]: of none).
    #[must_use]
    pub const fn receive(interface: SwIfIndex) -> Self {
        Self::new(DpoKind::Receive, interface.0)
    }

    /// What happens.
    #[inline]
    #[must_use]
    pub const fn kind(self) -> DpoKind {
        let kind = (self.0 >> 32) as u8 as usize;
        if kind < DpoKind::COUNT {
            DpoKind::ALL[kind]
        } else {
            DpoKind::Drop
        }
    }

    /// To whom; see [`DpoKind`].
    #[inline]
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 as u32
    }

    /// The adjacency, if it goes through one.
    #[inline]
    #[must_use]
    pub const fn adjacency_index(self) -> Option<AdjIndex> {
        match self.kind() {
            DpoKind::Adjacency => Some(AdjIndex(self.index())),
            _ => None,
        }
    }

    /// Whether this drops.
    #[must_use]
    pub const fn is_drop(self) -> bool {
        matches!(self.kind(), DpoKind::Drop)
    }

    pub(super) const fn to_bits(self) -> u64 {
        self.0
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Debug for Dpo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind(), self.index())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_index_survive_the_word() {
        for kind in DpoKind::ALL {
            for index in [0, 1, u32::MAX] {
                let dpo = Dpo::from_bits(Dpo::new(kind, index).to_bits());
                assert_eq!((dpo.kind(), dpo.index()), (kind, index));
            }
        }
    }

    #[test]
    fn a_word_of_no_kind_drops() {
        assert!(Dpo::from_bits(u64::MAX).is_drop());
    }
}
