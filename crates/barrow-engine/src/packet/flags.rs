//! The per-packet flag word.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// Bits that travel with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PacketFlags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        impl PacketFlags {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
            const NAMES: &'static [(Self, &'static str)] = &[$((Self::$name, stringify!($name))),*];
        }
    };
}

flags! {
    /// Nodes record what they do with this packet.
    TRACED = 0;
    /// Made by this node, not received: checks that concern the sender's interface do not apply.
    LOCALLY_ORIGINATED = 1;
    /// Larger than the link: segments of `gso_size` payload bytes leave it.
    GSO = 2;
    /// The IPv4 header checksum is still to be filled in.
    OFFLOAD_IP4_CKSUM = 3;
    /// The TCP checksum is still to be filled in; the field holds the pseudo-header sum.
    OFFLOAD_TCP_CKSUM = 4;
    /// The UDP checksum is still to be filled in; the field holds the pseudo-header sum.
    OFFLOAD_UDP_CKSUM = 5;
    /// Somebody looked at the layer-4 checksum; see `L4_CKSUM_CORRECT`.
    L4_CKSUM_COMPUTED = 6;
    /// The layer-4 checksum is right.
    L4_CKSUM_CORRECT = 7;
    /// One VLAN tag was taken off on the way in.
    VLAN_1_DEEP = 8;
    /// Two VLAN tags were taken off on the way in.
    VLAN_2_DEEP = 9;
    /// An IPv4 packet starts at the layer-3 offset.
    IS_IP4 = 10;
    /// An IPv6 packet starts at the layer-3 offset.
    IS_IP6 = 11;
    /// `l2_header_offset` is set.
    L2_HDR_OFFSET_VALID = 12;
    /// `l3_header_offset` is set.
    L3_HDR_OFFSET_VALID = 13;
    /// `l4_header_offset` is set.
    L4_HDR_OFFSET_VALID = 14;
    /// `flow_hash` is set.
    FLOW_HASH_VALID = 15;
    /// Went through here before: a loop breaker for nodes that feed packets back.
    LOOPED = 16;
    /// Came in on a broadcast or multicast link address.
    L2_BROADCAST = 17;
    /// Free for the node that owns the packet now; cleared by whoever sets it.
    PRIVATE_0 = 28;
    /// As [`PRIVATE_0`](Self::PRIVATE_0).
    PRIVATE_1 = 29;
}

impl PacketFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Every checksum offload.
    pub const OFFLOAD_ANY: Self =
        Self(Self::OFFLOAD_IP4_CKSUM.0 | Self::OFFLOAD_TCP_CKSUM.0 | Self::OFFLOAD_UDP_CKSUM.0);

    /// All of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other` is set.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is set.
    #[inline]
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Sets all of `other`.
    #[inline]
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Clears all of `other`.
    #[inline]
    pub const fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// Sets or clears all of `other`.
    #[inline]
    pub const fn set(&mut self, other: Self, on: bool) {
        if on {
            self.insert(other);
        } else {
            self.remove(other);
        }
    }
}

impl BitOr for PacketFlags {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for PacketFlags {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.insert(other);
    }
}

impl fmt::Debug for PacketFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = Self::NAMES
            .iter()
            .filter(|(flag, _)| self.contains(*flag))
            .map(|(_, n)| *n);
        match set.next() {
            None => f.write_str("NONE"),
            Some(first) => {
                f.write_str(first)?;
                set.try_for_each(|name| write!(f, "|{name}"))
            }
        }
    }
}
