//! The messages of tap interfaces (module `tapv2`).

use super::{HostSide, NewTap, Tap, TapError, Taps};
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::api::ApiError;
use barrow_engine::{EngineBuilder, RegisterError};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip_types::{Ip4AddressWithPrefix, Ip6AddressWithPrefix};
use barrow_messages::tapv2::{
    SwInterfaceTapV2Details, SwInterfaceTapV2Dump, TapCreateV2, TapCreateV2Reply, TapCreateV3,
    TapCreateV3Reply, TapDeleteV2, TapDeleteV2Reply, TapFlags,
};
use barrow_wire::FixedString;
use std::net::IpAddr;

/// Ring sizes that clients see unless they asked for others; the kernel's queues have their own.
const RING: u16 = 256;

pub(super) fn register(
    engine: &mut EngineBuilder,
    interfaces: &Interfaces,
    taps: &Taps,
) -> Result<(), RegisterError> {
    let api = engine.api();
    let registered = (|| {
        let (table, names) = (taps.clone(), interfaces.clone());
        api.request::<TapCreateV3>(move |_, m| {
            let tag = m.tag.to_string();
            let sw_if_index = create(&table, &names, request_of(&m)?, &tag)?;
            Ok(TapCreateV3Reply {
                sw_if_index,
                ..TapCreateV3Reply::default()
            })
        })?;
        let (table, names) = (taps.clone(), interfaces.clone());
        api.request::<TapCreateV2>(move |_, m| {
            let tag = m.tag.to_string();
            let sw_if_index = create(&table, &names, request_of(&newer(m))?, &tag)?;
            Ok(TapCreateV2Reply {
                sw_if_index,
                ..TapCreateV2Reply::default()
            })
        })?;
        let table = taps.clone();
        api.request::<TapDeleteV2>(move |_, m| {
            table.delete(SwIfIndex(m.sw_if_index.0)).map_err(refused)?;
            Ok(TapDeleteV2Reply::default())
        })?;
        let (table, names) = (taps.clone(), interfaces.clone());
        api.dump::<SwInterfaceTapV2Dump, _>(move |_, m| {
            let (table, names) = (table.clone(), names.clone());
            let wanted = Some(SwIfIndex(m.sw_if_index.0)).filter(|index| !index.is_none());
            let mut from = 0;
            move || loop {
                let tap = table.next(from)?;
                from = tap.id + 1;
                if wanted.is_none_or(|wanted| wanted == tap.interface) {
                    return Some(details(&tap, &names));
                }
            }
        })
    })();
    registered.map_err(RegisterError::other)
}

fn refused(error: TapError) -> ApiError {
    barrow_messages::errors::Retval(error.retval())
}

fn create(
    taps: &Taps,
    interfaces: &Interfaces,
    new: NewTap,
    tag: &str,
) -> Result<InterfaceIndex, ApiError> {
    let index = taps.create(new).map_err(refused)?;
    if !tag.is_empty() {
        let tagged = interfaces.change_sw(index, |sw| sw.tag = tag.to_owned());
        tagged.map_err(|error| refused(error.into()))?;
    }
    Ok(InterfaceIndex(index.0))
}

/// What a request asks for; what a tap here cannot be is refused.
fn request_of(m: &TapCreateV3) -> Result<NewTap, ApiError> {
    let refuse = |what| refused(TapError::Invalid(what));
    let kinds = TapFlags::TAP_API_FLAG_TUN | TapFlags::TAP_API_FLAG_ATTACH;
    if m.tap_flags
        .intersects(kinds | TapFlags::TAP_API_FLAG_PERSIST)
    {
        return Err(ApiError::UNSUPPORTED);
    }
    let text = |set: bool, text: &FixedString<64>| set.then(|| text.to_string_lossy().into_owned());
    let mut addresses: Vec<(IpAddr, u8)> = Vec::new();
    let mut gateways: Vec<IpAddr> = Vec::new();
    if m.host_ip4_prefix_set {
        let (address, len) = m.host_ip4_prefix.parts().map_err(|_| refuse("prefix"))?;
        addresses.push((address.into(), len));
    }
    if m.host_ip6_prefix_set {
        let (address, len) = m.host_ip6_prefix.parts().map_err(|_| refuse("prefix"))?;
        addresses.push((address.into(), len));
    }
    if m.host_ip4_gw_set {
        gateways.push(std::net::Ipv4Addr::from(m.host_ip4_gw).into());
    }
    if m.host_ip6_gw_set {
        gateways.push(std::net::Ipv6Addr::from(m.host_ip6_gw).into());
    }
    let offload = TapFlags::TAP_API_FLAG_GSO | TapFlags::TAP_API_FLAG_CSUM_OFFLOAD;
    Ok(NewTap {
        id: Some(m.id).filter(|id| *id != u32::MAX),
        mac: (!m.use_random_mac).then_some(m.mac_address),
        queues: m.num_rx_queues.max(m.num_tx_queues).max(1),
        offloads: m.tap_flags.intersects(offload),
        host: HostSide {
            name: text(m.host_if_name_set, &m.host_if_name),
            namespace: text(m.host_namespace_set, &m.host_namespace),
            mac: m.host_mac_addr_set.then_some(m.host_mac_addr),
            mtu: m.host_mtu_set.then_some(m.host_mtu_size),
            addresses,
            gateways,
            bridge: text(m.host_bridge_set, &m.host_bridge),
        },
    })
}

