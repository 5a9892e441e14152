//! Where a request leaves, and from which address.

use crate::fib::{AddressFamily, Fib, FibIndex, Prefix, RoutePath};
use crate::icmp::SourceAddresses;
use crate::interface::SwIfIndex;
use std::net::Ipv4Addr;

/// Next hops that are followed on the way to an interface.
const MOST_HOPS: usize = 8;

/// Why no request was sent; the texts are VPP's (`vpp:src/plugins/ping/ping.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("no egress interface")]
    Interface,
    #[error("no FIB table for lookup")]
    Table,
    #[error("no source address for egress interface")]
    Source,
}

/// The address to ask a host from: of the interface that its route leaves by, or the host itself if it is
/// this node.
pub(super) fn source_towards(
    fib: &Fib,
    sources: &SourceAddresses,
    table: FibIndex,
    host: Ipv4Addr,
) -> Result<Ipv4Addr, Failure> {
    let (mut table, mut hop) = (table, host);
    for _ in 0..MOST_HOPS {
        let route = fib.lookup(table, Prefix::host(hop.into()), false);
        let route = route.map_err(|_| Failure::Table)?;
        let path = route.paths.first().ok_or(Failure::Interface)?;
        let next_hop = path
            .next_hop
            .first_chunk()
            .map_or(Ipv4Addr::UNSPECIFIED, |bytes| Ipv4Addr::from_octets(*bytes));
        match (path.path_type, path.sw_if_index) {
            (RoutePath::LOCAL, _) if hop == host => return Ok(host),
            (RoutePath::NORMAL | RoutePath::LOCAL, index) if index != u32::MAX => {
                let own = sources.towards(SwIfIndex(index), hop);
                return own.ok_or(Failure::Source);
            }
            (RoutePath::NORMAL, _) => {
                let next = fib.find_table(AddressFamily::Ip4, path.table_id);
                table = next.ok_or(Failure::Table)?;
                if !next_hop.is_unspecified() {
                    hop = next_hop;
                }
            }
            _ => return Err(Failure::Interface),
        }
    }
    Err(Failure::Interface)
}
