//! What `ethernet-input` knows of a device: its addresses and which sub-interface owns which tags.
//!
//! Main builds a new [`Port`] for each change and publishes the list whole; a reader keeps the list it
//! has until the next vector, so it never sees half a change and never waits.

use crate::interface::{SwIfIndex, VlanMatch};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;

/// The tags of a frame, outermost first; at most two are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tags {
    /// How many tags the frame has: 0, 1, or 2 for two and more.
    pub count: u8,
    /// The outer tag is 802.1ad.
    pub dot1ad: bool,
    /// Outer VLAN id.
    pub outer: u16,
    /// Inner VLAN id.
    pub inner: u16,
}

/// What a match is looked up by: kind of outer tag, ids, and how many of them are named.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    dot1ad: bool,
    outer: Id,
    inner: Inner,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Id {
    Is(u16),
    Any,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Inner {
    /// The sub-interface names one tag.
    Unnamed,
    Is(u16),
    Any,
}

#[derive(Clone, Copy, Debug)]
struct Owner {
    index: SwIfIndex,
    exact: bool,
}

/// One Ethernet device, as packets see it.
#[derive(Clone, Debug, Default)]
pub struct Port {
    /// The address it answers to.
    pub mac: [u8; 6],
    /// Further addresses it answers to.
    pub secondary: Vec<[u8; 6]>,
    /// It takes frames for any address.
    pub promiscuous: bool,
    untagged: Option<SwIfIndex>,
    default: Option<SwIfIndex>,
    tagged: HashMap<Key, Owner>,
}

impl Port {
    /// A device without sub-interfaces.
    #[must_use]
    pub fn new(mac: [u8; 6], secondary: Vec<[u8; 6]>, promiscuous: bool) -> Self {
        Self {
            mac,
            secondary,
            promiscuous,
            ..Self::default()
        }
    }

    /// Whether a frame for this station belongs here.
    #[inline]
    #[must_use]
    pub fn accepts(&self, destination: &[u8; 6]) -> bool {
        *destination == self.mac
            || destination[0] & 1 != 0
            || (!self.secondary.is_empty() && self.secondary.contains(destination))
    }

    /// Gives the frames of a match to a sub-interface.
    pub fn add(&mut self, vlan: &VlanMatch, index: SwIfIndex) {
        if vlan.default {
            self.default = Some(index);
        } else if vlan.tags == 0 {
            self.untagged = Some(index);
        } else {
            let outer = if vlan.outer_any {
                Id::Any
            } else {
                Id::Is(vlan.outer_id)
            };
            let inner = match (vlan.tags, vlan.inner_any) {
                (1, _) => Inner::Unnamed,
                (_, true) => Inner::Any,
                (_, false) => Inner::Is(vlan.inner_id),
            };
            let owner = Owner {
                index,
                exact: vlan.exact,
            };
            self.tagged.insert(
                Key {
                    dot1ad: vlan.dot1ad,
                    outer,
                    inner,
                },
                owner,
            );
        }
    }

    /// The interface of an untagged frame: a sub-interface made for those, else the device's own.
    #[inline]
    #[must_use]
    pub fn untagged(&self, own: SwIfIndex) -> SwIfIndex {
        self.untagged.unwrap_or(own)
    }

    /// The sub-interface of a tagged frame: the match that names most of it, an exact one only when the
    /// frame has no further tag; else the default one.
    #[must_use]
    pub fn tagged(&self, tags: Tags) -> Option<SwIfIndex> {
        let key = |outer, inner| Key {
            dot1ad: tags.dot1ad,
            outer,
            inner,
        };
        let fits = |key: &Key, named: u8| {
            let owner = self.tagged.get(key)?;
            (!owner.exact || named == tags.count).then_some(owner.index)
        };
        let (outer, inner) = (Id::Is(tags.outer), Inner::Is(tags.inner));
        let two = || {
            fits(&key(outer, inner), 2)
                .or_else(|| fits(&key(outer, Inner::Any), 2))
                .or_else(|| fits(&key(Id::Any, inner), 2))
                .or_else(|| fits(&key(Id::Any, Inner::Any), 2))
        };
        (if tags.count >= 2 { two() } else { None })
            .or_else(|| fits(&key(outer, Inner::Unnamed), 1))
            .or_else(|| fits(&key(Id::Any, Inner::Unnamed), 1))
            .or(self.default)
    }

    /// Whether any sub-interface takes tagged frames.
    #[must_use]
    pub fn has_tagged(&self) -> bool {
        self.default.is_some() || !self.tagged.is_empty()
    }
}

/// The ports of all devices by the `sw_if_index` of the device; cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug, Default)]
pub struct Ports(Arc<ArcSwap<PortList>>);

/// One published state of all ports.
pub type PortList = Vec<Option<Arc<Port>>>;

impl Ports {
    /// The state now; nodes keep it for a vector.
    #[inline]
    #[must_use]
    pub fn load(&self) -> arc_swap::Guard<Arc<PortList>> {
        self.0.load()
    }

    /// Publishes a port, or that it is gone. Main thread only, by convention.
    pub fn set(&self, index: SwIfIndex, port: Option<Port>) {
        let mut list = PortList::clone(&self.0.load());
        if list.len() <= index.slot() {
            list.resize(index.slot() + 1, None);
        }
        list[index.slot()] = port.map(Arc::new);
        self.0.store(Arc::new(list));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SwIfIndex = SwIfIndex(1);
    const TWO: SwIfIndex = SwIfIndex(2);

    fn dot1q(outer_id: u16, exact: bool) -> VlanMatch {
        VlanMatch {
            tags: 1,
            outer_id,
            exact,
            ..VlanMatch::default()
        }
    }

    fn tags(outer: u16, inner: Option<u16>) -> Tags {
        let (count, inner) = inner.map_or((1, 0), |id| (2, id));
        Tags {
            count,
            dot1ad: false,
            outer,
            inner,
        }
    }

    #[test]
    fn an_exact_match_refuses_a_further_tag() {
        let mut port = Port::default();
        port.add(&dot1q(100, true), ONE);
        assert_eq!(port.tagged(tags(100, None)), Some(ONE));
        assert_eq!(port.tagged(tags(100, Some(7))), None);
        assert_eq!(port.tagged(tags(101, None)), None);
    }

    #[test]
    fn the_match_that_names_most_wins() {
        let mut port = Port::default();
        port.add(&dot1q(100, false), ONE);
        port.add(
            &VlanMatch {
                tags: 2,
                inner_id: 7,
                ..dot1q(100, true)
            },
            TWO,
        );
        assert_eq!(port.tagged(tags(100, Some(7))), Some(TWO));
        assert_eq!(port.tagged(tags(100, Some(8))), Some(ONE));
    }

    #[test]
    fn any_inner_tag_matches_two_tags_only() {
        let mut port = Port::default();
        port.add(
            &VlanMatch {
                tags: 2,
                inner_any: true,
                ..dot1q(100, true)
            },
            ONE,
        );
        assert_eq!(port.tagged(tags(100, Some(9))), Some(ONE));
        assert_eq!(port.tagged(tags(100, None)), None);
    }

    #[test]
    fn the_default_takes_what_nobody_else_takes() {
        let mut port = Port::default();
        port.add(
            &VlanMatch {
                default: true,
                ..VlanMatch::default()
            },
            TWO,
        );
        port.add(&dot1q(100, true), ONE);
        assert_eq!(port.tagged(tags(5, Some(6))), Some(TWO));
        assert_eq!(port.tagged(tags(100, None)), Some(ONE));
        assert_eq!(port.untagged(SwIfIndex(9)), SwIfIndex(9));
    }

    #[test]
    fn service_tags_and_customer_tags_are_different_worlds() {
        let mut port = Port::default();
        port.add(
            &VlanMatch {
                dot1ad: true,
                ..dot1q(100, true)
            },
            ONE,
        );
        assert_eq!(port.tagged(tags(100, None)), None);
        assert_eq!(
            port.tagged(Tags {
                dot1ad: true,
                ..tags(100, None)
            }),
            Some(ONE)
        );
    }
}
