//! Path MTUs: the largest packets that reach a destination, as a client knows them.
//!
//! A destination here is one address of a table. `ip4-rewrite` keeps packets to it below the path MTU as if
//! the link were that narrow: it has them cut, or answers that they must be smaller. Packets to other
//! destinations through the same neighbour are not affected.

use crate::fib::{AddressFamily, Fib, FibIndex, Prefix, RouteInfo, Source};
use crate::interface::{Interfaces, SwIfIndex};
use crate::ip4::{Forwarding, PathMtuMap};
use barrow_engine::api::ApiError;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// Path MTUs of a node at most.
const MOST: usize = 1 << 20;

/// A destination.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PathMtuKey {
    /// The table, by id.
    pub table_id: u32,
    /// The address.
    pub address: Ipv4Addr,
}

/// A path MTU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathMtu {
    /// The destination.
    pub key: PathMtuKey,
    /// The largest packet in bytes, as configured.
    pub mtu: u16,
    fib: FibIndex,
    stale: bool,
}

#[derive(Default)]
struct State {
    /// By index; the lowest free one is used next.
    entries: BTreeMap<u32, PathMtu>,
    by_key: BTreeMap<PathMtuKey, u32>,
}

/// The path MTUs of a node; a cheap handle, main thread only.
#[derive(Clone)]
pub struct PathMtus {
    state: Rc<RefCell<State>>,
    fib: Fib,
    interfaces: Interfaces,
    forwarding: Forwarding,
}

impl fmt::Debug for PathMtus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.state.borrow().entries).finish()
    }
}

impl PathMtus {
    pub(super) fn new(fib: Fib, interfaces: Interfaces, forwarding: Forwarding) -> Self {
        Self {
            state: Rc::default(),
            fib,
            interfaces,
            forwarding,
        }
    }

    /// Sets the path MTU of a destination; 0 and 65535 take it back (`ip_path_mtu_update` in
    /// `vpp:src/vnet/ip/ip_path_mtu.c`). Its table stays as long as it has one.
    ///
    /// # Errors
    /// NO_SUCH_TABLE (-65), LIMIT_EXCEEDED.
    pub fn set(&self, key: PathMtuKey, mtu: u16) -> Result<(), ApiError> {
        let fib = self.fib.find_table(AddressFamily::Ip4, key.table_id);
        let fib = fib.ok_or(ApiError::NO_SUCH_TABLE)?;
        let state = &mut *self.state.borrow_mut();
        let known = state.by_key.get(&key).copied();
        if matches!(mtu, 0 | u16::MAX) {
            if let Some(index) = known {
                state.entries.remove(&index);
                state.by_key.remove(&key);
                self.fib.unlock_table(fib, Source::RECURSIVE);
            }
        } else {
            let index = match known {
                Some(index) => index,
                None if state.entries.len() >= MOST => return Err(ApiError::LIMIT_EXCEEDED),
                None => {
                    let locked = self.fib.lock_table(fib, Source::RECURSIVE);
                    locked.map_err(|error| ApiError(error.retval()))?;
                    state.free_index()
                }
            };
            let entry = PathMtu {
                key,
                mtu,
                fib,
                stale: false,
            };
            state.entries.insert(index, entry);
            state.by_key.insert(key, index);
        }
        self.publish(state);
        Ok(())
    }

    /// Marks all; those not set again until [`replace_end`](Self::replace_end) go then.
    pub fn replace_begin(&self) {
        let mut state = self.state.borrow_mut();
        state
            .entries
            .values_mut()
            .for_each(|entry| entry.stale = true);
    }

    /// Takes back those that are still marked.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn replace_end(&self) -> Result<(), ApiError> {
        let stale: Vec<_> = {
            let state = self.state.borrow();
            let stale = state.entries.values().filter(|entry| entry.stale);
            stale.map(|entry| entry.key).collect()
        };
        stale.into_iter().try_for_each(|key| self.set(key, 0))
    }

    /// The first one of index `from` or higher: the cursor of dumps.
    #[must_use]
    pub fn next(&self, from: u32) -> Option<(u32, PathMtu)> {
        let state = self.state.borrow();
        let entry = state.entries.range(from..).next();
        entry.map(|(index, entry)| (*index, *entry))
    }

    /// One, by index.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<PathMtu> {
        self.state.borrow().entries.get(&index).copied()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.borrow().entries.is_empty()
    }

    /// The line of `show ip pmtu`.
    #[must_use]
    pub fn describe(&self, index: u32, entry: &PathMtu) -> String {
        let PathMtu {
            key,
            mtu,
            fib,
            stale,
        } = *entry;
        let host = Prefix::host(key.address.into());
        let route = self.fib.lookup(fib, host, false).ok();
        let attached = route
            .as_ref()
            .is_some_and(|route| is_attached(route, key.address));
        let link = route.as_ref().and_then(|route| self.link_mtu(route));
        let oper = link.map_or(mtu, |link| link.min(mtu));
        let place = if attached { "attached" } else { "remote" };
        let stale = if stale { "stale " } else { "" };
        format!(
            "[{index}] [tbl:[{}:{fib}]] {host} pmtu:[cfg:{mtu}, oper:{oper}, parent:0] [{place} {stale}]",
            key.table_id
        )
    }

    /// The smallest MTU of the links that a route's paths name.
    fn link_mtu(&self, route: &RouteInfo) -> Option<u16> {
        let links = route.paths.iter().map(|path| SwIfIndex(path.sw_if_index));
        let mtus = links.filter_map(|link| Some(self.interfaces.sw(link)?.mtu.for_ip4()));
        mtus.min().map(|mtu| u16::try_from(mtu).unwrap_or(u16::MAX))
    }

    fn publish(&self, state: &State) {
        let entries = state.entries.values();
        let map: PathMtuMap = entries
            .map(|entry| ((entry.fib.0, entry.key.address.to_bits()), entry.mtu))
            .collect();
        self.forwarding.set_path_mtus(map);
    }
}

impl State {
    fn free_index(&self) -> u32 {
        let used = self.entries.keys().copied();
        let gap = (0..).zip(used).find(|(expected, used)| expected != used);
        gap.map_or(self.entries.len() as u32, |(free, _)| free)
    }
}

/// Whether the packets of a route to an address go onto a link on which that address is.
fn is_attached(route: &RouteInfo, address: Ipv4Addr) -> bool {
    route.paths.iter().any(|path| {
        let next_hop = path
            .next_hop
            .first_chunk::<4>()
            .map_or([0; 4], |bytes| *bytes);
        path.sw_if_index != u32::MAX && (next_hop == [0; 4] || next_hop == address.octets())
    })
}
