//! The addresses that a device answers to. VPP answers UNIMPLEMENTED (-9) where it cannot change them.

use super::{Served, existing, numbered, serve};
use crate::interface::{InterfaceError, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::ethernet_types::MacAddress;
use barrow_messages::interface::{
    SwInterfaceAddDelMacAddress, SwInterfaceAddDelMacAddressReply, SwInterfaceGetMacAddress,
    SwInterfaceGetMacAddressReply, SwInterfaceSetMacAddress, SwInterfaceSetMacAddressReply,
};

pub(super) fn register(api: &mut ApiRegistry, served: &Served) -> Result<(), ApiRegisterError> {
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceSetMacAddress| {
            let hw = interfaces.device_of(request.sw_if_index.into());
            hw.and_then(|hw| interfaces.set_mac(hw, request.mac_address))
                .map_err(numbered(ApiError::UNIMPLEMENTED))?;
            Ok(SwInterfaceSetMacAddressReply::default())
        },
    )?;
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceGetMacAddress| {
            let index = existing(interfaces, request.sw_if_index)?;
            let mac_address = interfaces
                .hw_of(index)
                .map_or(MacAddress::default(), |hw| hw.mac);
            Ok(SwInterfaceGetMacAddressReply {
                retval: 0,
                mac_address,
            })
        },
    )?;
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceAddDelMacAddress| {
            let hw = interfaces
                .hw_of(SwIfIndex(request.sw_if_index))
                .map(|hw| hw.index);
            let hw = hw.ok_or(InterfaceError::NoSuchInterface)?;
            interfaces
                .add_del_mac(hw, request.addr, request.is_add != 0)
                .map_err(numbered(ApiError::UNIMPLEMENTED))?;
            Ok(SwInterfaceAddDelMacAddressReply::default())
        },
    )
}
