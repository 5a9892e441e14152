//! Sub-interfaces: `create_subif`, `create_vlan_subif`, `delete_subif`.

use super::{Refusal, Served, existing, numbered, serve};
use crate::interface::{InterfaceError, Interfaces, SubInterface, SwIfIndex, VlanMatch};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::interface::{
    CreateSubif, CreateSubifReply, CreateVlanSubif, CreateVlanSubifReply, DeleteSubif,
    DeleteSubifReply,
};
use barrow_messages::interface_types::{InterfaceIndex, SubIfFlags};

const NO_TAGS: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_NO_TAGS;
const ONE_TAG: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_ONE_TAG;
const TWO_TAGS: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_TWO_TAGS;
const DOT1AD: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_DOT1AD;
const EXACT: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_EXACT_MATCH;
const DEFAULT: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_DEFAULT;
const OUTER_ANY: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_OUTER_VLAN_ID_ANY;
const INNER_ANY: SubIfFlags = SubIfFlags::SUB_IF_API_FLAG_INNER_VLAN_ID_ANY;

pub(super) fn register(api: &mut ApiRegistry, served: &Served) -> Result<(), ApiRegisterError> {
    serve(api, served, |interfaces, request: &CreateSubif| {
        let (retval, sw_if_index) = told(create(interfaces, request));
        Ok(CreateSubifReply {
            retval,
            sw_if_index,
        })
    })?;
    serve(api, served, |interfaces, request: &CreateVlanSubif| {
        let (retval, sw_if_index) = told(create_vlan(interfaces, request));
        Ok(CreateVlanSubifReply {
            retval,
            sw_if_index,
        })
    })?;
    serve(api, served, |interfaces, request: &DeleteSubif| {
        interfaces.delete_sub(request.sw_if_index.into())?;
        Ok(DeleteSubifReply::default())
    })
}

/// Return value and index of a reply: an error has the index ~0.
fn told(result: Result<SwIfIndex, Refusal>) -> (i32, InterfaceIndex) {
    match result {
        Ok(index) => (0, index.into()),
        Err(refusal) => (refusal.number.0, SwIfIndex::NONE.into()),
    }
}

/// VPP tells only an id in use apart (`vnet_create_sub_interface`).
fn create(interfaces: &Interfaces, request: &CreateSubif) -> Result<SwIfIndex, Refusal> {
    let parent = existing(interfaces, request.sw_if_index)?;
    let flags = request.sub_if_flags;
    let vlan = match_of(flags, request.outer_vlan_id, request.inner_vlan_id)
        .map_err(numbered(ApiError::UNSPECIFIED))?;
    let sub = SubInterface {
        parent,
        id: request.sub_id,
        vlan,
    };
    let made = interfaces.create_sub(sub);
    made.map_err(|error| match error {
        InterfaceError::SubInterfaceExists => error.into(),
        _ => numbered(ApiError::UNSPECIFIED)(error),
    })
}

/// The parent of a sub-interface of a sub-interface is the device beneath.
fn create_vlan(interfaces: &Interfaces, request: &CreateVlanSubif) -> Result<SwIfIndex, Refusal> {
    let asked = existing(interfaces, request.sw_if_index)?;
    let parent = interfaces.hw_of(asked).map_or(asked, |hw| hw.sw);
    let id = u16::try_from(request.vlan_id).ok();
    let vlan_id = id.filter(|id| (1..=VlanMatch::LAST_ID).contains(id));
    let vlan_id = vlan_id.ok_or(ApiError::INVALID_VLAN)?;
    let sub = SubInterface {
        parent,
        id: request.vlan_id,
        vlan: VlanMatch::dot1q(vlan_id),
    };
    let made = interfaces.create_sub(sub);
    made.map_err(|error| match error {
        InterfaceError::SubInterfaceExists => error.into(),
        _ => numbered(ApiError::INVALID_REGISTRATION)(error),
    })
}

/// The match that flags and ids of a message stand for.
fn match_of(flags: SubIfFlags, outer_id: u16, inner_id: u16) -> Result<VlanMatch, InterfaceError> {
    let tags = if flags.intersects(DEFAULT | NO_TAGS) {
        0
    } else if flags.contains(ONE_TAG) {
        1
    } else if flags.contains(TWO_TAGS) {
        2
    } else {
        return Err(InterfaceError::InvalidValue("number of tags"));
    };
    let vlan = VlanMatch {
        tags,
        dot1ad: tags > 0 && flags.contains(DOT1AD),
        exact: flags.contains(EXACT),
        outer_id: if tags > 0 { outer_id } else { 0 },
        outer_any: tags > 0 && flags.contains(OUTER_ANY),
        inner_id: if tags > 1 { inner_id } else { 0 },
        inner_any: tags > 1 && flags.contains(INNER_ANY),
        default: flags.contains(DEFAULT),
    };
    vlan.check()?;
    Ok(vlan)
}

/// The flags that a match is told by.
pub(super) fn flags_of(vlan: &VlanMatch) -> SubIfFlags {
    let tags = match vlan.tags {
        _ if vlan.default => DEFAULT,
        0 => NO_TAGS,
        1 => ONE_TAG,
        _ => TWO_TAGS,
    };
    let mut flags = tags;
    flags.set(DOT1AD, vlan.dot1ad);
    flags.set(EXACT, vlan.exact);
    flags.set(OUTER_ANY, vlan.outer_any);
    flags.set(INNER_ANY, vlan.inner_any);
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_say_what_the_match_says_and_back() {
        let cases = [
            DEFAULT,
            NO_TAGS | EXACT,
            ONE_TAG | EXACT,
            ONE_TAG | OUTER_ANY | DOT1AD,
            TWO_TAGS | EXACT | DOT1AD,
            TWO_TAGS | INNER_ANY,
            TWO_TAGS | OUTER_ANY | INNER_ANY,
        ];
        for flags in cases {
            let vlan = match_of(flags, 10, 20).unwrap();
            assert_eq!(flags_of(&vlan), flags, "{flags:?}");
        }
    }

    #[test]
    fn a_match_that_means_nothing_is_refused() {
        let refused = |flags, outer, inner| match_of(flags, outer, inner).is_err();
        assert!(refused(SubIfFlags::EMPTY, 0, 0));
        assert!(refused(EXACT, 1, 1));
        assert!(refused(ONE_TAG, 4096, 0));
        assert!(refused(TWO_TAGS, 1, 4096));
        assert!(refused(TWO_TAGS | EXACT | INNER_ANY, 1, 0));
    }
}
