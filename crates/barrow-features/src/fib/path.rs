//! Paths of a route: as a client gives them, and as the FIB keeps them.

use super::{AddressFamily, EntryFlags, FibIndex, Prefix};
use crate::adj::{AdjKey, AdjTarget};
use crate::interface::SwIfIndex;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A path as it travels in `vl_api_fib_path_t`, field by field; see `fib_types.api`.
///
/// [`Fib::route_add_del`](super::Fib::route_add_del) checks and interprets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoutePath {
    /// The interface, or `~0`.
    pub sw_if_index: u32,
    /// The table that a next hop without interface is looked up in.
    pub table_id: u32,
    /// Multicast RPF id; 0 and `~0` mean none.
    pub rpf_id: u32,
    /// Share of the traffic among equal paths; 0 counts as 1.
    pub weight: u8,
    /// Lower wins; only the best resolved ones are used.
    pub preference: u8,
    /// `FIB_API_PATH_TYPE_*`.
    pub path_type: u32,
    /// `FIB_API_PATH_FLAG_*`.
    pub flags: u32,
    /// `FIB_API_PATH_NH_PROTO_*`.
    pub proto: u32,
    /// The next hop: the first 4 bytes for IPv4.
    pub next_hop: [u8; 16],
    /// How many MPLS labels to push.
    pub n_labels: u8,
}

impl RoutePath {
    /// `FIB_API_PATH_TYPE_NORMAL`.
    pub const NORMAL: u32 = 0;
    /// `FIB_API_PATH_TYPE_LOCAL`.
    pub const LOCAL: u32 = 1;
    /// `FIB_API_PATH_TYPE_DROP`.
    pub const DROP: u32 = 2;
    /// `FIB_API_PATH_TYPE_ICMP_UNREACH`.
    pub const ICMP_UNREACH: u32 = 5;
    /// `FIB_API_PATH_TYPE_ICMP_PROHIBIT`.
    pub const ICMP_PROHIBIT: u32 = 6;
    /// `FIB_API_PATH_TYPE_INTERFACE_RX`.
    pub const INTERFACE_RX: u32 = 9;
    /// `FIB_API_PATH_FLAG_RESOLVE_VIA_ATTACHED`.
    pub const VIA_ATTACHED: u32 = 1;
    /// `FIB_API_PATH_FLAG_RESOLVE_VIA_HOST`.
    pub const VIA_HOST: u32 = 2;

    /// The next hop as an address of the family that `proto` names.
    pub(super) fn address(&self) -> IpAddr {
        match self.proto {
            1 => IpAddr::V6(Ipv6Addr::from(self.next_hop)),
            _ => {
                let [a, b, c, d, ..] = self.next_hop;
                IpAddr::V4(Ipv4Addr::new(a, b, c, d))
            }
        }
    }
}

impl Default for RoutePath {
    fn default() -> Self {
        Self {
            sw_if_index: u32::MAX,
            table_id: 0,
            rpf_id: u32::MAX,
            weight: 1,
            preference: 0,
            path_type: Self::NORMAL,
            flags: 0,
            proto: 0,
            next_hop: [0; 16],
            n_labels: 0,
        }
    }
}

/// Where a path leads. The order is the one in which paths of a list are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PathKind {
    /// To a neighbour on a link; the IPv4 broadcast address stands for all of them.
    AttachedNextHop {
        /// The neighbour.
        next_hop: IpAddr,
        /// The link.
        interface: SwIfIndex,
    },
    /// Onto a link, whose hosts are asked for by destination.
    Attached {
        /// The link.
        interface: SwIfIndex,
        /// This node's address and network there, for connected networks.
        connected: Option<(IpAddr, u8)>,
    },
    /// Through whatever route the next hop has.
    Recursive {
        /// The next hop.
        next_hop: IpAddr,
        /// The table it is looked up in.
        fib: FibIndex,
        /// Only if that is a host route.
        via_host: bool,
        /// Only if that is attached.
        via_attached: bool,
    },
    /// Drop.
    Drop,
    /// Answer ICMP unreachable.
    Unreachable,
    /// Answer ICMP prohibited.
    Prohibited,
    /// Look the destination up in another table.
    Lookup {
        /// The table.
        fib: FibIndex,
    },
    /// Receive again, as if from an interface.
    InterfaceRx {
        /// The interface.
        interface: SwIfIndex,
    },
    /// To this node.
    Receive {
        /// The interface that has the address, or [`SwIfIndex::NONE`].
        interface: SwIfIndex,
        /// The address.
        address: IpAddr,
    },
}

impl PathKind {
    /// The interface whose state the path depends on.
    pub(super) const fn interface(&self) -> Option<SwIfIndex> {
        match *self {
            Self::AttachedNextHop { interface, .. }
            | Self::Attached { interface, .. }
            | Self::InterfaceRx { interface } => Some(interface),
            _ => None,
        }
    }

