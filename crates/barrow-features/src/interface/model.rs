//! What the main thread knows of an interface.

use super::{Capabilities, Device, HwIfIndex, InterfaceError, RxMode, SwIfIndex};
use barrow_engine::NodeId;
use barrow_messages::ethernet_types::MacAddress;
use std::fmt;

/// What packets look like on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// Ethernet frames.
    Ethernet,
    /// Bare IPv4 packets.
    Ip4,
    /// Bare IPv6 packets.
    Ip6,
}

/// The largest packets an interface sends, in bytes; 0 in a protocol's field means "as layer 3", 0 in
/// that of layer 3 "as the parent interface".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mtu {
    /// Any layer-3 protocol.
    pub l3: u32,
    /// IPv4.
    pub ip4: u32,
    /// IPv6.
    pub ip6: u32,
    /// MPLS.
    pub mpls: u32,
}

impl Mtu {
    /// The largest IPv4 packet; 0 when nothing is set.
    #[must_use]
    pub const fn for_ip4(&self) -> u32 {
        if self.ip4 == 0 { self.l3 } else { self.ip4 }
    }

    /// The largest IPv6 packet; 0 when nothing is set.
    #[must_use]
    pub const fn for_ip6(&self) -> u32 {
        if self.ip6 == 0 { self.l3 } else { self.ip6 }
    }
}

/// Which frames of the parent belong to a sub-interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct VlanMatch {
    /// Number of tags: 0, 1 or 2.
    pub tags: u8,
    /// The outer tag is 802.1ad (0x88a8) rather than 802.1Q.
    pub dot1ad: bool,
    /// Further tags behind the matched ones are not allowed (needed for IP).
    pub exact: bool,
    /// Outer VLAN id; unused when `outer_any`.
    pub outer_id: u16,
    /// Any outer VLAN id.
    pub outer_any: bool,
    /// Inner VLAN id; unused when `inner_any`.
    pub inner_id: u16,
    /// Any inner VLAN id.
    pub inner_any: bool,
    /// Takes whatever no other sub-interface takes.
    pub default: bool,
}

impl VlanMatch {
    /// One tag with this id and no further one: what `create_vlan_subif` makes.
    #[must_use]
    pub const fn dot1q(id: u16) -> Self {
        Self {
            tags: 1,
            dot1ad: false,
            exact: true,
            outer_id: id,
            outer_any: false,
            inner_id: 0,
            inner_any: false,
            default: false,
        }
    }

    /// The largest VLAN id.
    pub const LAST_ID: u16 = 4095;

    /// Checks that the match means something.
    ///
    /// # Errors
    /// [`InvalidValue`](InterfaceError::InvalidValue) for an id beyond 4095, or, as in VPP
    /// (`vnet_create_sw_interface`), for any id among exactly two tags: the other way there is no saying
    /// which.
    pub fn check(&self) -> Result<(), InterfaceError> {
        if self.outer_id > Self::LAST_ID || self.inner_id > Self::LAST_ID {
            return Err(InterfaceError::InvalidValue("vlan id"));
        }
        if self.tags > 1 && self.exact && (self.outer_any || self.inner_any) {
            return Err(InterfaceError::InvalidValue(
                "match: inner-dot1q any exact-match is unsupported",
            ));
        }
        Ok(())
    }

    /// Whether both name the same frames, exactness aside.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    fn key(&self) -> (bool, u8, bool, Option<u16>, Option<u16>) {
        if self.default {
            return (true, 0, false, None, None);
        }
        let outer = (self.tags > 0 && !self.outer_any).then_some(self.outer_id);
        let inner = (self.tags > 1 && !self.inner_any).then_some(self.inner_id);
        (false, self.tags, self.tags > 0 && self.dot1ad, outer, inner)
    }
}

/// As `create sub-interfaces` takes it.
impl fmt::Display for VlanMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.default {
            return f.write_str("default");
        }
        if self.tags == 0 {
            return f.write_str("untagged");
        }
        let id = |any: bool, id: u16| {
            if any {
                "any".to_owned()
            } else {
                id.to_string()
            }
        };
        let kind = if self.dot1ad { "dot1ad" } else { "dot1q" };
        write!(f, "{kind} {}", id(self.outer_any, self.outer_id))?;
        if self.tags > 1 {
            write!(f, " inner-dot1q {}", id(self.inner_any, self.inner_id))?;
        }
        f.write_str(if self.exact { " exact-match" } else { "" })
    }
}

