//! The messages of module `arp` (`vpp:src/vnet/arp/arp_api.c`).

use super::control::ProxyArp;
use super::proxy::ProxyRange;
use crate::fib::{AddressFamily, Fib};
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::arp::{
    self as wire, ProxyArpAddDel, ProxyArpAddDelReply, ProxyArpDetails, ProxyArpDump,
    ProxyArpIntfcDetails, ProxyArpIntfcDump, ProxyArpIntfcEnableDisable,
    ProxyArpIntfcEnableDisableReply,
};

/// Registers the messages.
pub(super) fn register(
    api: &mut ApiRegistry,
    proxy: &ProxyArp,
    fib: &Fib,
    interfaces: &Interfaces,
) -> Result<(), ApiRegisterError> {
    let (own, tables) = (proxy.clone(), fib.clone());
    api.request::<ProxyArpAddDel>(move |_, message| {
        let wire::ProxyArp { table_id, low, hi } = message.proxy;
        let table = tables.find_table(AddressFamily::Ip4, table_id);
        let range = ProxyRange {
            table: table.ok_or(ApiError::NO_SUCH_FIB)?,
            low: low.into(),
            high: hi.into(),
        };
        own.set(range, message.is_add)?;
        Ok(ProxyArpAddDelReply::default())
    })?;
    let (own, tables) = (proxy.clone(), fib.clone());
    api.dump::<ProxyArpDump, _>(move |_, _| {
        let (own, tables) = (own.clone(), tables.clone());
        let mut last = None;
        move || {
            let ranges = own.ranges();
            let range = *ranges.iter().find(|range| Some(**range) > last)?;
            last = Some(range);
            Some(ProxyArpDetails {
                proxy: wire::ProxyArp {
                    table_id: tables.table(range.table).map_or(u32::MAX, |table| table.id),
                    low: range.low.into(),
                    hi: range.high.into(),
                },
            })
        }
    })?;
    let (own, known) = (proxy.clone(), interfaces.clone());
    api.request::<ProxyArpIntfcEnableDisable>(move |_, message| {
        let index = SwIfIndex(message.sw_if_index.0);
        if known.sw(index).is_none() {
            return Err(ApiError::INVALID_SW_IF_INDEX);
        }
        own.enable(index, message.enable)?;
        Ok(ProxyArpIntfcEnableDisableReply::default())
    })?;
    let own = proxy.clone();
    api.dump::<ProxyArpIntfcDump, _>(move |_, _| {
        let own = own.clone();
        let mut last = None;
        move || {
            let index = own.next_interface(last)?;
            last = Some(index);
            Some(ProxyArpIntfcDetails {
                sw_if_index: index.0,
            })
        }
    })
}
