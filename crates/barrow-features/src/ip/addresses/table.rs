//! The table: who has which address, who borrows, and who takes IPv4 packets.

use super::{AddressError, InterfaceAddress};
use crate::fib::{Fib, FibIndex, Source};
use crate::icmp::SourceAddresses;
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::ArcTable;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;

#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) address: InterfaceAddress,
    /// Grows with each address: the cursor of dumps.
    serial: u64,
    /// Its routes are in the table.
    pub(super) routed: bool,
    /// Goes at the end of the replacement that is under way.
    marked: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) by_interface: BTreeMap<SwIfIndex, Vec<Held>>,
    next_serial: u64,
    /// Reasons other than own addresses for which an interface takes IPv4 packets.
    pub(super) enabled: BTreeMap<SwIfIndex, u32>,
    /// Interfaces that a client wants to take IPv4 packets.
    pub(super) wanted: BTreeSet<SwIfIndex>,
}

type Moved = Rc<dyn Fn(SwIfIndex)>;

/// The addresses of all interfaces; a cheap handle, main thread only.
#[derive(Clone)]
pub struct Addresses {
    pub(super) state: Rc<RefCell<State>>,
    pub(super) interfaces: Interfaces,
    pub(super) fib: Fib,
    pub(super) arcs: ArcTable,
    pub(super) sources: SourceAddresses,
    moved: Rc<RefCell<Vec<Moved>>>,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.borrow().fmt(f)
    }
}