/// A sub-interface's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubInterface {
    /// The interface it belongs to.
    pub parent: SwIfIndex,
    /// The number behind the dot in its name.
    pub id: u32,
    /// The frames that are its own.
    pub vlan: VlanMatch,
}

/// One receive queue of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RxPlacement {
    /// The thread that serves it (0 is the main thread).
    pub thread: usize,
    /// How it is served.
    pub mode: RxMode,
    /// The input node that reads it.
    pub node: NodeId,
}

impl SwInterface {
    /// Its state as listings show it (`format_vnet_sw_interface_flags` in
    /// `vpp:src/vnet/interface_format.c`).
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match (self.admin_up, self.punt) {
            (true, false) => "up",
            (true, true) => "up/punt",
            (false, false) => "down",
            (false, true) => "down/punt",
        }
    }
}

/// A software interface: what routes, addresses and features refer to.
#[derive(Clone, Debug)]
pub struct SwInterface {
    /// Its index.
    pub index: SwIfIndex,
    /// The device beneath, its own or its parent's.
    pub hw: HwIfIndex,
    /// Its name: the device's, or `PARENT.ID`.
    pub name: String,
    /// Set for a sub-interface.
    pub sub: Option<SubInterface>,
    /// Up, as configured.
    pub admin_up: bool,
    /// Shown as `/punt` beside its state; without effect on packets, as in VPP 26.06.
    pub punt: bool,
    /// Largest packets.
    pub mtu: Mtu,
    /// A text for clients.
    pub tag: String,
    /// Packets are counted by kind of destination, too.
    pub detailed_stats: bool,
    /// IPv4 FIB that its packets are looked up in (an index, not a table id).
    pub ip4_fib_index: u32,
    /// IPv4 is accepted: it has an address or borrows one.
    pub ip4_enabled: bool,
    /// The interface whose addresses it borrows.
    pub unnumbered: Option<SwIfIndex>,
}

/// What a device was made with, by which is told what was changed since.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MadeWith {
    /// Largest layer-3 payload of a frame, in bytes.
    pub mtu: u32,
    /// Where its receive queues were served.
    pub rx: Vec<RxPlacement>,
    /// Which threads used each transmit queue.
    pub tx: Vec<Vec<usize>>,
}

/// A hardware interface: a device with its queues.
pub struct HwInterface {
    /// Its index.
    pub index: HwIfIndex,
    /// The software interface above.
    pub sw: SwIfIndex,
    /// Its name.
    pub name: String,
    /// The name it was made with, which its nodes keep.
    pub device_name: String,
    /// What else it was made with.
    pub made: MadeWith,
    /// What its packets look like.
    pub framing: Framing,
    /// The address it answers to; zero unless Ethernet.
    pub mac: MacAddress,
    /// Further addresses it answers to.
    pub secondary_macs: Vec<MacAddress>,
    /// The link is up.
    pub link_up: bool,
    /// Link speed in kbit/s; 0 when unknown.
    pub link_speed: u32,
    /// Largest layer-3 payload of a frame, in bytes.
    pub mtu: u32,
    /// Frames for any address are received.
    pub promiscuous: bool,
    /// What the device can do.
    pub capabilities: Capabilities,
    /// Where its receive queues are served.
    pub rx: Vec<RxPlacement>,
    /// Which threads use each transmit queue.
    pub tx: Vec<Vec<usize>>,
    /// `NAME-output`: where packets to this interface are sent.
    pub output_node: NodeId,
    /// `NAME-tx`: the device.
    pub tx_node: NodeId,
    /// The device.
    pub device: Box<dyn Device>,
}

impl fmt::Debug for HwInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HwInterface")
            .field("index", &self.index)
            .field("name", &self.name)
            .field("class", &self.device.class())
            .finish_non_exhaustive()
    }
}