/// A request of the older message in the words of the newer one.
fn newer(m: TapCreateV2) -> TapCreateV3 {
    TapCreateV3 {
        id: m.id,
        use_random_mac: m.use_random_mac,
        mac_address: m.mac_address,
        num_rx_queues: m.num_rx_queues.into(),
        num_tx_queues: 1,
        tx_ring_sz: m.tx_ring_sz,
        rx_ring_sz: m.rx_ring_sz,
        host_mtu_set: m.host_mtu_set,
        host_mtu_size: m.host_mtu_size,
        host_mac_addr_set: m.host_mac_addr_set,
        host_mac_addr: m.host_mac_addr,
        host_ip4_prefix_set: m.host_ip4_prefix_set,
        host_ip4_prefix: m.host_ip4_prefix,
        host_ip6_prefix_set: m.host_ip6_prefix_set,
        host_ip6_prefix: m.host_ip6_prefix,
        host_ip4_gw_set: m.host_ip4_gw_set,
        host_ip4_gw: m.host_ip4_gw,
        host_ip6_gw_set: m.host_ip6_gw_set,
        host_ip6_gw: m.host_ip6_gw,
        tap_flags: m.tap_flags,
        host_namespace_set: m.host_namespace_set,
        host_namespace: m.host_namespace,
        host_if_name_set: m.host_if_name_set,
        host_if_name: m.host_if_name,
        host_bridge_set: m.host_bridge_set,
        host_bridge: m.host_bridge,
        tag: m.tag,
    }
}

fn details(tap: &Tap, interfaces: &Interfaces) -> SwInterfaceTapV2Details {
    let host = &tap.new.host;
    let text = |text: &str| FixedString::truncated(text);
    let mut ip4 = Ip4AddressWithPrefix::default();
    let mut ip6 = Ip6AddressWithPrefix::default();
    for (address, len) in &host.addresses {
        // What the kernel took as a prefix is one.
        match address {
            IpAddr::V4(address) => {
                ip4 = Ip4AddressWithPrefix::new(*address, *len).unwrap_or_default();
            }
            IpAddr::V6(address) => {
                ip6 = Ip6AddressWithPrefix::new(*address, *len).unwrap_or_default();
            }
        }
    }
    let mut tap_flags = TapFlags::default();
    if tap.new.offloads {
        tap_flags = TapFlags::TAP_API_FLAG_GSO | TapFlags::TAP_API_FLAG_CSUM_OFFLOAD;
    }
    SwInterfaceTapV2Details {
        sw_if_index: tap.interface.0,
        id: tap.id,
        tx_ring_sz: RING,
        rx_ring_sz: RING,
        host_mtu_size: host.mtu.unwrap_or(0),
        host_mac_addr: host.mac.unwrap_or_default(),
        host_ip4_prefix: ip4,
        host_ip6_prefix: ip6,
        tap_flags,
        dev_name: text(&interfaces.name(tap.interface).unwrap_or_default()),
        host_if_name: text(&tap.host_name),
        host_namespace: text(host.namespace.as_deref().unwrap_or_default()),
        host_bridge: text(host.bridge.as_deref().unwrap_or_default()),
    }
}