impl Addresses {
    pub(in crate::ip) fn new(
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
            moved: Rc::default(),
        }
    }

    /// Calls `moved` on the main thread whenever an interface is in another table than before, as long as
    /// the former one still exists.
    pub fn on_table_change(&self, moved: impl Fn(SwIfIndex) + 'static) {
        self.moved.borrow_mut().push(Rc::new(moved));
    }

    /// The address that is in the way of another one: its network overlaps, and it is of another interface
    /// of the same table, or of another length. Addresses that a replacement has not seen yet are in nobody's
    /// way.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn conflict(
        &self,
        index: SwIfIndex,
        address: InterfaceAddress,
    ) -> Result<Option<(SwIfIndex, InterfaceAddress)>, AddressError> {
        let table = self.table_of(index)?;
        let state = self.state.borrow();
        let all = state.by_interface.iter();
        let mut all = all.flat_map(|(other, own)| own.iter().map(move |held| (*other, held)));
        let found = all.find(|(other, held)| {
            let same_network = *other == index
                && held.address.len == address.len
                && held.address.address != address.address;
            !held.marked
                && !same_network
                && held.address.overlaps(address)
                && self.table_of(*other).is_ok_and(|other| other == table)
        });
        Ok(found.map(|(other, held)| (other, held.address)))
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
        if self.conflict(index, address)?.is_some() {
            return Err(AddressError::InUse);
        }
        let sub = self.interfaces.sw(index).and_then(|sw| sw.sub);
        if sub.is_some_and(|sub| sub.vlan.tags > 0 && !sub.vlan.exact) {
            return Err(AddressError::NotExact);
        }
        if self.keep_marked(index, address) {
            return Ok(());
        }
        if let Some(former) = self.marked_elsewhere(index, address)? {
            self.remove(former, address)?;
        }
        {
            let state = &mut *self.state.borrow_mut();
            let held = Held {
                address,
                serial: state.next_serial,
                routed: false,
                marked: false,
            };
            state.next_serial += 1;
            state.by_interface.entry(index).or_default().push(held);
        }
        self.settle(index)
    }

    /// Whether a replacement that is under way has this address to keep; it is seen now.
    fn keep_marked(&self, index: SwIfIndex, address: InterfaceAddress) -> bool {
        let mut state = self.state.borrow_mut();
        let own = state.by_interface.entry(index).or_default();
        match own.iter_mut().find(|held| held.address == address) {
            Some(held) => {
                held.marked = false;
                true
            }
            None => false,
        }
    }

    /// The interface of the same table from which an address moves during a replacement.
    fn marked_elsewhere(
        &self,
        index: SwIfIndex,
        address: InterfaceAddress,
    ) -> Result<Option<SwIfIndex>, AddressError> {
        let table = self.table_of(index)?;
        let state = self.state.borrow();
        let mut others = state.by_interface.iter();
        let found = others.find(|(other, own)| {
            own.iter()
                .any(|held| held.marked && held.address == address)
                && self.table_of(**other).is_ok_and(|other| other == table)
        });
        Ok(found.map(|(other, _)| *other))
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
    /// [`NoSuchLender`](AddressError::NoSuchLender), [`NoSuchInterface`](AddressError::NoSuchInterface),
    /// [`DifferentTables`](AddressError::DifferentTables).
    pub fn set_unnumbered(
        &self,
        index: SwIfIndex,
        lender: Option<SwIfIndex>,
    ) -> Result<(), AddressError> {
        self.table_of(index)?;
        if lender.is_some_and(|lender| self.interfaces.sw(lender).is_none()) {
            return Err(AddressError::NoSuchLender);
        }
        if let Some(lender) = lender
            && self.table_of(lender)? != self.table_of(index)?
        {
            return Err(AddressError::DifferentTables);
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

    /// Lets an interface take IPv4 packets because a client wants it, or no longer; twice is once.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn want(&self, index: SwIfIndex, on: bool) -> Result<(), AddressError> {
        self.table_of(index)?;
        {
            let mut state = self.state.borrow_mut();
            if on {
                state.wanted.insert(index);
            } else {
                state.wanted.remove(&index);
            }
        }
        self.settle(index)
    }

    /// Whether a client wants an interface to take IPv4 packets.
    #[must_use]
    pub fn is_wanted(&self, index: SwIfIndex) -> bool {
        self.state.borrow().wanted.contains(&index)
    }

    /// Moves an interface into another table, which it then keeps alive.
    ///
    /// # Errors
    /// [`HasAddresses`](AddressError::HasAddresses) while it has or borrows addresses,
    /// [`NoSuchTable`](AddressError::NoSuchTable).
    pub fn set_table(&self, index: SwIfIndex, table: FibIndex) -> Result<(), AddressError> {
        let former = self.table_of(index)?;
        if self.fib.table(table).is_none() {
            return Err(AddressError::NoSuchTable);
        }
        if self.first(index).is_some() {
            return Err(AddressError::HasAddresses);
        }
        if table != FibIndex::DEFAULT {
            self.fib.lock_table(table, Source::INTERFACE)?;
        }
        let changed = self
            .interfaces
            .change_sw(index, |sw| sw.ip4_fib_index = table.0);
        changed.map_err(|_| AddressError::NoSuchInterface)?;
        let moved = self.moved.borrow().clone();
        moved.iter().for_each(|moved| moved(index));
        if former != FibIndex::DEFAULT {
            self.fib.unlock_table(former, Source::INTERFACE);
        }
        self.fib.interface_changed(index);
        Ok(())
    }

    /// The address of an interface that was added next after the one of number `after`, with its number:
    /// the cursor of dumps.
    #[must_use]
    pub fn next(&self, index: SwIfIndex, after: Option<u64>) -> Option<(u64, InterfaceAddress)> {
        let state = self.state.borrow();
        let mut own = state.by_interface.get(&index)?.iter();
        let held = own.find(|held| after.is_none_or(|after| held.serial > after))?;
        Some((held.serial, held.address))
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

    /// The table that an interface's packets are looked up in.
    ///
    /// # Errors
    /// [`NoSuchInterface`](AddressError::NoSuchInterface).
    pub fn table_of(&self, index: SwIfIndex) -> Result<FibIndex, AddressError> {
        let sw = self
            .interfaces
            .sw(index)
            .ok_or(AddressError::NoSuchInterface)?;
        Ok(FibIndex(sw.ip4_fib_index))
    }
}
