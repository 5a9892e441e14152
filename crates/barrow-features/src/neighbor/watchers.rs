//! Clients that want to be told of neighbours.

use super::table::NeighborKey;
use barrow_engine::api::{ApiContext, ApiError, ClientIndex, Subscribers};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::ip_neighbor::{WantIpNeighborEvents, WantIpNeighborEventsV2};
use barrow_messages::ip_types::Address;
use std::net::IpAddr;

/// The subscriptions of both versions.
#[derive(Clone, Debug)]
pub(super) struct Watchers {
    pub(super) v1: Subscribers<WantIpNeighborEvents>,
    pub(super) v2: Subscribers<WantIpNeighborEventsV2>,
}

/// A subscription, for listings.
pub(super) struct Watch {
    pub(super) client: ClientIndex,
    pub(super) pid: u32,
    pub(super) sw_if_index: InterfaceIndex,
    pub(super) ip: Address,
}

/// Index 0 stands for any interface, as in VPP (`ip_neighbor_watch`).
const fn interface_of(index: InterfaceIndex) -> u32 {
    if index.0 == 0 { u32::MAX } else { index.0 }
}

/// IPv6 neighbours are for later.
fn require_ip4(address: Address) -> Result<(), ApiError> {
    match IpAddr::try_from(address) {
        Ok(IpAddr::V4(_)) => Ok(()),
        _ => Err(ApiError::INVALID_ADDRESS_FAMILY),
    }
}

impl Watchers {
    /// Whether a subscription for this interface and address is about a neighbour; an address of zeros is
    /// any address.
    pub(super) fn wants(key: NeighborKey, interface: InterfaceIndex, address: Address) -> bool {
        let interface = interface_of(interface);
        let address = IpAddr::try_from(address).ok();
        (interface == u32::MAX || interface == key.interface.0)
            && address.is_some_and(|want| want.is_unspecified() || want == key.address)
    }

    /// Subscribes or ends a subscription; twice is once.
    pub(super) fn want(
        &self,
        cx: &ApiContext<'_>,
        message: WantIpNeighborEvents,
    ) -> Result<(), ApiError> {
        require_ip4(message.ip)?;
        let (pid, interface, ip) = (message.pid, interface_of(message.sw_if_index), message.ip);
        let same = move |known: &WantIpNeighborEvents| {
            (known.pid, interface_of(known.sw_if_index), known.ip) == (pid, interface, ip)
        };
        // None yet, or none any more: both are what was wanted.
        let _unknown = self.v1.remove(cx, same);
        if message.enable {
            self.v1.add(cx, message, same)
        } else {
            Ok(())
        }
    }

    /// As [`want`](Self::want), for the second version.
    pub(super) fn want_v2(
        &self,
        cx: &ApiContext<'_>,
        message: WantIpNeighborEventsV2,
    ) -> Result<(), ApiError> {
        require_ip4(message.ip)?;
        let (pid, interface, ip) = (message.pid, interface_of(message.sw_if_index), message.ip);
        let same = move |known: &WantIpNeighborEventsV2| {
            (known.pid, interface_of(known.sw_if_index), known.ip) == (pid, interface, ip)
        };
        // None yet, or none any more: both are what was wanted.
        let _unknown = self.v2.remove(cx, same);
        if message.enable {
            self.v2.add(cx, message, same)
        } else {
            Ok(())
        }
    }

    /// All subscriptions.
    pub(super) fn list(&self) -> Vec<Watch> {
        let mut list = Vec::new();
        self.v1.for_each(|client, want| {
            let WantIpNeighborEvents {
                pid,
                sw_if_index,
                ip,
                ..
            } = *want;
            list.push(Watch {
                client,
                pid,
                sw_if_index,
                ip,
            });
        });
        self.v2.for_each(|client, want| {
            let WantIpNeighborEventsV2 {
                pid,
                sw_if_index,
                ip,
                ..
            } = *want;
            list.push(Watch {
                client,
                pid,
                sw_if_index,
                ip,
            });
        });
        list
    }
}
