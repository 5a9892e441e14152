//! Flags, MTUs, names, tags, counters.

use super::{Refusal, Served, existing, numbered, serve};
use crate::interface::{InterfaceError, Mtu, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::interface::{
    CollectDetailedInterfaceStats, CollectDetailedInterfaceStatsReply, HwInterfaceSetMtu,
    HwInterfaceSetMtuReply, InterfaceNameRenumber, InterfaceNameRenumberReply,
    SwInterfaceClearStats, SwInterfaceClearStatsReply, SwInterfaceSetFlags,
    SwInterfaceSetFlagsReply, SwInterfaceSetInterfaceName, SwInterfaceSetInterfaceNameReply,
    SwInterfaceSetMtu, SwInterfaceSetMtuReply, SwInterfaceSetPromisc, SwInterfaceSetPromiscReply,
    SwInterfaceTagAddDel, SwInterfaceTagAddDelReply,
};
use barrow_messages::interface_types::IfStatusFlags;

pub(super) fn register(api: &mut ApiRegistry, served: &Served) -> Result<(), ApiRegisterError> {
    serve(api, served, |interfaces, request: &SwInterfaceSetFlags| {
        let up = IfStatusFlags::IF_STATUS_API_FLAG_ADMIN_UP;
        let up = request.flags.contains(up);
        let set = interfaces.set_admin(request.sw_if_index.into(), up);
        set.map_err(numbered(ApiError::UNSPECIFIED))?;
        Ok(SwInterfaceSetFlagsReply::default())
    })?;
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceSetPromisc| {
            let hw = interfaces
                .device_of(request.sw_if_index.into())
                .map_err(numbered(ApiError::INVALID_VALUE))?;
            interfaces
                .set_promiscuous(hw, request.promisc_on)
                .map_err(|error| match error {
                    InterfaceError::NotEthernet => numbered(ApiError::INVALID_VALUE)(error),
                    // A device that cannot do it answers ~0 in VPP (`ethernet_set_flags`).
                    InterfaceError::Unsupported => numbered(ApiError::UNSPECIFIED)(error),
                    _ => error.into(),
                })?;
            Ok(SwInterfaceSetPromiscReply::default())
        },
    )?;
    serve(api, served, |interfaces, request: &HwInterfaceSetMtu| {
        let hw = interfaces
            .device_of(request.sw_if_index.into())
            .map_err(numbered(ApiError::INVALID_VALUE))?;
        if !interfaces.is_ethernet(hw) {
            return Err(numbered(ApiError::FEATURE_DISABLED)(
                InterfaceError::NotEthernet,
            ));
        }
        interfaces.set_hw_mtu(hw, request.mtu.into())?;
        Ok(HwInterfaceSetMtuReply::default())
    })?;
    serve(api, served, |interfaces, request: &SwInterfaceSetMtu| {
        let [l3, ip4, ip6, mpls] = request.mtu;
        let mtu = Mtu { l3, ip4, ip6, mpls };
        interfaces.set_mtu(request.sw_if_index.into(), mtu)?;
        Ok(SwInterfaceSetMtuReply::default())
    })?;
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceSetInterfaceName| {
            let index = existing(interfaces, request.sw_if_index)?;
            let name = request.name.to_string_lossy();
            let set = interfaces.set_name(index, &name);
            set.map_err(|error| match error {
                InterfaceError::WrongKind => numbered(ApiError::INVALID_VALUE)(error),
                _ => error.into(),
            })?;
            Ok(SwInterfaceSetInterfaceNameReply::default())
        },
    )?;
    serve(
        api,
        served,
        |interfaces, request: &InterfaceNameRenumber| {
            let index = existing(interfaces, request.sw_if_index)?;
            let hw = interfaces.hw_of(index).map(|hw| hw.index);
            let hw = hw.ok_or(InterfaceError::NoSuchInterface)?;
            interfaces
                .renumber(hw, request.new_show_dev_instance)
                .map_err(|error| match error {
                    InterfaceError::Unsupported => numbered(ApiError::UNIMPLEMENTED)(error),
                    _ => error.into(),
                })?;
            Ok(InterfaceNameRenumberReply::default())
        },
    )?;
    serve(api, served, |interfaces, request: &SwInterfaceTagAddDel| {
        let index = existing(interfaces, request.sw_if_index)?;
        let tag = request.tag.to_string_lossy();
        match (request.is_add, tag.is_empty()) {
            (true, true) => return Err(ApiError::INVALID_VALUE.into()),
            (true, false) => interfaces.set_tag(index, &tag)?,
            (false, _) => interfaces.set_tag(index, "")?,
        }
        Ok(SwInterfaceTagAddDelReply::default())
    })?;
    let counters = served.counters.clone();
    serve(
        api,
        served,
        move |interfaces, request: &SwInterfaceClearStats| {
            match SwIfIndex::from(request.sw_if_index) {
                SwIfIndex::NONE => counters.clear_all(),
                _ => counters.clear(existing(interfaces, request.sw_if_index)?),
            }
            Ok(SwInterfaceClearStatsReply::default())
        },
    )?;
    serve(
        api,
        served,
        |interfaces, request: &CollectDetailedInterfaceStats| {
            let index = request.sw_if_index.into();
            let set = interfaces.set_detailed_stats(index, request.enable_disable);
            set.map_err(detailed_stats)?;
            Ok(CollectDetailedInterfaceStatsReply::default())
        },
    )
}

/// The numbers of `vnet_sw_interface_stats_collect_enable_disable` (`vpp:src/vnet/interface_stats.c`).
fn detailed_stats(error: InterfaceError) -> Refusal {
    match error {
        InterfaceError::WrongKind => numbered(ApiError::INVALID_VALUE)(error),
        InterfaceError::NotEthernet => numbered(ApiError::FEATURE_DISABLED)(error),
        _ => error.into(),
    }
}
