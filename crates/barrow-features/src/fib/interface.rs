//! The routes that an interface address brings with it.
//!
//! Each address makes *claims* on prefixes; the first of the strongest claim on a prefix is its route.
//! Taking the address away takes exactly its claims, and what was second best returns. So addresses of
//! one network on one or several interfaces need no counting, whatever the order they come and go in.
//!
//! ```text
//! 10.0.0.1/24 on pg0  claims   10.0.0.1/32    local
//!                              10.0.0.0/24    connected: ask for hosts from 10.0.0.1
//!                              10.0.0.0/32    drop
//!                              10.0.0.255/32  drop, or broadcast if pg0 may
//! 10.0.0.4/31 on pg1  claims   10.0.0.4/32 local, 10.0.0.4/31 connected, 10.0.0.5/32 neighbour
//! ```

use super::state::State;
use super::{EntryFlags, FibError, FibIndex, PathKind, PathSpec, Prefix, Source};
use crate::interface::SwIfIndex;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv4Addr};

/// What an address wants of a prefix; stronger ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Want {
    /// An address of this node.
    Local,
    /// The other address of a /31.
    Peer,
    /// The network, asked for from the address.
    Connected(IpAddr),
    /// The network's broadcast address.
    Broadcast,
    /// The network's own address.
    Base,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Claim {
    want: Want,
    interface: SwIfIndex,
}

