//! The IPv4 addresses of interfaces.
//!
//! An address exists as long as somebody wants it; its routes exist while its interface is up. This table
//! keeps the first, checks for conflicts, and makes the forwarding tables follow the second.

use crate::fib::{Fib, FibError, FibIndex};
use crate::icmp::SourceAddresses;
use crate::interface::{InterfaceEvent, Interfaces, SwIfIndex};
use barrow_engine::ArcTable;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

/// Why an address was not added or removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// No interface has this index.
    NoSuchInterface,
    /// The interface that is to lend its address does not exist.
    NoSuchLender,
    /// The prefix is longer than an address.
    PrefixLength,
    /// The address or its network is in use, on this interface or another one in the same table.
    InUse,
    /// The interface does not have this address.
    NotFound,
    /// The table of an interface cannot be changed while it has addresses.
    HasAddresses,
    /// No table has this id.
    NoSuchTable,
    /// The forwarding tables refused.
    Fib(FibError),
}

impl AddressError {
    /// VPP's error number (`vpp:src/vnet/error.h`).
    #[must_use]
    pub const fn retval(&self) -> i32 {
        match self {
            Self::NoSuchInterface => -2, // INVALID_SW_IF_INDEX
            Self::NoSuchTable => -3,     // NO_SUCH_FIB
            Self::NoSuchLender => -10,   // INVALID_SW_IF_INDEX_2
            Self::PrefixLength => -59,   // ADDRESS_LENGTH_MISMATCH
            Self::NotFound => -60,       // ADDRESS_NOT_FOUND_FOR_INTERFACE
            Self::InUse => -105,         // ADDRESS_IN_USE
            Self::HasAddresses => -114,  // ADDRESS_FOUND_FOR_INTERFACE
            Self::Fib(error) => error.retval(),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface => f.write_str("unknown interface"),
            Self::NoSuchLender => f.write_str("unknown interface to borrow from"),
            Self::PrefixLength => f.write_str("prefix longer than an address"),
            Self::InUse => f.write_str("address or network in use"),
            Self::NotFound => f.write_str("the interface has no such address"),
            Self::HasAddresses => f.write_str("the interface has addresses"),
            Self::NoSuchTable => f.write_str("no such table"),
            Self::Fib(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AddressError {}

impl From<FibError> for AddressError {
    fn from(error: FibError) -> Self {
        Self::Fib(error)
    }
}

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InterfaceAddress {
    /// The address.
    pub address: Ipv4Addr,
    /// Bits of the network, 0 to 32.
    pub len: u8,
}

impl InterfaceAddress {
    const fn mask(self) -> u32 {
        if self.len == 0 {
            0
        } else {
            u32::MAX << (32 - self.len)
        }
    }

    /// Whether an address is in the network.
    #[must_use]
    pub const fn contains(self, address: Ipv4Addr) -> bool {
        (self.address.to_bits() ^ address.to_bits()) & self.mask() == 0
    }

    fn overlaps(self, other: Self) -> bool {
        let shorter = if self.len < other.len { self } else { other };
        shorter.contains(self.address) && shorter.contains(other.address)
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

#[derive(Clone, Copy, Debug)]
struct Held {
    address: InterfaceAddress,
    /// Its routes are in the table.
    routed: bool,
    /// Goes at the end of the replacement that is under way.
    marked: bool,
}

#[derive(Debug, Default)]
struct State {
    by_interface: BTreeMap<SwIfIndex, Vec<Held>>,
    /// Reasons other than own addresses for which an interface takes IPv4 packets.
    enabled: BTreeMap<SwIfIndex, u32>,
}

/// The addresses of all interfaces; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Addresses {
    state: Rc<RefCell<State>>,
    interfaces: Interfaces,
    fib: Fib,
    arcs: ArcTable,
    sources: SourceAddresses,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.borrow().fmt(f)
    }
}

impl Addresses {
    pub(super) fn new(
        interfaces: Interfaces,
        fib: Fib,
        arcs: ArcTable,
        sources: SourceAddresses,
    ) -> Self {
        Self {
            state: Rc::default(),
            interfaces,
            fib,
            arcs,
            sources,
        }
    }

    /// Gives an interface an address.
    ///
    /// # Errors
    /// [`InUse`](AddressError::InUse) when the address is there, or its network overlaps one of another
    /// interface in the same table; while a replacement is under way, an address that is there is kept.
    pub fn add(&self, index: SwIfIndex, address: InterfaceAddress) -> Result<(), AddressError> {
        if address.len > 32 {
            return Err(AddressError::PrefixLength);
        }
        let table = self.table_of(index)?;
        {
            let mut state = self.state.borrow_mut();
            let own = state.by_interface.entry(index).or_default();
            if let Some(held) = own
                .iter_mut()
                .find(|held| held.address.address == address.address)
            {
                if held.marked && held.address == address {
                    held.marked = false;
                    return Ok(());
                }
                return Err(AddressError::InUse);
            }
            let others = state
                .by_interface
                .iter()
                .filter(|(other, _)| **other != index);
            for (other, addresses) in others {
                let same_table = self.table_of(*other).is_ok_and(|other| other == table);
                if same_table && addresses.iter().any(|held| held.address.overlaps(address)) {
                    return Err(AddressError::InUse);
                }
            }
            let held = Held {
                address,
                routed: false,
                marked: false,
            };
            state.by_interface.entry(index).or_default().push(held);
        }
        self.settle(index)
    }

    /// Takes an address from an interface.
    ///
    /// # Errors
    /// [`NotFound`](AddressError::NotFound) when it does not have it.
    pub fn remove(&self, index: SwIfIndex, address: InterfaceAddress) -> Result<(), AddressError> {
        if address.len > 32 {
            return Err(AddressError::PrefixLength);
        }
        let table = self.table_of(index)?;
        let held = {
            let mut state = self.state.borrow_mut();
            let own = state.by_interface.entry(index).or_default();
            let at = own.iter().position(|held| held.address == address);
            own.remove(at.ok_or(AddressError::NotFound)?)
        };
        if held.routed {
            self.fib
                .remove_address(table, index, address.address.into(), address.len)?;
        }
        self.settle(index)
    }

    /// Takes all addresses from an interface.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn remove_all(&self, index: SwIfIndex) -> Result<(), AddressError> {
        self.table_of(index)?;
        for address in self.of(index) {
            self.remove(index, address)?;
        }
        Ok(())
    }

    /// Marks all addresses; those not added again until [`replace_end`](Self::replace_end) go then.
    pub fn replace_begin(&self) {
        let mut state = self.state.borrow_mut();
        state
            .by_interface
            .values_mut()
            .flatten()
            .for_each(|held| held.marked = true);
    }

    /// Removes the addresses that are still marked.
    ///
    /// # Errors
    /// What removing one gives.
    pub fn replace_end(&self) -> Result<(), AddressError> {
        let marked: Vec<_> = {
            let state = self.state.borrow();
            let all = state.by_interface.iter();
            let each = all.flat_map(|(index, own)| own.iter().map(move |held| (*index, *held)));
            each.filter(|(_, held)| held.marked)
                .map(|(index, held)| (index, held.address))
                .collect()
        };
        marked
            .into_iter()
            .try_for_each(|(index, address)| self.remove(index, address))
    }

    /// Borrows the addresses of another interface, or gives them back with `None`.
    ///
    /// # Errors
    /// [`NoSuchLender`](AddressError::NoSuchLender), [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn set_unnumbered(
        &self,
        index: SwIfIndex,
        lender: Option<SwIfIndex>,
    ) -> Result<(), AddressError> {
        self.table_of(index)?;
        if lender.is_some_and(|lender| self.interfaces.sw(lender).is_none()) {
            return Err(AddressError::NoSuchLender);
        }
        let changed = self
            .interfaces
            .change_sw(index, |sw| sw.unnumbered = lender);
        changed.map_err(|_| AddressError::NoSuchInterface)?;
        self.fib.interface_changed(index);
        self.settle(index)
    }

    /// Lets an interface without an address take IPv4 packets, or no longer.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn enable(&self, index: SwIfIndex, on: bool) -> Result<(), AddressError> {
        self.table_of(index)?;
        {
            let mut state = self.state.borrow_mut();
            let reasons = state.enabled.entry(index).or_default();
            *reasons = if on {
                *reasons + 1
            } else {
                reasons.saturating_sub(1)
            };
        }
        self.settle(index)
    }

    /// Moves an interface into another table.
    ///
    /// # Errors
    /// [`HasAddresses`](AddressError::HasAddresses) while it has addresses.
    pub fn set_table(&self, index: SwIfIndex, table: FibIndex) -> Result<(), AddressError> {
        self.table_of(index)?;
        if !self.of(index).is_empty() {
            return Err(AddressError::HasAddresses);
        }
        let changed = self
            .interfaces
            .change_sw(index, |sw| sw.ip4_fib_index = table.0);
        changed.map_err(|_| AddressError::NoSuchInterface)?;
        self.fib.interface_changed(index);
        Ok(())
    }

    /// The addresses of an interface, in the order in which they were added.
    #[must_use]
    pub fn of(&self, index: SwIfIndex) -> Vec<InterfaceAddress> {
        let state = self.state.borrow();
        let own = state.by_interface.get(&index).into_iter().flatten();
        own.map(|held| held.address).collect()
    }

    /// The address that an interface speaks from: its first, or the first of the one it borrows from.
    #[must_use]
    pub fn first(&self, index: SwIfIndex) -> Option<InterfaceAddress> {
        let own = self.of(index).first().copied();
        let lender = || self.interfaces.sw(index)?.unnumbered;
        own.or_else(|| self.of(lender()?).first().copied())
    }

    /// Whether an address is one of this node's in a table, on an interface that is up.
    #[must_use]
    pub fn is_local(&self, table: FibIndex, address: Ipv4Addr) -> bool {
        let state = self.state.borrow();
        state.by_interface.iter().any(|(index, own)| {
            own.iter()
                .any(|held| held.routed && held.address.address == address)
                && self.table_of(*index).is_ok_and(|own| own == table)
        })
    }

    fn table_of(&self, index: SwIfIndex) -> Result<FibIndex, AddressError> {
        let sw = self
            .interfaces
            .sw(index)
            .ok_or(AddressError::NoSuchInterface)?;
        Ok(FibIndex(sw.ip4_fib_index))
    }

    /// Makes routes, packet nodes and the arc follow what an interface has now.
    fn settle(&self, index: SwIfIndex) -> Result<(), AddressError> {
        let table = self.table_of(index)?;
        let up = self.interfaces.is_up(index);
        let changed: Vec<_> = {
            let mut state = self.state.borrow_mut();
            let own = state.by_interface.entry(index).or_default();
            let differ = own.iter_mut().filter(|held| held.routed != up);
            differ
                .map(|held| {
                    held.routed = up;
                    held.address
                })
                .collect()
        };
        for InterfaceAddress { address, len } in changed {
            let address = IpAddr::V4(address);
            if up {
                self.fib.add_address(table, index, address, len)?;
            } else {
                self.fib.remove_address(table, index, address, len)?;
            }
        }
        self.publish(index);
        // What borrows from this interface speaks from another address now.
        let borrowers: Vec<_> = self.interfaces.iter_indexes().collect();
        for borrower in borrowers {
            if self
                .interfaces
                .sw(borrower)
                .is_some_and(|sw| sw.unnumbered == Some(index))
            {
                self.publish(borrower);
            }
        }
        Ok(())
    }

    fn publish(&self, index: SwIfIndex) {
        let mut speaks_from = self.of(index);
        if speaks_from.is_empty() {
            let lender = self.interfaces.sw(index).and_then(|sw| sw.unnumbered);
            speaks_from = lender.map(|lender| self.of(lender)).unwrap_or_default();
        }
        self.sources.set(index, &speaks_from);
        let reasons = self
            .state
            .borrow()
            .enabled
            .get(&index)
            .copied()
            .unwrap_or_default();
        let enabled = !speaks_from.is_empty() || reasons > 0;
        let is_new = self
            .interfaces
            .sw(index)
            .is_some_and(|sw| sw.ip4_enabled != enabled);
        if is_new {
            // Interfaces exist as long as they are published, so neither of the two can fail.
            drop(
                self.interfaces
                    .change_sw(index, |sw| sw.ip4_enabled = enabled),
            );
            drop(
                self.arcs
                    .enable("ip4-unicast", "ip4-not-enabled", index.0, !enabled, &[]),
            );
        }
    }

    /// Follows a change of an interface.
    pub(super) fn follow(&self, event: InterfaceEvent) -> Result<(), AddressError> {
        let index = event.index();
        match event {
            InterfaceEvent::Created(_) => {
                let features =
                    self.arcs
                        .enable("ip4-unicast", "ip4-not-enabled", index.0, true, &[]);
                features.map_err(|_| AddressError::NoSuchInterface)
            }
            InterfaceEvent::Admin { .. } => {
                self.fib.interface_changed(index);
                self.settle(index)?;
                let children: Vec<_> = self.interfaces.iter_indexes().collect();
                for child in children {
                    let sub = self.interfaces.sw(child).and_then(|sw| sw.sub);
                    if sub.is_some_and(|sub| sub.parent == index) {
                        self.fib.interface_changed(child);
                        self.settle(child)?;
                    }
                }
                Ok(())
            }
            InterfaceEvent::Link { .. }
            | InterfaceEvent::Mtu(_)
            | InterfaceEvent::Mac(_)
            | InterfaceEvent::Features(_) => {
                self.fib.interface_changed(index);
                Ok(())
            }
            InterfaceEvent::Deleting(_) => {
                self.remove_all(index)?;
                self.forget_borrowers(index)?;
                self.state.borrow_mut().enabled.remove(&index);
                self.sources.set(index, &[]);
                Ok(())
            }
            InterfaceEvent::Deleted(_) => {
                self.state.borrow_mut().by_interface.remove(&index);
                Ok(self.fib.interface_deleted(index)?)
            }
            InterfaceEvent::Name(_) | InterfaceEvent::Ip4(_) => Ok(()),
        }
    }

    fn forget_borrowers(&self, lender: SwIfIndex) -> Result<(), AddressError> {
        let all: Vec<_> = self.interfaces.iter_indexes().collect();
        for index in all {
            if self
                .interfaces
                .sw(index)
                .is_some_and(|sw| sw.unnumbered == Some(lender))
            {
                self.set_unnumbered(index, None)?;
            }
        }
        Ok(())
    }
}
