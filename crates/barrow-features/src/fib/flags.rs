//! What is known of a route beside its paths.

use std::fmt;

/// Properties of a route, given by its source (`vpp:src/vnet/fib/fib_entry.h`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct EntryFlags(u16);

impl EntryFlags {
    /// None.
    pub const NONE: Self = Self(0);
    /// The network of an interface address.
    pub const CONNECTED: Self = Self(1);
    /// The network is on a link: its hosts are neighbours.
    pub const ATTACHED: Self = Self(2);
    /// Always drops.
    pub const DROP: Self = Self(8);
    /// An address of this node.
    pub const LOCAL: Self = Self(32);
    /// Passes a loose check of source addresses although it drops.
    pub const URPF_EXEMPT: Self = Self(64);

    const NAMES: [&'static str; 7] = [
        "connected",
        "attached",
        "import",
        "drop",
        "exclusive",
        "local",
        "uRPF-exempt",
    ];

    /// Whether all of `other` is in.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// With `other` in or out.
    #[must_use]
    pub const fn with(self, other: Self, on: bool) -> Self {
        if on {
            Self(self.0 | other.0)
        } else {
            Self(self.0 & !other.0)
        }
    }
}

impl std::ops::BitOr for EntryFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitAnd for EntryFlags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The names, each followed by a comma, as `show ip fib` prints them.
impl fmt::Display for EntryFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, name) in Self::NAMES.iter().enumerate() {
            if self.0 >> bit & 1 != 0 {
                write!(f, "{name},")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_in_vpps_order() {
        let flags = EntryFlags::CONNECTED | EntryFlags::ATTACHED | EntryFlags::LOCAL;
        assert_eq!(flags.to_string(), "connected,attached,local,");
        assert_eq!(
            flags.with(EntryFlags::LOCAL, false).to_string(),
            "connected,attached,"
        );
    }
}