impl Claim {
    const fn strength(&self) -> u8 {
        match self.want {
            Want::Local => 0,
            Want::Peer => 1,
            Want::Connected(_) => 2,
            Want::Broadcast => 3,
            Want::Base => 4,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Address {
    fib: FibIndex,
    address: IpAddr,
    len: u8,
}

/// The addresses of all interfaces and their claims.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    by_interface: FxHashMap<SwIfIndex, Vec<Address>>,
    claims: FxHashMap<(FibIndex, Prefix), SmallVec<[Claim; 1]>>,
    /// Interfaces that may send to the broadcast address of their networks.
    broadcasters: FxHashSet<SwIfIndex>,
}

impl Addresses {
    /// Whether an interface may send to the broadcast address of its networks.
    pub(super) fn is_broadcaster(&self, interface: SwIfIndex) -> bool {
        self.broadcasters.contains(&interface)
    }

    fn best(&self, fib: FibIndex, prefix: Prefix) -> Option<Claim> {
        let claims = self.claims.get(&(fib, prefix))?;
        claims.iter().min_by_key(|claim| claim.strength()).copied()
    }
}

/// What an address claims, in the order in which the routes are made.
fn claims(address: IpAddr, len: u8) -> Result<SmallVec<[(Prefix, Want); 4]>, FibError> {
    let host = Prefix::host(address);
    let mut claims = SmallVec::from_iter([(host, Want::Local)]);
    let network = Prefix::new(address, len)?;
    if network == host {
        return Ok(claims);
    }
    claims.push((network, Want::Connected(address)));
    let IpAddr::V4(v4) = address else {
        return Ok(claims);
    };
    let inverse = !super::mask4(len);
    let mut other = |bits: u32, want| {
        if bits != v4.to_bits() {
            claims.push((Prefix::host(Ipv4Addr::from_bits(bits).into()), want));
        }
    };
    if len == 31 {
        other(v4.to_bits() ^ 1, Want::Peer);
    } else {
        other(v4.to_bits() & !inverse, Want::Base);
        other(v4.to_bits() | inverse, Want::Broadcast);
    }
    Ok(claims)
}

impl State {
    pub(super) fn add_address(
        &mut self,
        fib: FibIndex,
        interface: SwIfIndex,
        address: IpAddr,
        len: u8,
    ) -> Result<(), FibError> {
        self.tables.get(fib)?;
        Prefix::host(address).ip4()?;
        let claims = claims(address, len)?;
        let new = Address { fib, address, len };
        let addresses = self.addresses.by_interface.entry(interface).or_default();
        if addresses.contains(&new) {
            return Ok(());
        }
        addresses.push(new);
        let mut result = Ok(());
        for (prefix, want) in claims {
            let claim = Claim { want, interface };
            result = result.and(self.change_claims(fib, prefix, |claims| claims.push(claim)));
        }
        if result.is_err() {
            // a table is full: better no route of the address than some
            self.remove_address(fib, interface, address, len)?;
        }
        result
    }

    pub(super) fn remove_address(
        &mut self,
        fib: FibIndex,
        interface: SwIfIndex,
        address: IpAddr,
        len: u8,
    ) -> Result<(), FibError> {
        let old = Address { fib, address, len };
        let addresses = self.addresses.by_interface.get_mut(&interface);
        let addresses = addresses.ok_or(FibError::NoSuchEntry)?;
        let at = addresses
            .iter()
            .position(|have| *have == old)
            .ok_or(FibError::NoSuchEntry)?;
        addresses.remove(at);
        if addresses.is_empty() {
            self.addresses.by_interface.remove(&interface);
        }
        // hosts first: less to follow the network when it goes
        for (prefix, want) in claims(address, len)?.into_iter().rev() {
            let claim = Claim { want, interface };
            self.change_claims(fib, prefix, |claims| {
                if let Some(at) = claims.iter().position(|have| *have == claim) {
                    claims.remove(at);
                }
            })?;
        }
        Ok(())
    }

    /// Takes all addresses of an interface that is about to go.
    pub(super) fn remove_addresses(&mut self, interface: SwIfIndex) -> Result<(), FibError> {
        let addresses = self
            .addresses
            .by_interface
            .get(&interface)
            .cloned()
            .unwrap_or_default();
        for Address { fib, address, len } in addresses {
            self.remove_address(fib, interface, address, len)?;
        }
        self.addresses.broadcasters.remove(&interface);
        Ok(())
    }

    /// Whether packets to the broadcast addresses of an interface's networks are sent there.
    pub(super) fn set_directed_broadcast(
        &mut self,
        interface: SwIfIndex,
        on: bool,
    ) -> Result<(), FibError> {
        let broadcasters = &mut self.addresses.broadcasters;
        let changed = if on {
            broadcasters.insert(interface)
        } else {
            broadcasters.remove(&interface)
        };
        if !changed {
            return Ok(());
        }
        let addresses = self
            .addresses
            .by_interface
            .get(&interface)
            .cloned()
            .unwrap_or_default();
        for Address { fib, address, len } in addresses {
            for (prefix, want) in claims(address, len)? {
                if want == Want::Broadcast && self.addresses.best(fib, prefix).is_some() {
                    self.grant(fib, prefix)?;
                }
            }
        }
        Ok(())
    }

    /// Changes the claims on a prefix, and its route if another claim is the strongest then.
    fn change_claims(
        &mut self,
        fib: FibIndex,
        prefix: Prefix,
        change: impl FnOnce(&mut SmallVec<[Claim; 1]>),
    ) -> Result<(), FibError> {
        let before = self.addresses.best(fib, prefix);
        let claims = self.addresses.claims.entry((fib, prefix)).or_default();
        change(claims);
        if claims.is_empty() {
            self.addresses.claims.remove(&(fib, prefix));
        }
        if self.addresses.best(fib, prefix) == before {
            Ok(())
        } else {
            self.grant(fib, prefix)
        }
    }

    /// Makes the route of a prefix what the strongest claim wants.
    fn grant(&mut self, fib: FibIndex, prefix: Prefix) -> Result<(), FibError> {
        let Some(Claim { want, interface }) = self.addresses.best(fib, prefix) else {
            if let Some(entry) = self.find(fib, prefix)? {
                self.remove_source(entry, Source::INTERFACE);
            }
            return Ok(());
        };
        let next_hop = |next_hop| PathKind::AttachedNextHop {
            next_hop,
            interface,
        };
        let drop = (PathKind::Drop, EntryFlags::DROP | EntryFlags::URPF_EXEMPT);
        let (kind, flags) = match want {
            Want::Local => {
                let address = prefix.address();
                let flags = EntryFlags::CONNECTED | EntryFlags::LOCAL;
                (PathKind::Receive { interface, address }, flags)
            }
            Want::Connected(source) => {
                let connected = Some((source, prefix.len()));
                let flags = EntryFlags::CONNECTED | EntryFlags::ATTACHED;
                (
                    PathKind::Attached {
                        interface,
                        connected,
                    },
                    flags,
                )
            }
            Want::Peer => (next_hop(prefix.address()), EntryFlags::ATTACHED),
            Want::Broadcast if self.addresses.broadcasters.contains(&interface) => {
                (next_hop(Ipv4Addr::BROADCAST.into()), EntryFlags::NONE)
            }
            Want::Broadcast | Want::Base => drop,
        };
        self.update(
            fib,
            prefix,
            Source::INTERFACE,
            flags,
            &[PathSpec::new(kind)],
        )
        .map(std::mem::drop)
    }
}
