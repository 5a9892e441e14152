//! Addresses, prefixes and paths, from the wire and back.

use crate::fib::{FibError, Prefix, RouteInfo, RoutePath};
use barrow_engine::api::ApiError;
use barrow_messages::fib_types::{FibPath, FibPathFlags, FibPathNh, FibPathNhProto, FibPathType};
use barrow_messages::ip::{IpRoute, IpRouteV2};
use barrow_messages::ip_types::{self, Address, AddressFamily, AddressUnion};
use std::net::{IpAddr, Ipv4Addr};

/// Paths of a route that fit into a message: their number is one byte.
const MOST_PATHS: usize = u8::MAX as usize;

/// Refuses a message that is about IPv6.
pub(crate) const fn only_ip4(is_ip6: bool) -> Result<(), ApiError> {
    if is_ip6 {
        Err(ApiError::INVALID_ADDRESS_FAMILY)
    } else {
        Ok(())
    }
}

/// Refuses any family but IPv4.
pub(super) fn only_family4(family: AddressFamily) -> Result<(), ApiError> {
    only_ip4(family != AddressFamily::ADDRESS_IP4)
}

/// An IPv4 address.
pub(super) fn address4(address: Address) -> Result<Ipv4Addr, ApiError> {
    match IpAddr::try_from(address) {
        Ok(IpAddr::V4(address)) => Ok(address),
        _ => Err(ApiError::INVALID_ADDRESS_FAMILY),
    }
}

/// An IPv4 prefix, its host bits cleared.
pub(super) fn prefix(prefix: ip_types::Prefix) -> Result<Prefix, ApiError> {
    let address = address4(prefix.address)?;
    Prefix::new(address.into(), prefix.len).map_err(|error: FibError| super::number(error))
}

pub(super) fn wire_prefix(prefix: Prefix) -> ip_types::Prefix {
    ip_types::Prefix {
        address: prefix.address().into(),
        len: prefix.len(),
    }
}

pub(super) fn route_path(path: &FibPath) -> RoutePath {
    RoutePath {
        sw_if_index: path.sw_if_index,
        table_id: path.table_id,
        rpf_id: path.rpf_id,
        weight: path.weight,
        preference: path.preference,
        path_type: path.r#type.0,
        flags: path.flags.0,
        proto: path.proto.0,
        next_hop: path.nh.address.0,
        n_labels: path.n_labels,
    }
}

fn wire_path(path: &RoutePath) -> FibPath {
    FibPath {
        sw_if_index: path.sw_if_index,
        table_id: path.table_id,
        rpf_id: path.rpf_id,
        weight: path.weight,
        preference: path.preference,
        r#type: FibPathType(path.path_type),
        flags: FibPathFlags(path.flags),
        proto: FibPathNhProto(path.proto),
        nh: FibPathNh {
            address: AddressUnion(path.next_hop),
            ..FibPathNh::default()
        },
        n_labels: path.n_labels,
        ..FibPath::default()
    }
}

fn wire_paths(route: &RouteInfo) -> Vec<FibPath> {
    route.paths.iter().take(MOST_PATHS).map(wire_path).collect()
}

pub(super) fn wire_route(route: &RouteInfo) -> IpRoute {
    IpRoute {
        table_id: route.table_id,
        stats_index: route.stats_index.0,
        prefix: wire_prefix(route.prefix),
        paths: wire_paths(route),
    }
}

pub(super) fn wire_route_v2(route: &RouteInfo) -> IpRouteV2 {
    IpRouteV2 {
        table_id: route.table_id,
        stats_index: route.stats_index.0,
        prefix: wire_prefix(route.prefix),
        src: route.source.number(),
        paths: wire_paths(route),
    }
}
