//! Addresses of interfaces, their tables, and who borrows from whom.

use super::convert::{address4, only_ip4};
use super::{IpApi, number};
use crate::interface::SwIfIndex;
use crate::ip::InterfaceAddress;
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::interface::{
    SwInterfaceAddDelAddress, SwInterfaceAddDelAddressReply, SwInterfaceAddressReplaceBegin,
    SwInterfaceAddressReplaceBeginReply, SwInterfaceAddressReplaceEnd,
    SwInterfaceAddressReplaceEndReply, SwInterfaceGetTable, SwInterfaceGetTableReply,
    SwInterfaceSetIpDirectedBroadcast, SwInterfaceSetIpDirectedBroadcastReply, SwInterfaceSetTable,
    SwInterfaceSetTableReply, SwInterfaceSetUnnumbered, SwInterfaceSetUnnumberedReply,
};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip::{
    IpAddressDetails, IpAddressDump, IpDetails, IpDump, IpUnnumberedDetails, IpUnnumberedDump,
    SwInterfaceIp4EnableDisable, SwInterfaceIp4EnableDisableReply,
};
use barrow_messages::ip_types::AddressWithPrefix;

pub(super) fn register(ip: &IpApi, api: &mut ApiRegistry) -> Result<(), ApiRegisterError> {
    ip.on::<SwInterfaceAddDelAddress>(api, add_del)?;
    ip.on::<SwInterfaceAddressReplaceBegin>(api, |ip, _| {
        ip.addresses.replace_begin();
        Ok(SwInterfaceAddressReplaceBeginReply::default())
    })?;
    ip.on::<SwInterfaceAddressReplaceEnd>(api, |ip, _| {
        ip.addresses.replace_end()?;
        Ok(SwInterfaceAddressReplaceEndReply::default())
    })?;
    ip.on::<SwInterfaceSetTable>(api, |ip, message| {
        let index = ip.interface(message.sw_if_index.0)?;
        only_ip4(message.is_ipv6)?;
        ip.addresses.set_table(index, ip.table(message.vrf_id)?)?;
        Ok(SwInterfaceSetTableReply::default())
    })?;
    ip.on::<SwInterfaceGetTable>(api, |ip, message| {
        let found = table_of(ip, &message);
        Ok(SwInterfaceGetTableReply {
            retval: found.err().map_or(0, |error| error.0),
            vrf_id: found.unwrap_or(u32::MAX),
        })
    })?;
    ip.on::<SwInterfaceSetUnnumbered>(api, set_unnumbered)?;
    ip.on::<SwInterfaceIp4EnableDisable>(api, |ip, message| {
        let index = ip.interface(message.sw_if_index.0)?;
        ip.addresses.want(index, message.enable)?;
        Ok(SwInterfaceIp4EnableDisableReply::default())
    })?;
    ip.on::<SwInterfaceSetIpDirectedBroadcast>(api, |ip, message| {
        let index = ip.interface(message.sw_if_index.0)?;
        ip.fib
            .set_directed_broadcast(index, message.enable)
            .map_err(number)?;
        Ok(SwInterfaceSetIpDirectedBroadcastReply::default())
    })?;
    dumps(ip, api)
}

fn add_del(
    ip: &IpApi,
    message: SwInterfaceAddDelAddress,
) -> Result<SwInterfaceAddDelAddressReply, ApiError> {
    let index = ip.interface(message.sw_if_index.0)?;
    if message.del_all {
        ip.addresses.remove_all(index)?;
    } else {
        let address = InterfaceAddress {
            address: address4(message.prefix.address)?,
            len: message.prefix.len,
        };
        if message.is_add {
            ip.addresses.add(index, address)?;
        } else {
            ip.addresses.remove(index, address)?;
        }
    }
    Ok(SwInterfaceAddDelAddressReply::default())
}

fn table_of(ip: &IpApi, message: &SwInterfaceGetTable) -> Result<u32, ApiError> {
    let index = ip.interface(message.sw_if_index.0)?;
    only_ip4(message.is_ipv6)?;
    let table = ip.addresses.table_of(index)?;
    let table = ip.fib.table(table).ok_or(ApiError::NO_SUCH_FIB)?;
    Ok(table.id)
}

/// The names of the fields are the other way round: `unnumbered_sw_if_index` borrows from `sw_if_index`.
fn set_unnumbered(
    ip: &IpApi,
    message: SwInterfaceSetUnnumbered,
) -> Result<SwInterfaceSetUnnumberedReply, ApiError> {
    let index = ip.interface(message.unnumbered_sw_if_index.0)?;
    let lender = message.is_add.then_some(SwIfIndex(message.sw_if_index.0));
    ip.addresses.set_unnumbered(index, lender)?;
    Ok(SwInterfaceSetUnnumberedReply::default())
}

fn dumps(ip: &IpApi, api: &mut ApiRegistry) -> Result<(), ApiRegisterError> {
    let own = ip.clone();
    api.dump::<IpAddressDump, _>(move |_, message| {
        let own = own.clone();
        let index = SwIfIndex(message.sw_if_index.0);
        let mut last = None;
        move || {
            if message.is_ipv6 {
                return None;
            }
            let (serial, address) = own.addresses.next(index, last)?;
            last = Some(serial);
            Some(IpAddressDetails {
                sw_if_index: InterfaceIndex(index.0),
                prefix: AddressWithPrefix {
                    address: address.address.into(),
                    len: address.len,
                },
            })
        }
    })?;
    let own = ip.clone();
    api.dump::<IpUnnumberedDump, _>(move |_, message| {
        let own = own.clone();
        let wanted = SwIfIndex(message.sw_if_index.0);
        let mut cursor = if wanted.is_none() { 0 } else { wanted.0 };
        move || loop {
            let index = own.interfaces.next_index(cursor)?;
            if !wanted.is_none() && index != wanted {
                return None;
            }
            cursor = index.0.checked_add(1)?;
            let lender = own.interfaces.sw(index).and_then(|sw| sw.unnumbered);
            if let Some(lender) = lender {
                return Some(IpUnnumberedDetails {
                    sw_if_index: InterfaceIndex(index.0),
                    ip_sw_if_index: InterfaceIndex(lender.0),
                });
            }
        }
    })?;
    let own = ip.clone();
    api.dump::<IpDump, _>(move |_, message| {
        let own = own.clone();
        let mut cursor = 0;
        move || loop {
            let index = own.interfaces.next_index(cursor)?;
            cursor = index.0.checked_add(1)?;
            let borrows = own
                .interfaces
                .sw(index)
                .is_some_and(|sw| sw.unnumbered.is_some());
            if !borrows {
                return Some(IpDetails {
                    sw_if_index: InterfaceIndex(index.0),
                    is_ipv6: message.is_ipv6,
                });
            }
        }
    })
}
