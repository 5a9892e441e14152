//! Paths as clients give and get them.

use super::entry::EntryIndex;
use super::record::Record;
use super::state::State;
use super::{
    AddressFamily, EntryFlags, FibError, PathKind, PathSpec, Prefix, RouteInfo, RoutePath, Source,
};
use crate::interface::SwIfIndex;
use std::net::IpAddr;

const NONE: u32 = u32::MAX;
const POP_PW_CW: u32 = 4;

impl State {
    /// Checks a path and says what it means, and what it makes of its route
    /// (`fib_api_path_decode` in `vpp:src/vnet/fib/fib_api.c`).
    pub(super) fn decode(&self, path: &RoutePath) -> Result<(PathSpec, EntryFlags), FibError> {
        match path.proto {
            0 => {}
            1 => return Err(FibError::AddressFamily),
            2 => return Err(FibError::Unsupported("MPLS next hop")),
            3 => return Err(FibError::Unsupported("Ethernet next hop")),
            4 => return Err(FibError::Unsupported("BIER next hop")),
            _ => return Err(FibError::NextHopProtocol),
        }
        if path.n_labels != 0 {
            return Err(FibError::Unsupported("MPLS label"));
        }
        if path.flags & POP_PW_CW != 0 {
            return Err(FibError::Unsupported("pseudo-wire control word"));
        }
        let mut flags = EntryFlags::NONE;
        let kind = match path.path_type {
            RoutePath::NORMAL => self.decode_normal(path)?,
            RoutePath::LOCAL => {
                let interface = SwIfIndex(path.sw_if_index);
                if interface.is_none() {
                    flags = EntryFlags::CONNECTED | EntryFlags::LOCAL;
                } else {
                    self.check_interface(path)?;
                }
                PathKind::Receive {
                    interface,
                    address: path.address(),
                }
            }
            RoutePath::DROP => PathKind::Drop,
            RoutePath::ICMP_UNREACH => PathKind::Unreachable,
            RoutePath::ICMP_PROHIBIT => PathKind::Prohibited,
            RoutePath::INTERFACE_RX => PathKind::InterfaceRx {
                interface: self.check_interface(path)?,
            },
            3 => return Err(FibError::Unsupported("UDP encapsulation path")),
            4 => return Err(FibError::Unsupported("BIER imposition path")),
            7 => return Err(FibError::Unsupported("source lookup path")),
            8 => return Err(FibError::Unsupported("DVR path")),
            10 => return Err(FibError::Unsupported("classify path")),
            _ => return Err(FibError::Unsupported("path type")),
        };
        let spec = PathSpec {
            kind,
            weight: path.weight.max(1),
            preference: path.preference,
        };
        Ok((spec, flags))
    }

    fn decode_normal(&self, path: &RoutePath) -> Result<PathKind, FibError> {
        if path.rpf_id != 0 && path.rpf_id != NONE {
            return Err(FibError::Unsupported("multicast RPF id"));
        }
        let next_hop = path.address();
        if path.sw_if_index != NONE {
            let interface = self.check_interface(path)?;
            return Ok(if next_hop.is_unspecified() {
                PathKind::Attached {
                    interface,
                    connected: None,
                }
            } else {
                PathKind::AttachedNextHop {
                    next_hop,
                    interface,
                }
            });
        }
        let fib = self.tables.find(AddressFamily::of(next_hop), path.table_id);
        let fib = fib.ok_or(FibError::NoSuchTable)?;
        Ok(if next_hop.is_unspecified() {
            PathKind::Lookup { fib }
        } else {
            let via_host = path.flags & RoutePath::VIA_HOST != 0;
            let via_attached = path.flags & RoutePath::VIA_ATTACHED != 0;
            PathKind::Recursive {
                next_hop,
                fib,
                via_host,
                via_attached,
            }
        })
    }

    fn check_interface(&self, path: &RoutePath) -> Result<SwIfIndex, FibError> {
        let interface = SwIfIndex(path.sw_if_index);
        if self.links.exists(interface) {
            Ok(interface)
        } else {
            Err(FibError::NoSuchInterface)
        }
    }

    /// A path as clients see it (`fib_path_encode` in `vpp:src/vnet/fib/fib_path.c`).
    fn encode(&self, spec: &PathSpec) -> RoutePath {
        let mut path = RoutePath {
            weight: spec.weight,
            preference: spec.preference,
            ..RoutePath::default()
        };
        let table = |fib| self.tables.get(fib).map_or(0, |table| table.id);
        match spec.kind {
            PathKind::AttachedNextHop {
                next_hop,
                interface,
            } => {
                path.sw_if_index = interface.0;
                set_next_hop(&mut path, next_hop);
            }
            PathKind::Attached { interface, .. } => path.sw_if_index = interface.0,
            PathKind::Recursive {
                next_hop,
                fib,
                via_host,
                via_attached,
            } => {
                path.table_id = table(fib);
                path.flags |= if via_host { RoutePath::VIA_HOST } else { 0 };
                path.flags |= if via_attached {
                    RoutePath::VIA_ATTACHED
                } else {
                    0
                };
                set_next_hop(&mut path, next_hop);
            }
            PathKind::Drop => path.path_type = RoutePath::DROP,
            PathKind::Unreachable => path.path_type = RoutePath::ICMP_UNREACH,
            PathKind::Prohibited => path.path_type = RoutePath::ICMP_PROHIBIT,
            PathKind::Lookup { fib } => path.table_id = table(fib),
            PathKind::InterfaceRx { interface } => {
                path.path_type = RoutePath::INTERFACE_RX;
                path.sw_if_index = interface.0;
            }
            PathKind::Receive { interface, address } => {
                path.path_type = RoutePath::LOCAL;
                path.sw_if_index = interface.0;
                set_next_hop(&mut path, address);
            }
        }
        path
    }

    /// A route as clients see it.
    pub(super) fn info(&self, entry: EntryIndex) -> RouteInfo {
        let record = self.entries.get(entry);
        let specs = self
            .lists
            .find(record.list)
            .into_iter()
            .flat_map(|list| list.specs());
        RouteInfo {
            table_id: self.tables.of(record.fib()).id,
            prefix: record.prefix(),
            stats_index: entry.lb(),
            source: self
                .entries
                .records(entry)
                .first()
                .map_or(record.source, |best| best.source),
            paths: specs.map(|spec| self.encode(&spec)).collect(),
        }
    }

    /// What the best of the clients' sources says of a route, whether it forwards so or not.
    pub(super) fn wanted(&self, entry: EntryIndex) -> Option<RouteInfo> {
        let records = self.entries.records(entry);
        let of_client = |record: &&Record| Source::from_client(record.source.number()).is_ok();
        let best = records.iter().find(of_client)?;
        let specs = self.lists.find(best.list?)?.specs();
        Some(RouteInfo {
            source: best.source,
            paths: specs.map(|spec| self.encode(&spec)).collect(),
            ..self.info(entry)
        })
    }

    /// The prefix that a client means.
    pub(super) fn client_prefix(address: IpAddr, len: u8) -> Result<Prefix, FibError> {
        let prefix = Prefix::new(address, len)?;
        prefix.ip4()?;
        Ok(prefix)
    }
}

fn set_next_hop(path: &mut RoutePath, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => path.next_hop[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => {
            path.proto = 1;
            path.next_hop = v6.octets();
        }
    }
}
