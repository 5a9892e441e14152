//! Routes.

use super::convert::{prefix, route_path, wire_route, wire_route_v2};
use super::{IpApi, number};
use crate::fib::{AddressFamily, RouteChange, RouteInfo, RoutePath, Source};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::fib_types::FibPath;
use barrow_messages::ip::{
    IpRouteAddDel, IpRouteAddDelReply, IpRouteAddDelV2, IpRouteAddDelV2Reply, IpRouteDetails,
    IpRouteDump, IpRouteLookup, IpRouteLookupReply, IpRouteLookupV2, IpRouteLookupV2Reply,
    IpRouteV2Details, IpRouteV2Dump, IpTable,
};
use barrow_messages::ip_types::Prefix;
use smallvec::SmallVec;
use std::net::IpAddr;

pub(super) fn register(ip: &IpApi, api: &mut ApiRegistry) -> Result<(), ApiRegisterError> {
    ip.on::<IpRouteAddDel>(api, |ip, message| {
        let IpRouteAddDel {
            is_add,
            is_multipath,
            route,
        } = message;
        let action = Action {
            is_add,
            is_multipath,
            source: Source::API,
        };
        let (retval, stats_index) =
            ip.change_route(action, route.table_id, route.prefix, &route.paths);
        Ok(IpRouteAddDelReply {
            retval,
            stats_index,
        })
    })?;
    ip.on::<IpRouteAddDelV2>(api, |ip, message| {
        let IpRouteAddDelV2 {
            is_add,
            is_multipath,
            route,
        } = message;
        let (retval, stats_index) = match Source::from_client(route.src) {
            Ok(source) => {
                let action = Action {
                    is_add,
                    is_multipath,
                    source,
                };
                ip.change_route(action, route.table_id, route.prefix, &route.paths)
            }
            Err(error) => (error.retval(), u32::MAX),
        };
        Ok(IpRouteAddDelV2Reply {
            retval,
            stats_index,
        })
    })?;
    ip.on::<IpRouteLookup>(api, |ip, message| {
        let route = ip.lookup(message.table_id, message.prefix, message.exact != 0)?;
        Ok(IpRouteLookupReply {
            retval: 0,
            route: wire_route(&route),
        })
    })?;
    ip.on::<IpRouteLookupV2>(api, |ip, message| {
        let route = ip.lookup(message.table_id, message.prefix, message.exact != 0)?;
        Ok(IpRouteLookupV2Reply {
            retval: 0,
            route: wire_route_v2(&route),
        })
    })?;
    let own = ip.clone();
    api.dump::<IpRouteDump, _>(move |_, message| {
        let mut routes = own.routes(&message.table, 0);
        move || {
            routes().map(|route| IpRouteDetails {
                route: wire_route(&route),
            })
        }
    })?;
    let own = ip.clone();
    api.dump::<IpRouteV2Dump, _>(move |_, message| {
        let mut routes = own.routes(&message.table, message.src);
        move || {
            routes().map(|route| IpRouteV2Details {
                route: wire_route_v2(&route),
            })
        }
    })
}

/// What is to be done with a route, and by whom.
struct Action {
    is_add: bool,
    is_multipath: bool,
    source: Source,
}

impl IpApi {
    /// Return value, and index of the route's counters (~0 unless it was added).
    fn change_route(
        &self,
        action: Action,
        table_id: u32,
        prefix: Prefix,
        paths: &[FibPath],
    ) -> (i32, u32) {
        let Ok(address) = IpAddr::try_from(prefix.address) else {
            return (ApiError::INVALID_ADDRESS_FAMILY.0, u32::MAX);
        };
        let paths: SmallVec<[RoutePath; 4]> = paths.iter().map(route_path).collect();
        let change = RouteChange {
            table_id,
            address,
            len: prefix.len,
            source: action.source,
            is_add: action.is_add,
            is_multipath: action.is_multipath,
            paths: &paths,
        };
        match self.fib.route_add_del(&change) {
            Ok(Some(counters)) => (0, counters.0),
            Ok(None) => (0, u32::MAX),
            Err(error) => (error.retval(), u32::MAX),
        }
    }

    fn lookup(&self, table_id: u32, wanted: Prefix, exact: bool) -> Result<RouteInfo, ApiError> {
        let wanted = prefix(wanted)?;
        let fib = self.table(table_id)?;
        self.fib.lookup(fib, wanted, exact).map_err(number)
    }

    /// The routes of a table one by one; those of one source if `source` is none of 0 and unknown.
    fn routes(&self, table: &IpTable, source: u8) -> impl FnMut() -> Option<RouteInfo> + use<> {
        let fib = self.fib.clone();
        let id = table.table_id;
        let source = (source != 0).then_some(Source::from_number(source));
        let found = (!table.is_ip6)
            .then(|| fib.find_table(AddressFamily::Ip4, id))
            .flatten();
        // Of a source that does not exist there are no routes.
        let wanted = match source {
            Some(None) => None,
            Some(source) => found.map(|found| (found, source)),
            None => found.map(|found| (found, None)),
        };
        let mut cursor = 0;
        move || {
            let (index, source) = wanted?;
            let (route, next) = fib.next_route(index, source, cursor)?;
            cursor = next;
            Some(route)
        }
    }
}
