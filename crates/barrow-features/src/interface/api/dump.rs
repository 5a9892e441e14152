//! `sw_interface_dump`.

use super::Served;
use crate::interface::{Framing, Interfaces, SubInterface, SwIfIndex, VlanMatch};
use barrow_engine::api::{ApiRegisterError, ApiRegistry};
use barrow_messages::interface::{SwInterfaceDetails, SwInterfaceDump};
use barrow_messages::interface_types::{IfStatusFlags, IfType, SubIfFlags};
use barrow_wire::FixedString;

pub(super) fn register(api: &mut ApiRegistry, served: &Served) -> Result<(), ApiRegisterError> {
    let interfaces = served.interfaces.clone();
    api.dump(move |_, request: SwInterfaceDump| {
        let interfaces = interfaces.clone();
        let wanted = Wanted::from(&request);
        let mut from = wanted.first();
        move || {
            while let Some(index) = interfaces.next_index(from?) {
                from = index.0.checked_add(1);
                if wanted.includes(&interfaces, index) {
                    return details(&interfaces, index);
                }
            }
            None
        }
    })
}

/// Which interfaces a dump asks for.
enum Wanted {
    All,
    One(SwIfIndex),
    /// Those whose name holds this text, case ignored.
    Named(Vec<u8>),
}

impl From<&SwInterfaceDump> for Wanted {
    /// A filter is taken at its word, else the index: 0 and ~0 stand for all, since `local0` is of no use.
    fn from(request: &SwInterfaceDump) -> Self {
        if request.name_filter_valid {
            let filter = request.name_filter.as_bytes();
            let end = filter.iter().position(|byte| *byte == 0);
            let text = &filter[..end.unwrap_or(filter.len())];
            return Self::Named(text.to_ascii_lowercase());
        }
        match SwIfIndex::from(request.sw_if_index) {
            SwIfIndex::LOCAL0 | SwIfIndex::NONE => Self::All,
            index => Self::One(index),
        }
    }
}

impl Wanted {
    fn first(&self) -> Option<u32> {
        match self {
            Self::One(index) => Some(index.0),
            Self::All | Self::Named(_) => Some(0),
        }
    }

    fn includes(&self, interfaces: &Interfaces, index: SwIfIndex) -> bool {
        match self {
            Self::All => true,
            Self::One(wanted) => index == *wanted,
            Self::Named(text) => interfaces.name(index).is_some_and(|name| {
                let name = name.to_ascii_lowercase().into_bytes();
                text.is_empty() || name.windows(text.len()).any(|part| part == text)
            }),
        }
    }
}

/// What clients are told of an interface; nothing when it is gone.
fn details(interfaces: &Interfaces, index: SwIfIndex) -> Option<SwInterfaceDetails> {
    let sw = interfaces.sw(index)?;
    let hw = interfaces.hw_of(index)?;
    let mut flags = IfStatusFlags::EMPTY;
    flags.set(IfStatusFlags::IF_STATUS_API_FLAG_ADMIN_UP, sw.admin_up);
    flags.set(IfStatusFlags::IF_STATUS_API_FLAG_LINK_UP, hw.link_up);
    let mut details = SwInterfaceDetails {
        sw_if_index: index.into(),
        sup_sw_if_index: sw.sub.map_or(index, |sub| sub.parent).0,
        flags,
        r#type: IfType::IF_API_TYPE_HARDWARE,
        link_speed: hw.link_speed,
        link_mtu: u16::try_from(hw.mtu).unwrap_or(u16::MAX),
        mtu: [sw.mtu.l3, sw.mtu.ip4, sw.mtu.ip6, sw.mtu.mpls],
        interface_name: FixedString::truncated(&sw.name),
        interface_dev_type: FixedString::truncated(hw.device.class()),
        tag: FixedString::truncated(&sw.tag),
        ..SwInterfaceDetails::default()
    };
    match sw.sub {
        Some(sub) => describe_sub(&mut details, sub),
        None if hw.framing == Framing::Ethernet => details.l2_address = hw.mac,
        None => {}
    }
    Some(details)
}

fn describe_sub(details: &mut SwInterfaceDetails, sub: SubInterface) {
    let VlanMatch {
        tags,
        outer_id,
        inner_id,
        ..
    } = sub.vlan;
    details.r#type = IfType::IF_API_TYPE_SUB;
    details.sub_id = sub.id;
    details.sub_number_of_tags = tags;
    details.sub_outer_vlan_id = outer_id;
    details.sub_inner_vlan_id = inner_id;
    // VPP leaves `NO_TAGS` out.
    let shown = SubIfFlags::SUB_IF_API_FLAG_MASK_VNET.0;
    details.sub_if_flags = SubIfFlags(super::sub::flags_of(&sub.vlan).0 & shown);
}