    /// The adjacency that the path goes through. `peer`: the link is point-to-point.
    pub(super) fn adjacency(&self, family: AddressFamily, peer: bool) -> Option<AdjKey> {
        let to_peer = |interface| {
            let any: IpAddr = match family {
                AddressFamily::Ip4 => Ipv4Addr::UNSPECIFIED.into(),
                AddressFamily::Ip6 => Ipv6Addr::UNSPECIFIED.into(),
            };
            AdjKey {
                interface,
                family,
                target: AdjTarget::Neighbour(any),
            }
        };
        match *self {
            Self::AttachedNextHop { interface, .. } | Self::Attached { interface, .. } if peer => {
                Some(to_peer(interface))
            }
            Self::AttachedNextHop {
                next_hop: IpAddr::V4(Ipv4Addr::BROADCAST),
                interface,
            } => Some(AdjKey::broadcast(interface)),
            Self::AttachedNextHop {
                next_hop,
                interface,
            } => Some(AdjKey::neighbour(interface, next_hop)),
            Self::Attached {
                interface,
                connected,
            } => Some(AdjKey::glean(interface, family, connected)),
            _ => None,
        }
    }

    /// Whether both are the same path, whatever the conditions on it: what removing a path compares.
    fn same(&self, other: &Self) -> bool {
        let bare = |kind: &Self| match *kind {
            Self::Recursive { next_hop, fib, .. } => Self::Recursive {
                next_hop,
                fib,
                via_host: false,
                via_attached: false,
            },
            kind => kind,
        };
        bare(self) == bare(other)
    }
}

/// A path as the FIB keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PathSpec {
    /// Where it leads.
    pub kind: PathKind,
    /// Its share among equal paths.
    pub weight: u8,
    /// Lower wins.
    pub preference: u8,
}

impl PathSpec {
    /// A path of weight 1 and preference 0.
    #[must_use]
    pub const fn new(kind: PathKind) -> Self {
        Self {
            kind,
            weight: 1,
            preference: 0,
        }
    }

    /// Whether both are the same path; weight and preference do not count (`fib_path_cmp_i` in VPP).
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.kind.same(&other.kind)
    }

    /// Adapts a path to the prefix that it is for; returns whether it makes the prefix attached
    /// (`fib_table_route_path_fixup` in VPP).
    ///
    /// * A next hop that is the prefix's own address recurses through itself: drop.
    /// * A link as the path of a host means: the host is a neighbour there.
    /// * A flag that says local or drop makes every path so.
    pub(super) fn fit(&mut self, prefix: Prefix, flags: EntryFlags) -> bool {
        if flags.contains(EntryFlags::DROP) {
            self.kind = PathKind::Drop;
            return false;
        }
        match self.kind {
            PathKind::Recursive { next_hop, .. } if next_hop == prefix.address() => {
                self.kind = PathKind::Drop;
                false
            }
            PathKind::Attached {
                interface,
                connected: None,
            } if prefix.is_host() => {
                self.kind = PathKind::AttachedNextHop {
                    next_hop: prefix.address(),
                    interface,
                };
                true
            }
            PathKind::Attached { .. } => true,
            PathKind::AttachedNextHop { next_hop, .. } => {
                prefix.is_host() && next_hop == prefix.address()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(len: u8) -> Prefix {
        Prefix::new("10.0.0.1".parse().unwrap(), len).unwrap()
    }

    fn recursive(next_hop: &str, via_host: bool) -> PathSpec {
        PathSpec::new(PathKind::Recursive {
            next_hop: next_hop.parse().unwrap(),
            fib: FibIndex(0),
            via_host,
            via_attached: false,
        })
    }

    #[test]
    fn a_route_through_its_own_address_drops() {
        let mut path = recursive("10.0.0.1", false);
        path.fit(prefix(32), EntryFlags::NONE);
        assert_eq!(path.kind, PathKind::Drop);
        let mut path = recursive("10.0.0.2", false);
        path.fit(prefix(32), EntryFlags::NONE);
        assert_eq!(path, recursive("10.0.0.2", false));
    }

    #[test]
    fn a_host_on_a_link_is_a_neighbour_there() {
        let link = PathKind::Attached {
            interface: SwIfIndex(3),
            connected: None,
        };
        let mut path = PathSpec::new(link);
        assert!(path.fit(prefix(32), EntryFlags::NONE));
        assert!(matches!(path.kind, PathKind::AttachedNextHop { .. }));
        let mut path = PathSpec::new(link);
        assert!(path.fit(prefix(24), EntryFlags::NONE));
        assert_eq!(path.kind, link);
    }

    #[test]
    fn weight_preference_and_conditions_do_not_tell_paths_apart() {
        let heavy = PathSpec {
            weight: 9,
            preference: 3,
            ..recursive("10.0.0.9", true)
        };
        assert!(heavy.same(&recursive("10.0.0.9", false)));
        assert!(!heavy.same(&recursive("10.0.0.8", false)));
    }

    #[test]
    fn broadcast_and_peers_have_adjacencies_of_their_own() {
        let interface = SwIfIndex(2);
        let all = PathKind::AttachedNextHop {
            next_hop: Ipv4Addr::BROADCAST.into(),
            interface,
        };
        assert_eq!(
            all.adjacency(AddressFamily::Ip4, false),
            Some(AdjKey::broadcast(interface))
        );
        let next_hop = "10.0.0.2".parse().unwrap();
        let neighbour = PathKind::AttachedNextHop {
            next_hop,
            interface,
        };
        let expected = Some(AdjKey::neighbour(interface, next_hop));
        assert_eq!(neighbour.adjacency(AddressFamily::Ip4, false), expected);
        let peer = neighbour.adjacency(AddressFamily::Ip4, true).unwrap();
        assert_eq!(
            peer.target,
            AdjTarget::Neighbour(Ipv4Addr::UNSPECIFIED.into())
        );
        assert_eq!(PathKind::Drop.adjacency(AddressFamily::Ip4, false), None);
    }
}
