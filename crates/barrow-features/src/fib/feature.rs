//! What other features ask of the tables: routes of their own, addresses, neighbours, interfaces.

use super::entry::EntryIndex;
use super::{EntryFlags, Fib, FibError, FibIndex, LbIndex, PathKind, PathSpec, Prefix, Source};
use crate::adj::AdjIndex;
use crate::interface::SwIfIndex;
use std::net::IpAddr;

impl Fib {
    /// Gives a source these paths for a prefix, in place of what it had.
    ///
    /// # Errors
    /// Those of [`FibError`].
    pub fn update(
        &self,
        fib: FibIndex,
        prefix: Prefix,
        source: Source,
        flags: EntryFlags,
        paths: &[PathSpec],
    ) -> Result<LbIndex, FibError> {
        if paths.is_empty() {
            return Err(FibError::NoPaths);
        }
        self.change(|state| state.update(fib, prefix, source, flags, paths))
            .map(EntryIndex::lb)
    }

    /// Takes a source from a route; the last one takes the route. None there is no error.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`], [`FibError::AddressFamily`].
    pub fn remove(&self, fib: FibIndex, prefix: Prefix, source: Source) -> Result<(), FibError> {
        self.change(|state| state.remove(fib, prefix, source))
    }

    /// A neighbour is known on a link: it gets a host route, as long as the address belongs to the link.
    ///
    /// # Errors
    /// Those of [`FibError`].
    pub fn add_neighbour(
        &self,
        fib: FibIndex,
        interface: SwIfIndex,
        address: IpAddr,
    ) -> Result<LbIndex, FibError> {
        let spec = PathSpec::new(PathKind::AttachedNextHop {
            next_hop: address,
            interface,
        });
        self.change(|state| state.add_neighbour(fib, Prefix::host(address), spec))
            .map(EntryIndex::lb)
    }

    /// A neighbour is gone.
    ///
    /// # Errors
    /// [`FibError::NoSuchTable`], [`FibError::AddressFamily`].
    pub fn remove_neighbour(
        &self,
        fib: FibIndex,
        interface: SwIfIndex,
        address: IpAddr,
    ) -> Result<(), FibError> {
        let spec = PathSpec::new(PathKind::AttachedNextHop {
            next_hop: address,
            interface,
        });
        self.change(|state| state.remove_neighbour(fib, Prefix::host(address), &spec))
    }

    /// An interface that is up has an address: makes its local, connected and special routes. The caller
    /// checks for conflicts with other interfaces.
    ///
    /// # Errors
    /// Those of [`FibError`].
    pub fn add_address(
        &self,
        fib: FibIndex,
        interface: SwIfIndex,
        address: IpAddr,
        len: u8,
    ) -> Result<(), FibError> {
        self.change(|state| state.add_address(fib, interface, address, len))
    }

    /// The address is gone, or its interface down.
    ///
    /// # Errors
    /// [`FibError::NoSuchEntry`] if it was not there.
    pub fn remove_address(
        &self,
        fib: FibIndex,
        interface: SwIfIndex,
        address: IpAddr,
        len: u8,
    ) -> Result<(), FibError> {
        self.change(|state| state.remove_address(fib, interface, address, len))
    }

    /// Whether packets to the broadcast address of the interface's networks leave by it, or are dropped.
    ///
    /// # Errors
    /// Those of [`FibError`].
    pub fn set_directed_broadcast(&self, interface: SwIfIndex, on: bool) -> Result<(), FibError> {
        self.change(|state| state.set_directed_broadcast(interface, on))
    }

    /// Whether packets to the broadcast address of the interface's networks leave by it.
    #[must_use]
    pub fn directed_broadcast(&self, interface: SwIfIndex) -> bool {
        self.state().addresses.is_broadcaster(interface)
    }

    /// An interface went up or down, or its MTU or address changed: call it after
    /// [`Links`](crate::adj::Links) answers the new state.
    pub fn interface_changed(&self, interface: SwIfIndex) {
        self.adjacencies().interface_changed(interface);
        self.change(|state| state.interface_changed(interface));
    }

    /// An interface was deleted: its addresses go, and paths through it stay unusable even if another
    /// interface takes its number.
    ///
    /// # Errors
    /// Those of [`FibError`].
    pub fn interface_deleted(&self, interface: SwIfIndex) -> Result<(), FibError> {
        self.adjacencies().interface_changed(interface);
        self.change(|state| {
            state.remove_addresses(interface)?;
            state.interface_deleted(interface);
            Ok(())
        })
    }

    /// The numbers of the paths that go through an adjacency: for `show adj N`.
    #[must_use]
    pub fn paths_of(&self, adjacency: AdjIndex) -> Vec<u32> {
        self.state().paths_of(adjacency)
    }
}
