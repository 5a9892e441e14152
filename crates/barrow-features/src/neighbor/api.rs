//! The messages of module `ip_neighbor`.
//!
//! Return values are those of `vpp:src/vnet/ip-neighbor/ip_neighbor_api.c`; what asks for IPv6 is answered
//! with INVALID_ADDRESS_FAMILY (-97).

use super::table::{Neighbor, NeighborConfig, NeighborEvent, NeighborKey, Neighbors, Origin};
use super::watchers::Watchers;
use crate::interface::{Interfaces, SwIfIndex};
use crate::ip::api::only_ip4;
use barrow_engine::NodeClock;
use barrow_engine::api::{ApiContext, ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip_neighbor::{
    IpNeighbor, IpNeighborAddDel, IpNeighborAddDelReply, IpNeighborConfig, IpNeighborConfigGet,
    IpNeighborConfigGetReply, IpNeighborConfigReply, IpNeighborDetails, IpNeighborDump,
    IpNeighborEvent, IpNeighborEventFlags, IpNeighborEventV2, IpNeighborFlags, IpNeighborFlush,
    IpNeighborFlushReply, IpNeighborReplaceBegin, IpNeighborReplaceBeginReply,
    IpNeighborReplaceEnd, IpNeighborReplaceEndReply, WantIpNeighborEvents,
    WantIpNeighborEventsReply, WantIpNeighborEventsV2, WantIpNeighborEventsV2Reply,
};
use barrow_messages::ip_types::AddressFamily;
use std::net::IpAddr;
use std::time::Duration;

const STATIC: IpNeighborFlags = IpNeighborFlags::IP_API_NEIGHBOR_FLAG_STATIC;
const NO_FIB_ENTRY: IpNeighborFlags = IpNeighborFlags::IP_API_NEIGHBOR_FLAG_NO_FIB_ENTRY;

/// Registers the messages and has events sent; gives those who get them.
pub(super) fn register(
    api: &mut ApiRegistry,
    neighbors: &Neighbors,
    interfaces: &Interfaces,
    clock: &NodeClock,
) -> Result<Watchers, ApiRegisterError> {
    let (table, known) = (neighbors.clone(), interfaces.clone());
    api.request::<IpNeighborAddDel>(move |_, message| {
        let done = add_del(&table, &known, &message);
        Ok(IpNeighborAddDelReply {
            retval: done.err().map_or(0, |error| error.0),
            stats_index: done.unwrap_or(u32::MAX),
        })
    })?;
    let (table, clock) = (neighbors.clone(), clock.clone());
    api.dump::<IpNeighborDump, _>(move |_, message| dump(&table, &clock, &message))?;
    let (table, known) = (neighbors.clone(), interfaces.clone());
    api.request::<IpNeighborFlush>(move |_, message| {
        let interface = one_or_all(&known, message.sw_if_index)?;
        only_family4(message.af)?;
        table.flush(interface, true)?;
        Ok(IpNeighborFlushReply::default())
    })?;
    let table = neighbors.clone();
    api.request::<IpNeighborReplaceBegin>(move |_, _| {
        table.replace_begin();
        Ok(IpNeighborReplaceBeginReply::default())
    })?;
    let table = neighbors.clone();
    api.request::<IpNeighborReplaceEnd>(move |_, _| {
        table.replace_end()?;
        Ok(IpNeighborReplaceEndReply::default())
    })?;
    limits(api, neighbors)?;
    events(api, neighbors, interfaces)
}

fn only_family4(family: AddressFamily) -> Result<(), ApiError> {
    only_ip4(family != AddressFamily::ADDRESS_IP4)
}

fn interface(interfaces: &Interfaces, index: InterfaceIndex) -> Result<SwIfIndex, ApiError> {
    let index = SwIfIndex(index.0);
    match interfaces.sw(index) {
        Some(_) => Ok(index),
        None => Err(ApiError::INVALID_SW_IF_INDEX),
    }
}

/// An interface that exists, or nothing for `~0`: all of them.
fn one_or_all(
    interfaces: &Interfaces,
    index: InterfaceIndex,
) -> Result<Option<SwIfIndex>, ApiError> {
    if index.0 == u32::MAX {
        return Ok(None);
    }
    interface(interfaces, index).map(Some)
}

/// Adds or removes an entry; gives the index of its counters, or ~0.
fn add_del(
    neighbors: &Neighbors,
    interfaces: &Interfaces,
    message: &IpNeighborAddDel,
) -> Result<u32, ApiError> {
    let IpNeighbor {
        sw_if_index,
        flags,
        mac_address,
        ip_address,
    } = message.neighbor;
    let key = NeighborKey {
        interface: interface(interfaces, sw_if_index)?,
        address: IpAddr::try_from(ip_address).map_err(|_| ApiError::INVALID_ADDRESS_FAMILY)?,
    };
    only_ip4(key.address.is_ipv6())?;
    if !message.is_add {
        neighbors.remove(key)?;
        return Ok(u32::MAX);
    }
    let origin = if flags.contains(STATIC) {
        Origin::Static
    } else {
        Origin::Dynamic
    };
    let adjacency = neighbors.add(key, mac_address, origin, flags.contains(NO_FIB_ENTRY))?;
    Ok(adjacency.0)
}

fn wire(key: NeighborKey, entry: &Neighbor) -> IpNeighbor {
    let mut flags = IpNeighborFlags::default();
    flags.set(STATIC, entry.origin == Origin::Static);
    flags.set(NO_FIB_ENTRY, entry.no_fib_entry);
    IpNeighbor {
        sw_if_index: InterfaceIndex(key.interface.0),
        flags,
        mac_address: entry.mac,
        ip_address: key.address.into(),
    }
}

fn dump(
    neighbors: &Neighbors,
    clock: &NodeClock,
    message: &IpNeighborDump,
) -> impl FnMut() -> Option<IpNeighborDetails> + use<> {
    let (neighbors, clock) = (neighbors.clone(), clock.clone());
    let wanted = message.sw_if_index.0;
    let none = message.af != AddressFamily::ADDRESS_IP4;
    let mut last = None;
    move || loop {
        let (key, entry) = neighbors.next(last).filter(|_| !none)?;
        last = Some(key);
        if wanted == u32::MAX || wanted == key.interface.0 {
            let age = clock.now().saturating_since(entry.updated);
            return Some(IpNeighborDetails {
                age: age.as_secs_f64(),
                neighbor: wire(key, &entry),
            });
        }
    }
}

fn limits(api: &mut ApiRegistry, neighbors: &Neighbors) -> Result<(), ApiRegisterError> {
    let table = neighbors.clone();
    api.request::<IpNeighborConfig>(move |_, message| {
        only_family4(message.af)?;
        table.configure(NeighborConfig {
            max_number: message.max_number,
            max_age: Duration::from_secs(message.max_age.into()),
            recycle: message.recycle,
        });
        Ok(IpNeighborConfigReply::default())
    })?;
    let table = neighbors.clone();
    api.request::<IpNeighborConfigGet>(move |_, message| {
        only_family4(message.af)?;
        let config = table.config();
        Ok(IpNeighborConfigGetReply {
            retval: 0,
            af: message.af,
            max_number: config.max_number,
            max_age: u32::try_from(config.max_age.as_secs()).unwrap_or(u32::MAX),
            recycle: config.recycle,
        })
    })
}

fn events(
    api: &mut ApiRegistry,
    neighbors: &Neighbors,
    interfaces: &Interfaces,
) -> Result<Watchers, ApiRegisterError> {
    let watchers = Watchers {
        v1: api.subscribers(),
        v2: api.subscribers(),
    };
    let (own, known) = (watchers.clone(), interfaces.clone());
    api.request::<WantIpNeighborEvents>(move |cx: &mut ApiContext<'_>, message| {
        one_or_all(&known, message.sw_if_index)?;
        own.want(cx, message)?;
        Ok(WantIpNeighborEventsReply::default())
    })?;
    let (own, known) = (watchers.clone(), interfaces.clone());
    api.request::<WantIpNeighborEventsV2>(move |cx: &mut ApiContext<'_>, message| {
        one_or_all(&known, message.sw_if_index)?;
        own.want_v2(cx, message)?;
        Ok(WantIpNeighborEventsV2Reply::default())
    })?;
    let own = watchers.clone();
    neighbors.watch(move |event| {
        let (key, entry, flags) = match event {
            NeighborEvent::Added(key, entry) => (
                key,
                entry,
                IpNeighborEventFlags::IP_NEIGHBOR_API_EVENT_FLAG_ADDED,
            ),
            NeighborEvent::Removed(key, entry) => (
                key,
                entry,
                IpNeighborEventFlags::IP_NEIGHBOR_API_EVENT_FLAG_REMOVED,
            ),
        };
        let neighbor = wire(key, &entry);
        own.v1.publish(|want| {
            let wanted = Watchers::wants(key, want.sw_if_index, want.ip);
            wanted.then_some(IpNeighborEvent {
                pid: want.pid,
                neighbor,
            })
        });
        own.v2.publish(|want| {
            let wanted = Watchers::wants(key, want.sw_if_index, want.ip);
            wanted.then_some(IpNeighborEventV2 {
                pid: want.pid,
                flags,
                neighbor,
            })
        });
    });
    Ok(watchers)
}
